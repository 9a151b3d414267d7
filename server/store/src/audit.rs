//! Who changed what, when and from where; written inside the transaction of the change.

mod reads;

use std::net::IpAddr;

use server_rules::access::Principal;
use shared::clock::Moment;
use shared::id::AuditId;

use super::accounts::{Superadmin, User};
use super::usage::TimeRange;

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
