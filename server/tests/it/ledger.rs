//! The ledger on both databases: concurrency, repetition, refusal, what the database itself refuses.

use std::sync::Arc;
use std::time::Duration;

use server::ledger::recovery::Watch;
use server::ledger::{
    Balance, GrantError, GrantKind, HoldError, HoldRequest, HoldState, Ledger, LedgerSettings,
    NewGrant, Owner, SettleError, StoredSnapshot, Unknown,
};
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::Db;
use shared::id::{BootId, GenerationId, JobId, RealtimeSessionId, TenantId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;

use crate::support::{TestDb, databases, usage_record};

const NOW: Moment = Moment::from_unix_ms(1_800_000_000_000);

pub(crate) async fn ledger(db: &TestDb) -> Ledger {
    Ledger::start(
        Store::new(db.db.clone()),
        Clock::fixed(NOW),
        &Supervisor::new(),
        LedgerSettings::default(),
    )
    .await
    .expect("a ledger")
}

pub(crate) fn grant(tenant: &TenantId, micros: i64, source: &str) -> NewGrant {
    NewGrant {
        tenant: tenant.clone(),
        kind: GrantKind::Manual,
        amount: Credits::from_micros(micros),
        source_key: source.to_owned(),
        expires_at: None,
        note: String::new(),
    }
}

pub(crate) fn ask(tenant: &TenantId, micros: i64, least: i64) -> HoldRequest {
    HoldRequest {
        id: GenerationId::random(),
        tenant: tenant.clone(),
        amount: Credits::from_micros(micros),
        least: Credits::from_micros(least),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: BootId::random().into(),
        snapshot: StoredSnapshot::default(),
        deadline_at: NOW.after(Duration::from_secs(60)),
    }
}

pub(crate) fn usage(ask: &HoldRequest, micros: i64) -> UsageRecord {
    usage_record(&ask.id, &ask.tenant, Credits::from_micros(micros), NOW)
}

/// All tables agree.
pub(crate) async fn exact(ledger: &Ledger, name: &str) {
    let differences = ledger.verify().await.expect("read");
    assert!(differences.is_empty(), "{name}: {differences:#?}");
}

pub(crate) fn balance(available: i64, held: i64, used: i64) -> Balance {
    let credits = Credits::from_micros;
    Balance {
        available: credits(available),
        held: credits(held),
        used: credits(used),
        ..Balance::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_holds_of_one_tenant_with_credits_for_fewer_take_exactly_what_is_there() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        ledger
            .grant(grant(&tenant, 1_050, "a"))
            .await
            .expect("granted");
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (ledger, ask) = (ledger.clone(), ask(&tenant, 10, 10));
            calls.spawn(async move {
                match ledger.hold(ask.clone()).await {
                    Ok(held) => {
                        assert_eq!(held.micros(), 10);
                        ledger
                            .settle(&ask.id, &ask.tenant, held, usage(&ask, 10))
                            .await
                            .expect("settled");
                        true
                    }
                    Err(HoldError::Insufficient { .. }) => false,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let passed = calls
            .join_all()
            .await
            .into_iter()
            .filter(|passed| *passed)
            .count();
        assert_eq!(passed, 105, "{}", db.name);
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(0, 0, 1_050),
            "{}",
            db.name
        );
        exact(&ledger, db.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_operations_change_nothing_and_other_amounts_are_conflicts() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        let first = ledger
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("granted");
        let second = ledger
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("the same");
        assert_eq!(first.id, second.id);
        assert!(matches!(
            ledger.grant(grant(&tenant, 101, "a")).await,
            Err(GrantError::Conflict)
        ));
        assert!(matches!(
            ledger.grant(grant(&tenant, 0, "b")).await,
            Err(GrantError::Amount)
        ));

        let ask = ask(&tenant, 60, 60);
        assert_eq!(ledger.hold(ask.clone()).await.expect("held").micros(), 60);
        assert_eq!(
            ledger.hold(ask.clone()).await.expect("the same").micros(),
            60
        );
        let other = HoldRequest {
            amount: Credits::from_micros(61),
            ..ask.clone()
        };
        assert!(matches!(ledger.hold(other).await, Err(HoldError::Conflict)));

        let used = Credits::from_micros(25);
        for _ in 0..2 {
            ledger
                .settle(&ask.id, &tenant, used, usage(&ask, 25))
                .await
                .expect("settled");
        }
        let more = Credits::from_micros(26);
        let answer = ledger.settle(&ask.id, &tenant, more, usage(&ask, 26)).await;
        assert!(matches!(answer, Err(SettleError::Closed)));
        assert!(matches!(
            ledger.release(&ask.id, &tenant, None).await,
            Err(SettleError::Closed)
        ));
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(75, 0, 25),
            "{}",
            db.name
        );
        let kinds: Vec<String> = ledger
            .history(&tenant, None, 10)
            .await
            .expect("read")
            .into_iter()
            .map(|e| e.kind)
            .collect();
        assert_eq!(kinds, ["settle", "hold", "grant"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_balance_and_stays_a_refusal() {
    for db in databases().await {
        let (ledger, tenant) = (Arc::new(ledger(&db).await), TenantId::random());
        ledger
            .grant(grant(&tenant, 10, "a"))
            .await
            .expect("granted");
        let ask = ask(&tenant, 50, 11);
        assert!(matches!(
            ledger.hold(ask.clone()).await,
            Err(HoldError::Insufficient { .. })
        ));
        ledger
            .grant(grant(&tenant, 100, "b"))
            .await
            .expect("granted");
        assert!(matches!(
            ledger.hold(ask).await,
            Err(HoldError::Insufficient { .. })
        ));
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(110, 0, 0),
            "{}",
            db.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_exhausted_grant_gave_comes_back_to_it() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        ledger
            .grant(grant(&tenant, 10, "a"))
            .await
            .expect("granted");
        let ask = ask(&tenant, 10, 10);
        ledger.hold(ask.clone()).await.expect("held");
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(0, 10, 0)
        );
        ledger
            .release(&ask.id, &tenant, None)
            .await
            .expect("released");
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(10, 0, 0),
            "{}",
            db.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_to_change_or_delete_an_entry() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        ledger
            .grant(grant(&tenant, 10, "a"))
            .await
            .expect("granted");
        for statement in [
            "UPDATE ledger_entries SET grants_delta = 0",
            "DELETE FROM ledger_entries",
        ] {
            let error = db.execute(statement).await.expect_err("refused");
            assert!(error.contains("append-only"), "{}: {error}", db.name);
        }
        let negative = db
            .execute("UPDATE ledger_grants SET remaining_micros = -1")
            .await;
        assert!(negative.is_err(), "{}", db.name);
    }
}

/// The number of a record that counts in sums once it is filed, 0 of one that does not count yet.
async fn counted(db: &TestDb, id: &GenerationId) -> i64 {
    use diesel_async::RunQueryDsl;

    #[derive(diesel::QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let mut roller = Roller::new(Store::new(db.db.clone()), Clock::system());
    let patience = Duration::from_secs(60);
    assert!(
        roller.catch_up(patience).await.expect("filed"),
        "{}",
        db.name
    );
    let text =
        format!("SELECT COALESCE(number, -1) AS number FROM usage_records WHERE id = '{id}'");
    let rows: Vec<Number> = match &db.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            diesel::sql_query(text).load(&mut conn).await.expect("read")
        }
        Db::Sqlite { readers, .. } => {
            let mut conn = readers.get().await.expect("a connection");
            diesel::sql_query(text)
                .load(&mut *conn)
                .await
                .expect("read")
        }
    };
    assert_eq!(rows.len(), 1, "one record a call");
    rows[0].number
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_becomes_known_late_is_charged_once_by_whoever_learns_it() {
    for db in databases().await {
        let writers = [ledger(&db).await, ledger(&db).await];
        let (tenant, store) = (TenantId::random(), Store::new(db.db.clone()));
        writers[0]
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("granted");
        let ask = ask(&tenant, 60, 60);
        writers[0].hold(ask.clone()).await.expect("held");
        let unknown = Unknown {
            ask_until: Moment::from_unix_ms(i64::MAX),
            promised: false,
        };
        let open = UsageRecord {
            fault: Some("unknown".to_owned()),
            status: UsageStatus::Failed,
            ..usage(&ask, 0)
        };
        for writer in &writers {
            let given = writer.give_back(&ask.id, &tenant, unknown, open.clone());
            given.await.expect("given back");
        }
        assert_eq!(
            writers[0].balance(&tenant).await.expect("read"),
            balance(100, 0, 0)
        );
        assert_eq!(counted(&db, &ask.id).await, 0, "it counts in no sum yet");
        let listed = writers[1].unknown(None).await.expect("read");
        assert_eq!(listed.len(), 1, "{}", db.name);
        assert_eq!(listed[0].state, HoldState::Unknown);
        exact(&writers[0], db.name).await;
        let used = Credits::from_micros(70);
        let known = usage(&ask, 70);
        let (first, second) = tokio::join!(
            writers[0].settle(&ask.id, &tenant, used, known.clone()),
            writers[1].settle(&ask.id, &tenant, used, known.clone()),
        );
        for settled in [first.expect("charged"), second.expect("the same")] {
            assert_eq!(
                (settled.charged.micros(), settled.shortfall.micros()),
                (60, 10)
            );
        }
        assert_eq!(
            writers[0].balance(&tenant).await.expect("read"),
            balance(40, 0, 60)
        );
        let record = store
            .usage_record(&ask.id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!((record.credits.micros(), record.loss.micros()), (60, 10));
        assert_eq!(record.loss_why.as_deref(), Some("provider_overrun"));
        assert_eq!(record.status, UsageStatus::Succeeded);
        assert!(
            counted(&db, &ask.id).await > 0,
            "{}: and now it counts",
            db.name
        );
        let kinds = writers[0].history(&tenant, None, 10).await.expect("read");
        let kinds: Vec<String> = kinds.into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, ["claim", "release", "hold", "grant"]);
        assert!(writers[1].unknown(None).await.expect("read").is_empty());
        exact(&writers[1], db.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_nothing_is_charged_is_kept_whatever_becomes_known() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        let store = Store::new(db.db.clone());
        ledger
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("granted");
        let unknown = Unknown {
            ask_until: Moment::from_unix_ms(i64::MAX),
            promised: true,
        };
        // One of which nothing is ever learned, and one that the provider finished.
        let (lost, made) = (ask(&tenant, 30, 30), ask(&tenant, 40, 40));
        for ask in [&lost, &made] {
            ledger.hold(ask.clone()).await.expect("held");
            let given = ledger.give_back(&ask.id, &tenant, unknown, usage(ask, 0));
            given.await.expect("given back");
        }
        let used = Credits::from_micros(25);
        let settled = ledger
            .settle(&made.id, &tenant, used, usage(&made, 25))
            .await;
        assert_eq!(settled.expect("told").charged, Credits::ZERO);
        let record = store
            .usage_record(&made.id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!((record.credits.micros(), record.loss.micros()), (0, 25));
        assert_eq!(record.loss_why.as_deref(), Some("not_delivered"));
        ledger
            .release(&lost.id, &tenant, Some(usage(&lost, 0)))
            .await
            .expect("closed");
        assert!(counted(&db, &lost.id).await > 0, "{}", db.name);
        assert!(ledger.unknown(None).await.expect("read").is_empty());
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(100, 0, 0)
        );
        exact(&ledger, db.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_counts_for_its_owner_alone() {
    for db in databases().await {
        let start = Moment::from_unix_ms(1_800_000_000_000);
        // The second one's clock is 12 minutes ahead.
        let clocks = [
            Clock::fixed(start),
            Clock::fixed(start.after(Duration::from_secs(720))),
        ];
        let mut servers = Vec::new();
        for clock in &clocks {
            let (store, supervisor) = (Store::new(db.db.clone()), Supervisor::new());
            let settings = LedgerSettings::default();
            let ledger = Ledger::start(store, clock.clone(), &supervisor, settings).await;
            servers.push(ledger.expect("a ledger"));
        }
        let tenant = TenantId::random();
        servers[0]
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("granted");
        let held = HoldRequest {
            owner: servers[0].boot().clone().into(),
            deadline_at: start.after(Duration::from_secs(660)),
            ..ask(&tenant, 60, 60)
        };
        servers[0].hold(held.clone()).await.expect("held");
        let mut watch = Watch::new(Duration::from_secs(40));
        let gone = servers[1].gone(&mut watch).await.expect("read");
        assert!(gone.is_empty(), "{}: everybody lives", db.name);
        let found = servers[1].abandoned(&gone, None).await.expect("read");
        assert!(found.is_empty(), "{}: it is its owner's business", db.name);
        assert!(
            servers[0]
                .abandoned(&[], None)
                .await
                .expect("read")
                .is_empty()
        );
        clocks[0].advance(Duration::from_secs(661));
        let found = servers[0].abandoned(&[], None).await.expect("read");
        assert_eq!(found.len(), 1, "{}: which looks after it", db.name);
        // A dead owner's is everybody's.
        let gone = [servers[0].boot().clone()];
        let found = servers[1].abandoned(&gone, None).await.expect("read");
        assert_eq!(found.len(), 1, "{}", db.name);
        let behind = servers[1]
            .abandoned(&gone, found.first())
            .await
            .expect("read");
        assert!(behind.is_empty(), "page by page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_or_a_session_holds_is_not_taken_over() {
    for db in databases().await {
        let start = Moment::from_unix_ms(1_000_000_000);
        let (clock, supervisor) = (Clock::fixed(start), Supervisor::new());
        let (store, settings) = (Store::new(db.db.clone()), LedgerSettings::default());
        let ledger = Ledger::start(store, clock.clone(), &supervisor, settings).await;
        let (ledger, tenant) = (ledger.expect(db.name), TenantId::random());
        let given = ledger.grant(grant(&tenant, 1_000, "a")).await;
        given.expect(db.name);
        let dead = BootId::random();
        let owners = [
            Owner::Process(dead.clone()),
            Owner::Job(JobId::random()),
            Owner::Session(RealtimeSessionId::random()),
        ];
        for owner in &owners {
            let request = HoldRequest {
                owner: owner.clone(),
                deadline_at: start.after(Duration::from_secs(1)),
                ..ask(&tenant, 60, 60)
            };
            let id = request.id.clone();
            ledger.hold(request).await.expect(db.name);
            let (hold, _) = ledger.hold_of(&id).await.expect(db.name).expect("held");
            assert_eq!(hold.owner, *owner, "{}", db.name);
        }
        clock.advance(Duration::from_secs(100_000));
        let mut watch = Watch::new(Duration::ZERO);
        let gone = ledger.gone(&mut watch).await.expect(db.name);
        assert_eq!(gone, [dead], "{}: jobs have no signs of life", db.name);
        let found = ledger.abandoned(&gone, None).await.expect(db.name);
        let found: Vec<_> = found.into_iter().map(|hold| hold.owner).collect();
        assert_eq!(found, owners[..1], "{}", db.name);
        assert_eq!(ledger.overdue(10).await.expect(db.name), 1, "{}", db.name);
        // Those that were given back without knowing neither.
        let (running, _) = ledger.running(10).await.expect(db.name);
        for hold in running {
            let unknown = Unknown {
                ask_until: start,
                promised: false,
            };
            let record = usage_record(&hold.id, &tenant, Credits::ZERO, start);
            let given_back = ledger.give_back(&hold.id, &tenant, unknown, record);
            given_back.await.expect(db.name);
        }
        let unknown = ledger.unknown(None).await.expect(db.name);
        let unknown: Vec<_> = unknown.into_iter().map(|hold| hold.owner).collect();
        assert_eq!(unknown, owners[..1], "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_is_seen_where_servers_share_a_database() {
    for db in databases().await {
        let now = Clock::system().now();
        let ahead = Clock::fixed(now.after(Duration::from_secs(720)));
        let start = async |clock: Clock| {
            let (store, supervisor) = (Store::new(db.db.clone()), Supervisor::new());
            let ledger = Ledger::start(store, clock, &supervisor, LedgerSettings::default()).await;
            ledger.expect("a ledger")
        };
        let (right, wrong) = (start(Clock::system()).await, start(ahead).await);
        if db.name == "sqlite" {
            // Processes on one file share a machine and its clock.
            continue;
        }
        let lives = right.processes().await.expect("read");
        assert_eq!(lives.len(), 2, "{}: both live", db.name);
        let skew = |ledger: &Ledger| {
            let own = lives.iter().find(|life| life.boot == *ledger.boot());
            own.expect("alive").skew_ms
        };
        assert!(
            (715_000..725_000).contains(&skew(&wrong)),
            "{}",
            skew(&wrong)
        );
        assert!(skew(&right).abs() < 5_000, "{}", skew(&right));
    }
}
