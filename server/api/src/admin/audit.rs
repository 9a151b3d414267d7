//! The audit log.

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;
use server_edge::date;
use server_rooms::accounts::{Accounts, AuditEntry};

use crate::error::ApiError;
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// A change and who made it.
#[derive(Debug, Object)]
pub struct AuditView {
    /// Its id.
    pub id: String,
    /// When, in RFC 3339.
    pub at: String,
    /// `superadmin`, `user`, `key` or `system`.
    pub actor_kind: String,
    /// Their id.
    pub actor_id: String,
    /// Their name at that time.
    pub actor_name: String,
    /// From where.
    pub address: String,
    /// Whose tenant it is about.
    pub tenant_id: Option<String>,
    /// `tenant.create`, `key.revoke` and the like.
    pub action: String,
    /// The id of what was changed.
    pub subject: String,
    /// How it was.
    pub before: Option<Any<Value>>,
    /// How it is.
    pub after: Option<Any<Value>>,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let json = |text: Option<String>| {
            text.and_then(|text| serde_json::from_str(&text).ok())
                .map(Any)
        };
        Self {
            id: entry.id.into_string(),
            at: date::text(entry.at),
            actor_kind: entry.actor.kind,
            actor_id: entry.actor.id,
            actor_name: entry.actor.name,
            address: entry.actor.address,
            tenant_id: entry.tenant,
            action: entry.action,
            subject: entry.subject,
            before: json(entry.before),
            after: json(entry.after),
        }
    }
}

/// The audit log for the superadmin.
#[derive(Debug, Clone)]
pub struct AuditApi {
    /// The room.
    pub accounts: Accounts,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Audit")]
impl AuditApi {
    /// List changes
    #[oai(path = "/audit", method = "get", operation_id = "admin_list_audit")]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// Items of a page, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<AuditView>>, ApiError> {
        let (limit, after) = (page_limit(limit.0)?, page_after(after.0.as_deref())?);
        let entries = self.accounts.audit(after.as_ref(), page_rows(limit));
        Ok(Json(Page::cut(entries.await?, limit, |entry| {
            entry.id.to_string()
        })))
    }
}
