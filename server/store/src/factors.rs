//! Second factors and recovery codes: the secret sealed, the codes as hashes. Checks no code; it
//! only makes sure that each is used once.

use std::collections::HashSet;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::schema::{recovery_codes, second_factors};

/// A person's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, sealed and in hex.
    pub sealed: String,
    /// Since when it is asked for; not yet when absent.
    pub confirmed_at: Option<Moment>,
    /// The newest step of time whose code was used.
    pub used_step: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = second_factors)]
struct Row {
    subject_id: String,
    sealed: String,
    created_at: i64,
    confirmed_at: Option<i64>,
    used_step: i64,
}

/// Who changes their own second factor.
#[derive(Debug, Clone, Copy)]
pub struct FactorOwner<'a> {
    /// As the audit log names them; their id is the factor's.
    pub actor: &'a Actor,
    /// The tenant of a user.
    pub tenant: Option<&'a TenantId>,
}

impl<'a> FactorOwner<'a> {
    fn subject(self) -> &'a str {
        &self.actor.id
    }

    fn note(self, action: &'static str) -> Note<'a> {
        Note {
            tenant: self.tenant.map(TenantId::as_str),
            action,
            subject: self.subject(),
            ..Note::default()
        }
    }
}

/// Puts hashes of fresh recovery codes in the place of the old ones, inside the transaction of
/// `conn`. One insert each: SQLite takes no several rows through diesel-async.
macro_rules! replace_codes {
    ($conn:expr, $subject:expr, $hashes:expr, $now:expr) => {{
        let old = recovery_codes::table.filter(recovery_codes::subject_id.eq($subject));
        diesel::delete(old).execute($conn).await?;
        for hash in $hashes {
            diesel::insert_into(recovery_codes::table)
                .values((
                    recovery_codes::hash.eq(hash),
                    recovery_codes::subject_id.eq($subject),
                    recovery_codes::created_at.eq($now.unix_ms()),
                ))
                .execute($conn)
                .await?;
        }
    }};
}

impl Store {
    /// A person's second factor, in force or not.
    pub async fn second_factor(&self, subject: &str) -> Result<Option<SecondFactor>, DbError> {
        let row: Option<Row> = on!(self.db, |conn| second_factors::table
            .find(subject)
            .first(conn)
            .await
            .optional())?;
        Ok(row.map(|row| SecondFactor {
            sealed: row.sealed,
            confirmed_at: row.confirmed_at.map(Moment::from_unix_ms),
            used_step: row.used_step,
        }))
    }

    /// Which of these people have a second factor in force.
    pub async fn factors_in_force(&self, subjects: &[String]) -> Result<HashSet<String>, DbError> {
        let found: Vec<String> = on!(self.db, |conn| {
            second_factors::table
                .filter(second_factors::subject_id.eq_any(subjects))
                .filter(second_factors::confirmed_at.is_not_null())
                .select(second_factors::subject_id)
                .load(conn)
                .await
        })?;
        Ok(found.into_iter().collect())
    }

    /// Keeps a secret that is not in force yet, in the place of one that was not either; `false`
    /// when one is in force.
    pub async fn draft_second_factor(
        &self,
        subject: &str,
        sealed: &str,
        now: Moment,
    ) -> Result<bool, DbError> {
        let row = Row {
            subject_id: subject.to_owned(),
            sealed: sealed.to_owned(),
            created_at: now.unix_ms(),
            confirmed_at: None,
            used_step: 0,
        };
        write_tx!(self.db, |conn| -> DbError {
            let draft = second_factors::table
                .find(subject)
                .filter(second_factors::confirmed_at.is_null());
            diesel::delete(draft).execute(conn).await?;
            let added = diesel::insert_into(second_factors::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            Ok(added > 0)
        })
    }

    /// Puts the drafted secret `sealed` in force, its code of `step` used, with recovery codes;
    /// `false` when it is in force already or another was drafted since.
    pub async fn confirm_second_factor(
        &self,
        owner: FactorOwner<'_>,
        sealed: &str,
        step: i64,
        code_hashes: &[String],
        now: Moment,
    ) -> Result<bool, DbError> {
        let subject = owner.subject();
        write_tx!(self.db, |conn| -> DbError {
            let draft = second_factors::table
                .find(subject)
                .filter(second_factors::sealed.eq(sealed))
                .filter(second_factors::confirmed_at.is_null());
            let confirmed = diesel::update(draft)
                .set((
                    second_factors::confirmed_at.eq(now.unix_ms()),
                    second_factors::used_step.eq(step),
                ))
                .execute(conn)
                .await?;
            if confirmed == 0 {
                return Ok(false);
            }
            replace_codes!(conn, subject, code_hashes, now);
            note!(conn, owner.actor, owner.note("second_factor.on"), now);
            Ok(true)
        })
    }

    /// Uses the code of `step` up; `false` when it, or a later one, was used before.
    pub async fn use_factor_step(&self, subject: &str, step: i64) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let unused = second_factors::table
                .find(subject)
                .filter(second_factors::used_step.lt(step));
            let used = diesel::update(unused)
                .set(second_factors::used_step.eq(step))
                .execute(conn)
                .await?;
            Ok(used > 0)
        })
    }

    /// Uses a recovery code up; `false` when there is none of that hash that was not used.
    pub async fn use_recovery_code(
        &self,
        owner: FactorOwner<'_>,
        hash: &str,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let unused = recovery_codes::table
                .find(hash)
                .filter(recovery_codes::subject_id.eq(owner.subject()))
                .filter(recovery_codes::used_at.is_null());
            let used = diesel::update(unused)
                .set(recovery_codes::used_at.eq(now.unix_ms()))
                .execute(conn)
                .await?;
            if used > 0 {
                note!(conn, owner.actor, owner.note("recovery_code.use"), now);
            }
            Ok(used > 0)
        })
    }

    /// How many recovery codes a person has left.
    pub async fn recovery_codes_left(&self, subject: &str) -> Result<i64, DbError> {
        on!(self.db, |conn| {
            recovery_codes::table
                .filter(recovery_codes::subject_id.eq(subject))
                .filter(recovery_codes::used_at.is_null())
                .count()
                .get_result(conn)
                .await
        })
    }

    /// Puts fresh recovery codes in the place of the old ones.
    pub async fn replace_recovery_codes(
        &self,
        owner: FactorOwner<'_>,
        code_hashes: &[String],
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            replace_codes!(conn, owner.subject(), code_hashes, now);
            note!(conn, owner.actor, owner.note("recovery_codes.renew"), now);
            Ok(())
        })
    }

    /// Takes the second factor of `subject` away, with its recovery codes; whether there was one.
    /// `owner` is themselves, or whoever helps them out.
    pub async fn delete_second_factor(
        &self,
        owner: FactorOwner<'_>,
        subject: &str,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let deleted = diesel::delete(second_factors::table.find(subject))
                .execute(conn)
                .await?;
            let codes = recovery_codes::table.filter(recovery_codes::subject_id.eq(subject));
            diesel::delete(codes).execute(conn).await?;
            if deleted > 0 {
                let entry = Note {
                    subject,
                    before: Some(json!({"second_factor": true}).to_string()),
                    after: Some(json!({"second_factor": false}).to_string()),
                    ..owner.note("second_factor.off")
                };
                note!(conn, owner.actor, entry, now);
            }
            Ok(deleted > 0)
        })
    }
}
