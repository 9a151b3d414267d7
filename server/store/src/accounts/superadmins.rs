//! People who run the platform: rows, nouns and the statements over them. Decides nothing about
//! what a role may do, but never lets the last owner go.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::SuperadminId;
use shared::{on, write_tx};

use super::{damaged, exactly_first, log_out_everywhere, named, words};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::schema::{revisions, superadmins};

/// Superadmins are few; a list beyond this is a mistake.
const SUPERADMINS_MAX: i64 = 1_000;

words! {
    /// What a superadmin may do; `auth::roles` has the table.
    AdminRole {
        /// Everything.
        Owner = "owner",
        /// Runs tenants, models and providers; neither money nor superadmins.
        Operator = "operator",
        /// Moves credits and sets prices.
        Finance = "finance",
        /// Looks.
        ReadOnly = "read_only",
    }
}

/// A person who runs the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superadmin {
    /// Their id.
    pub id: SuperadminId,
    /// Unique.
    pub username: String,
    /// The PHC string of argon2id.
    pub password_hash: String,
    /// Whether they may log in.
    pub active: bool,
    /// When they were added.
    pub created_at: Moment,
    /// What they may do.
    pub role: AdminRole,
    /// Whether somebody else made their password, so that they must choose their own.
    pub password_given: bool,
}

/// A change of a superadmin; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SuperadminPatch {
    /// A new name.
    pub username: Option<String>,
    /// A new role.
    pub role: Option<AdminRole>,
    /// Whether they may log in.
    pub active: Option<bool>,
    /// A new password's hash, and whether somebody else made it.
    pub password: Option<(String, bool)>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuperadminChanged {
    /// As they are now.
    Done(Superadmin),
    /// There is none of that id.
    NotFound,
    /// Nobody would be left who may do everything.
    LastOwner,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = superadmins)]
struct SuperadminRow {
    id: String,
    username: String,
    password_hash: String,
    status: String,
    created_at: i64,
    role: String,
    password_given: bool,
    username_folded: Option<String>,
}

impl TryFrom<SuperadminRow> for Superadmin {
    type Error = DbError;

    fn try_from(row: SuperadminRow) -> Result<Self, DbError> {
        let role = AdminRole::from_word(&row.role).ok_or_else(|| damaged("superadmin", &row.id))?;
        Ok(Self {
            id: SuperadminId::from_stored(row.id),
            username: row.username,
            password_hash: row.password_hash,
            active: row.status == "active",
            created_at: Moment::from_unix_ms(row.created_at),
            role,
            password_given: row.password_given,
        })
    }
}

impl Superadmin {
    fn row(&self) -> SuperadminRow {
        SuperadminRow {
            id: self.id.to_string(),
            username: self.username.clone(),
            password_hash: self.password_hash.clone(),
            status: self.status().to_owned(),
            created_at: self.created_at.unix_ms(),
            role: self.role.word().to_owned(),
            password_given: self.password_given,
            username_folded: Some(folded(&self.username)),
        }
    }

    /// `active` or `disabled`.
    pub fn status(&self) -> &'static str {
        if self.active { "active" } else { "disabled" }
    }

    fn is_reigning(&self) -> bool {
        self.active && self.role == AdminRole::Owner
    }

    fn shown(&self) -> Value {
        json!({"username": self.username, "role": self.role.word(), "status": self.status()})
    }

    fn patched(&self, patch: &SuperadminPatch) -> Self {
        let mut after = self.clone();
        after.username = patch.username.clone().unwrap_or(after.username);
        after.role = patch.role.unwrap_or(after.role);
        after.active = patch.active.unwrap_or(after.active);
        if let Some((hash, given)) = &patch.password {
            after.password_hash.clone_from(hash);
            after.password_given = *given;
        }
        after
    }
}

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
