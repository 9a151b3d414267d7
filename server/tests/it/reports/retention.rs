//! Retention: records of calls and audit entries go when the settings say, sums and books stay.

use std::time::Duration;

use server::reports::rollup::Roller;
use server::reports::sums::{Grain, Sums};
use server::reports::sweep::{Sweeper, Swept};
use server::settings::{Retention, Settings};
use server::store::audit::Actor;
use server::store::rollups::{ReportScope, SumsQuery};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};
use shared::zone::Zone;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Room, micros, rooms};
use crate::support::usage_record;

const DAY: Duration = Duration::from_secs(86_400);

/// Calls of some days ago, each charged a micro-credit more than the one before.
async fn call(room: &Room, tenant: &TenantId, days: &[u32]) {
    for (n, days) in (1_i64..).zip(days) {
        let at = room.clock.now().before(DAY * *days);
        let record = usage_record(&GenerationId::random(), tenant, micros(n), at);
        let ask = server::ledger::HoldRequest {
            id: record.id.clone(),
            tenant: tenant.clone(),
            amount: micros(1_000),
            least: micros(1_000),
            spenders: Vec::new(),
            zone: Zone::utc(),
            owner: room.ledger.boot().clone().into(),
            snapshot: server::ledger::StoredSnapshot::default(),
            deadline_at: room.clock.now().after(Duration::from_secs(600)),
        };
        room.ledger.hold(ask).await.expect("held");
        let (id, credits) = (record.id.clone(), record.credits);
        let settled = room.ledger.settle(&id, tenant, credits, record).await;
        settled.expect("settled");
    }
}

async fn keep(room: &Room, days: u32) {
    let settings = Settings::new(room.store.clone(), room.clock.clone());
    let retention = Retention {
        usage_days: days,
        audit_days: days,
        ..Retention::default()
    };
    let kept = settings.put(&Actor::system(), &retention).await;
    kept.expect("kept");
}

async fn sweep(room: &Room) -> Swept {
    let sweeper = Sweeper::new(room.store.clone(), room.clock.clone());
    let stop = CancellationToken::new();
    sweeper.sweep(&stop).await.expect("swept")
}

async fn sum(room: &Room, scope: &ReportScope) -> Sums {
    let always = SumsQuery {
        grain: Grain::Day,
        from: Moment::from_unix_ms(0),
        until: Moment::from_unix_ms(i64::MAX),
    };
    let mut sum = Sums::default();
    for (_, sums) in room.store.sums_series(scope, always).await.expect("sums") {
        sum.merge(&sums);
    }
    sum
}

/// Records that are there.
async fn records(room: &Room, tenant: &TenantId) -> usize {
    let ask = server::store::usage::RecordsQuery {
        user: None,
        period: server::store::usage::TimeRange::default(),
        after: None,
        limit: 10_000,
    };
    let found = room.store.usage_records(tenant, ask).await;
    found.expect("records").len()
}

async fn assert_exact(room: &Room, expected: (u64, Credits), what: &str) {
    let name = room.db.name;
    let sums = sum(room, &ReportScope::Platform).await;
    assert_eq!((sums.calls, sums.credits), expected, "{name}: {what}");
    let roller = Roller::new(room.store.clone(), room.clock.clone());
    let differences = roller.check().await.expect("checked");
    assert_eq!(differences, Vec::<String>::new(), "{name}: {what}");
    let books = room.ledger.verify().await.expect("checked");
    assert_eq!(books, Vec::<String>::new(), "{name}: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_records_go_and_sums_and_books_stay_exact() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        room.give(&tenant, Credits::from_credits(1).expect("fits"), None)
            .await;
        call(&room, &tenant, &[400, 400, 399, 100, 41, 40, 39, 1, 0]).await;
        let all = (9, micros(45));
        // What is not filed yet stays, however old it is.
        keep(&room, 40).await;
        assert_eq!(sweep(&room).await.usage, 0, "{}", room.db.name);
        room.add_up().await;
        assert_eq!(records(&room, &tenant).await, 9);
        assert_exact(&room, all, "before").await;

        assert_eq!(sweep(&room).await.usage, 5, "{}", room.db.name);
        assert_eq!(records(&room, &tenant).await, 4);
        assert_exact(&room, all, "after").await;
        assert_eq!(sweep(&room).await.usage, 0, "nothing is left to do");

        // Sums that are made anew keep what can't be added up again.
        let mut roller = Roller::new(room.store.clone(), room.clock.clone());
        assert!(roller.rebuild(PATIENCE).await.expect("made anew"));
        assert_exact(&room, all, "made anew").await;

        // Keeping more brings nothing back and loses nothing.
        keep(&room, 3_650).await;
        assert_eq!(sweep(&room).await.usage, 0);
        room.clock.advance(DAY * 5);
        call(&room, &tenant, &[0]).await;
        room.add_up().await;
        assert_exact(&room, (10, micros(46)), "later").await;
        room.supervisor.finish(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_half_deleted_is_not_counted_twice() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        room.give(&tenant, Credits::from_credits(1).expect("fits"), None)
            .await;
        call(&room, &tenant, &[50, 50, 50, 1]).await;
        room.add_up().await;
        keep(&room, 40).await;
        // As a sweep that was stopped between its batches leaves it.
        let stop = CancellationToken::new();
        stop.cancel();
        let sweeper = Sweeper::new(room.store.clone(), room.clock.clone());
        sweeper.sweep(&stop).await.expect("stopped");
        assert_eq!(records(&room, &tenant).await, 4, "none is deleted yet");
        let all = (4, micros(10));
        assert_exact(&room, all, "half way").await;
        let mut roller = Roller::new(room.store.clone(), room.clock.clone());
        assert!(roller.rebuild(PATIENCE).await.expect("made anew"));
        assert_exact(&room, all, "made anew half way").await;
        sweep(&room).await;
        assert_eq!(records(&room, &tenant).await, 1);
        assert_exact(&room, all, "at the end").await;
        room.supervisor.finish(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_sweep_at_once_and_old_audit_entries_go() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let old = room.clock.now().before(DAY * 100);
        let calls = (0..1_200).map(|n| {
            let at = old.after(Duration::from_secs(60 * n));
            usage_record(&GenerationId::random(), &tenant, Credits::ZERO, at)
        });
        room.record(calls).await;
        room.add_up().await;
        for n in 0..700 {
            let then = old.after(Duration::from_secs(n));
            let own = server::store::accounts::TenantSettingsPatch::default();
            let actor = Actor::system();
            let put = room.store.put_tenant_settings(&actor, &tenant, &own, then);
            put.await.expect("an entry");
        }
        keep(&room, 40).await;
        let (left, right) = tokio::join!(sweep(&room), sweep(&room));
        let name = room.db.name;
        assert_eq!(left.usage + right.usage, 1_200, "{name}");
        assert_eq!(left.audit + right.audit, 700, "{name}");
        assert_eq!(records(&room, &tenant).await, 0);
        let kept = room.store.audit_entries(None, 100).await.expect("entries");
        let mut actions: Vec<_> = kept.iter().map(|entry| entry.action.as_str()).collect();
        actions.sort_unstable();
        assert_eq!(actions, ["settings.update", "tenant.create"], "{name}");
        assert_exact(&room, (1_200, Credits::ZERO), "at the end").await;

        // The first record after all are gone is added up too.
        let late = usage_record(
            &GenerationId::random(),
            &tenant,
            Credits::ZERO,
            room.clock.now(),
        );
        room.record([late]).await;
        room.add_up().await;
        assert_exact(&room, (1_201, Credits::ZERO), "later").await;
        room.supervisor.finish(PATIENCE).await;
    }
}
