//! The connection dies during COMMIT: whether it committed is found out before anybody is told, also
//! when the COMMIT arrives only after the client has given the connection up.

#[expect(
    clippy::disallowed_methods,
    reason = "a test's proxy ends with its runtime"
)]
mod proxy;

use std::net::SocketAddr;
use std::time::Duration;

use server::ledger::{
    GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant, SettleError, StoredSnapshot,
};
use server::store::Store;
use shared::clock::Clock;
use shared::credits::Credits;
use shared::db::{Db, DbTarget};
use shared::id::{GenerationId, TenantId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;

use self::proxy::{Cut, Proxy};
use crate::support::postgres;

const CALLERS: usize = 24;

async fn ledger(db: Db) -> Ledger {
    let (supervisor, settings) = (Supervisor::new(), LedgerSettings::default());
    let ledger = Ledger::start(Store::new(db), Clock::system(), &supervisor, settings).await;
    ledger.expect("a ledger")
}

/// The same database through another port.
fn through(target: &DbTarget, address: SocketAddr) -> (DbTarget, SocketAddr) {
    let DbTarget::Postgres(url) = target else {
        panic!("a PostgreSQL")
    };
    let (before, rest) = url.split_once('@').expect("user@host");
    let (place, after) = rest.split_once('/').expect("host/database");
    let upstream = place.parse().expect("an address with a port");
    let url = format!("{before}@{address}/{after}");
    (DbTarget::Postgres(url), upstream)
}

fn ask(ledger: &Ledger, tenant: &TenantId) -> HoldRequest {
    HoldRequest {
        id: GenerationId::random(),
        tenant: tenant.clone(),
        amount: Credits::from_micros(10),
        least: Credits::from_micros(10),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: ledger.boot().clone().into(),
        snapshot: StoredSnapshot::default(),
        deadline_at: Clock::system().now().after(Duration::from_secs(600)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_of_a_cut_commit_is_what_the_database_has() {
    let db = postgres().await;
    let (_, upstream) = through(&db.target, "127.0.0.1:1".parse().expect("an address"));
    let proxy = Proxy::before(upstream).await;
    let (target, _) = through(&db.target, proxy.address);
    let cut_off = ledger(Db::connect(&target).await.expect("connected")).await;
    let direct = ledger(db.db.clone()).await;
    let tenant = TenantId::random();
    let grant = NewGrant {
        tenant: tenant.clone(),
        kind: GrantKind::Manual,
        amount: Credits::from_micros(1_000_000),
        source_key: "a".to_owned(),
        expires_at: None,
        note: String::new(),
    };
    direct.grant(grant).await.expect("granted");
    let (mut told_done, mut told_failed) = (0, 0);
    for round in 0..13 {
        // The silent one takes as long as a batch may take; once is enough.
        let cut = match round {
            12 => Cut::Silent,
            _ => [Cut::Before, Cut::After, Cut::Late][round % 3],
        };
        let cuts = proxy.cuts();
        proxy.arm(cut);
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..CALLERS {
            let (ledger, ask) = (cut_off.clone(), ask(&cut_off, &tenant));
            callers.spawn(async move { (ask.id.clone(), ledger.hold(ask).await) });
        }
        let told = tokio::time::timeout(Duration::from_secs(30), callers.join_all()).await;
        let told = told.expect("nobody waits for ever");
        assert_eq!(proxy.cuts(), cuts + 1, "{cut:?}");
        for (id, told) in told {
            // Released through the other connection: there, or never placed.
            let there = direct.release(&id, &tenant, None).await;
            match (told, there) {
                (Ok(held), Ok(_)) => {
                    assert_eq!(held.micros(), 10);
                    told_done += 1;
                }
                (Err(_), Err(SettleError::NoSuchHold)) => told_failed += 1,
                (told, there) => panic!("{cut:?}: told {told:?}, but there: {there:?}"),
            }
        }
    }
    assert!(
        told_done > 0 && told_failed > 0,
        "{told_done}, {told_failed}"
    );
    let balance = direct.balance(&tenant).await.expect("read");
    assert_eq!(balance.available.micros(), 1_000_000);
    assert_eq!(balance.held, Credits::ZERO);
    let differences = direct.verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
}
