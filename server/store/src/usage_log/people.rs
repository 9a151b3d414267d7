//! What a tenant's people called themselves, without a key, added up from their records: sums of people are not
//! kept, as a person makes few calls beside a key.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use server_rules::usage::costs::KnownCost;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use shared::on;

use crate::Store;
use crate::rollups::Top;
use crate::usage::TimeRange;

/// By the index of people, one after the other; what counts in no sum has the number 0.
const BY_PERSON: &str = "SELECT r.user_id AS name, CAST(COUNT(*) AS BIGINT) AS calls, \
     CAST(SUM(CASE WHEN r.status = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed, \
     CAST(SUM(CASE WHEN r.status = 'canceled' THEN 1 ELSE 0 END) AS BIGINT) AS canceled, \
     CAST(SUM(r.credits_micros) AS BIGINT) AS credits FROM usage_records r \
     WHERE r.user_id IN (SELECT id FROM users WHERE tenant_id = $1) AND r.tenant_id = $1 AND r.key_id IS NULL \
     AND r.created_at >= $2 AND r.created_at < $3 AND NOT r.test AND (r.number IS NULL OR r.number <> 0) \
     GROUP BY r.user_id ORDER BY credits DESC, calls DESC, name LIMIT $4";

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    canceled: i64,
    #[diesel(sql_type = BigInt)]
    credits: i64,
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl Store {
    /// The people of a tenant whose own calls brought most credits, by id.
    pub async fn top_people(
        &self,
        tenant: &TenantId,
        period: TimeRange,
        limit: i64,
    ) -> Result<Vec<Top>, DbError> {
        let (from, until) = period.bounds();
        let rows: Vec<PersonRow> = on!(self.db, |conn| {
            diesel::sql_query(BY_PERSON)
                .bind::<Text, _>(tenant.as_str())
                .bind::<BigInt, _>(from)
                .bind::<BigInt, _>(until)
                .bind::<BigInt, _>(limit)
                .load(conn)
                .await
        })?;
        let top = |row: PersonRow| Top {
            name: row.name,
            calls: count(row.calls),
            failed: count(row.failed),
            canceled: count(row.canceled),
            credits: Credits::from_micros(row.credits),
            cost: KnownCost::default(),
        };
        Ok(rows.into_iter().map(top).collect())
    }
}
