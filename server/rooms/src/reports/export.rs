//! Whole lists, a page after the other, for exports: memory holds one page, the database is asked when
//! the reader has taken the one before, and nobody is left behind when the reader goes away.

use futures_util::stream::{Stream, try_unfold};
use server_store::audit::{AuditEntry, AuditFilter};
use server_store::usage::UsageRecord;
use server_store::usage_log::{LogQuery, UsageFilter};
use shared::db::DbError;
use shared::id::TenantId;

use super::{Reports, ReportsError};
use crate::ledger::{Entry, LedgerError};

/// Rows read at once; about 200 KB.
const ROWS: i64 = 500;

/// Whether a page of so many rows is the last one.
fn is_last(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows < ROWS)
}

impl Reports {
    /// Every usage record that passes the filter, newest first. Records that arrive meanwhile are
    /// newer than the first page and stay out.
    pub fn export_usage(
        &self,
        filter: UsageFilter,
    ) -> impl Stream<Item = Result<Vec<UsageRecord>, DbError>> + Send + 'static {
        let store = self.store.clone();
        let start = Some(None);
        try_unfold((store, filter, start), async |(store, filter, from)| {
            let Some(from) = from else { return Ok(None) };
            let behind: Option<(_, String)> = from;
            let query = LogQuery {
                newest_first: true,
                behind: behind.as_ref().map(|(at, id)| (*at, id.as_str())),
                limit: ROWS,
            };
            let records = store.usage_log(&filter, query).await?;
            let last = records.last().filter(|_| !is_last(records.len()));
            let next = last.map(|last| Some((last.created_at, last.id.to_string())));
            Ok((!records.is_empty()).then_some((records, (store, filter, next))))
        })
    }

    /// Every audit entry that passes the filter, newest first.
    pub fn export_audit(
        &self,
        filter: AuditFilter,
    ) -> impl Stream<Item = Result<Vec<AuditEntry>, DbError>> + Send + 'static {
        let store = self.store.clone();
        let start = Some(None);
        try_unfold((store, filter, start), async |(store, filter, from)| {
            let Some(from) = from else { return Ok(None) };
            let behind: Option<(_, String)> = from;
            let query = LogQuery {
                newest_first: true,
                behind: behind.as_ref().map(|(at, id)| (*at, id.as_str())),
                limit: ROWS,
            };
            let entries = store.audit_log(&filter, query).await?;
            let last = entries.last().filter(|_| !is_last(entries.len()));
            let next = last.map(|last| Some((last.at, last.id.to_string())));
            Ok((!entries.is_empty()).then_some((entries, (store, filter, next))))
        })
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

    /// Fails when there is no such tenant, so that an export does not end empty for a wrong id.
    pub async fn require_tenant(&self, tenant: &TenantId) -> Result<(), ReportsError> {
        let found = self.store.tenant(tenant).await?;
        found.map(drop).ok_or(ReportsError::NoSuchTenant)
    }
}
