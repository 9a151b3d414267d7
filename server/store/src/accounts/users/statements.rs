//! The statements over users: each change is one transaction, with its entry and its announcement.

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{TenantId, UserId};
use shared::{on, write_tx};

use super::super::{Role, exactly_first, log_out_everywhere, named};
use super::{User, UserChanged, UserPatch, UserPlace, UserRow, UserStatus, add_user};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::part::{Part, newest_first};
use crate::schema::users;
use crate::studio::leave_studio;

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
            if deleted {
                leave_studio!(conn, tenant, id, now);
            }
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
