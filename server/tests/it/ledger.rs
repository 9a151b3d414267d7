//! The ledger on both databases: concurrency, repetition, refusal, what the database itself refuses.

mod deadlines;
mod late;
mod people;

use std::sync::Arc;
use std::time::Duration;

use server::ledger::{
    Balance, GrantError, GrantKind, HoldError, HoldRequest, Ledger, LedgerSettings, NewGrant,
    SettleError, StoredSnapshot,
};
use server::store::Store;
use server::store::usage::UsageRecord;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{BootId, GenerationId, TenantId};
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

async fn give(ledger: &Ledger, tenant: &TenantId, micros: i64, source: &str) {
    let given = ledger.grant(grant(tenant, micros, source)).await;
    given.expect("granted");
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
        give(&ledger, &tenant, 10, "a").await;
        let ask = ask(&tenant, 50, 11);
        assert!(matches!(
            ledger.hold(ask.clone()).await,
            Err(HoldError::Insufficient { .. })
        ));
        give(&ledger, &tenant, 100, "b").await;
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
        give(&ledger, &tenant, 10, "a").await;
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
        give(&ledger, &tenant, 10, "a").await;
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
