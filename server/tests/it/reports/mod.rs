//! The figures behind the pages: sums that stay exact whoever commits when, lists that neither skip
//! nor repeat, exports, one call in detail. Each on both databases.

mod call_details;
mod costs;
mod exports;
mod filing;
mod kept;
mod kept_events;
mod lists;
mod reprice;
mod retention;
mod rollups;
mod studio;
mod studio_ends;
mod studio_together;
mod summaries;
mod zones;

use std::time::Duration;

use server::ledger::{GrantKind, Ledger, LedgerSettings, NewGrant};
use server::reports::Reports;
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::audit::Actor;
use server::store::usage::UsageRecord;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::id::TenantId;
use shared::supervisor::Supervisor;
use tokio::task::JoinSet;

use crate::support::{TestDb, databases};

/// 2026-11-21T10:00:00Z; an hour and not a day begins here.
const START_MS: i64 = 1_795_255_200_000;
const HOUR_MS: i64 = 3_600_000;
/// For what comes at once on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn micros(n: i64) -> Credits {
    Credits::from_micros(n)
}

fn start() -> Moment {
    Moment::from_unix_ms(START_MS)
}

/// The room over a database, at a time that stands still.
struct Room {
    db: TestDb,
    store: Store,
    ledger: Ledger,
    clock: Clock,
    reports: Reports,
    supervisor: Supervisor,
}

impl Room {
    async fn over(db: TestDb) -> Self {
        let (store, clock) = (Store::new(db.db.clone()), Clock::fixed(start()));
        let supervisor = Supervisor::new();
        let settings = LedgerSettings::default();
        let ledger = Ledger::start(store.clone(), clock.clone(), &supervisor, settings)
            .await
            .expect("a ledger");
        let reports = Reports::new(store.clone(), ledger.clone(), clock.clone());
        Self {
            db,
            store,
            ledger,
            clock,
            reports,
            supervisor,
        }
    }

    /// Writes records as the ledger does for calls that cost nothing, and files them.
    async fn record(&self, records: impl IntoIterator<Item = UsageRecord>) {
        self.put(records).await;
        self.file().await;
    }

    /// The same, and files nothing.
    async fn put(&self, records: impl IntoIterator<Item = UsageRecord>) {
        let mut writing = JoinSet::new();
        for record in records {
            let ledger = self.ledger.clone();
            writing.spawn(async move { ledger.record(record).await.expect("recorded") });
        }
        writing.join_all().await;
    }

    /// Lists show what is filed.
    async fn file(&self) {
        let mut roller = Roller::new(self.store.clone(), self.clock.clone());
        let done = roller.catch_up(PATIENCE).await.expect("filed");
        assert!(done, "{}", self.db.name);
    }

    /// The sums are what the records come to.
    async fn sums_are_exact(&self) {
        let roller = Roller::new(self.store.clone(), Clock::system());
        let differences = roller.check().await.expect("checked");
        assert_eq!(differences, Vec::<String>::new(), "{}", self.db.name);
    }

    async fn add_up(&self) {
        self.file().await;
        let roller = Roller::new(self.store.clone(), self.clock.clone());
        roller.find_tops().await.expect("found");
    }

    async fn give(&self, tenant: &TenantId, amount: Credits, expires_at: Option<Moment>) {
        let source_key = format!("{amount} {expires_at:?}");
        let new = NewGrant {
            tenant: tenant.clone(),
            kind: GrantKind::Purchase,
            amount,
            source_key,
            expires_at,
            note: String::new(),
        };
        self.ledger.grant(new).await.expect("given");
    }

    /// A tenant of a name, with its row.
    async fn tenant(&self, name: &str) -> TenantId {
        use server::limits::LimitSettings;
        use server::store::accounts::{Founding, Tenant, TenantStatus};
        let id = TenantId::random();
        let tenant = Tenant {
            id: id.clone(),
            name: name.to_owned(),
            status: TenantStatus::Active,
            price_multiplier_ppm: 1_000_000,
            limits: LimitSettings::default(),
            allowed_models: None,
            zone: None,
            delete_at: None,
            created_at: self.clock.now(),
        };
        let founding = Founding {
            tenant,
            owner: None,
            key: None,
        };
        let now = self.clock.now();
        self.store
            .insert_tenant(&Actor::system(), &founding, now)
            .await
            .expect("founded");
        id
    }
}

async fn rooms() -> Vec<Room> {
    let mut rooms = Vec::new();
    for db in databases().await {
        rooms.push(Room::over(db).await);
    }
    rooms
}
