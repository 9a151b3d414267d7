//! People: users of tenants.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::{TenantId, UserId};
use shared::{on, write_tx};

use super::{Role, damaged, exactly_first, log_out_everywhere, named, words};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::part::{Part, newest_first};
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

/// A tenant's user who is not deleted.
macro_rules! kept_user {
    ($tenant:expr, $id:expr) => {
        users::table
            .filter(users::tenant_id.eq($tenant.as_str()))
            .filter(users::id.eq($id.as_str()))
            .filter(users::status.ne(UserStatus::Deleted.word()))
    };
}

/// How many others of the tenant are owners and may log in, inside the transaction of `conn`.
macro_rules! other_owners {
    ($conn:expr, $place:expr) => {{
        let others: i64 = users::table
            .filter(users::tenant_id.eq($place.tenant.as_str()))
            .filter(users::id.ne($place.id.as_str()))
            .filter(users::role.eq(Role::Owner.word()))
            .filter(users::status.eq(UserStatus::Active.word()))
            .count()
            .get_result($conn)
            .await?;
        others
    }};
}

impl Store {
    /// Adds a user.
    pub async fn insert_user(
        &self,
        actor: &Actor,
        user: &User,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            add_user!(conn, actor, user, now);
            Ok(())
        })
    }

    /// One user of a tenant, deleted ones excepted.
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<Option<User>, DbError> {
        let row: Option<UserRow> = on!(self.db, |conn| {
            kept_user!(tenant, id).first(conn).await.optional()
        })?;
        row.map(User::try_from).transpose()
    }

    /// One user of a tenant by name, whatever the case of its letters; the one that is written so
    /// exactly goes first.
    pub async fn user_by_name(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<User>, DbError> {
        let rows: Vec<UserRow> = on!(self.db, |conn| {
            let users = users::table.filter(users::tenant_id.eq(tenant.as_str()));
            named!(users, users::username, users::username_folded, username)
                .load(conn)
                .await
        })?;
        let row = exactly_first(rows, |row| row.username == username);
        row.map(User::try_from).transpose()
    }

    /// A tenant's users, newest first.
    pub async fn users(
        &self,
        tenant: &TenantId,
        part: Part<'_, UserId>,
    ) -> Result<Vec<User>, DbError> {
        let rows: Vec<UserRow> = on!(self.db, |conn| {
            let users = users::table
                .filter(users::tenant_id.eq(tenant.as_str()))
                .filter(users::status.ne(UserStatus::Deleted.word()));
            newest_first!(users, users::id, part).load(conn).await
        })?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// Changes a user. A deleted one frees its name; a new password or role, and any status but active,
    /// ends the user's sessions. The last owner who may log in stays one, unless the tenant itself goes.
    pub async fn update_user(
        &self,
        actor: &Actor,
        place: UserPlace<'_>,
        patch: &UserPatch,
        now: Moment,
    ) -> Result<UserChanged, DbError> {
        let UserPlace { tenant, id } = place;
        write_tx!(self.db, |conn| -> DbError {
            // Its lock makes changes wait for one another: of two owners who demote each other one stays.
            announce!(conn, format!("{TENANT}{tenant}"), now);
            let row: Option<UserRow> = kept_user!(tenant, id).first(conn).await.optional()?;
            let Some(before) = row.map(User::try_from).transpose()? else {
                return Ok(UserChanged::NotFound);
            };
            let mut after = before.patched(patch);
            let abdicates = before.is_reigning() && !after.is_reigning() && !patch.with_tenant;
            if abdicates && other_owners!(conn, place) == 0 {
                return Ok(UserChanged::LastOwner);
            }
            if after.status == UserStatus::Deleted {
                after.username = format!("{} {}", before.username, before.id);
            }
            let row = after.row(now);
            diesel::update(users::table.find(id.as_str()))
                .set((
                    users::username.eq(row.username),
                    users::role.eq(row.role),
                    users::status.eq(row.status),
                    users::password_hash.eq(row.password_hash),
                    users::updated_at.eq(row.updated_at),
                ))
                .execute(conn)
                .await?;
            if after.username != before.username {
                diesel::update(users::table.find(id.as_str()))
                    .set(users::username_folded.eq(row.username_folded))
                    .execute(conn)
                    .await?;
            }
            let password_changed = patch.password_hash.is_some();
            let role_changed = before.role != after.role;
            if password_changed || role_changed || after.status != UserStatus::Active {
                log_out_everywhere!(conn, id.as_str(), now);
            }
            let deleted = after.status == UserStatus::Deleted;
            let mut shown = after.shown();
            if password_changed {
                shown["password"] = "changed".into();
            }
            let entry = Note {
                tenant: Some(tenant.as_str()),
                action: if deleted {
                    "user.delete"
                } else {
                    "user.update"
                },
                subject: id.as_str(),
                before: Some(before.shown().to_string()),
                after: Some(shown.to_string()),
            };
            note!(conn, actor, entry, now);
            Ok(UserChanged::Done(after))
        })
    }
}
