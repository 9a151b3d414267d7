//! The audit log, filtered and page by page.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{
    EscapeExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AuditId;
use shared::on;

use super::super::Store;
use super::super::part::{Part, newest_first};
use super::super::schema::audit_entries;
use super::super::usage_log::{LogQuery, in_order, place};
use super::{Actor, AuditEntry, AuditFilter};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
struct AuditRow {
    pub(super) id: String,
    at: i64,
    actor_kind: String,
    actor_id: String,
    actor_name: String,
    pub(super) address: String,
    tenant_id: Option<String>,
    pub(super) action: String,
    pub(super) subject: String,
    before_json: Option<String>,
    after_json: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            id: AuditId::from_stored(row.id),
            at: Moment::from_unix_ms(row.at),
            actor: Actor {
                kind: row.actor_kind,
                id: row.actor_id,
                name: row.actor_name,
                address: row.address,
            },
            tenant: row.tenant_id,
            action: row.action,
            subject: row.subject,
            before: row.before_json,
            after: row.after_json,
        }
    }
}

/// A pattern of texts that begin so.
fn prefix(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('%', "\\%");
    format!("{}%", plain.replace('_', "\\_"))
}

impl Store {
    /// Entries that pass the filter, in order of time.
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        part: LogQuery<'_>,
    ) -> Result<Vec<AuditEntry>, DbError> {
        use audit_entries as a;
        let (from, until) = filter.period.bounds();
        let rows: Vec<AuditRow> = on!(self.db, |conn| {
            let mut query = a::table
                .filter(a::at.ge(from))
                .filter(a::at.lt(until))
                .limit(part.limit)
                .select(AuditRow::as_select())
                .into_boxed();
            if let Some(tenant) = &filter.tenant {
                query = query.filter(a::tenant_id.eq(tenant));
            }
            if let Some(actor) = &filter.actor {
                query = query.filter(a::actor_id.eq(actor));
            }
            if let Some(subject) = &filter.subject {
                query = query.filter(a::subject.eq(subject));
            }
            if let Some(action) = &filter.action {
                query = if action.ends_with('.') {
                    query.filter(a::action.like(prefix(action)).escape('\\'))
                } else {
                    query.filter(a::action.eq(action))
                };
            }
            let query = in_order!(query, part, (a::at, a::id), "(at, id)");
            query.load(conn).await
        })?;
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }

    /// One entry.
    pub async fn audit_entry(&self, id: &AuditId) -> Result<Option<AuditEntry>, DbError> {
        let row: Option<AuditRow> = on!(self.db, |conn| {
            let entry = audit_entries::table.find(id.as_str());
            let entry = entry.select(AuditRow::as_select());
            entry.first(conn).await.optional()
        })?;
        Ok(row.map(AuditEntry::from))
    }

    /// Who did something to each of some subjects, by subject; the last one where several did.
    pub async fn authors(
        &self,
        action: &str,
        subjects: &[&str],
    ) -> Result<HashMap<String, String>, DbError> {
        let rows: Vec<(String, String)> = on!(self.db, |conn| {
            audit_entries::table
                .filter(audit_entries::subject.eq_any(subjects))
                .filter(audit_entries::action.eq(action))
                .order(audit_entries::at.asc())
                .select((audit_entries::subject, audit_entries::actor_name))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Entries, newest first; those older than `after` only.
    pub async fn audit_entries(
        &self,
        after: Option<&AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, DbError> {
        let rows: Vec<AuditRow> = on!(self.db, |conn| {
            let entries = audit_entries::table.select(AuditRow::as_select());
            let entries = newest_first!(entries, audit_entries::id, Part { after, limit });
            entries.load(conn).await
        })?;
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }
}
