//! What a key used of its day, over restarts and beside another gateway of the same database.

use std::time::Duration;

use shared::link::{KeyTerms, ProviderAdmin, ProviderKeyPatch};

use super::super::tests::{opened, providers};
use super::*;
use crate::pool::ask::Size;
use crate::pool::health::Asker;

fn asker() -> Asker<'static> {
    Asker {
        caller: 1,
        model: "m",
        is_last_resort: false,
        size: Size {
            input: 100,
            output_max: 0,
        },
        affinity: None,
    }
}

/// How many calls the key of `p` takes now, at most `most`.
fn taken(providers: &ProviderList, most: usize) -> usize {
    let leases = (0..most).map_while(|_| providers.pools.lease("p", asker(), &[]).ok());
    leases.count()
}

async fn limit(providers: &ProviderList, terms: KeyTerms) {
    let id = providers.pools.all()["p"].keys[0].id.clone();
    let patch = ProviderKeyPatch {
        terms: Some(terms),
        ..ProviderKeyPatch::default()
    };
    let changed = providers.update_provider_key("p", &id, patch).await;
    changed.expect("changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_nothing_of_a_keys_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let before = providers(folder.path(), &supervisor).await;
    limit(
        &before,
        KeyTerms {
            requests_per_day: Some(5),
            tokens_per_day: Some(10_000),
            ..KeyTerms::default()
        },
    )
    .await;
    assert_eq!(taken(&before, 3), 3);
    // It is written when the process stops, without anybody asking.
    assert!(supervisor.finish(Duration::from_secs(5)).await);
    let supervisor = Supervisor::new();
    let after = opened(folder.path(), &supervisor).await;
    assert_eq!(taken(&after, 5), 2, "three of five were used before");
    after.save_days().await.expect("saved");
    after.save_days().await.expect("saved once");
    let key = after.pools.all()["p"].keys[0].id.clone();
    let today = day_of(after.clock.now());
    let rows = after.store.days(today).await.expect("days");
    let row = rows
        .iter()
        .find(|(id, _)| id == key.as_str())
        .expect("a row");
    assert_eq!((row.1.requests, row.1.tokens), (5, 500));
    limit(
        &after,
        KeyTerms {
            tokens_per_day: Some(699),
            ..KeyTerms::default()
        },
    )
    .await;
    assert_eq!(taken(&after, 5), 1, "500 of 699 tokens were used");
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_of_one_database_know_of_each_others_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let one = providers(folder.path(), &supervisor).await;
    limit(
        &one,
        KeyTerms {
            requests_per_day: Some(5),
            ..KeyTerms::default()
        },
    )
    .await;
    let two = opened(folder.path(), &supervisor).await;
    assert_eq!(taken(&one, 3), 3);
    one.save_days().await.expect("saved");
    assert_eq!(taken(&two, 1), 1, "it does not know yet");
    two.save_days().await.expect("saved");
    assert_eq!(taken(&two, 5), 1, "three there and one here of five");
    two.save_days().await.expect("saved");
    one.save_days().await.expect("saved");
    assert_eq!(taken(&one, 5), 0);
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_over_counts_for_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let before = providers(folder.path(), &supervisor).await;
    limit(
        &before,
        KeyTerms {
            requests_per_day: Some(2),
            ..KeyTerms::default()
        },
    )
    .await;
    let key = before.pools.all()["p"].keys[0].id.clone();
    let today = day_of(before.clock.now());
    let yesterday = crate::pool::days::DayCount {
        day: today - 1,
        requests: 2,
        tokens: 1,
    };
    let written = before.store.add_to_days(&[(key.as_str(), yesterday)]).await;
    written.expect("written");
    before.save_days().await.expect("saved");
    assert_eq!(taken(&before, 5), 2);
    before.save_days().await.expect("saved");
    // What comes late of a day that is over changes nothing of the new one.
    let written = before.store.add_to_days(&[(key.as_str(), yesterday)]).await;
    written.expect("written");
    let rows = before.store.days(today).await.expect("days");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].1.requests, 2);
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_clock_is_behind_a_keys_day_its_calls_count_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let terms = KeyTerms {
        requests_per_day: Some(5),
        ..KeyTerms::default()
    };
    limit(&providers, terms).await;
    let now = providers.clock.now();
    let ahead = now.after(Duration::from_secs(86_400));
    // The clock has been there, and was set back.
    assert_eq!(providers.pools.unsaved_days(ahead).len(), 1);
    assert_eq!(taken(&providers, 2), 2);
    for _ in 0..3 {
        providers.save_days().await.expect("saved");
    }
    let rows = providers.store.days(day_of(ahead)).await.expect("days");
    let requests: Vec<i64> = rows.iter().map(|(_, count)| count.requests).collect();
    assert_eq!(requests, [2]);
    assert_eq!(taken(&providers, 5), 3);
    supervisor.finish(Duration::from_secs(5)).await;
}
