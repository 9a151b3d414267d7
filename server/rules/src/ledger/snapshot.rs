//! What a hold keeps of its call, so that whoever looks after it later can price and record it; written
//! and read here alone. Knows no price and no provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::id::{ApiKeyId, PriceId, RequestId, UserId};
use shared::link::Operation;
use shared::units::{Fact, Unit, Usage};

/// A call as its hold keeps it, of the moment in which it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct CallSnapshot {
    /// The person who called, with a session.
    pub user: Option<UserId>,
    /// The key that called.
    pub key: Option<ApiKeyId>,
    /// What was asked.
    pub operation: Operation,
    /// The model's public name.
    pub model: String,
    /// The price that was valid; absent for calls with a test key.
    pub price: Option<PriceId>,
    /// What the tenant's prices were multiplied by, in millionths.
    pub multiplier_ppm: i64,
    /// What of these units is billed at most, and the facts of what was asked for, which are billed
    /// whatever the provider tells: an image's size and quality.
    #[serde(skip_serializing_if = "is_nothing")]
    pub asked: Usage,
    /// The first target's provider, for records of calls that reached none.
    pub provider: String,
    /// The request it came with; not known of calls of earlier versions.
    pub request: Option<RequestId>,
    /// The gateways that may have taken it: addresses, or the name of the folder of one inside a process.
    /// Empty of calls of earlier versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// How it was routed, where there is something to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Box<RouteNote>>,
    /// Whether its answer was to be kept by the process that holds, for somebody who fetches it later: where
    /// that process dies nobody can read it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
    /// Of such a call: how it ended, as whoever settles it writes that. It comes into the hold together with
    /// the answer that is kept, so that what can be read is charged by whoever finds the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Box<str>>,
}

/// How a call was routed: what was demanded of whoever gets its data, and which other models may serve it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteNote {
    /// The data policy, in the words of `routing::DataDemand`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub demanded: String,
    /// Where its providers work, by name, as operators said at that time.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, String>,
    /// Models that may serve it where the one it names can't.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherModel>,
}

/// Another model that may serve a call, which is then charged by its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherModel {
    /// Its public name.
    pub model: String,
    /// Its price of the moment in which the call came.
    pub price: PriceId,
    /// Where it runs: providers, and their names for it. No other model of the call runs there.
    pub targets: Vec<(String, String)>,
}

fn is_nothing(usage: &Usage) -> bool {
    *usage == Usage::default()
}

/// As this version writes it, or as those before did, which kept an image call's wish with words of
/// its own.
#[derive(Deserialize)]
struct Written {
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    operation: Operation,
    model: String,
    #[serde(default)]
    price: Option<PriceId>,
    multiplier_ppm: i64,
    #[serde(default)]
    asked: Usage,
    #[serde(default)]
    image: Option<Images>,
    provider: String,
    #[serde(default)]
    request: Option<RequestId>,
    #[serde(default)]
    gateways: Vec<String>,
    #[serde(default)]
    route: Option<Box<RouteNote>>,
    #[serde(default)]
    detached: bool,
    #[serde(default)]
    ended: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Images {
    n: u64,
    size: Option<String>,
    quality: Option<String>,
}

impl From<Written> for CallSnapshot {
    fn from(written: Written) -> Self {
        let mut asked = written.asked;
        if let Some(Images { n, size, quality }) = written.image {
            asked.set(Unit::Image, n);
            let facts = std::mem::take(&mut asked.facts);
            let facts = facts.with(Fact::Size, size.as_deref());
            asked.facts = facts.with(Fact::Quality, quality.as_deref());
        }
        Self {
            user: written.user,
            key: written.key,
            operation: written.operation,
            model: written.model,
            price: written.price,
            multiplier_ppm: written.multiplier_ppm,
            asked,
            provider: written.provider,
            request: written.request,
            gateways: written.gateways,
            route: written.route,
            detached: written.detached,
            ended: written.ended,
        }
    }
}

/// A [`CallSnapshot`] as it is stored. It is read where somebody asks what is in it, and not by the
/// ledger's writer, which passes it on with every hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot(Arc<str>);

impl StoredSnapshot {
    /// What it says; `None` of a hold that keeps nothing, or whose text can't be read.
    pub fn read(&self) -> Option<CallSnapshot> {
        serde_json::from_str(&self.0).ok()
    }

    /// As a column holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for StoredSnapshot {
    /// Of a hold that keeps nothing of its call.
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl From<String> for StoredSnapshot {
    /// As a column held it.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&CallSnapshot> for StoredSnapshot {
    fn from(snapshot: &CallSnapshot) -> Self {
        // Words and numbers always become JSON.
        serde_json::to_string(snapshot).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_call_is_read_again_also_from_earlier_versions() {
        let old = r#"{"user":null,"key":null,"operation":"image","model":"m","price":"prc_1",
            "multiplier_ppm":1000000,"image":{"n":2,"size":"1024x1024","quality":null},"provider":"p"}"#;
        let read = |text: &str| StoredSnapshot::from(text.to_owned()).read();
        let snapshot = read(old).expect("an earlier version's");
        assert!(snapshot.gateways.is_empty() && snapshot.request.is_none());
        assert_eq!(snapshot.asked.count(Unit::Image), 2);
        let facts: Vec<_> = snapshot.asked.facts.iter().collect();
        assert_eq!(facts, [(Fact::Size, "1024x1024")]);
        let now = CallSnapshot {
            gateways: vec!["https://one".to_owned()],
            route: Some(Box::new(RouteNote {
                demanded: "no_training".to_owned(),
                others: vec![OtherModel {
                    model: "n".to_owned(),
                    price: PriceId::random(),
                    targets: vec![("q".to_owned(), "n".to_owned())],
                }],
                ..RouteNote::default()
            })),
            request: Some(RequestId::random()),
            detached: true,
            ended: Some("{}".into()),
            ..snapshot
        };
        let stored = StoredSnapshot::from(&now);
        assert!(!stored.as_str().contains("\"image\":{\"n\""), "one form");
        assert_eq!(stored.read(), Some(now));
        assert_eq!(StoredSnapshot::default().read(), None);
        assert_eq!(read("{}"), None);
    }
}
