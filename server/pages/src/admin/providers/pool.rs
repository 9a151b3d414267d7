//! What each key of a pool did in the last day (a record names the key of its last try), and how
//! providers do by what their keys tell.

use std::collections::HashMap;
use std::time::Duration;

use admin_templates::labels::Health;
use futures_util::future::join_all;
use server_rooms::providers::{GatewayAnswer, ProviderList, Providers};
use server_rooms::reports::{Reports, UsageFilter};
use shared::clock::Moment;
use shared::link::{ProviderKeyView, ProviderView};

use super::super::super::error::PageError;
use super::super::days::{Day, days};
use super::super::{WHOLE, length};

/// Fewer successes than this, in hundredths of a per cent, are a matter to look at.
const GOOD_ENOUGH: i64 = 9_000;
/// A gateway far away must not keep a page waiting.
const PATIENCE: Duration = Duration::from_millis(800);

/// Days of a provider's keys, by how the keys end.
pub(super) async fn key_days(
    reports: &Reports,
    provider: &str,
    now: Moment,
) -> Result<HashMap<String, Day>, PageError> {
    let filter = UsageFilter {
        provider: Some(provider.to_owned()),
        ..UsageFilter::default()
    };
    days(reports, filter, now, |record| {
        let last = record.tries.last()?;
        Some(last.key_last4.clone()).filter(|end| !end.is_empty())
    })
    .await
}

/// How many keys are of a status.
pub(super) fn number(keys: &[ProviderKeyView], status: &str) -> u64 {
    length(keys.iter().filter(|key| key.status == status).count())
}

/// Whether it answers: what its keys and its last calls tell.
pub(super) fn health(provider: &ProviderView, keys: &[ProviderKeyView], succeeded: i64) -> Health {
    let (active, cooling) = (number(keys, "active"), number(keys, "cooling"));
    if active == 0 && cooling == 0 && provider.secret.is_needed {
        Health::Away
    } else if (active == 0 && cooling > 0) || succeeded < GOOD_ENOUGH {
        Health::Degraded
    } else {
        Health::Good
    }
}

/// Every provider that the gateways tell of in time; none where they do not.
pub(in super::super) async fn known(providers: &Providers) -> ProviderList {
    let all = tokio::time::timeout(PATIENCE, providers.all()).await;
    all.ok().and_then(Result::ok).unwrap_or_default()
}

/// How each of the wanted providers does by its keys; those that are off, or whose keys no gateway
/// tells of in time, are absent. Of several of one name the one that does worst is told.
pub(in super::super) async fn healths(
    providers: &Providers,
    list: &ProviderList,
    is_wanted: impl Fn(&ProviderView) -> bool,
) -> HashMap<String, Health> {
    let wanted = |one: &&GatewayAnswer<ProviderView>| one.answer.enabled && is_wanted(&one.answer);
    let asked = list.providers.iter().filter(wanted);
    let asked = asked.map(async |one| {
        let of = list.address(one);
        let keys = tokio::time::timeout(PATIENCE, providers.keys(&of)).await;
        let keys = keys.ok().and_then(Result::ok)?.answer;
        let provider = &one.answer;
        Some((provider.name.clone(), health(provider, &keys, WHOLE)))
    });
    let mut healths = HashMap::new();
    for (name, health) in join_all(asked).await.into_iter().flatten() {
        let known = healths.entry(name).or_insert(health);
        let is_worse = *known == Health::Good || health == Health::Away;
        if is_worse {
            *known = health;
        }
    }
    healths
}
