//! Statements of suspended end users. Knows nothing of how an identity is made, nor of providers.

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl,
    Queryable,
};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::Store;
use super::accounts::words;
use super::audit::{Actor, Note, note};
use super::changes::{END_USERS, announce};
use super::schema::suspended_end_users::{self, dsl as s};

/// Suspensions of one tenant that are in force at once, at most: providers block few people, and what is in
/// force is kept in every process.
pub const SUSPENDED_MAX: i64 = 1_000;
/// What ended so long ago is deleted when the same tenant's next one is written.
const ENDED_KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;
/// Those in force that are read in one go: all tenants together have fewer.
const IN_FORCE_MAX: i64 = 200_000;

words! {
    /// Why somebody is suspended.
    SuspendedFor {
        /// A provider refuses them.
        Provider = "provider",
        /// Too many of their prompts were refused.
        Flagged = "flagged",
        /// An operator says so.
        Operator = "operator",
    }
}

/// A suspended end user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedEndUser {
    /// As providers know them.
    pub identity: String,
    /// Whose they are.
    pub tenant: TenantId,
    /// The user or the key of Waule that stands for them, where the tenant named nobody.
    pub subject: Option<String>,
    /// The tenant's word for them, sealed and in hex.
    pub word: Option<String>,
    /// Why.
    pub why: SuspendedFor,
    /// The provider that refused them; empty where none did.
    pub provider: String,
    /// The provider's words, or the operator's.
    pub detail: String,
    /// Since when.
    pub since: Moment,
    /// Until when; until somebody ends it where it is absent.
    pub until: Option<Moment>,
    /// When somebody ended it.
    pub lifted_at: Option<Moment>,
}

impl SuspendedEndUser {
    /// Whether it is in force.
    pub fn is_in_force(&self, now: Moment) -> bool {
        self.lifted_at.is_none() && self.until.is_none_or(|until| until > now)
    }
}

/// A row; columns stand as in the table.
#[derive(Debug, Clone, Insertable, Queryable, AsChangeset)]
#[diesel(table_name = suspended_end_users)]
#[diesel(primary_key(identity))]
#[diesel(treat_none_as_null = true)]
struct SuspendedRow {
    identity: String,
    tenant_id: String,
    subject: Option<String>,
    word: Option<String>,
    why: String,
    provider: String,
    detail: String,
    created_at: i64,
    until: Option<i64>,
    lifted_at: Option<i64>,
}

impl From<&SuspendedEndUser> for SuspendedRow {
    fn from(one: &SuspendedEndUser) -> Self {
        Self {
            identity: one.identity.clone(),
            tenant_id: one.tenant.to_string(),
            subject: one.subject.clone(),
            word: one.word.clone(),
            why: one.why.word().to_owned(),
            provider: one.provider.clone(),
            detail: one.detail.clone(),
            created_at: one.since.unix_ms(),
            until: one.until.map(Moment::unix_ms),
            lifted_at: one.lifted_at.map(Moment::unix_ms),
        }
    }
}

impl TryFrom<SuspendedRow> for SuspendedEndUser {
    type Error = DbError;

    fn try_from(row: SuspendedRow) -> Result<Self, DbError> {
        let why = SuspendedFor::from_word(&row.why);
        Ok(Self {
            why: why.ok_or_else(|| DbError::Damaged(format!("end user {}", row.identity)))?,
            identity: row.identity,
            tenant: TenantId::from_stored(row.tenant_id),
            subject: row.subject,
            word: row.word,
            provider: row.provider,
            detail: row.detail,
            since: Moment::from_unix_ms(row.created_at),
            until: row.until.map(Moment::from_unix_ms),
            lifted_at: row.lifted_at.map(Moment::from_unix_ms),
        })
    }
}

/// What became of a suspension that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    /// It is in force.
    Now,
    /// One was in force before.
    Before,
    /// The tenant has as many as one may have.
    TooMany,
}

/// Which of them to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct SuspendedQuery<'a> {
    /// Of this tenant only.
    pub tenant: Option<&'a TenantId>,
    /// In force only, at this moment.
    pub in_force_at: Option<Moment>,
    /// The last one of the part before: when it began, and its identity.
    pub after: Option<(Moment, &'a str)>,
    /// How many at most.
    pub limit: i64,
}

/// As the audit log shows it: without the tenant's word.
fn shown(row: &SuspendedRow) -> String {
    json!({
        "why": row.why, "provider": row.provider, "detail": row.detail, "until": row.until,
    })
    .to_string()
}

impl Store {
    /// Suspends somebody, unless they are already.
    pub async fn suspend_end_user(
        &self,
        actor: &Actor,
        one: &SuspendedEndUser,
        now: Moment,
    ) -> Result<Suspended, DbError> {
        let row = SuspendedRow::from(one);
        let at = now.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            let found = s::suspended_end_users.find(&row.identity);
            let found: Option<SuspendedRow> = found.first(conn).await.optional()?;
            let before = found.map(SuspendedEndUser::try_from).transpose()?;
            if before.is_some_and(|before| before.is_in_force(now)) {
                return Ok(Suspended::Before);
            }
            let own = s::suspended_end_users.filter(s::tenant_id.eq(&row.tenant_id));
            let in_force = s::lifted_at
                .is_null()
                .and(s::until.is_null().or(s::until.gt(at)));
            let many: i64 = own.filter(in_force).count().get_result(conn).await?;
            if many >= SUSPENDED_MAX {
                return Ok(Suspended::TooMany);
            }
            let old = s::lifted_at
                .lt(at - ENDED_KEPT_MS)
                .or(s::until.lt(at - ENDED_KEPT_MS));
            let gone = s::suspended_end_users.filter(s::tenant_id.eq(&row.tenant_id));
            diesel::delete(gone.filter(old)).execute(conn).await?;
            diesel::insert_into(s::suspended_end_users)
                .values(&row)
                .on_conflict(s::identity)
                .do_update()
                .set(&row)
                .execute(conn)
                .await?;
            announce!(conn, END_USERS, now);
            let entry = Note {
                tenant: Some(&row.tenant_id),
                action: "end_user.suspend",
                subject: &row.identity,
                before: None,
                after: Some(shown(&row)),
            };
            note!(conn, actor, entry, now);
            Ok(Suspended::Now)
        })
    }

    /// Lets somebody call again; false where nobody of this tenant is suspended by that identity.
    pub async fn lift_end_user(
        &self,
        actor: &Actor,
        (tenant, identity): (&TenantId, &str),
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let found = s::suspended_end_users
                .filter(s::tenant_id.eq(tenant.as_str()))
                .filter(s::identity.eq(identity));
            let found: Option<SuspendedRow> = found.first(conn).await.optional()?;
            let Some(row) = found else { return Ok(false) };
            let before = SuspendedEndUser::try_from(row.clone())?;
            if !before.is_in_force(now) {
                return Ok(false);
            }
            diesel::update(s::suspended_end_users.find(identity))
                .set(s::lifted_at.eq(Some(now.unix_ms())))
                .execute(conn)
                .await?;
            announce!(conn, END_USERS, now);
            let entry = Note {
                tenant: Some(tenant.as_str()),
                action: "end_user.lift",
                subject: identity,
                before: Some(shown(&row)),
                after: None,
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }

    /// Deletes those of a tenant that is gone; answers how many.
    pub async fn forget_end_users_of(
        &self,
        tenant: &TenantId,
        now: Moment,
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let own = s::suspended_end_users.filter(s::tenant_id.eq(tenant.as_str()));
            let gone = diesel::delete(own).execute(conn).await?;
            if gone > 0 {
                announce!(conn, END_USERS, now);
            }
            Ok(gone)
        })
    }

    /// Everybody who may not call now, and until when.
    pub async fn end_users_in_force(
        &self,
        now: Moment,
    ) -> Result<Vec<(String, Option<Moment>)>, DbError> {
        let rows: Vec<(String, Option<i64>)> = on!(self.db, |conn| {
            s::suspended_end_users
                .filter(s::lifted_at.is_null())
                .filter(s::until.is_null().or(s::until.gt(now.unix_ms())))
                .select((s::identity, s::until))
                .limit(IN_FORCE_MAX)
                .load(conn)
                .await
        })?;
        let until =
            |(identity, until): (String, Option<i64>)| (identity, until.map(Moment::from_unix_ms));
        Ok(rows.into_iter().map(until).collect())
    }

    /// Those that are suspended, or were; the newest first.
    pub async fn suspended_end_users(
        &self,
        query: SuspendedQuery<'_>,
    ) -> Result<Vec<SuspendedEndUser>, DbError> {
        let rows: Vec<SuspendedRow> = on!(self.db, |conn| {
            let mut rows = s::suspended_end_users
                .order((s::created_at.desc(), s::identity.desc()))
                .limit(query.limit)
                .into_boxed();
            if let Some(tenant) = query.tenant {
                rows = rows.filter(s::tenant_id.eq(tenant.as_str()));
            }
            if let Some(now) = query.in_force_at {
                rows = rows
                    .filter(s::lifted_at.is_null())
                    .filter(s::until.is_null().or(s::until.gt(now.unix_ms())));
            }
            if let Some((since, identity)) = query.after {
                let at = since.unix_ms();
                let same = s::created_at.eq(at).and(s::identity.lt(identity));
                rows = rows.filter(s::created_at.lt(at).or(same));
            }
            rows.load(conn).await
        })?;
        rows.into_iter().map(SuspendedEndUser::try_from).collect()
    }
}
