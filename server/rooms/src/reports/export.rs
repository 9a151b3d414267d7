//! Whole lists, a page after the other, for exports: memory holds one page, the database is asked when
//! the reader has taken the one before, and nobody is left behind when the reader goes away.

use futures_util::stream::{Stream, try_unfold};
use server_store::Store;
use server_store::audit::{AuditEntry, AuditFilter};
use server_store::usage::UsageRecord;
use server_store::usage_log::{LogQuery, UsageFilter};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::zone::Zone;

use super::log::Log;
use super::{Reports, ReportsError};
use crate::ledger::{Entry, LedgerError};

/// Rows read at once; about 200 KB.
const ROWS: i64 = 500;

/// Whether a page of so many rows is the last one.
fn is_last(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows < ROWS)
}

/// A log from its newest row on.
fn pages<L: Log>(
    store: Store,
    filter: L,
) -> impl Stream<Item = Result<Vec<L::Row>, DbError>> + Send + 'static {
    let start: Option<Option<(Moment, String)>> = Some(None);
    try_unfold((store, filter, start), async |(store, filter, from)| {
        let Some(behind) = from else { return Ok(None) };
        let query = LogQuery {
            newest_first: true,
            behind: behind.as_ref().map(|(at, id)| (*at, id.as_str())),
            limit: ROWS,
        };
        let rows = filter.read(&store, query).await?;
        let last = rows.last().filter(|_| !is_last(rows.len()));
        let next = last.map(|last| Some(L::place(last)));
        Ok((!rows.is_empty()).then_some((rows, (store, filter, next))))
    })
}

impl Reports {
    /// Every usage record that passes the filter, newest first. Records that arrive meanwhile are
    /// newer than the first page and stay out.
    pub fn export_usage(
        &self,
        filter: UsageFilter,
    ) -> impl Stream<Item = Result<Vec<UsageRecord>, DbError>> + Send + 'static {
        pages(self.store.clone(), filter)
    }

    /// Every audit entry that passes the filter, newest first.
    pub fn export_audit(
        &self,
        filter: AuditFilter,
    ) -> impl Stream<Item = Result<Vec<AuditEntry>, DbError>> + Send + 'static {
        pages(self.store.clone(), filter)
    }

    /// A tenant's whole ledger, newest first; entries that arrive meanwhile stay out.
    pub fn export_ledger(
        &self,
        tenant: TenantId,
    ) -> impl Stream<Item = Result<Vec<Entry>, LedgerError>> + Send + 'static {
        let ledger = self.ledger.clone();
        let start = Some(None);
        try_unfold((ledger, tenant, start), async |(ledger, tenant, from)| {
            let Some(before) = from else { return Ok(None) };
            let entries = ledger.history(&tenant, before, ROWS).await?;
            let last = entries.last().filter(|_| !is_last(entries.len()));
            let next = last.map(|last| Some(last.number));
            Ok((!entries.is_empty()).then_some((entries, (ledger, tenant, next))))
        })
    }

    /// In which time zone the platform's exports tell moments.
    pub async fn platform_zone(&self) -> Zone {
        self.zones.platform().await
    }

    /// In which time zone a tenant's exports tell moments.
    pub async fn tenant_zone(&self, tenant: &TenantId) -> Result<Zone, ReportsError> {
        let found = self.store.tenant(tenant).await?;
        let tenant = found.ok_or(ReportsError::NoSuchTenant)?;
        Ok(self.zones.of(tenant.zone.as_ref()).await)
    }

    /// Fails when there is no such tenant, so that an export does not end empty for a wrong id.
    pub async fn require_tenant(&self, tenant: &TenantId) -> Result<(), ReportsError> {
        let found = self.store.tenant(tenant).await?;
        found.map(drop).ok_or(ReportsError::NoSuchTenant)
    }
}
