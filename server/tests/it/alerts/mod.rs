//! Alerts as rows and as messages, on both databases: who looks, what flaps, who is told, and what arrives at
//! receivers that are as strict as the real ones.

mod backlog;
mod bounds;
mod deliver;
mod fakes;
mod rounds;

use outbound::Outbound;
use server::alerts::channels::{AlertChannels, ChannelDraft};
use server::alerts::{AlertSeverity, ChannelFilter, ChannelKind, ChannelLang};
use server::store::Store;
use server::store::audit::Actor;
use shared::clock::{Clock, Moment};
use shared::id::AlertChannelId;
use shared::seal::Sealer;
use shared::secret::Secret;

/// 2026-11-21T10:00:00Z.
const START_MS: i64 = 1_795_255_200_000;
/// Of Standard Webhooks.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn start() -> Moment {
    Moment::from_unix_ms(START_MS)
}

fn everything() -> ChannelFilter {
    ChannelFilter {
        severity: AlertSeverity::Info,
        kinds: Vec::new(),
        remind_hours: 0,
    }
}

fn draft(name: &str, kind: ChannelKind, (url, secret): (&str, &str)) -> ChannelDraft {
    ChannelDraft {
        name: name.to_owned(),
        kind,
        filter: everything(),
        lang: ChannelLang::English,
        url: Secret::new(url.to_owned()),
        secret: Secret::new(secret.to_owned()),
    }
}

fn channels(store: &Store, clock: &Clock, outbound: Outbound) -> AlertChannels {
    let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef".to_owned()));
    AlertChannels::new(store.clone(), (clock.clone(), sealer), outbound)
}

async fn add(channels: &AlertChannels, draft: &ChannelDraft) -> AlertChannelId {
    let added = channels.add(&Actor::system(), draft).await;
    added.expect("a channel")
}
