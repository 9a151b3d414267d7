//! Providers and their keys as the superadmin sees and sets them. A secret comes in and never goes
//! out: only its last four characters do.

pub mod bodies;
mod connectors;
pub mod copies;
pub mod key_batch;
pub mod key_bodies;
pub mod options;
pub mod terms;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::auth::roles::kind;
use server_rooms::providers::{GatewayAnswer, ProviderRef, Providers};
use shared::id::ProviderKeyId;
use shared::link::ProviderPatch;

use self::bodies::{NewProviderBody, ProviderBody, ProviderListBody, ProviderPatchBody};
use self::connectors::ConnectorsBody;
use self::key_bodies::{KeyTestBody, NewProviderKeyBody, ProviderKeyBody, ProviderKeyPatchBody};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::Page;
use crate::principal::SuperadminCaller;

fn key_id(text: &str) -> Result<ProviderKeyId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("key"))
}

/// Providers for the superadmin.
#[derive(Debug, Clone)]
pub struct ProvidersApi {
    /// The gateway's providers.
    pub providers: Providers,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl ProvidersApi {
    /// List providers
    #[oai(
        path = "/providers",
        method = "get",
        operation_id = "admin_list_providers"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<ProviderListBody>, ApiError> {
        Ok(Json(self.providers.all().await?.into()))
    }

    /// List connectors
    ///
    /// The provider types that gateways support, one entry for all gateways that share a database. For a
    /// gateway that is offline, its last known answer is returned.
    #[oai(
        path = "/connectors",
        method = "get",
        operation_id = "admin_list_connectors"
    )]
    async fn connectors(
        &self,
        _caller: SuperadminCaller,
    ) -> Result<Json<Page<ConnectorsBody>>, ApiError> {
        let known = self.providers.connectors().await;
        Ok(Json(Page::whole(known)))
    }

    /// Add a provider
    #[oai(
        path = "/providers",
        method = "post",
        operation_id = "admin_create_provider"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        /// The gateway to add it at, by its name or its host and port; needed where the gateways have
        /// several databases.
        gateway: Query<Option<String>>,
        body: Json<NewProviderBody>,
    ) -> Result<Created<ProviderBody>, ApiError> {
        let (new, gateway) = (body.0.into(), gateway.0.as_deref());
        let made = self.providers.create(&caller.actor(), gateway, new).await?;
        Ok(Created::Made(Json(made.into())))
    }

    /// Change a provider
    #[oai(
        path = "/providers/:name",
        method = "patch",
        operation_id = "admin_update_provider"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<ProviderPatchBody>,
    ) -> Result<Json<ProviderBody>, ApiError> {
        let ProviderPatchBody {
            base_url,
            enabled,
            options,
        } = body.0;
        let patch = ProviderPatch {
            base_url,
            enabled,
            options: options.map(Into::into),
        };
        let provider = self
            .providers
            .update(&caller.actor(), &ProviderRef::new(name.0, gateway.0), patch)
            .await?;
        Ok(Json(provider.into()))
    }

    /// Remove a provider with its keys
    #[oai(
        path = "/providers/:name",
        method = "delete",
        operation_id = "admin_delete_provider"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Deleted, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        self.providers.delete(&caller.actor(), &of).await?;
        Ok(Deleted::Done)
    }

    /// List a provider's keys
    #[oai(
        path = "/providers/:name/keys",
        method = "get",
        operation_id = "admin_list_provider_keys"
    )]
    async fn keys(
        &self,
        _caller: SuperadminCaller,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Json<Page<ProviderKeyBody>>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let told = self.providers.keys(&of).await?;
        let each = told.answer.into_iter().map(|answer| GatewayAnswer {
            gateway: told.gateway.clone(),
            answer,
        });
        Ok(Json(Page::whole(each)))
    }

    /// Add a key
    #[oai(
        path = "/providers/:name/keys",
        method = "post",
        operation_id = "admin_create_provider_key"
    )]
    async fn create_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<NewProviderKeyBody>,
    ) -> Result<Created<ProviderKeyBody>, ApiError> {
        let (of, new) = (ProviderRef::new(name.0, gateway.0), body.0.into());
        let made = self.providers.create_key(&caller.actor(), &of, new).await?;
        Ok(Created::Made(Json(made.into())))
    }

    /// Change a key
    #[oai(
        path = "/providers/:name/keys/:key_id",
        method = "patch",
        operation_id = "admin_update_provider_key"
    )]
    async fn update_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<ProviderKeyPatchBody>,
    ) -> Result<Json<ProviderKeyBody>, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        let view = self
            .providers
            .update_key(&caller.actor(), (&of, &key), body.0.into())
            .await?;
        Ok(Json(view.into()))
    }

    /// Remove a key
    #[oai(
        path = "/providers/:name/keys/:key_id",
        method = "delete",
        operation_id = "admin_delete_provider_key"
    )]
    async fn delete_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Deleted, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        self.providers
            .delete_key(&caller.actor(), &of, &key)
            .await?;
        Ok(Deleted::Done)
    }

    /// Test a key
    ///
    /// Makes one call that costs nothing; with `model`, a real one of a single token, which costs next to
    /// nothing. Use that if the provider has no `GET /models` and the verdict is `unknown`.
    #[oai(
        path = "/providers/:name/keys/:key_id/test",
        method = "post",
        operation_id = "admin_test_provider_key"
    )]
    async fn test_key(
        &self,
        _caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        /// The name of a model at the provider, to make a small call with.
        model: Query<Option<String>>,
    ) -> Result<Json<KeyTestBody>, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        let model = model.0.as_deref();
        let test = self.providers.test_key(&of, &key, model).await?;
        Ok(Json(test.into()))
    }
}
