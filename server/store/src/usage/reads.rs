//! Records as lists and sums of a tenant.

use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use server_rules::usage::costs::KnownCost;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use shared::link::Operation;
use shared::on;

use super::super::Store;
use super::super::schema::usage_records;
use super::super::usage_log::{LogQuery, UsageFilter};
use super::{RecordsQuery, TimeRange, UsageRecord, UsageSummary, units};

type SummaryRow = (String, String, i64, i64, (i64, i64, i64), i64, i64, i64);

fn summary(row: SummaryRow) -> Result<UsageSummary, DbError> {
    let (operation, model, calls, credits, cost, input_tokens, output_tokens, images) = row;
    let damaged = || DbError::Damaged(format!("`{operation}` in usage_records is no operation"));
    Ok(UsageSummary {
        operation: Operation::from_word(&operation).ok_or_else(damaged)?,
        model,
        calls: units(calls)?,
        credits: Credits::from_micros(credits),
        cost: KnownCost {
            cost: Credits::from_micros(cost.0),
            calls: units(cost.1)?,
            credits: Credits::from_micros(cost.2),
        },
        input_tokens: units(input_tokens)?,
        output_tokens: units(output_tokens)?,
        images: units(images)?,
    })
}

/// A sum as a 64-bit integer on both databases.
fn sum(what: &str) -> diesel::expression::SqlLiteral<BigInt> {
    sql(&format!("CAST(COALESCE(SUM({what}), 0) AS BIGINT)"))
}

impl Store {
    /// A tenant's records, newest first, those behind `after` in the list's order only; none when
    /// the tenant has no such record.
    pub async fn usage_records(
        &self,
        tenant: &TenantId,
        query: RecordsQuery<'_>,
    ) -> Result<Vec<UsageRecord>, DbError> {
        let last = match query.after {
            None => None,
            Some(id) => self.usage_record(id).await?,
        };
        let behind = last
            .filter(|record| record.tenant == *tenant)
            .map(|record| (record.created_at, record.id));
        if query.after.is_some() && behind.is_none() {
            return Ok(Vec::new());
        }
        let filter = UsageFilter {
            tenant: Some(tenant.clone()),
            user: query.user.cloned(),
            period: query.period,
            ..UsageFilter::default()
        };
        let log = LogQuery {
            newest_first: true,
            behind: behind.as_ref().map(|(at, id)| (*at, id.as_str())),
            limit: query.limit,
        };
        self.usage_log(&filter, log).await
    }

    /// A tenant's calls added up for each operation and model.
    pub async fn usage_summary(
        &self,
        tenant: &TenantId,
        period: TimeRange,
    ) -> Result<Vec<UsageSummary>, DbError> {
        let (from, until) = period.bounds();
        let rows: Vec<SummaryRow> = on!(self.db, |conn| {
            usage_records::table
                .filter(usage_records::tenant_id.eq(tenant.as_str()))
                .filter(usage_records::created_at.ge(from))
                .filter(usage_records::created_at.lt(until))
                .group_by((usage_records::operation, usage_records::model))
                .order((usage_records::operation.asc(), usage_records::model.asc()))
                .select((
                    usage_records::operation,
                    usage_records::model,
                    sql::<BigInt>("COUNT(*)"),
                    sum("credits_micros"),
                    (
                        sum("cost_micros"),
                        sql::<BigInt>("COUNT(cost_micros)"),
                        sum("CASE WHEN cost_micros IS NULL THEN 0 ELSE credits_micros END"),
                    ),
                    sum("input_tokens + cached_input_tokens + cache_write_tokens"),
                    sum("output_tokens + reasoning_tokens"),
                    sum("images"),
                ))
                .load(conn)
                .await
        })?;
        rows.into_iter().map(summary).collect()
    }
}
