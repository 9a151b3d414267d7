//! Usage records in order of time, filtered and page by page; each filter alone has its own index.

pub mod count;
mod people;

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, SelectableHelper};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, GenerationId, TenantId, UserId};
use shared::link::Operation;
use shared::on;

use super::Store;
use super::schema::usage_records;
use super::usage::{TimeRange, UsageRecord, UsageRow, UsageStatus};

/// Which records; what is absent lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// Of whom.
    pub tenant: Option<TenantId>,
    /// Called by this person.
    pub user: Option<UserId>,
    /// Called with this key.
    pub key: Option<ApiKeyId>,
    /// Of this model.
    pub model: Option<String>,
    /// Answered by this provider.
    pub provider: Option<String>,
    /// That ended so.
    pub status: Option<UsageStatus>,
    /// That asked for this.
    pub operation: Option<Operation>,
    /// That came then.
    pub period: TimeRange,
}

/// A part of the records, in order of time.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery<'a> {
    /// Newest first, else oldest first.
    pub newest_first: bool,
    /// The last record that was seen; what follows it in this order.
    pub behind: Option<(Moment, &'a str)>,
    /// How many at most.
    pub limit: i64,
}

/// A comparison with the place of a row, which both databases answer from an index.
macro_rules! place {
    ($words:literal, $sign:literal, $at:expr, $id:expr) => {
        sql::<Bool>(concat!("(", $words, $sign, "("))
            .bind::<BigInt, _>($at.unix_ms())
            .sql(", ")
            .bind::<Text, _>($id.to_owned())
            .sql("))")
    };
}

/// `query` from where the part begins, in its order.
macro_rules! in_order {
    ($query:expr, $part:expr, ($at:expr, $id:expr), $words:literal) => {{
        let query = match ($part.behind, $part.newest_first) {
            (None, _) => $query,
            (Some((at, id)), true) => $query.filter(place!($words, " < ", at, id)),
            (Some((at, id)), false) => $query.filter(place!($words, " > ", at, id)),
        };
        if $part.newest_first {
            query.order(($at.desc(), $id.desc()))
        } else {
            query.order(($at.asc(), $id.asc()))
        }
    }};
}
pub(crate) use {in_order, place};

#[derive(QueryableByName)]
struct LastCall {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = BigInt)]
    called: i64,
}

impl Store {
    /// When the last call of each of some tenants came that has ended; those without any are absent.
    /// Looks once into the index for each tenant, however many calls it has.
    pub async fn last_calls(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Moment>, DbError> {
        if tenants.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<String> = (1..=tenants.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT tenant_id, called FROM (SELECT t.id AS tenant_id, (SELECT MAX(u.created_at) \
             FROM usage_records u WHERE u.tenant_id = t.id) AS called FROM tenants t WHERE t.id IN ({})) l \
             WHERE called IS NOT NULL",
            places.join(", ")
        );
        let rows: Vec<LastCall> = on!(self.db, |conn| {
            let mut query = diesel::sql_query(&text).into_boxed();
            for tenant in tenants {
                query = query.bind::<Text, _>(tenant.as_str());
            }
            query.load(conn).await
        })?;
        let row = |row: LastCall| {
            let called = Moment::from_unix_ms(row.called);
            (TenantId::from_stored(row.tenant_id), called)
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Records that pass the filter.
    pub async fn usage_log(
        &self,
        filter: &UsageFilter,
        part: LogQuery<'_>,
    ) -> Result<Vec<UsageRecord>, DbError> {
        use usage_records as u;
        let (from, until) = filter.period.bounds();
        let rows: Vec<UsageRow> = on!(self.db, |conn| {
            let mut query = u::table
                .filter(u::created_at.ge(from))
                .filter(u::created_at.lt(until))
                .limit(part.limit)
                .select(UsageRow::as_select())
                .into_boxed();
            if let Some(tenant) = &filter.tenant {
                query = query.filter(u::tenant_id.eq(tenant.as_str()));
            }
            if let Some(user) = &filter.user {
                query = query.filter(u::user_id.eq(user.as_str()));
            }
            if let Some(key) = &filter.key {
                query = query.filter(u::key_id.eq(key.as_str()));
            }
            if let Some(model) = &filter.model {
                query = query.filter(u::model.eq(model));
            }
            if let Some(provider) = &filter.provider {
                query = query.filter(u::provider.eq(provider));
            }
            if let Some(operation) = filter.operation {
                query = query.filter(u::operation.eq(operation.word()));
            }
            if let Some(status) = filter.status {
                query = query.filter(u::status.eq(status.word()));
                if status != UsageStatus::Succeeded {
                    // The words of the partial index.
                    query = query.filter(sql::<Bool>("status <> 'succeeded'"));
                }
            }
            let query = in_order!(query, part, (u::created_at, u::id), "(created_at, id)");
            query.load(conn).await
        })?;
        rows.into_iter().map(UsageRecord::try_from).collect()
    }

    /// The record of a call, filed or not.
    pub async fn usage_record(&self, id: &GenerationId) -> Result<Option<UsageRecord>, DbError> {
        // One statement: a record that is being filed is seen in one table or the other. The newer of
        // two that are not filed yet is the one that waits.
        let text = concat!(
            "SELECT ",
            usage_names!(),
            " FROM usage_inbox WHERE id = $1 UNION ALL SELECT ",
            usage_names!(),
            " FROM usage_records WHERE id = $1"
        );
        let rows: Vec<UsageRow> = on!(self.db, |conn| {
            let asked = diesel::sql_query(text).bind::<Text, _>(id.as_str());
            asked.load(conn).await
        })?;
        rows.into_iter()
            .next()
            .map(UsageRecord::try_from)
            .transpose()
    }
}
