//! Logs page by page, newest first: usage records, audit entries.

use std::collections::HashMap;

use server_store::Store;
use server_store::audit::{AuditEntry, AuditFilter};
use server_store::usage::UsageRecord;
pub use server_store::usage_log::count::Counted;
use server_store::usage_log::{LogQuery, UsageFilter};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AuditId;

use super::page::{Cursor, CursorError, PageRequest, Paged, Towards};
use super::{Reports, ReportsError};

/// What the store is asked for.
fn log_query<'a>(
    request: &PageRequest,
    from: Option<&'a Cursor>,
) -> Result<LogQuery<'a>, CursorError> {
    let behind = from
        .map(|from| Ok((from.moment()?, from.id.as_str())))
        .transpose()?;
    Ok(LogQuery {
        newest_first: from.is_none_or(|from| from.towards == Towards::Next),
        behind,
        limit: request.limit(),
    })
}

/// What passes a filter, to be read part by part in order of time.
pub(super) trait Log: Send + Sync + 'static {
    type Row: Send + 'static;

    fn read(
        &self,
        store: &Store,
        part: LogQuery<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, DbError>> + Send;

    /// Where a row stands in that order.
    fn place(row: &Self::Row) -> (Moment, String);
}

impl Log for UsageFilter {
    type Row = UsageRecord;

    async fn read(&self, store: &Store, part: LogQuery<'_>) -> Result<Vec<UsageRecord>, DbError> {
        store.usage_log(self, part).await
    }

    fn place(row: &UsageRecord) -> (Moment, String) {
        (row.created_at, row.id.to_string())
    }
}

impl Log for AuditFilter {
    type Row = AuditEntry;

    async fn read(&self, store: &Store, part: LogQuery<'_>) -> Result<Vec<AuditEntry>, DbError> {
        store.audit_log(self, part).await
    }

    fn place(row: &AuditEntry) -> (Moment, String) {
        (row.at, row.id.to_string())
    }
}

fn cut<L: Log>(request: &PageRequest, rows: Vec<L::Row>) -> Paged<L::Row> {
    Paged::cut(request, rows, |row| {
        let (at, id) = L::place(row);
        (at.unix_ms().to_string(), id)
    })
}

impl Reports {
    async fn page<L: Log>(
        &self,
        filter: &L,
        request: &PageRequest,
    ) -> Result<Paged<L::Row>, ReportsError> {
        let part = log_query(request, request.from.as_ref())?;
        let rows = filter.read(&self.store, part).await?;
        Ok(cut::<L>(request, rows))
    }

    /// Usage records that pass the filter, newest first.
    pub async fn usage_log(
        &self,
        filter: &UsageFilter,
        request: &PageRequest,
    ) -> Result<Paged<UsageRecord>, ReportsError> {
        self.page(filter, request).await
    }

    /// The same, oldest first.
    pub async fn usage_log_from_oldest(
        &self,
        filter: &UsageFilter,
        request: &PageRequest,
    ) -> Result<Paged<UsageRecord>, ReportsError> {
        let mut part = log_query(request, request.from.as_ref())?;
        part.newest_first = !part.newest_first;
        let rows = filter.read(&self.store, part).await?;
        Ok(cut::<UsageFilter>(request, rows))
    }

    /// How many records pass the filter, as far as that is soon counted.
    pub async fn usage_count(&self, filter: &UsageFilter) -> Result<Counted, ReportsError> {
        Ok(self.store.usage_count(filter).await?)
    }

    /// One audit entry.
    pub async fn audit_entry(&self, id: &AuditId) -> Result<Option<AuditEntry>, DbError> {
        self.store.audit_entry(id).await
    }

    /// Who did something to each of some subjects, by subject.
    pub async fn authors(
        &self,
        action: &str,
        subjects: &[&str],
    ) -> Result<HashMap<String, String>, DbError> {
        self.store.authors(action, subjects).await
    }

    /// Audit entries that pass the filter.
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        request: &PageRequest,
    ) -> Result<Paged<AuditEntry>, ReportsError> {
        self.page(filter, request).await
    }
}
