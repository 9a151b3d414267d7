//! Compares the sums with the records they were made of, all of one moment. Changes nothing; reads
//! tenant by tenant, so that memory holds one tenant's sums and the platform's. Sums of what was
//! kept long enough have no records any more and are left out.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::{AsyncConnection, RunQueryDsl};
use server_rules::usage::sums::{CountedCall, Place, Sums};
use shared::db::{Db, DbError};

use super::{CountedCallRow, Key, OneNumber, RollupRow, USAGE, key};
use crate::Store;
use crate::schema::{rollup_state, rollups};

/// Records read at once.
const PAGE: i64 = 5_000;
/// Differences that are told; more of them are of the same kind.
const SHOWN_MAX: usize = 100;

/// Behind the last record of the page before, in the order of an index.
const RECORDS: &str = "SELECT * FROM usage_records WHERE (tenant_id, created_at, id) > ($1, $2, $3) \
     AND number > 0 AND number <= $4 AND created_at >= $5 ORDER BY tenant_id, created_at, id LIMIT $6";

#[derive(Default)]
struct Comparison {
    /// Of everything but tenants.
    platform: BTreeMap<Place, Sums>,
    /// Of the tenant that is being read.
    tenant: BTreeMap<Place, Sums>,
    /// Stored rows that were looked at.
    seen: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn count(&mut self, row: CountedCallRow) {
        let call = CountedCall::from(row);
        for place in call.places() {
            let sums = if place.tenant.is_empty() {
                &mut self.platform
            } else {
                &mut self.tenant
            };
            sums.entry(place).or_default().count(&call);
        }
    }

    /// Compares what was counted with what is stored of the same.
    fn compare(&mut self, counted: &BTreeMap<Place, Sums>, stored: &[RollupRow]) {
        self.seen = self.seen.saturating_add(stored.len());
        let mut rows: BTreeMap<Key<'_>, &RollupRow> =
            stored.iter().map(|row| (row.key(), row)).collect();
        for (place, sums) in counted {
            match rows.remove(&key(place)).map(|row| (row, row.sums())) {
                Some((_, Ok(told))) if told == *sums => {}
                Some((row, Ok(told))) => self.differences.push(format!(
                    "`{}` says {} calls for {} credits, the records {} for {}, or other figures differ",
                    row.shown(),
                    told.calls,
                    told.credits,
                    sums.calls,
                    sums.credits
                )),
                Some((_, Err(error))) => self.differences.push(error.to_string()),
                None => self.differences.push(format!(
                    "{} calls of `{}` are not added up",
                    sums.calls,
                    RollupRow::new(place.clone(), sums).shown()
                )),
            }
        }
        let unfounded = rows.into_values();
        self.differences.extend(
            unfounded
                .map(|row| format!("`{}` says {} calls, there are none", row.shown(), row.calls)),
        );
    }

    fn told(mut self, stored: i64) -> Vec<String> {
        let seen = i64::try_from(self.seen).unwrap_or(i64::MAX);
        if stored != seen {
            let more = stored.saturating_sub(seen);
            self.differences
                .push(format!("{more} sums are of tenants without any records"));
        }
        let more = self.differences.len().saturating_sub(SHOWN_MAX);
        self.differences.truncate(SHOWN_MAX);
        if more > 0 {
            self.differences.push(format!("{more} more"));
        }
        self.differences
    }
}

/// A tenant's stored sums of these dimensions, on either connection.
macro_rules! stored {
    ($conn:ident, $dimensions:expr, $tenant:expr, $kept_from:expr) => {{
        let rows: Vec<RollupRow> = rollups::table
            .filter(rollups::dimension.eq_any($dimensions))
            .filter(rollups::tenant_id.eq($tenant))
            .filter(rollups::starts_at.ge($kept_from))
            .select(RollupRow::as_select())
            .load($conn)
            .await?;
        rows
    }};
}

/// The comparison on one connection; a macro, because its body is compiled for either database.
macro_rules! compare {
    ($conn:ident) => {{
        let (through, kept_from): (i64, i64) = rollup_state::table
            .find(USAGE)
            .select((rollup_state::through, rollup_state::kept_from))
            .first($conn)
            .await?;
        let mut comparison = Comparison::default();
        let mut last: Option<(String, i64, String)> = None;
        loop {
            let (tenant, at, id) = last
                .clone()
                .unwrap_or((String::new(), i64::MIN, String::new()));
            let rows: Vec<CountedCallRow> = diesel::sql_query(RECORDS)
                .bind::<Text, _>(&tenant)
                .bind::<BigInt, _>(at)
                .bind::<Text, _>(id)
                .bind::<BigInt, _>(through)
                .bind::<BigInt, _>(kept_from)
                .bind::<BigInt, _>(PAGE)
                .load($conn)
                .await?;
            let ended = rows.is_empty();
            let mut current = last.take().map(|(tenant, _, _)| tenant);
            for row in rows.into_iter().map(Some).chain(ended.then_some(None)) {
                let next = row.as_ref().map(|row| row.tenant_id.clone());
                if current.is_some() && current != next {
                    let tenant = current.unwrap_or_default();
                    let stored = stored!($conn, ["tenant", "call"], tenant, kept_from);
                    let counted = std::mem::take(&mut comparison.tenant);
                    comparison.compare(&counted, &stored);
                }
                current = next;
                if let Some(row) = row {
                    last = Some((row.tenant_id.clone(), row.created_at, row.id.clone()));
                    comparison.count(row);
                }
            }
            if ended {
                break;
            }
        }
        let dimensions = ["all", "operation", "model", "provider"];
        let stored = stored!($conn, dimensions, "", kept_from);
        let counted = std::mem::take(&mut comparison.platform);
        comparison.compare(&counted, &stored);
        let all = "SELECT COUNT(*) AS number FROM rollups WHERE starts_at >= $1";
        let all: OneNumber = diesel::sql_query(all)
            .bind::<BigInt, _>(kept_from)
            .get_result($conn)
            .await?;
        Ok(comparison.told(all.number))
    }};
}

impl Store {
    /// Every difference between the sums and the records that are added up, as a sentence; none when
    /// all agree. Processes may go on adding up meanwhile.
    pub async fn rollup_differences(&self) -> Result<Vec<String>, DbError> {
        match &self.db {
            Db::Postgres(pool) => {
                let mut conn = pool.get().await?;
                let mut snapshot = conn.build_transaction().repeatable_read().read_only();
                snapshot
                    .run::<_, DbError, _>(async |conn: &mut diesel_async::AsyncPgConnection| {
                        compare!(conn)
                    })
                    .await
            }
            Db::Sqlite { readers, .. } => {
                let mut conn = readers.get().await?;
                let conn: &mut shared::db::SqliteConn = &mut conn;
                conn.transaction::<_, DbError, _>(async |conn: &mut shared::db::SqliteConn| {
                    compare!(conn)
                })
                .await
            }
        }
    }
}
