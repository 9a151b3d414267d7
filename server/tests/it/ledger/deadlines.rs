//! Deadlines of holds: whose they are, what is taken over after them, and clocks that differ.

use std::time::Duration;

use server::ledger::recovery::Watch;
use server::ledger::{HoldRequest, Ledger, LedgerSettings, Owner, Unknown};
use server::store::Store;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::{BootId, JobId, RealtimeSessionId, TenantId};
use shared::supervisor::Supervisor;

use super::{ask, grant};
use crate::support::{databases, usage_record};

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
