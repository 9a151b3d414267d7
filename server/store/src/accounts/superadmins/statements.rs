//! The statements over superadmins: each change is one transaction, with its entry and its
//! announcement.

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::SuperadminId;
use shared::{on, write_tx};

use super::super::{exactly_first, log_out_everywhere, named};
use super::{SUPERADMINS_MAX, Superadmin, SuperadminChanged, SuperadminPatch, SuperadminRow};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::schema::{revisions, superadmins};

impl Store {
    /// Adds a superadmin.
    pub async fn insert_superadmin(
        &self,
        actor: &Actor,
        admin: &Superadmin,
        now: Moment,
    ) -> Result<(), DbError> {
        let row = admin.row();
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(superadmins::table)
                .values(&row)
                .execute(conn)
                .await?;
            let entry = Note {
                action: "superadmin.create",
                subject: &row.id,
                after: Some(admin.shown().to_string()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(())
        })
    }

    /// Changes a superadmin. A new password or role, and being shut out, ends all of their logins.
    pub async fn update_superadmin(
        &self,
        actor: &Actor,
        id: &SuperadminId,
        patch: &SuperadminPatch,
        now: Moment,
    ) -> Result<SuperadminChanged, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            // One change of superadmins at a time: of two owners who demote each other one stays.
            diesel::update(revisions::table.find("superadmins"))
                .set(revisions::version.eq(revisions::version + 1))
                .execute(conn)
                .await?;
            let rows: Vec<SuperadminRow> = superadmins::table.load(conn).await?;
            let all: Vec<Superadmin> = rows
                .into_iter()
                .map(Superadmin::try_from)
                .collect::<Result<_, _>>()?;
            let Some(before) = all.iter().find(|admin| admin.id == *id) else {
                return Ok(SuperadminChanged::NotFound);
            };
            let after = before.patched(patch);
            let others = all
                .iter()
                .any(|admin| admin.id != *id && admin.is_reigning());
            if before.is_reigning() && !after.is_reigning() && !others {
                return Ok(SuperadminChanged::LastOwner);
            }
            let row = after.row();
            diesel::update(superadmins::table.find(id.as_str()))
                .set((
                    superadmins::username.eq(row.username),
                    superadmins::role.eq(row.role),
                    superadmins::status.eq(row.status),
                    superadmins::password_hash.eq(row.password_hash),
                    superadmins::password_given.eq(row.password_given),
                ))
                .execute(conn)
                .await?;
            if after.username != before.username {
                diesel::update(superadmins::table.find(id.as_str()))
                    .set(superadmins::username_folded.eq(row.username_folded))
                    .execute(conn)
                    .await?;
            }
            let password_changed = patch.password.is_some();
            let role_changed = before.role != after.role;
            if password_changed || role_changed || !after.active {
                log_out_everywhere!(conn, id.as_str(), now);
            }
            let mut shown = after.shown();
            if password_changed {
                shown["password"] = "changed".into();
            }
            let entry = Note {
                action: "superadmin.update",
                subject: id.as_str(),
                before: Some(before.shown().to_string()),
                after: Some(shown.to_string()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(SuperadminChanged::Done(after))
        })
    }

    /// All superadmins, oldest first.
    pub async fn superadmins(&self) -> Result<Vec<Superadmin>, DbError> {
        let rows: Vec<SuperadminRow> = on!(self.db, |conn| superadmins::table
            .order(superadmins::id.asc())
            .limit(SUPERADMINS_MAX)
            .load(conn)
            .await)?;
        rows.into_iter().map(Superadmin::try_from).collect()
    }

    /// Whether there is any superadmin: the first start has finished.
    pub async fn has_superadmin(&self) -> Result<bool, DbError> {
        let first: Option<String> = on!(self.db, |conn| superadmins::table
            .select(superadmins::id)
            .first(conn)
            .await
            .optional())?;
        Ok(first.is_some())
    }

    /// One superadmin by name, whatever the case of its letters; the one that is written so exactly
    /// goes first.
    pub async fn superadmin_by_name(&self, username: &str) -> Result<Option<Superadmin>, DbError> {
        use superadmins as s;
        let rows: Vec<SuperadminRow> = on!(self.db, |conn| {
            named!(s::table, s::username, s::username_folded, username)
                .load(conn)
                .await
        })?;
        let row = exactly_first(rows, |row| row.username == username);
        row.map(Superadmin::try_from).transpose()
    }

    /// One superadmin.
    pub async fn superadmin(&self, id: &SuperadminId) -> Result<Option<Superadmin>, DbError> {
        let row: Option<SuperadminRow> = on!(self.db, |conn| superadmins::table
            .find(id.as_str())
            .first(conn)
            .await
            .optional())?;
        row.map(Superadmin::try_from).transpose()
    }
}
