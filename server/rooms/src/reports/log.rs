//! Logs page by page, newest first: usage records, audit entries.

use std::collections::HashMap;

use server_store::audit::{AuditEntry, AuditFilter};
use server_store::usage::UsageRecord;
use server_store::usage_log::{LogAsk, UsageFilter};
use shared::db::DbError;
use shared::id::AuditId;

use super::page::{Cursor, CursorError, PageAsk, Paged, Towards};
use super::{Reports, ReportsError};

/// What the store is asked for.
fn log_ask<'a>(ask: &PageAsk, from: Option<&'a Cursor>) -> Result<LogAsk<'a>, CursorError> {
    let behind = from
        .map(|from| Ok((from.moment()?, from.id.as_str())))
        .transpose()?;
    Ok(LogAsk {
        newest_first: from.is_none_or(|from| from.towards == Towards::Next),
        behind,
        limit: ask.limit(),
    })
}

impl Reports {
    /// Usage records that pass the filter.
    pub async fn usage_log(
        &self,
        filter: &UsageFilter,
        ask: &PageAsk,
    ) -> Result<Paged<UsageRecord>, ReportsError> {
        let records = self
            .store
            .usage_log(filter, log_ask(ask, ask.from.as_ref())?)
            .await?;
        Ok(Paged::cut(ask, records, |record| {
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
        ask: &PageAsk,
    ) -> Result<Paged<AuditEntry>, ReportsError> {
        let entries = self
            .store
            .audit_log(filter, log_ask(ask, ask.from.as_ref())?)
            .await?;
        Ok(Paged::cut(ask, entries, |entry| {
            (entry.at.unix_ms().to_string(), entry.id.to_string())
        }))
    }
}
