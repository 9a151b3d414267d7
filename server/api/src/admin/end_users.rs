//! Suspended end users of all tenants, as superadmins see them; suspending one and lifting it.

use std::time::Duration;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::end_users::{EndUserError, EndUsers, NewSuspension, SuspendedQuery};

use super::tenant_of;
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::end_users::{NamedEndUser, after, cursor};
use crate::manage::{Page, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// An end user of a tenant who is suspended, or was.
#[derive(Debug, Clone, Object)]
pub struct AdminSuspendedEndUserView {
    /// The name under which providers know them.
    pub identity: String,
    /// Whose they are.
    pub tenant_id: String,
    /// The ends of the tenant's word for them, or the user or key that stands for them; absent where nothing but
    /// the identity is known.
    pub end_user: Option<String>,
    /// `provider`, `flagged` (too many refused prompts) or `operator`.
    pub why: String,
    /// The provider that refused them; empty where none did.
    pub provider: String,
    /// What the provider or the operator said.
    pub reason: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// Until when, in RFC 3339; until somebody lifts it where it is absent.
    pub until: Option<String>,
    /// When somebody lifted it, in RFC 3339.
    pub lifted_at: Option<String>,
}

impl From<NamedEndUser> for AdminSuspendedEndUserView {
    fn from(NamedEndUser { one, named }: NamedEndUser) -> Self {
        Self {
            identity: one.identity,
            tenant_id: one.tenant.into_string(),
            end_user: named,
            why: one.why.word().to_owned(),
            provider: one.provider,
            reason: one.detail,
            since: date::text(one.since),
            until: one.until.map(date::text),
            lifted_at: one.lifted_at.map(date::text),
        }
    }
}

/// Somebody to suspend.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewSuspensionBody {
    /// The tenant's word for them, the id of a user or key, or the identity that a provider told (`wu_...`).
    #[oai(validator(min_length = 1, max_length = 512))]
    pub end_user: String,
    /// Why; operators read it.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub reason: String,
    /// For how many hours; until somebody lifts it where it is absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "8760")))]
    pub hours: Option<u32>,
}

impl From<EndUserError> for ApiError {
    fn from(error: EndUserError) -> Self {
        match error {
            EndUserError::NotFound(what) => Self::not_found(what),
            EndUserError::Invalid { field, rule } => {
                Self::bad_field(field, format!("`{field}` must be {rule}."))
            }
            EndUserError::Before => {
                Self::conflict("already_exists", "This end user is already suspended.")
            }
            EndUserError::TooMany => Self::conflict(
                "too_many",
                "This tenant has reached the maximum number of suspended end users.",
            ),
            EndUserError::Store(error) => error.into(),
        }
    }
}

/// End users for superadmins.
#[derive(Debug, Clone)]
pub struct EndUsersApi {
    /// The room.
    pub end_users: EndUsers,
}

impl EndUsersApi {
    fn shown(&self, one: server_rooms::end_users::SuspendedEndUser) -> NamedEndUser {
        NamedEndUser {
            named: self.end_users.shown(&one),
            one,
        }
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl EndUsersApi {
    /// List suspended end users
    ///
    /// Newest first; only those in force unless `all` is set.
    #[oai(
        path = "/end-users/suspended",
        method = "get",
        operation_id = "admin_list_suspended_end_users"
    )]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// Of this tenant only
        tenant: Query<Option<String>>,
        /// Also those that ended
        #[oai(default)]
        all: Query<bool>,
        /// Items of a page, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<AdminSuspendedEndUserView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let after = self::after(after.0.as_deref())?;
        let tenant = tenant.0.as_deref().map(tenant_of).transpose()?;
        let query = SuspendedQuery {
            tenant: tenant.as_ref(),
            in_force_at: (!all.0).then(|| self.end_users.now()),
            after: after
                .as_ref()
                .map(|(at, identity)| (*at, identity.as_str())),
            limit: page_rows(limit),
        };
        let rows = self.end_users.list(query).await?.into_iter();
        let shown = rows.map(|one| self.shown(one));
        Ok(Json(Page::cut(shown, limit, |named| cursor(&named.one))))
    }

    /// Suspend an end user
    ///
    /// Their calls are refused on every replica within a second; other users of the tenant are not
    /// affected.
    #[oai(
        path = "/tenants/:id/end-users/suspended",
        method = "post",
        operation_id = "admin_suspend_end_user"
    )]
    async fn suspend(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        body: Json<NewSuspensionBody>,
    ) -> Result<Created<AdminSuspendedEndUserView>, ApiError> {
        let body = body.0;
        let hour = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600);
        let new = NewSuspension {
            tenant: tenant_of(&id.0)?,
            word: body.end_user,
            detail: body.reason,
            span: body.hours.map(hour),
        };
        let made = self.end_users.suspend_by_hand(&caller.actor(), new).await?;
        Ok(Created::Made(Json(self.shown(made).into())))
    }

    /// Lift a suspension
    #[oai(
        path = "/tenants/:id/end-users/suspended/:identity",
        method = "delete",
        operation_id = "admin_lift_end_user"
    )]
    async fn lift(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        identity: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let tenant = tenant_of(&id.0)?;
        if identity.0.len() > 64 || identity.0.contains('\0') {
            return Err(ApiError::not_found("suspended end user"));
        }
        let actor = caller.actor();
        let lifted = self.end_users.lift(&actor, &tenant, &identity.0);
        lifted.await?;
        Ok(Deleted::Done)
    }
}
