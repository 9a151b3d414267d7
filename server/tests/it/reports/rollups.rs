//! Sums of usage: every record once, in whatever order transactions end.

use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use server::ledger::{GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant, StoredSnapshot};
use server::reports::costs::KnownCost;
use server::reports::rollup::Roller;
use server::reports::sums::{Grain, Sums};
use server::store::Store;
use server::store::rollups::{ReportScope, SumsQuery, TopOf};
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::Db;
use shared::id::{ApiKeyId, GenerationId, TenantId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;
use tokio::task::JoinSet;

use super::{HOUR_MS, PATIENCE, START_MS, micros};
use crate::support::{TestDb, databases, postgres, sqlite, usage_record};

/// Everything there is.
fn always(grain: Grain) -> SumsQuery {
    SumsQuery {
        grain,
        from: Moment::from_unix_ms(0),
        until: Moment::from_unix_ms(i64::MAX),
    }
}

async fn total(store: &Store, scope: &ReportScope, grain: Grain) -> Sums {
    let mut sum = Sums::default();
    let series = store.sums_series(scope, always(grain)).await.expect("sums");
    for (_, sums) in series {
        sum.merge(&sums);
    }
    sum
}

async fn ledger(db: &TestDb, supervisor: &Supervisor) -> Ledger {
    let store = Store::new(db.db.clone());
    Ledger::start(
        store,
        Clock::system(),
        supervisor,
        LedgerSettings::default(),
    )
    .await
    .expect("a ledger")
}

async fn fund(ledger: &Ledger, tenant: &TenantId) {
    let new = NewGrant {
        tenant: tenant.clone(),
        kind: GrantKind::Purchase,
        amount: Credits::from_credits(1_000).expect("fits"),
        source_key: "first".to_owned(),
        expires_at: None,
        note: String::new(),
    };
    ledger.grant(new).await.expect("given");
}

/// A call whose figures follow from its number, so that sums can be foretold.
fn numbered(tenant: &TenantId, n: i64) -> UsageRecord {
    let at = Moment::from_unix_ms(START_MS + (n % 7) * HOUR_MS + n);
    let id = GenerationId::random();
    let mut record = usage_record(&id, tenant, micros(n + 1), at);
    record.model = format!("model-{}", n % 3);
    record.provider = format!("provider-{}", n % 2);
    record.key = (n % 4 == 0).then(|| ApiKeyId::from_stored(format!("key_{}", n % 8)));
    // Of every tenth nobody knows what the provider takes.
    record.cost = (n % 10 != 9).then(|| micros(n));
    record.duration_ms = n.unsigned_abs() * 3 + 1;
    record.first_byte_ms = n.unsigned_abs() + 1;
    record.status = match n % 5 {
        0 => UsageStatus::Failed,
        1 => UsageStatus::Canceled,
        _ => UsageStatus::Succeeded,
    };
    record
}

async fn settled(ledger: Ledger, record: UsageRecord) {
    let ask = HoldRequest {
        id: record.id.clone(),
        tenant: record.tenant.clone(),
        amount: micros(100_000),
        least: micros(100_000),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: ledger.boot().clone().into(),
        snapshot: StoredSnapshot::default(),
        deadline_at: Clock::system().now().after(Duration::from_secs(600)),
    };
    ledger.hold(ask).await.expect("held");
    let (id, tenant, credits) = (record.id.clone(), record.tenant.clone(), record.credits);
    ledger
        .settle(&id, &tenant, credits, record)
        .await
        .expect("settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_exact_while_many_settle_and_several_add_up() {
    for db in databases().await {
        let supervisor = Supervisor::new();
        // Two processes on PostgreSQL; SQLite has one.
        let mut ledgers = vec![ledger(&db, &supervisor).await];
        if db.name == "postgres" {
            ledgers.push(ledger(&db, &supervisor).await);
        }
        let tenants = [TenantId::random(), TenantId::random(), TenantId::random()];
        for tenant in &tenants {
            fund(&ledgers[0], tenant).await;
        }
        let store = Store::new(db.db.clone());
        let stop = supervisor.stopping();
        for _ in 0..2 {
            let roller = Roller::new(store.clone(), Clock::system());
            supervisor.spawn("roller", roller.run_forever(stop.clone()));
        }
        let mut settling = JoinSet::new();
        for n in 0..400_i64 {
            let place = usize::try_from(n).expect("small");
            let tenant = &tenants[place % 3];
            let ledger = ledgers[place % ledgers.len()].clone();
            settling.spawn(settled(ledger, numbered(tenant, n)));
            if n % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        settling.join_all().await;
        let mut roller = Roller::new(store.clone(), Clock::system());
        assert!(
            roller.catch_up(PATIENCE).await.expect("added up"),
            "{}",
            db.name
        );
        for grain in Grain::ALL {
            let all = total(&store, &ReportScope::Platform, grain).await;
            assert_eq!(all.calls, 400, "{}", db.name);
            assert_eq!(all.credits, micros((1..=400).sum()));
            let known = || (0..400_i64).filter(|n| n % 10 != 9);
            let cost = KnownCost {
                cost: micros(known().sum()),
                calls: 360,
                credits: micros(known().map(|n| n + 1).sum()),
            };
            assert_eq!(all.cost, cost);
            assert_eq!((all.failed, all.canceled), (80, 80));
            assert_eq!(all.durations.count(), 240);
        }
        assert_eq!(roller.check().await.expect("checked"), Vec::<String>::new());
        supervisor.stop();
    }
}

async fn raw(db: &TestDb) -> AsyncPgConnection {
    let Db::Postgres(pool) = &db.db else {
        panic!("only PostgreSQL has several writers");
    };
    pool.dedicated_connection().await.expect("a connection")
}

/// Writes a record on a connection, inside whatever transaction is open there.
async fn insert(conn: &mut AsyncPgConnection, id: &str) {
    conn.batch_execute(&format!(
        "INSERT INTO usage_records (id, tenant_id, test, operation, model, provider, provider_model, input_tokens, \
         cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, \
         estimated, credits_micros, cost_micros, status, attempts, first_byte_ms, duration_ms, created_at) \
         VALUES ('{id}', 'ten_slow', FALSE, 'chat', 'm', 'p', 'm', 1, 0, 0, 1, 0, 0, 0, 0, FALSE, 10, 4, \
         'succeeded', 1, 1, 1, {START_MS})"
    ))
    .await
    .expect("inserted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_committer_is_waited_for_and_counted_once() {
    let db = postgres().await;
    let store = Store::new(db.db.clone());
    let (mut slow, mut quick) = (raw(&db).await, raw(&db).await);
    let mut roller = Roller::new(store.clone(), Clock::system());
    // As the ledger does: a write first, then the records.
    slow.batch_execute(
        "BEGIN; INSERT INTO ledger_writers (boot, batch, seen_at) VALUES ('boot_slow', 1, 1)",
    )
    .await
    .expect("begun");
    insert(&mut slow, "gen_slow").await;
    for n in 0..5 {
        insert(&mut quick, &format!("gen_quick{n}")).await;
    }
    // The later numbers are committed, the first is not: nothing may be passed over.
    let got_there = roller.catch_up(Duration::from_millis(300)).await;
    assert!(!got_there.expect("waited"), "the slow one is still to come");
    let before = total(&store, &ReportScope::Platform, Grain::Hour).await;
    assert_eq!(
        before.calls, 0,
        "nothing behind a record that may still come"
    );
    slow.batch_execute("COMMIT").await.expect("committed");
    assert!(roller.catch_up(PATIENCE).await.expect("added up"));
    assert_eq!(
        total(&store, &ReportScope::Platform, Grain::Hour)
            .await
            .calls,
        6
    );
    // One that is rolled back leaves a gap, and nobody waits for it.
    slow.batch_execute(
        "BEGIN; INSERT INTO ledger_writers (boot, batch, seen_at) VALUES ('boot_gone', 1, 1)",
    )
    .await
    .expect("begun");
    insert(&mut slow, "gen_gone").await;
    insert(&mut quick, "gen_after").await;
    slow.batch_execute("ROLLBACK").await.expect("rolled back");
    assert!(roller.catch_up(PATIENCE).await.expect("added up"));
    assert_eq!(
        total(&store, &ReportScope::Platform, Grain::Hour)
            .await
            .calls,
        7
    );
    assert_eq!(roller.check().await.expect("checked"), Vec::<String>::new());
}

async fn record_all(db: &TestDb, count: i64) -> (Store, TenantId) {
    let supervisor = Supervisor::new();
    let ledger = ledger(db, &supervisor).await;
    let tenant = TenantId::random();
    let mut writing = JoinSet::new();
    for n in 0..count {
        let (ledger, record) = (ledger.clone(), numbered(&tenant, n));
        writing.spawn(async move { ledger.record(record).await.expect("recorded") });
    }
    writing.join_all().await;
    (Store::new(db.db.clone()), tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_equals_what_was_added_up_and_finds_old_records() {
    for db in databases().await {
        let (store, tenant) = record_all(&db, 250).await;
        let mut roller = Roller::new(store.clone(), Clock::system());
        assert!(roller.catch_up(PATIENCE).await.expect("added up"));
        let scope = ReportScope::Tenant(tenant.clone());
        let first = store
            .sums_series(&scope, always(Grain::Hour))
            .await
            .expect("sums");
        assert_eq!(first.len(), 7, "{}", db.name);
        // As they were before there were numbers.
        db.execute("UPDATE usage_records SET number = NULL")
            .await
            .expect("forgotten");
        let mut other = Roller::new(store.clone(), Clock::system());
        assert!(other.rebuild(PATIENCE).await.expect("rebuilt"));
        let again = store
            .sums_series(&scope, always(Grain::Hour))
            .await
            .expect("sums");
        assert_eq!(first, again, "{}", db.name);
        assert_eq!(other.check().await.expect("checked"), Vec::<String>::new());
        let tops = store
            .tops(TopOf::ModelsOf(&tenant), always(Grain::Day), 2)
            .await
            .expect("tops");
        let names: Vec<&str> = tops.iter().map(|top| top.name.as_str()).collect();
        // By credits, and only as many as asked for.
        assert_eq!(names, ["model-0", "model-2"], "{}", db.name);
        let kept = store.kept_top_tenants("30d").await.expect("kept");
        assert!(kept.is_some(), "a rebuild finds the top lists too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_tells_of_every_kind_of_difference() {
    for db in databases().await {
        let (store, tenant) = record_all(&db, 20).await;
        let mut roller = Roller::new(store, Clock::system());
        assert!(roller.catch_up(PATIENCE).await.expect("added up"));
        assert_eq!(roller.check().await.expect("checked"), Vec::<String>::new());
        for (damage, told) in [
            (
                "UPDATE rollups SET calls = calls + 1 WHERE dimension = 'all' AND grain = 'day'".to_owned(),
                "says 21 calls",
            ),
            (
                "UPDATE rollups SET durations = '1:1' WHERE dimension = 'all' AND grain = 'day'".to_owned(),
                "other figures differ",
            ),
            (
                format!("DELETE FROM rollups WHERE dimension = 'tenant' AND tenant_id = '{tenant}' AND grain = 'day'"),
                "are not added up",
            ),
            (
                "UPDATE rollups SET model = 'other' WHERE dimension = 'model' AND model = 'model-1'".to_owned(),
                "there are none",
            ),
            (
                "UPDATE rollups SET tenant_id = 'ten_none' WHERE dimension = 'tenant'".to_owned(),
                "tenants without any records",
            ),
        ] {
            db.execute(&damage).await.expect("damaged");
            let differences = roller.check().await.expect("checked");
            assert!(
                differences.iter().any(|difference| difference.contains(told)),
                "{}: {damage}: {differences:?}",
                db.name
            );
            assert!(roller.rebuild(PATIENCE).await.expect("rebuilt"));
            assert_eq!(roller.check().await.expect("checked"), Vec::<String>::new());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_counts_nothing_and_the_next_one_counts_all() {
    let db = sqlite().await;
    let (store, _) = record_all(&db, 30).await;
    db.execute("CREATE TRIGGER broken BEFORE UPDATE ON rollup_state BEGIN SELECT RAISE(ABORT, 'broken'); END")
        .await
        .expect("broken");
    let mut roller = Roller::new(store.clone(), Clock::system());
    roller
        .catch_up(PATIENCE)
        .await
        .expect_err("it could not move on");
    assert_eq!(
        total(&store, &ReportScope::Platform, Grain::Day)
            .await
            .calls,
        0
    );
    db.execute("DROP TRIGGER broken").await.expect("repaired");
    assert!(roller.catch_up(PATIENCE).await.expect("added up"));
    assert_eq!(
        total(&store, &ReportScope::Platform, Grain::Day)
            .await
            .calls,
        30
    );
}
