//! A tenant's end users who may not call, as its administrators see them. Suspends and lifts nobody.

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::end_users::{EndUsers, SuspendedEndUser, SuspendedQuery};
use shared::clock::Moment;

use super::{Page, page_limit, page_rows};
use crate::error::ApiError;
use crate::principal::{TenantCaller, need};

/// A suspended end user of yours.
#[derive(Debug, Clone, Object)]
pub struct SuspendedEndUserView {
    /// The name under which providers know them; it tells nothing of them.
    pub identity: String,
    /// Your word for them (`safety_identifier`, `user`, `metadata.user_id`, `x-waule-end-user`), or the user or key
    /// that stands for them where a call named nobody.
    pub end_user: Option<String>,
    /// `provider`: a provider refuses them. `flagged`: too many of their prompts were refused. `operator`: the
    /// operator of this service says so.
    pub why: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// Until when, in RFC 3339; until the operator lifts it where it is absent.
    pub until: Option<String>,
}

/// A row with the name that it is shown under.
#[derive(Debug, Clone)]
pub struct NamedEndUser {
    /// The row.
    pub one: SuspendedEndUser,
    /// The name, where there is one.
    pub named: Option<String>,
}

impl From<NamedEndUser> for SuspendedEndUserView {
    fn from(NamedEndUser { one, named }: NamedEndUser) -> Self {
        Self {
            end_user: named,
            why: one.why.word().to_owned(),
            since: date::text(one.since),
            until: one.until.map(date::text),
            identity: one.identity,
        }
    }
}

/// The place of a row in its list, for a page's cursor.
pub fn cursor(one: &SuspendedEndUser) -> String {
    format!("{}.{}", one.since.unix_ms(), one.identity)
}

/// Reads a cursor.
pub fn after(text: Option<&str>) -> Result<Option<(Moment, String)>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let read = text.split_once('.').and_then(|(at, identity)| {
        let at = at.parse().ok()?;
        let is_name = identity.len() <= 64 && identity.is_ascii() && !identity.contains('\0');
        is_name.then(|| (Moment::from_unix_ms(at), identity.to_owned()))
    });
    let wrong = || ApiError::bad_field("after", "`after` must be the `next` of a page.");
    read.map(Some).ok_or_else(wrong)
}

/// End users for tenants.
#[derive(Debug, Clone)]
pub struct OwnEndUsersApi {
    /// The room.
    pub end_users: EndUsers,
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Usage")]
impl OwnEndUsersApi {
    /// List suspended end users
    ///
    /// Those of your end users who may not make calls now, newest first.
    #[oai(
        path = "/end-users/suspended",
        method = "get",
        operation_id = "list_suspended_end_users"
    )]
    async fn list(
        &self,
        caller: TenantCaller<need::Books>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<SuspendedEndUserView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let after = self::after(after.0.as_deref())?;
        let query = SuspendedQuery {
            tenant: Some(&caller.who.tenant),
            in_force_at: Some(self.end_users.now()),
            after: after
                .as_ref()
                .map(|(at, identity)| (*at, identity.as_str())),
            limit: page_rows(limit),
        };
        let rows = self.end_users.list(query).await?.into_iter();
        let named = rows.map(|one| NamedEndUser {
            named: self.end_users.named(&one),
            one,
        });
        Ok(Json(Page::cut(named, limit, |named| cursor(&named.one))))
    }
}
