//! Reads sums: a series in time, what stands on top, what tenants spent. Adds nothing to them.

mod kept;

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use server_rules::usage::costs::KnownCost;
use server_rules::usage::sums::{Dimension, Grain, Sums};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use shared::on;

use self::kept::KeptTop;
use super::{RollupRow, count};
use crate::Store;
use crate::schema::rollups;

/// Which spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumsQuery {
    /// Hours or days.
    pub grain: Grain,
    /// The beginning of the first span.
    pub from: Moment,
    /// The first moment behind the last span.
    pub until: Moment,
}

impl SumsQuery {
    /// Sums that add up to all of it with as few rows as there can be, by the word of their grain: hours
    /// up to the first whole day of UTC, days, and hours again. Only what is added up is asked for so.
    fn parts(self) -> [(&'static str, i64, i64); 3] {
        let (from, until) = (self.from.unix_ms(), self.until.unix_ms());
        let (hour, day) = (Grain::Hour.word(), Grain::Day.word());
        if self.grain == Grain::Day {
            return [(hour, from, from), (day, from, until), (hour, until, until)];
        }
        let length = Grain::Day.length_ms();
        let last = until.div_euclid(length).saturating_mul(length);
        let first = from.saturating_add(length - 1).div_euclid(length);
        let first = first.saturating_mul(length);
        if first >= last {
            return [
                (hour, from, until),
                (day, until, until),
                (hour, until, until),
            ];
        }
        [(hour, from, first), (day, first, last), (hour, last, until)]
    }
}

/// Whose series is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportScope {
    /// The whole platform.
    Platform,
    /// An operation, by its word.
    Operation(String),
    /// A model, by its public name.
    Model(String),
    /// A provider.
    Provider(String),
    /// A tenant.
    Tenant(TenantId),
}

impl ReportScope {
    /// The dimension, and the columns `tenant`, `model`, `provider`, `operation` of its rows.
    fn columns(&self) -> (Dimension, [&str; 4]) {
        match self {
            Self::Platform => (Dimension::All, ["", "", "", ""]),
            Self::Operation(word) => (Dimension::Operation, ["", "", "", word]),
            Self::Model(name) => (Dimension::Model, ["", name, "", ""]),
            Self::Provider(name) => (Dimension::Provider, ["", "", name, ""]),
            Self::Tenant(id) => (Dimension::Tenant, [id.as_str(), "", "", ""]),
        }
    }
}

/// What a top list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopOf<'a> {
    /// The platform's operations.
    Operations,
    /// The platform's models.
    Models,
    /// The platform's providers.
    Providers,
    /// A tenant's models.
    ModelsOf(&'a TenantId),
    /// A tenant's keys; what people used stands under an empty one.
    KeysOf(&'a TenantId),
}

impl TopOf<'_> {
    /// The dimension, the tenant, and the column of the name.
    fn columns(&self) -> (Dimension, &str, &'static str) {
        match self {
            Self::Operations => (Dimension::Operation, "", "operation"),
            Self::Models => (Dimension::Model, "", "model"),
            Self::Providers => (Dimension::Provider, "", "provider"),
            Self::ModelsOf(tenant) => (Dimension::Call, tenant.as_str(), "model"),
            Self::KeysOf(tenant) => (Dimension::Call, tenant.as_str(), "key_id"),
        }
    }
}

/// A line of a top list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeptTop", into = "KeptTop")]
pub struct Top {
    /// A tenant's or key's id, a model, a provider, an operation.
    pub name: String,
    /// How many calls.
    pub calls: u64,
    /// Those that ended with a fault.
    pub failed: u64,
    /// Those whose tenant went away.
    pub canceled: u64,
    /// Charged.
    pub credits: Credits,
    /// The providers' price, as far as it is known.
    pub cost: KnownCost,
}

/// The tenants that spent most, as they were found some time ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopTenants {
    /// The most first.
    pub tenants: Vec<Top>,
    /// When they were found.
    pub at: Moment,
}

#[derive(QueryableByName)]
struct TopRow {
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
    #[diesel(sql_type = BigInt)]
    cost: i64,
    #[diesel(sql_type = BigInt)]
    costed_calls: i64,
    #[diesel(sql_type = BigInt)]
    costed_credits: i64,
}

impl From<TopRow> for Top {
    fn from(row: TopRow) -> Self {
        Self {
            name: row.name,
            calls: count(row.calls),
            failed: count(row.failed),
            canceled: count(row.canceled),
            credits: Credits::from_micros(row.credits),
            cost: KnownCost {
                cost: Credits::from_micros(row.cost),
                calls: count(row.costed_calls),
                credits: Credits::from_micros(row.costed_credits),
            },
        }
    }
}

/// The sums of a top list's line.
const TOP_SUMS: &str = "CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(failed) AS BIGINT) AS failed, \
     CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(credits_micros) AS BIGINT) AS credits, \
     CAST(SUM(cost_micros) AS BIGINT) AS cost, CAST(SUM(costed_calls) AS BIGINT) AS costed_calls, \
     CAST(SUM(costed_credits_micros) AS BIGINT) AS costed_credits";

/// Whether a part of time holds any.
fn any((_, from, until): &(&str, i64, i64)) -> bool {
    from < until
}

/// The rows of a top list's parts of time: what is picked, which rows, and the number of the first
/// parameter, of six.
fn of_parts(columns: &str, rows: &str, first: usize) -> String {
    let part = |place: usize| {
        let grain = if place == 1 { "day" } else { "hour" };
        let from = first + 2 * place;
        let until = from + 1;
        format!(
            "SELECT {columns}, calls, failed, canceled, credits_micros, cost_micros, costed_calls, \
             costed_credits_micros FROM rollups WHERE {rows} AND grain = '{grain}' \
             AND starts_at >= ${from} AND starts_at < ${until}"
        )
    };
    [part(0), part(1), part(2)].join(" UNION ALL ")
}

/// Binds what a list of the most asks with in the end: which hours and days, and how many.
macro_rules! most_of {
    ($asked:expr, $query:expr, $limit:expr) => {{
        let [(_, a, b), (_, c, d), (_, e, f)] = $query.parts();
        $asked
            .bind::<BigInt, _>(a)
            .bind::<BigInt, _>(b)
            .bind::<BigInt, _>(c)
            .bind::<BigInt, _>(d)
            .bind::<BigInt, _>(e)
            .bind::<BigInt, _>(f)
            .bind::<BigInt, _>($limit)
    }};
}

impl Store {
    /// The sums of each span that has any, in order of time.
    pub async fn sums_series(
        &self,
        scope: &ReportScope,
        query: SumsQuery,
    ) -> Result<Vec<(Moment, Sums)>, DbError> {
        let (dimension, [tenant, model, provider, operation]) = scope.columns();
        let rows: Vec<RollupRow> = on!(self.db, |conn| {
            rollups::table
                .filter(rollups::dimension.eq(dimension.word()))
                .filter(rollups::tenant_id.eq(tenant))
                .filter(rollups::grain.eq(query.grain.word()))
                .filter(rollups::starts_at.ge(query.from.unix_ms()))
                .filter(rollups::starts_at.lt(query.until.unix_ms()))
                .filter(rollups::model.eq(model))
                .filter(rollups::provider.eq(provider))
                .filter(rollups::operation.eq(operation))
                .order(rollups::starts_at.asc())
                .select(RollupRow::as_select())
                .load(conn)
                .await
        })?;
        rows.into_iter()
            .map(|row| Ok((Moment::from_unix_ms(row.starts_at), row.sums()?)))
            .collect()
    }

    /// What all of a time adds up to.
    pub async fn sums_total(&self, scope: &ReportScope, query: SumsQuery) -> Result<Sums, DbError> {
        let mut total = Sums::default();
        for (grain, from, until) in query.parts().into_iter().filter(any) {
            let part = SumsQuery {
                grain: Grain::from_word(grain).unwrap_or(query.grain),
                from: Moment::from_unix_ms(from),
                until: Moment::from_unix_ms(until),
            };
            for (_, sums) in self.sums_series(scope, part).await? {
                total.merge(&sums);
            }
        }
        Ok(total)
    }

    /// What the calls of some models add up to, by model; those without calls are absent.
    pub async fn model_sums(
        &self,
        models: &[&str],
        query: SumsQuery,
    ) -> Result<HashMap<String, Sums>, DbError> {
        let mut rows: Vec<RollupRow> = Vec::new();
        for (grain, from, until) in query.parts().into_iter().filter(any) {
            let part: Vec<RollupRow> = on!(self.db, |conn| {
                rollups::table
                    .filter(rollups::dimension.eq(Dimension::Model.word()))
                    .filter(rollups::tenant_id.eq(""))
                    .filter(rollups::grain.eq(grain))
                    .filter(rollups::starts_at.ge(from))
                    .filter(rollups::starts_at.lt(until))
                    .filter(rollups::model.eq_any(models))
                    .select(RollupRow::as_select())
                    .load(conn)
                    .await
            })?;
            rows.extend(part);
        }
        let mut sums: HashMap<String, Sums> = HashMap::new();
        for row in rows {
            let of = sums.entry(row.model.clone()).or_default();
            of.merge(&row.sums()?);
        }
        Ok(sums)
    }

    /// What brought most credits, the most first; test calls are left out.
    pub async fn tops(
        &self,
        of: TopOf<'_>,
        query: SumsQuery,
        limit: i64,
    ) -> Result<Vec<Top>, DbError> {
        let (dimension, tenant, column) = of.columns();
        let rows = of_parts(
            &format!("{column} AS name"),
            "dimension = $1 AND tenant_id = $2 AND NOT test",
            3,
        );
        let text = format!(
            "SELECT name, {TOP_SUMS} FROM ({rows}) AS parts \
             GROUP BY name ORDER BY credits DESC, calls DESC, name LIMIT $9"
        );
        let rows: Vec<TopRow> = on!(self.db, |conn| {
            let asked = diesel::sql_query(&text)
                .bind::<Text, _>(dimension.word())
                .bind::<Text, _>(tenant);
            most_of!(asked, query, limit).load(conn).await
        })?;
        Ok(rows.into_iter().map(Top::from).collect())
    }

    /// The tenants that spent most, the most first. Reads a row for each tenant and span, which takes
    /// longer than a page may where there are many.
    pub async fn top_tenants(&self, query: SumsQuery, limit: i64) -> Result<Vec<Top>, DbError> {
        let rows = of_parts("tenant_id AS name", "dimension = 'tenant'", 1);
        let text = format!(
            "SELECT name, {TOP_SUMS} FROM ({rows}) AS parts \
             GROUP BY name ORDER BY credits DESC, calls DESC, name LIMIT $7"
        );
        let rows: Vec<TopRow> = on!(self.db, |conn| {
            let asked = diesel::sql_query(&text);
            most_of!(asked, query, limit).load(conn).await
        })?;
        Ok(rows.into_iter().map(Top::from).collect())
    }

    /// What each of some tenants spent, and in how many calls; those without any are absent.
    pub async fn spent(
        &self,
        tenants: &[TenantId],
        query: SumsQuery,
    ) -> Result<HashMap<TenantId, (Credits, u64)>, DbError> {
        let ids: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
        let mut rows: Vec<(String, i64, i64)> = Vec::new();
        for (grain, from, until) in query.parts().into_iter().filter(any) {
            let part: Vec<(String, i64, i64)> = on!(self.db, |conn| {
                rollups::table
                    .filter(rollups::dimension.eq(Dimension::Tenant.word()))
                    .filter(rollups::tenant_id.eq_any(&ids))
                    .filter(rollups::grain.eq(grain))
                    .filter(rollups::starts_at.ge(from))
                    .filter(rollups::starts_at.lt(until))
                    .select((rollups::tenant_id, rollups::credits_micros, rollups::calls))
                    .load(conn)
                    .await
            })?;
            rows.extend(part);
        }
        let mut spent: HashMap<TenantId, (Credits, u64)> = HashMap::new();
        for (tenant, credits, calls) in rows {
            let (sum, all) = spent.entry(TenantId::from_stored(tenant)).or_default();
            *sum = Credits::from_micros(sum.micros().saturating_add(credits));
            *all = all.saturating_add(count(calls));
        }
        Ok(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_top_list_of_before_is_read_as_unknown_and_one_of_now_as_it_was() {
        let before = r#"{"name":"m","calls":3,"failed":1,"canceled":0,"credits":7,"cost":12}"#;
        let read: Top = serde_json::from_str(before).expect("read");
        let cost = Credits::from_credits(12).expect("fits");
        assert_eq!((read.calls, read.cost.cost, read.cost.calls), (3, cost, 0));
        let now = Top {
            cost: KnownCost {
                calls: 2,
                credits: cost,
                ..read.cost
            },
            ..read
        };
        let text = serde_json::to_string(&now).expect("written");
        assert_eq!(serde_json::from_str::<Top>(&text).expect("read"), now);
    }
}
