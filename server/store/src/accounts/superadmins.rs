//! People who run the platform: rows, nouns and the statements over them. Decides nothing about
//! what a role may do, but never lets the last owner go.

mod statements;

use diesel::{Insertable, Queryable};
use serde_json::{Value, json};
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::SuperadminId;

use super::{damaged, words};
use crate::schema::superadmins;

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
