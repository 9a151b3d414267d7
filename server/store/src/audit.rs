//! Who changed what, when and from where; written inside the transaction of the change.

use std::collections::HashMap;
use std::net::IpAddr;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{
    EscapeExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use server_rules::access::Principal;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AuditId;
use shared::on;

use super::Store;
use super::accounts::{Superadmin, User};
use super::part::{Part, newest_first};
use super::schema::audit_entries;
use super::usage::TimeRange;
use super::usage_log::{LogQuery, in_order, place};

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `superadmin`, `user`, `key` or `system`.
    pub kind: String,
    /// Their id.
    pub id: String,
    /// Their name at that time.
    pub name: String,
    /// Where the request came from.
    pub address: String,
}

impl Actor {
    /// A superadmin.
    pub fn superadmin(admin: &Superadmin, address: IpAddr) -> Self {
        Self {
            kind: "superadmin".to_owned(),
            id: admin.id.to_string(),
            name: admin.username.clone(),
            address: address.to_string(),
        }
    }

    /// A tenant's user.
    pub fn user(user: &User, address: IpAddr) -> Self {
        Self {
            kind: "user".to_owned(),
            id: user.id.to_string(),
            name: user.username.clone(),
            address: address.to_string(),
        }
    }

    /// A caller of the tenants' API: a person, or else their key.
    pub fn principal(who: &Principal, address: IpAddr) -> Self {
        let (kind, id, name) = match (&who.user, &who.key) {
            (Some(user), _) => ("user", user.as_str(), who.username.as_deref()),
            (None, Some(key)) => ("key", key.as_str(), who.key_name.as_deref()),
            (None, None) => ("key", "", None),
        };
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            name: name.unwrap_or_default().to_owned(),
            address: address.to_string(),
        }
    }

    /// Waule itself, at its first start.
    pub fn system() -> Self {
        Self {
            kind: "system".to_owned(),
            id: String::new(),
            name: "first start".to_owned(),
            address: String::new(),
        }
    }
}

/// What an entry says besides who and when. `before` and `after` are JSON without secrets.
#[derive(Debug, Clone, Default)]
pub struct Note<'a> {
    pub tenant: Option<&'a str>,
    pub action: &'a str,
    pub subject: &'a str,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Writes an entry inside the transaction of `conn`.
macro_rules! note {
    ($conn:expr, $actor:expr, $note:expr, $now:expr) => {{
        use $crate::schema::audit_entries as a;
        let (note, actor): ($crate::audit::Note<'_>, &$crate::audit::Actor) = ($note, $actor);
        diesel::insert_into(a::table)
            .values((
                a::id.eq(shared::id::AuditId::successive().into_string()),
                a::at.eq($now.unix_ms()),
                a::actor_kind.eq(&actor.kind),
                a::actor_id.eq(&actor.id),
                a::actor_name.eq(&actor.name),
                a::address.eq(&actor.address),
                a::tenant_id.eq(note.tenant),
                a::action.eq(note.action),
                a::subject.eq(note.subject),
                a::before_json.eq(note.before),
                a::after_json.eq(note.after),
            ))
            .execute($conn)
            .await?;
    }};
}
pub(crate) use note;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
struct AuditRow {
    id: String,
    at: i64,
    actor_kind: String,
    actor_id: String,
    actor_name: String,
    address: String,
    tenant_id: Option<String>,
    action: String,
    subject: String,
    before_json: Option<String>,
    after_json: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Moment,
    /// Who.
    pub actor: Actor,
    /// Whose tenant it is about.
    pub tenant: Option<String>,
    /// `tenant.create`, `key.revoke` and the like.
    pub action: String,
    /// The id of what was changed.
    pub subject: String,
    /// How it was, as JSON.
    pub before: Option<String>,
    /// How it is, as JSON.
    pub after: Option<String>,
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

/// Which entries; what is absent lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// About whose tenant, by id.
    pub tenant: Option<String>,
    /// By whom, by id.
    pub actor: Option<String>,
    /// What was done: `tenant.update`; with a dot at its end everything of that kind: `tenant.`.
    pub action: Option<String>,
    /// What was changed, by id.
    pub subject: Option<String>,
    /// When.
    pub period: TimeRange,
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
