//! Gateways as they are sent and shown.

use poem_openapi::{Enum, Object};
use serde_json::Value;
use server_edge::date;
use server_rooms::gateways::{Gateway, ToldEvent};
use shared::clock::Moment;
use shared::link::{GatewayPlace, LinkCounts};

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
