//! The door inside one process: `Link` for the gateway itself. Holds no logic of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::id::{BootId, GenerationId, ProviderKeyId};
use shared::link::events::EventSource;
use shared::link::{
    AdminError, Call, Fate, GatewayPlace, GatewayView, KeyTest, Link, LinkCounts, LinkError,
    NewProvider, NewProviderKey, Parting, ProviderAdmin, ProviderKeyPatch, ProviderKeyView,
    ProviderPatch, ProviderView, Reply,
};

use crate::events::Events;
use crate::generations::Coming;
use crate::{Gateway, generations};

/// A gateway in the same process.
#[derive(Debug, Clone)]
pub(crate) struct Local(pub(crate) Arc<Gateway>);

#[async_trait]
impl Link for Local {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        generations::open(&self.0, call, Coming::inside(), None).await
    }

    async fn finish(&self, generation: &GenerationId, why: Parting) -> Result<Fate, LinkError> {
        Ok(generations::finish(&self.0, generation, why, false).await)
    }

    async fn health(&self) -> Result<BootId, LinkError> {
        Ok(self.0.boot.clone())
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        vec![GatewayView {
            url: String::new(),
            name: "inside".to_owned(),
            region: String::new(),
            priority: 0,
            is_well: true,
            answered: Some((self.0.alive(), Duration::ZERO)),
            connections: 0,
            streams: self.0.register.running(),
            is_way_bad: false,
            counts: LinkCounts::default(),
        }]
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        match places {
            [] => Ok(()),
            [..] => Err("this server has its gateway inside and reaches no other".to_owned()),
        }
    }

    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        vec![Arc::new(Events(self.0.clone()))]
    }
}

#[async_trait]
impl ProviderAdmin for Local {
    async fn providers(&self) -> Result<Vec<ProviderView>, AdminError> {
        self.0.providers().await
    }

    async fn create_provider(&self, new: NewProvider) -> Result<ProviderView, AdminError> {
        self.0.create_provider(new).await
    }

    async fn update_provider(
        &self,
        name: &str,
        patch: ProviderPatch,
    ) -> Result<ProviderView, AdminError> {
        self.0.update_provider(name, patch).await
    }

    async fn delete_provider(&self, name: &str) -> Result<(), AdminError> {
        self.0.delete_provider(name).await
    }

    async fn provider_keys(&self, provider: &str) -> Result<Vec<ProviderKeyView>, AdminError> {
        self.0.provider_keys(provider).await
    }

    async fn create_provider_key(
        &self,
        provider: &str,
        new: NewProviderKey,
    ) -> Result<ProviderKeyView, AdminError> {
        self.0.create_provider_key(provider, new).await
    }

    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError> {
        self.0.update_provider_key(provider, key, patch).await
    }

    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError> {
        self.0.delete_provider_key(provider, key).await
    }

    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Result<KeyTest, AdminError> {
        self.0.test_provider_key(provider, key, model).await
    }
}
