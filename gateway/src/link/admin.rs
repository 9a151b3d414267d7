//! The door's part for operators: providers and keys as JSON. Decides nothing; `crate::admin` does.

use std::sync::Arc;

use http::StatusCode;
use poem::web::{Data, Path, Query};
use poem::{Endpoint, EndpointExt, Response, Route, get, handler, patch, post, put};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::id::ProviderKeyId;
use shared::link::{AdminError, InvalidField, ProviderAdmin, wire};

use super::http::json;
use crate::admin::ProviderList;

/// Operators' requests are small.
const ADMIN_BYTES_MAX: usize = 64 * 1024;
/// Those of many keys are a thousand times a secret of 4 KiB with its terms.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// All that operators ask of a gateway.
pub(super) fn routes(providers: &Arc<ProviderList>) -> impl Endpoint + use<> {
    let routes = Route::new()
        .at("/facts", get(facts))
        .at("/providers", get(list_providers).post(create_provider))
        .at(
            "/providers/:name",
            patch(update_provider).delete(delete_provider),
        )
        .at("/providers/:name/models", get(list_models))
        .at("/providers/:name/keys", get(list_keys).post(create_key))
        .at(
            "/providers/:name/keys/:key",
            patch(update_key).delete(delete_key),
        )
        .at("/providers/:name/keys/:key/test", post(test_key))
        .at(
            "/providers/:name/key-batch",
            post(add_keys).patch(change_keys),
        )
        .at("/providers/:name/balance", put(set_balance_terms))
        .at("/balances", get(balances))
        .at("/choices", post(choices));
    routes.data(providers.clone())
}

type Shared<'a> = Data<&'a Arc<ProviderList>>;

fn answered<T: Serialize>(status: StatusCode, outcome: Result<T, AdminError>) -> Response {
    match outcome {
        Ok(value) => json(status, &value),
        Err(error) => {
            let status = match error {
                AdminError::NotFound => StatusCode::NOT_FOUND,
                AdminError::Duplicate => StatusCode::CONFLICT,
                AdminError::Invalid(_) => StatusCode::BAD_REQUEST,
                AdminError::Unreachable(_) | AdminError::Unanswered(_) => StatusCode::BAD_GATEWAY,
                AdminError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            };
            json(status, &error)
        }
    }
}

async fn read_json<T: DeserializeOwned>(body: poem::Body) -> Result<T, AdminError> {
    read_within(body, ADMIN_BYTES_MAX).await
}

async fn read_within<T: DeserializeOwned>(body: poem::Body, most: usize) -> Result<T, AdminError> {
    let bytes = body.into_bytes_limit(most).await;
    let refused = |sentence| {
        AdminError::Invalid(InvalidField {
            field: String::new(),
            rule: sentence,
        })
    };
    let bytes = bytes.map_err(|_| refused("the body can't be read or is too large".to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}

fn key_id(text: &str) -> Result<ProviderKeyId, AdminError> {
    text.parse().map_err(|_| AdminError::NotFound)
}

#[handler]
async fn facts(providers: Shared<'_>) -> Response {
    answered(StatusCode::OK, providers.facts().await)
}

#[handler]
async fn list_providers(providers: Shared<'_>) -> Response {
    answered(StatusCode::OK, providers.providers().await)
}

#[handler]
async fn create_provider(providers: Shared<'_>, body: poem::Body) -> Response {
    let made = async { providers.create_provider(read_json(body).await?).await };
    answered(StatusCode::CREATED, made.await)
}

#[handler]
async fn update_provider(
    providers: Shared<'_>,
    Path(name): Path<String>,
    body: poem::Body,
) -> Response {
    let changed = async {
        providers
            .update_provider(&name, read_json(body).await?)
            .await
    };
    answered(StatusCode::OK, changed.await)
}

#[handler]
async fn delete_provider(providers: Shared<'_>, Path(name): Path<String>) -> Response {
    answered(StatusCode::OK, providers.delete_provider(&name).await)
}

#[handler]
async fn list_keys(providers: Shared<'_>, Path(name): Path<String>) -> Response {
    answered(StatusCode::OK, providers.provider_keys(&name).await)
}

#[handler]
async fn create_key(providers: Shared<'_>, Path(name): Path<String>, body: poem::Body) -> Response {
    let made = async {
        providers
            .create_provider_key(&name, read_json(body).await?)
            .await
    };
    answered(StatusCode::CREATED, made.await)
}

#[handler]
async fn update_key(
    providers: Shared<'_>,
    Path((name, key)): Path<(String, String)>,
    body: poem::Body,
) -> Response {
    let changed = async {
        providers
            .update_provider_key(&name, &key_id(&key)?, read_json(body).await?)
            .await
    };
    answered(StatusCode::OK, changed.await)
}

#[handler]
async fn delete_key(providers: Shared<'_>, Path((name, key)): Path<(String, String)>) -> Response {
    let gone = async { providers.delete_provider_key(&name, &key_id(&key)?).await };
    answered(StatusCode::OK, gone.await)
}

#[handler]
async fn list_models(providers: Shared<'_>, Path(name): Path<String>) -> Response {
    answered(StatusCode::OK, providers.provider_models(&name).await)
}

#[handler]
async fn test_key(
    providers: Shared<'_>,
    Path((name, key)): Path<(String, String)>,
    Query(how): Query<wire::KeyTrial>,
) -> Response {
    let model = how.model.as_deref();
    let tested = async {
        providers
            .test_provider_key(&name, &key_id(&key)?, model)
            .await
    };
    answered(StatusCode::OK, tested.await)
}

#[handler]
async fn add_keys(providers: Shared<'_>, Path(name): Path<String>, body: poem::Body) -> Response {
    let added = async {
        let new = read_within(body, BATCH_BYTES_MAX).await?;
        providers.add_provider_keys(&name, new).await
    };
    answered(StatusCode::OK, added.await)
}

#[handler]
async fn change_keys(
    providers: Shared<'_>,
    Path(name): Path<String>,
    body: poem::Body,
) -> Response {
    let changed = async {
        let change = read_within(body, BATCH_BYTES_MAX).await?;
        providers.change_provider_keys(&name, change).await
    };
    answered(StatusCode::OK, changed.await)
}

#[handler]
async fn balances(providers: Shared<'_>) -> Response {
    answered(StatusCode::OK, providers.balances().await)
}

#[handler]
async fn set_balance_terms(
    providers: Shared<'_>,
    Path(name): Path<String>,
    body: poem::Body,
) -> Response {
    let set = async {
        let terms = read_json(body).await?;
        providers.set_balance_terms(&name, terms).await
    };
    answered(StatusCode::OK, set.await)
}

#[handler]
async fn choices(providers: Shared<'_>, body: poem::Body) -> Response {
    let told = async { providers.would_choose(read_json(body).await?).await };
    answered(StatusCode::OK, told.await)
}
