//! Warnings that a model ends: one row for each tenant that used it, end and step.

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::super::Store;
use super::super::schema::model_notices;

/// More than a tenant can use at once of what ends.
const NOTICES_MAX: i64 = 200;

/// A warning that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotice {
    /// The model that ends.
    pub model: String,
    /// When it ends.
    pub retires_at: Moment,
    /// How many days ahead this warning is.
    pub days: u32,
    /// Tenants that used it since then are warned.
    pub used_since: Moment,
}

/// A warning as a tenant got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNotice {
    /// The model that ends.
    pub model: String,
    /// When it was to end.
    pub retires_at: Moment,
    /// How many days ahead the warning was.
    pub days: u32,
    /// When it was written down.
    pub created_at: Moment,
}

/// Whoever called the model since the begin of that day, as the sums of days tell, and has no such warning;
/// test calls are none. Reads the sums of all tenants, so it holds no writer.
const UNWARNED: &str = "SELECT DISTINCT r.tenant_id AS tenant FROM rollups r WHERE r.dimension = 'call' \
     AND r.grain = 'day' AND r.starts_at >= $1 AND r.model = $2 AND NOT r.test AND NOT EXISTS (\
     SELECT 1 FROM model_notices n WHERE n.tenant_id = r.tenant_id AND n.model = $3 \
     AND n.retires_at = $4 AND n.days = $5)";
/// Rows of one transaction: on SQLite, whose writer the ledger waits for, some milliseconds.
const BATCH: usize = 200;

#[derive(diesel::QueryableByName)]
struct Unwarned {
    #[diesel(sql_type = Text)]
    tenant: String,
}

const WARNED: &str = "SELECT COUNT(DISTINCT tenant_id) AS tenants FROM model_notices \
     WHERE model = $1 AND retires_at = $2";

#[derive(diesel::QueryableByName)]
struct Warned {
    #[diesel(sql_type = BigInt)]
    tenants: i64,
}

impl Store {
    /// Writes the warning down for every tenant that is not warned yet; answers for how many it was new.
    pub async fn keep_notices(&self, due: &DueNotice, now: Moment) -> Result<usize, DbError> {
        let tenants: Vec<Unwarned> = on!(self.db, |conn| {
            diesel::sql_query(UNWARNED)
                .bind::<BigInt, _>(due.used_since.unix_ms())
                .bind::<Text, _>(&due.model)
                .bind::<Text, _>(&due.model)
                .bind::<BigInt, _>(due.retires_at.unix_ms())
                .bind::<BigInt, _>(i64::from(due.days))
                .load(conn)
                .await
        })?;
        let mut written = 0;
        for some in tenants.chunks(BATCH) {
            written += self.keep_batch(due, some, now).await?;
        }
        Ok(written)
    }

    async fn keep_batch(
        &self,
        due: &DueNotice,
        tenants: &[Unwarned],
        now: Moment,
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let mut written = 0;
            for one in tenants {
                // Another server may have written it meanwhile.
                written += diesel::insert_into(model_notices::table)
                    .values((
                        model_notices::tenant_id.eq(&one.tenant),
                        model_notices::model.eq(&due.model),
                        model_notices::retires_at.eq(due.retires_at.unix_ms()),
                        model_notices::days.eq(i64::from(due.days)),
                        model_notices::created_at.eq(now.unix_ms()),
                    ))
                    .on_conflict_do_nothing()
                    .execute(conn)
                    .await?;
            }
            Ok::<_, DbError>(written)
        })
    }

    /// The warnings of a tenant about ends behind `from`, the closest end first and of it the latest warning.
    pub async fn model_notices(
        &self,
        tenant: &TenantId,
        from: Moment,
    ) -> Result<Vec<KeptNotice>, DbError> {
        let rows: Vec<(String, i64, i64, i64)> = on!(self.db, |conn| {
            model_notices::table
                .filter(model_notices::tenant_id.eq(tenant.as_str()))
                .filter(model_notices::retires_at.gt(from.unix_ms()))
                .order((
                    model_notices::retires_at.asc(),
                    model_notices::model.asc(),
                    model_notices::days.asc(),
                ))
                .limit(NOTICES_MAX)
                .select((
                    model_notices::model,
                    model_notices::retires_at,
                    model_notices::days,
                    model_notices::created_at,
                ))
                .load(conn)
                .await
        })?;
        let kept = |(model, retires_at, days, created_at): (String, i64, i64, i64)| KeptNotice {
            model,
            retires_at: Moment::from_unix_ms(retires_at),
            days: u32::try_from(days).unwrap_or(0),
            created_at: Moment::from_unix_ms(created_at),
        };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// How many tenants were warned that a model ends at that moment.
    pub async fn tenants_warned(&self, model: &str, retires_at: Moment) -> Result<u64, DbError> {
        let found: Warned = on!(self.db, |conn| {
            diesel::sql_query(WARNED)
                .bind::<Text, _>(model)
                .bind::<BigInt, _>(retires_at.unix_ms())
                .get_result(conn)
                .await
        })?;
        Ok(u64::try_from(found.tenants).unwrap_or(0))
    }
}
