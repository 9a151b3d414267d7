//! People: users of tenants.

mod statements;

use diesel::{Insertable, Queryable};
use serde_json::{Value, json};
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::{TenantId, UserId};

use super::{Role, damaged, words};
use crate::audit::Note;
use crate::schema::users;

words! {
    /// Whether a user may log in.
    UserStatus {
        /// May.
        Active = "active",
        /// May not.
        Disabled = "disabled",
        /// Gone; kept for the records.
        Deleted = "deleted",
    }
}

/// A person inside a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Of which tenant.
    pub tenant: TenantId,
    /// Unique inside the tenant.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// The PHC string of argon2id.
    pub password_hash: String,
    /// Whether they may log in.
    pub status: UserStatus,
    /// When they were added.
    pub created_at: Moment,
}

/// Which user, and whose; another tenant's is not there.
#[derive(Debug, Clone, Copy)]
pub struct UserPlace<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The user.
    pub id: &'a UserId,
}

/// A change of a user; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// A new role.
    pub role: Option<Role>,
    /// Active, disabled or deleted.
    pub status: Option<UserStatus>,
    /// A new password's hash.
    pub password_hash: Option<String>,
    /// Whether the whole tenant goes, its last owner included.
    pub with_tenant: bool,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChanged {
    /// As they are now.
    Done(User),
    /// The tenant has none of that id.
    NotFound,
    /// Nobody would be left in the tenant who may do everything.
    LastOwner,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = users)]
pub(super) struct UserRow {
    id: String,
    tenant_id: String,
    username: String,
    role: String,
    password_hash: String,
    status: String,
    created_at: i64,
    updated_at: i64,
    username_folded: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = DbError;

    fn try_from(row: UserRow) -> Result<Self, DbError> {
        let role = Role::from_word(&row.role).ok_or_else(|| damaged("user", &row.id))?;
        let status = UserStatus::from_word(&row.status).ok_or_else(|| damaged("user", &row.id))?;
        Ok(Self {
            id: UserId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            username: row.username,
            role,
            password_hash: row.password_hash,
            status,
            created_at: Moment::from_unix_ms(row.created_at),
        })
    }
}

impl User {
    /// The audit entry of their adding.
    pub(super) fn created(&self) -> Note<'_> {
        Note {
            tenant: Some(self.tenant.as_str()),
            action: "user.create",
            subject: self.id.as_str(),
            before: None,
            after: Some(self.shown().to_string()),
        }
    }

    pub(super) fn row(&self, now: Moment) -> UserRow {
        UserRow {
            id: self.id.to_string(),
            tenant_id: self.tenant.to_string(),
            username: self.username.clone(),
            role: self.role.word().to_owned(),
            password_hash: self.password_hash.clone(),
            status: self.status.word().to_owned(),
            created_at: self.created_at.unix_ms(),
            updated_at: now.unix_ms(),
            username_folded: Some(folded(&self.username)),
        }
    }

    fn patched(&self, patch: &UserPatch) -> Self {
        Self {
            role: patch.role.unwrap_or(self.role),
            status: patch.status.unwrap_or(self.status),
            password_hash: patch
                .password_hash
                .clone()
                .unwrap_or_else(|| self.password_hash.clone()),
            ..self.clone()
        }
    }

    fn is_reigning(&self) -> bool {
        self.role == Role::Owner && self.status == UserStatus::Active
    }

    fn shown(&self) -> Value {
        json!({"username": self.username, "role": self.role.word(), "status": self.status.word()})
    }
}

/// Adds a user with their audit entry inside the transaction of `conn`.
macro_rules! add_user {
    ($conn:expr, $actor:expr, $user:expr, $now:expr) => {{
        let user: &$crate::accounts::User = $user;
        diesel::insert_into($crate::schema::users::table)
            .values(user.row($now))
            .execute($conn)
            .await?;
        $crate::audit::note!($conn, $actor, user.created(), $now);
    }};
}
pub(super) use add_user;
