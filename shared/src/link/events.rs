//! What gateways tell the server by themselves: keys that were disabled, gateways that started. Told
//! at least once and in order; who listens remembers how far it got. Stores nothing.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{JournalId, ProviderKeyId};

use super::LinkError;
use super::balance::BalanceEvent;

/// One thing that happened, as it lies in a gateway's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the journal, above that of every earlier one.
    pub cursor: i64,
    /// When, by the gateway's clock, in unix milliseconds.
    pub at: i64,
    /// A stable word; a listener passes over those that it does not know.
    pub kind: String,
    /// What belongs to the kind.
    pub body: Value,
}

/// What a gateway writes into its journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum GatewayEvent {
    /// A gateway came up.
    GatewayStarted {
        /// The product's version there.
        version: String,
    },
    /// A provider refused a key: it is not used until it is asked again or an operator enables it.
    KeyDisabled(KeyEvent),
    /// A key that was well is left alone for a while.
    KeyCooling(KeyEvent),
    /// A key that was left alone serves again.
    KeyRecovered(KeyEvent),
    /// What is left on a key's account passed a line.
    KeyBalance(BalanceEvent),
}

/// A provider's key and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEvent {
    /// The provider's name.
    pub provider: String,
    /// The key.
    pub key: ProviderKeyId,
    /// The last four characters of its secret.
    pub last4: String,
    /// The fault's word, where there is one.
    pub reason: Option<String>,
    /// When the provider is asked about it again, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_at: Option<i64>,
}

impl GatewayEvent {
    /// The word and what belongs to it, as they are stored.
    pub fn parts(&self) -> (String, Value) {
        let whole = serde_json::to_value(self).unwrap_or_default();
        let kind = whole["kind"].as_str().unwrap_or_default().to_owned();
        (kind, whole["body"].clone())
    }

    /// From what was stored; nothing when the kind is of a newer version.
    pub fn from_event(event: &Event) -> Option<Self> {
        let whole = serde_json::json!({"kind": event.kind, "body": event.body});
        serde_json::from_value(whole).ok()
    }
}

/// Events as they happen; ends when the link does.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<Event, LinkError>> + Send>>;

/// Where a gateway's events are read. Gateways that share a database share a journal.
#[async_trait]
pub trait EventSource: Send + Sync {
    /// Which gateway this is, for the log.
    fn name(&self) -> String;

    /// Which journal it writes.
    async fn journal(&self) -> Result<JournalId, LinkError>;

    /// Every event of this journal behind `after`, and then those that come.
    /// [`LinkError::Refused`] when the gateway has another journal by now.
    async fn follow(&self, journal: &JournalId, after: i64) -> Result<EventStream, LinkError>;
}

/// Where the gateways tell what happens.
pub trait GatewayEvents: Send + Sync {
    /// A source for each gateway that is known now.
    fn event_sources(&self) -> Vec<Arc<dyn EventSource>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_come_back_from_what_is_stored_and_unknown_kinds_are_passed_over() {
        let all = [
            GatewayEvent::GatewayStarted {
                version: "1.0".to_owned(),
            },
            GatewayEvent::KeyDisabled(KeyEvent {
                provider: "main".to_owned(),
                key: ProviderKeyId::random(),
                last4: "abcd".to_owned(),
                reason: Some("invalid_key".to_owned()),
                probe_at: Some(7),
            }),
        ];
        for news in all {
            let (kind, body) = news.parts();
            let mut event = Event {
                cursor: 1,
                at: 2,
                kind,
                body,
            };
            assert_eq!(GatewayEvent::from_event(&event), Some(news));
            event.kind = "task_finished_on_the_moon".to_owned();
            assert_eq!(GatewayEvent::from_event(&event), None);
        }
    }
}
