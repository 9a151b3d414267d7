//! Provider and key management at a gateway over HTTP; knows the paths, not the rules.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::id::ProviderKeyId;
use shared::link::balance::{BalanceBoard, BalanceTerms};
use shared::link::choice::{ChoiceQuery, ChoiceTold};
use shared::link::connectors::GatewayFacts;
use shared::link::key_batch::{KeysAdded, KeysChange, KeysChanged, NewProviderKeys};
use shared::link::models::ProviderModels;
use shared::link::wire;
use shared::link::{
    AdminError, GatewayName, KeyTest, LinkError, NewProvider, NewProviderKey, ProviderAdmin,
    ProviderKeyPatch, ProviderKeyView, ProviderPatch, ProviderView,
};

use super::answers::{ANSWER_MAX, request, small, within};
use super::http::Inner;
use super::nodes::Node;
use super::transport::SendError;

/// Testing a key waits for a provider on top of the link.
const SEND_MAX: std::time::Duration = ANSWER_MAX.saturating_mul(3);

/// The providers of one node.
pub(super) struct NodeAdmin {
    pub(super) link: Arc<Inner>,
    pub(super) node: Arc<Node>,
}

impl NodeAdmin {
    async fn admin(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, AdminError> {
        let unanswered = |error: LinkError| AdminError::Unanswered(error.to_string());
        let base = &self.node.place.base;
        let request = request(method, base, wire::ADMIN_PREFIX, path, Full::new(body))
            .map_err(|error| AdminError::Unreachable(error.to_string()))?;
        let sent = within(SEND_MAX, self.link.send_to(&self.node, request)).await;
        let response = match sent.map_err(unanswered)? {
            Ok(response) => response,
            Err(SendError::Unsent(why)) => return Err(AdminError::Unreachable(why)),
            Err(SendError::Unknown { why, .. }) => return Err(AdminError::Unanswered(why)),
        };
        let (status, bytes) = small(response).await.map_err(unanswered)?;
        if status.is_success() {
            return Ok(bytes);
        }
        let told: Result<AdminError, _> = serde_json::from_slice(&bytes);
        Err(told.map(AdminError::plainly).unwrap_or(match status {
            // A gateway that knows the way says what is not there.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if path.ends_with(BATCH) => {
                AdminError::earlier()
            }
            StatusCode::NOT_FOUND => AdminError::NotFound,
            StatusCode::CONFLICT => AdminError::Duplicate,
            _ => AdminError::Internal,
        }))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, AdminError> {
        let bytes = self.admin(method, path, body).await?;
        serde_json::from_slice(&bytes).map_err(|_| AdminError::Internal)
    }
}

fn json(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

/// Names go into a path: what is not of their form can't be there.
fn provider_path(name: &str) -> Result<String, AdminError> {
    let well_formed =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !name.is_empty();
    if well_formed {
        Ok(format!("/providers/{name}"))
    } else {
        Err(AdminError::NotFound)
    }
}

/// How the path of many keys ends.
const BATCH: &str = "/key-batch";

fn batch_path(provider: &str) -> Result<String, AdminError> {
    Ok(format!("{}{BATCH}", provider_path(provider)?))
}

fn key_path(provider: &str, key: &ProviderKeyId) -> Result<String, AdminError> {
    Ok(format!("{}/keys/{key}", provider_path(provider)?))
}

#[async_trait]
impl ProviderAdmin for NodeAdmin {
    fn gateway(&self) -> GatewayName {
        GatewayName {
            name: self.node.place.name.clone(),
            url: self.node.place.base.clone(),
        }
    }

    fn region(&self) -> String {
        self.node.place.region.clone()
    }

    async fn facts(&self) -> Result<GatewayFacts, AdminError> {
        self.ask(Method::GET, "/facts", Bytes::new()).await
    }

    async fn providers(&self) -> Result<Vec<ProviderView>, AdminError> {
        self.ask(Method::GET, "/providers", Bytes::new()).await
    }

    async fn create_provider(&self, new: NewProvider) -> Result<ProviderView, AdminError> {
        self.ask(Method::POST, "/providers", json(&new)).await
    }

    async fn update_provider(
        &self,
        name: &str,
        patch: ProviderPatch,
    ) -> Result<ProviderView, AdminError> {
        self.ask(Method::PATCH, &provider_path(name)?, json(&patch))
            .await
    }

    async fn delete_provider(&self, name: &str) -> Result<(), AdminError> {
        self.admin(Method::DELETE, &provider_path(name)?, Bytes::new())
            .await
            .map(drop)
    }

    async fn provider_keys(&self, provider: &str) -> Result<Vec<ProviderKeyView>, AdminError> {
        self.ask(
            Method::GET,
            &format!("{}/keys", provider_path(provider)?),
            Bytes::new(),
        )
        .await
    }

    async fn create_provider_key(
        &self,
        provider: &str,
        new: NewProviderKey,
    ) -> Result<ProviderKeyView, AdminError> {
        self.ask(
            Method::POST,
            &format!("{}/keys", provider_path(provider)?),
            json(&new),
        )
        .await
    }

    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError> {
        self.ask(Method::PATCH, &key_path(provider, key)?, json(&patch))
            .await
    }

    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError> {
        self.admin(Method::DELETE, &key_path(provider, key)?, Bytes::new())
            .await
            .map(drop)
    }

    async fn add_provider_keys(
        &self,
        provider: &str,
        new: NewProviderKeys,
    ) -> Result<KeysAdded, AdminError> {
        self.ask(Method::POST, &batch_path(provider)?, json(&new))
            .await
    }

    async fn change_provider_keys(
        &self,
        provider: &str,
        change: KeysChange,
    ) -> Result<KeysChanged, AdminError> {
        self.ask(Method::PATCH, &batch_path(provider)?, json(&change))
            .await
    }

    async fn provider_models(&self, provider: &str) -> Result<ProviderModels, AdminError> {
        let path = format!("{}/models", provider_path(provider)?);
        self.ask(Method::GET, &path, Bytes::new()).await
    }

    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Result<KeyTest, AdminError> {
        let trial = wire::KeyTrial {
            model: model.map(str::to_owned),
        };
        let query = serde_urlencoded::to_string(&trial).unwrap_or_default();
        let path = format!("{}/test?{query}", key_path(provider, key)?);
        self.ask(Method::POST, &path, Bytes::new()).await
    }

    async fn balances(&self) -> Result<BalanceBoard, AdminError> {
        self.ask(Method::GET, "/balances", Bytes::new()).await
    }

    async fn set_balance_terms(
        &self,
        provider: &str,
        terms: BalanceTerms,
    ) -> Result<(), AdminError> {
        let path = format!("{}/balance", provider_path(provider)?);
        self.admin(Method::PUT, &path, json(&terms)).await.map(drop)
    }

    async fn would_choose(&self, query: ChoiceQuery) -> Result<ChoiceTold, AdminError> {
        self.ask(Method::POST, "/choices", json(&query)).await
    }
}
