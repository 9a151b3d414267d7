//! Gateways as the superadmin sees and sets them: the list, how each does, what they told.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::auth::roles::kind;
use server_rooms::gateways::{Gateway, GatewayError, GatewayPatch, Gateways, KeptGateway};
use shared::id::GatewayId;
use shared::link::GatewayPlace;
use shared::secret::Secret;

use self::bodies::{
    GatewayBody, GatewayEventBody, GatewayPatchBody, GatewaySecretBody, GatewayStatus,
    NewGatewayBody,
};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::Page;
use crate::principal::SuperadminCaller;

/// Longer ones are no addresses.
const URL_BYTES_MAX: usize = 500;
const EVENTS_MAX: u16 = 500;

impl From<GatewayError> for ApiError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotFound => Self::not_found("gateway"),
            GatewayError::Taken => Self::conflict(
                "already_exists",
                "A gateway with this address already exists.",
            ),
            GatewayError::Invalid(why) => {
                Self::bad_field("url", format!("This address can't be used: {why}."))
            }
            GatewayError::Secret(why) => Self::bad_field("secret", format!("`secret` {why}.")),
            GatewayError::Store(error) => error.into(),
        }
    }
}

fn gateway_id(text: &str) -> Result<GatewayId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("gateway"))
}

/// Gateways for the superadmin.
#[derive(Debug, Clone)]
pub struct GatewaysApi {
    /// The gateways.
    pub gateways: Gateways,
}

impl GatewaysApi {
    /// As it is now that it was changed.
    async fn shown(&self, kept: KeptGateway) -> Result<GatewayBody, ApiError> {
        let all = self.gateways.all().await?;
        let same = |gateway: &Gateway| gateway.kept.as_ref().is_some_and(|one| one.id == kept.id);
        let gateway = all.into_iter().find(same);
        Ok(gateway
            .unwrap_or(Gateway {
                kept: Some(kept),
                view: None,
            })
            .into())
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Gateways")]
impl GatewaysApi {
    /// List gateways
    ///
    /// Each is queried now; one that does not respond is given three seconds.
    #[oai(
        path = "/gateways",
        method = "get",
        operation_id = "admin_list_gateways"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<Page<GatewayBody>>, ApiError> {
        let gateways = self.gateways.all().await?;
        Ok(Json(Page::whole(gateways)))
    }

    /// List gateway events
    #[oai(
        path = "/gateways/events",
        method = "get",
        operation_id = "admin_list_gateway_events"
    )]
    async fn events(
        &self,
        _caller: SuperadminCaller,
        /// At most so many, the newest first.
        #[oai(
            default = "some_events",
            validator(minimum(value = "1"), maximum(value = "500"))
        )]
        limit: Query<u16>,
    ) -> Result<Json<Page<GatewayEventBody>>, ApiError> {
        let events = self.gateways.events(limit.0.min(EVENTS_MAX).into()).await?;
        Ok(Json(Page::whole(events)))
    }

    /// Add a gateway
    ///
    /// Each has its own secret, which is returned only once. Only an owner may decide where prompts go.
    #[oai(
        path = "/gateways",
        method = "post",
        operation_id = "admin_create_gateway"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::AddGateways>,
        body: Json<NewGatewayBody>,
    ) -> Result<Created<GatewayBody>, ApiError> {
        let new = body.0;
        if new.url.len() > URL_BYTES_MAX {
            return Err(ApiError::bad_field(
                "url",
                format!("`url` must be at most {URL_BYTES_MAX} characters."),
            ));
        }
        let place = GatewayPlace {
            url: new.url.trim_end_matches('/').to_owned(),
            name: new.name,
            region: new.region,
            priority: new.priority,
            secret: new.secret.map(Secret::new),
        };
        let (kept, secret) = self.gateways.add(&caller.actor(), place).await?;
        let mut body = self.shown(kept).await?;
        body.secret = Some(secret.expose().clone());
        Ok(Created::Made(Json(body)))
    }

    /// Change a gateway
    #[oai(
        path = "/gateways/:id",
        method = "patch",
        operation_id = "admin_update_gateway"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditGateways>,
        id: Path<String>,
        body: Json<GatewayPatchBody>,
    ) -> Result<Json<GatewayBody>, ApiError> {
        let patch = GatewayPatch {
            name: body.0.name,
            region: body.0.region,
            priority: body.0.priority,
            is_active: body.0.status.map(|status| status == GatewayStatus::Active),
        };
        let id = gateway_id(&id.0)?;
        let kept = self.gateways.change(&caller.actor(), &id, patch).await?;
        Ok(Json(self.shown(kept).await?))
    }

    /// Change a gateway's secret
    ///
    /// The gateway must accept it already: its `INTERNAL_SECRET` can hold two, separated by a comma.
    #[oai(
        path = "/gateways/:id/secret",
        method = "post",
        operation_id = "admin_rotate_gateway_secret"
    )]
    async fn rotate(
        &self,
        caller: SuperadminCaller<kind::AddGateways>,
        id: Path<String>,
        body: Json<GatewaySecretBody>,
    ) -> Result<Json<GatewayBody>, ApiError> {
        let (id, secret) = (gateway_id(&id.0)?, body.0.secret.map(Secret::new));
        let actor = caller.actor();
        let rotated = self.gateways.rotate_secret(&actor, &id, secret);
        let (kept, secret) = rotated.await?;
        let mut body = self.shown(kept).await?;
        body.secret = Some(secret.expose().clone());
        Ok(Json(body))
    }

    /// Remove a gateway
    #[oai(
        path = "/gateways/:id",
        method = "delete",
        operation_id = "admin_delete_gateway"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::EditGateways>,
        id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let id = gateway_id(&id.0)?;
        self.gateways.remove(&caller.actor(), &id).await?;
        Ok(Deleted::Done)
    }
}

fn some_events() -> u16 {
    100
}
