//! Logs page by page, newest first: usage records, audit entries.

use std::collections::HashMap;

use server_store::audit::{AuditEntry, AuditFilter};
use server_store::usage::UsageRecord;
use server_store::usage_log::{LogQuery, UsageFilter};
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

impl Reports {
    /// Usage records that pass the filter.
    pub async fn usage_log(
        &self,
        filter: &UsageFilter,
        request: &PageRequest,
    ) -> Result<Paged<UsageRecord>, ReportsError> {
        let records = self
            .store
            .usage_log(filter, log_query(request, request.from.as_ref())?)
            .await?;
        Ok(Paged::cut(request, records, |record| {
            let at = record.created_at.unix_ms().to_string();
            (at, record.id.to_string())
        }))
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
        let entries = self
            .store
            .audit_log(filter, log_query(request, request.from.as_ref())?)
            .await?;
        Ok(Paged::cut(request, entries, |entry| {
            (entry.at.unix_ms().to_string(), entry.id.to_string())
        }))
    }
}
