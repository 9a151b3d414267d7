//! Who changed what, when and from where; written inside the transaction of the change.

use std::net::IpAddr;

use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AuditId;
use shared::on;

use super::Store;
use super::accounts::{Superadmin, User};
use super::schema::audit_entries;

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
pub(crate) struct Note<'a> {
    pub(crate) tenant: Option<&'a str>,
    pub(crate) action: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Writes an entry inside the transaction of `conn`.
macro_rules! note {
    ($conn:expr, $actor:expr, $note:expr, $now:expr) => {{
        use $crate::store::schema::audit_entries as a;
        let (note, actor): ($crate::store::audit::Note<'_>, &$crate::store::audit::Actor) =
            ($note, $actor);
        diesel::insert_into(a::table)
            .values((
                a::id.eq(shared::id::AuditId::random().into_string()),
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

impl Store {
    /// Entries, newest first; those older than `after` only.
    pub async fn audit_entries(
        &self,
        after: Option<&AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, DbError> {
        let rows: Vec<AuditRow> = on!(self.db, |conn| {
            // `~` sorts behind every id.
            audit_entries::table
                .filter(audit_entries::id.lt(after.map_or("~", AuditId::as_str)))
                .order(audit_entries::id.desc())
                .select(AuditRow::as_select())
                .limit(limit)
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }
}
