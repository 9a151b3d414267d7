//! Gateways as the superadmin sees and sets them: the list, how each does, what they told.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::Value;
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::gateways::{
    Gateway, GatewayError, GatewayPatch, Gateways, KeptGateway, ToldEvent,
};
use shared::clock::Moment;
use shared::id::GatewayId;
use shared::link::{GatewayPlace, LinkCounts};
use shared::secret::Secret;

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
                "There is a gateway of this address already.",
            ),
            GatewayError::Invalid(why) => {
                Self::bad_field("url", format!("It can't be used: {why}."))
            }
            GatewayError::Secret(why) => Self::bad_field("secret", format!("`secret` {why}.")),
            GatewayError::Store(error) => error.into(),
        }
    }
}

/// Whether calls may go to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum GatewayStatus {
    /// They may.
    Active,
    /// They may not; those that run come to their end.
    Disabled,
}

/// A gateway to be added.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct NewGatewayBody {
    /// Scheme, host and port; `https`, or `http` in private networks.
    pub url: String,
    /// A name that targets may give: at most 40 of a-z 0-9 -.
    #[oai(default)]
    pub name: String,
    /// A region that targets may give: at most 40 of a-z 0-9 -.
    #[oai(default)]
    pub region: String,
    /// Lower ones are used first, 0 to 255.
    #[oai(default)]
    pub priority: u8,
    /// Its own `INTERNAL_SECRET`; one is made when absent.
    pub secret: Option<String>,
}

/// Another secret for a gateway.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct GatewaySecretBody {
    /// One that the gateway takes already; one is made when absent.
    pub secret: Option<String>,
}

/// A change of a gateway; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct GatewayPatchBody {
    /// Whether calls may go there.
    pub status: Option<GatewayStatus>,
    /// A new name.
    pub name: Option<String>,
    /// A new region.
    pub region: Option<String>,
    /// A new priority.
    pub priority: Option<u8>,
}

/// What happened on the way to a gateway since this server started.
#[derive(Debug, Clone, Object)]
pub struct LinkCountsBody {
    /// Streams that went on over another connection.
    pub resumed: u64,
    /// Calls sent again to join them.
    pub joined: u64,
    /// Generations given up.
    pub lost: u64,
    /// Calls that went to another gateway instead.
    pub passed_on: u64,
    /// Streams attached a second time because they fell behind.
    pub hedged: u64,
    /// Of these, those of which the second attachment was ahead.
    pub hedges_won: u64,
    /// Streams that came over two connections because of the way.
    pub doubled: u64,
}

impl From<LinkCounts> for LinkCountsBody {
    fn from(counts: LinkCounts) -> Self {
        Self {
            resumed: counts.resumed,
            joined: counts.joined,
            lost: counts.lost,
            passed_on: counts.passed_on,
            hedged: counts.hedged,
            hedges_won: counts.hedges_won,
            doubled: counts.doubled,
        }
    }
}

/// A gateway.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "may hold a secret")]
pub struct GatewayBody {
    /// Its id; absent for those of the settings, which can't be changed here.
    pub id: Option<String>,
    /// Where it is; empty for one inside this process.
    pub url: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its priority.
    pub priority: u8,
    /// Whether calls may go there.
    pub status: GatewayStatus,
    /// Whether calls go there now.
    pub healthy: bool,
    /// The product's version there, when it answered.
    pub version: Option<String>,
    /// Which life of it answered.
    pub boot: Option<String>,
    /// How long its answer took.
    pub latency_ms: Option<u64>,
    /// Open connections.
    pub connections: u64,
    /// Streams on them.
    pub streams: u64,
    /// Whether the way is bad, so that all streams come over two connections.
    pub degraded: bool,
    /// What happened on the way.
    pub link: Option<LinkCountsBody>,
    /// What is shown of its own secret; absent for those that share the one of the settings.
    pub secret_fingerprint: Option<String>,
    /// Its own secret, where it was made or changed just now; shown this once.
    pub secret: Option<String>,
}

impl From<Gateway> for GatewayBody {
    fn from(gateway: Gateway) -> Self {
        let Gateway { kept, view } = gateway;
        let place = view.as_ref().map(|view| GatewayPlace {
            url: view.url.clone(),
            name: view.name.clone(),
            region: view.region.clone(),
            priority: view.priority,
            secret: None,
        });
        let place = place.or_else(|| kept.as_ref().map(|kept| kept.place.clone()));
        let (url, name, region, priority) = place
            .map(|place| (place.url, place.name, place.region, place.priority))
            .unwrap_or_default();
        let answered = view.as_ref().and_then(|view| view.answered.clone());
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let millis =
            |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            secret_fingerprint: kept.as_ref().and_then(|kept| kept.fingerprint.clone()),
            secret: None,
            id: kept.map(|kept| kept.id.into_string()),
            url,
            name,
            region,
            priority,
            status: match view {
                Some(_) => GatewayStatus::Active,
                None => GatewayStatus::Disabled,
            },
            healthy: view.as_ref().is_some_and(|view| view.is_well),
            latency_ms: answered.as_ref().map(|(_, took)| millis(*took)),
            version: answered.as_ref().map(|(alive, _)| alive.version.clone()),
            boot: answered.map(|(alive, _)| alive.boot.into_string()),
            connections: view.as_ref().map_or(0, |view| count(view.connections)),
            streams: view.as_ref().map_or(0, |view| count(view.streams)),
            degraded: view.as_ref().is_some_and(|view| view.is_way_bad),
            link: view.map(|view| view.counts.into()),
        }
    }
}

/// What a gateway told.
#[derive(Debug, Clone, Object)]
pub struct GatewayEventBody {
    /// The gateway it was heard from.
    pub gateway: String,
    /// When, by the gateway's clock, in RFC 3339.
    pub at: String,
    /// `gateway_started`, `key_disabled`, `key_cooling`, `key_recovered` or newer ones.
    pub kind: String,
    /// What belongs to the kind.
    pub detail: Value,
}

impl From<ToldEvent> for GatewayEventBody {
    fn from(told: ToldEvent) -> Self {
        Self {
            gateway: told.gateway,
            at: date::text(Moment::from_unix_ms(told.event.at)),
            kind: told.event.kind,
            detail: told.event.body,
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
    /// Each is asked now; one that does not answer is given three seconds.
    #[oai(
        path = "/gateways",
        method = "get",
        operation_id = "admin_list_gateways"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<Page<GatewayBody>>, ApiError> {
        let gateways = self.gateways.all().await?;
        Ok(Json(Page::whole(gateways)))
    }

    /// List what gateways told
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
    /// Each has a secret of its own, which is answered this once; only an owner says where prompts go.
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
    /// The gateway must take it already: its `INTERNAL_SECRET` takes two, parted by a comma.
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

    /// Take a gateway away
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
