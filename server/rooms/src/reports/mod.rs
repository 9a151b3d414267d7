//! Room: the figures behind the pages: dashboards, a tenant's overview, logs, one call in detail,
//! exports. `rollup` keeps the sums they stand on; `store` holds the statements. Only reads, but for
//! the sums; speaks no HTTP and writes no page.

pub mod call_detail;
pub mod dashboard;
pub mod directory;
pub mod export;
pub mod forecast;
pub mod history;
pub mod log;
pub mod overview;
pub mod page;
pub mod reprice;
pub mod rollup;
pub mod span;
pub mod sweep;

use std::sync::Arc;

pub use server_rules::usage::{buckets, costs, counts, sums};
use server_store::Store;
pub use server_store::rollups::{ReportScope, SumsQuery, Top};
pub use server_store::usage::{TimeRange, Try, UsageRecord, UsageStatus, UsageSummary};
pub use server_store::usage_log::UsageFilter;
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use tokio::sync::Semaphore;

use self::page::CursorError;
use self::sums::Sums;
use crate::ledger::{Ledger, LedgerError};
use crate::settings::zones::Zones;

/// Why figures were not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// The place in the list is not one of this list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoSuchTenant,
    /// Another reckoning runs that only one may run of.
    #[error("another reckoning runs")]
    Busy,
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database could not be read.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// The sums of an hour or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// When it begins.
    pub at: Moment,
    /// What its calls add up to.
    pub sums: Sums,
}

/// Answers figures; cheap to clone.
#[derive(Debug, Clone)]
pub struct Reports {
    store: Store,
    ledger: Ledger,
    zones: Zones,
    clock: Clock,
    /// Whose turn it is to reprice: it reads more than anything else here.
    repricing: Arc<Semaphore>,
}

impl Reports {
    /// Over the server's database and its ledger.
    pub fn new(store: Store, ledger: Ledger, clock: Clock) -> Self {
        Self {
            zones: Zones::new(store.clone(), clock.clone()),
            store,
            ledger,
            clock,
            repricing: Arc::new(Semaphore::new(1)),
        }
    }
}
