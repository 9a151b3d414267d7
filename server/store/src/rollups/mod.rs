//! Sums of usage records per hour and day: rows, and how records are added to them exactly once.
//! What a call counts in is decided by `usage::sums` of `rules`; when it is done by `reports::rollup` of `rooms`.
//!
//! # Exactly once
//!
//! Each record has a `number`, given when it is filed. Filing adds records to the sums itself as long as
//! these are level with the numbers; otherwise `Store::roll_usage` adds the records behind
//! the last number that was added up and moves that number on, in one transaction, under the lock of
//! its row: two processes never add the same records, and a crash undoes both.
//!
//! On PostgreSQL a number is given before the commit, so where others than the one who files write
//! records (servers of earlier versions do), a smaller one may appear after a larger one.
//! `Store::usage_horizon` therefore notes the last number that was given, and then takes a
//! transaction id of its own. Whoever got a number up to that one had its transaction id before (the
//! ledger writes its sign of life before its records), thus a smaller one. When no transaction with a
//! smaller id runs any more, every number up to the horizon is in the table or never will be, however
//! long its transaction took. A long writing transaction of anybody else in the cluster delays
//! the sums, nothing more. On SQLite there is one writer: what is there is all there will be.

mod check;
mod marks;
pub mod postgres;
mod progress;
mod reads;
pub mod sqlite;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use diesel::prelude::{Queryable, QueryableByName, Selectable};
use diesel::sql_types::BigInt;
use server_rules::usage::buckets::Buckets;
use server_rules::usage::costs::KnownCost;
use server_rules::usage::counts::{Consumed, with_counts};
use server_rules::usage::sums::{CountedCall, Place, Sums};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;

pub use self::reads::{ReportScope, SumsQuery, Top, TopOf, TopTenants};
use super::columns::whole;
use super::schema::{rollups, usage_records};

/// The name of the only state there is.
pub const USAGE: &str = "usage";

/// Asks for records behind `through` with their numbers, none above `upto`; a macro, because either
/// database loads them.
macro_rules! numbered {
    ($through:expr, $upto:expr, $limit:expr) => {
        usage_records::table
            .filter(usage_records::number.gt($through))
            .filter(usage_records::number.le($upto))
            .order(usage_records::number.asc())
            .limit($limit)
            .select((
                CountedCallRow::as_select(),
                usage_records::number.assume_not_null(),
            ))
    };
}
use numbered;

macro_rules! rollup_row {
    ({} [$($key:ident: $key_sql:ty => $key_rust:ty,)+] $($field:ident: $sql:ty => $rust:ty,)+) => {
        #[derive(Debug, Clone, Default, Queryable, QueryableByName, Selectable)]
        #[diesel(table_name = rollups)]
        struct RollupRow {
            $($key: $key_rust,)+
            $($field: $rust,)+
        }
    };
}
with_rollup_columns!(rollup_row! {});
with_counts!(count_fields! { RollupRow });
with_counts!(fill_counts! { RollupRow });

/// A row's primary key.
type Key<'a> = (
    &'a str,
    &'a str,
    &'a str,
    i64,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    bool,
);

fn key(place: &Place) -> Key<'_> {
    (
        place.dimension,
        &place.tenant,
        place.grain,
        place.starts_at,
        &place.key,
        &place.model,
        &place.provider,
        &place.operation,
        place.test,
    )
}

/// The other way of [`whole`]; counts below nothing are damage that the check tells of.
fn count(whole: i64) -> u64 {
    u64::try_from(whole).unwrap_or(0)
}

/// What can't fail.
fn lenient(counts: Result<Consumed, Infallible>) -> Consumed {
    let Ok(counts) = counts;
    counts
}

impl RollupRow {
    fn new(place: Place, sums: &Sums) -> Self {
        Self {
            dimension: place.dimension.to_owned(),
            tenant_id: place.tenant,
            grain: place.grain.to_owned(),
            starts_at: place.starts_at,
            key_id: place.key,
            model: place.model,
            provider: place.provider,
            operation: place.operation,
            test: place.test,
            calls: whole(sums.calls),
            failed: whole(sums.failed),
            caller_faults: whole(sums.caller_faults),
            canceled: whole(sums.canceled),
            credits_micros: sums.credits.micros(),
            cost_micros: sums.cost.cost.micros(),
            costed_calls: whole(sums.cost.calls),
            costed_credits_micros: sums.cost.credits.micros(),
            attempts: whole(sums.attempts),
            duration_ms: whole(sums.duration_ms),
            first_byte_ms: whole(sums.first_byte_ms),
            durations: sums.durations.to_text(),
            first_bytes: sums.first_bytes.to_text(),
            ..Self::default()
        }
        .counted(&sums.consumed)
    }

    fn key(&self) -> Key<'_> {
        (
            &self.dimension,
            &self.tenant_id,
            &self.grain,
            self.starts_at,
            &self.key_id,
            &self.model,
            &self.provider,
            &self.operation,
            self.test,
        )
    }

    fn sums(&self) -> Result<Sums, DbError> {
        let buckets = |text: &str| {
            Buckets::from_text(text)
                .map_err(|error| DbError::Damaged(format!("{error} in `{}`", self.shown())))
        };
        Ok(Sums {
            calls: count(self.calls),
            failed: count(self.failed),
            caller_faults: count(self.caller_faults),
            canceled: count(self.canceled),
            credits: Credits::from_micros(self.credits_micros),
            cost: KnownCost {
                cost: Credits::from_micros(self.cost_micros),
                calls: count(self.costed_calls),
                credits: Credits::from_micros(self.costed_credits_micros),
            },
            consumed: lenient(self.counts(|whole| Ok(count(whole)))),
            attempts: count(self.attempts),
            duration_ms: count(self.duration_ms),
            first_byte_ms: count(self.first_byte_ms),
            durations: buckets(&self.durations)?,
            first_bytes: buckets(&self.first_bytes)?,
        })
    }

    /// Where it stands, for people.
    fn shown(&self) -> String {
        let test = if self.test { "test" } else { "" };
        let parts = [
            self.dimension.as_str(),
            &self.grain,
            &self.starts_at.to_string(),
            &self.tenant_id,
            &self.key_id,
            &self.model,
            &self.provider,
            &self.operation,
            test,
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

macro_rules! counted_row {
    ({} $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        /// What sums are made of, of a usage record.
        #[derive(Debug, Clone, Default, Queryable, QueryableByName, Selectable)]
        #[diesel(table_name = usage_records)]
        pub struct CountedCallRow {
            pub id: String,
            tenant_id: String,
            key_id: Option<String>,
            test: bool,
            operation: String,
            model: String,
            provider: String,
            $($count: i64,)+
            credits_micros: i64,
            cost_micros: Option<i64>,
            status: String,
            fault: Option<String>,
            attempts: i64,
            first_byte_ms: i64,
            duration_ms: i64,
            created_at: i64,
        }
    };
}
with_counts!(counted_row! {});
with_counts!(count_fields! { CountedCallRow });

impl From<CountedCallRow> for CountedCall {
    fn from(row: CountedCallRow) -> Self {
        Self {
            usage: lenient(row.counts(|whole| Ok(count(whole)))),
            tenant: row.tenant_id,
            key: row.key_id.unwrap_or_default(),
            model: row.model,
            provider: row.provider,
            operation: row.operation,
            test: row.test,
            status: row.status,
            fault: row.fault,
            credits: Credits::from_micros(row.credits_micros),
            cost: row.cost_micros.map(Credits::from_micros),
            attempts: count(row.attempts),
            first_byte_ms: count(row.first_byte_ms),
            duration_ms: count(row.duration_ms),
            at: Moment::from_unix_ms(row.created_at),
        }
    }
}

/// Records added up, by place.
fn added(rows: impl IntoIterator<Item = CountedCallRow>) -> BTreeMap<Place, Sums> {
    // Each call counts in a dozen places, most of which many calls share.
    let mut sums: HashMap<Place, Sums> = HashMap::new();
    for row in rows {
        let call = CountedCall::from(row);
        for place in call.places() {
            sums.entry(place).or_default().count(&call);
        }
    }
    sums.into_iter().collect()
}

/// Adds what is stored to the new sums; answers the rows as they must be written.
fn merged(
    mut sums: BTreeMap<Place, Sums>,
    stored: &[RollupRow],
) -> Result<Vec<RollupRow>, DbError> {
    let known: HashMap<Key<'_>, &RollupRow> = stored.iter().map(|row| (row.key(), row)).collect();
    let mut rows = Vec::with_capacity(sums.len());
    while let Some((place, mut sum)) = sums.pop_first() {
        if let Some(known) = known.get(&key(&place)) {
            sum.merge(&known.sums()?);
        }
        rows.push(RollupRow::new(place, &sum));
    }
    Ok(rows)
}

/// Up to where records can be added up once its moment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The last number that was given.
    pub number: i64,
    /// No older transaction may run any more; `None` where nothing needs to be waited for.
    before: Option<i64>,
}

/// What a step of adding up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rolled {
    /// Another process is at it.
    Busy,
    /// Records were added.
    Added {
        /// How many.
        records: usize,
        /// The last number that is added up now.
        through: i64,
    },
}

/// How far the sums are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct RollupState {
    /// The last number that is added up.
    pub through: i64,
    updated_at: i64,
}

impl RollupState {
    /// When records were last added; the epoch when never.
    pub fn updated_at(&self) -> Moment {
        Moment::from_unix_ms(self.updated_at)
    }
}

#[derive(Debug, QueryableByName)]
pub struct OneNumber {
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}
