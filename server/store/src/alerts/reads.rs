//! What a look reads: the open alerts, how far it came, calls that failed since, sums of the last hours, and
//! what single processes saw. Writes sightings, and the first state of all.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{BigInt, Bool};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use server_rules::alerts::round::{FailedCall, FailedTry};
use server_rules::alerts::{Alert, OPEN_MAX};
use server_rules::usage::sums::callers_faults;
use shared::clock::Moment;
use shared::db::DbError;
use shared::{on, write_tx};

use super::{AlertDbRow, ROUND, RoundState};
use crate::Store;
use crate::schema::{alert_rounds, alert_sightings, alerts, rollup_state, rollups, usage_records};
use crate::usage::Try;

/// Sightings that are read; there are no more open alerts either.
const SIGHTINGS_MAX: i64 = 2_000;
/// Failed calls of one model that are counted when its alert begins.
pub const EARLIER_MAX: i64 = 10_000;

/// What sums are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumsOf {
    /// Models.
    Models,
    /// Providers.
    Providers,
}

/// Calls of some hours, without those of test keys and those that failed for what their callers sent: these tell
/// nothing of who was called, and no tenant should be able to raise an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallSums {
    /// All.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose tenants went away.
    pub canceled: u64,
}

/// Calls that failed, but not for what their callers sent, in the order in which they were filed.
#[derive(Debug, Clone, Default)]
pub struct FailedCalls {
    /// At most as many as were asked for.
    pub calls: Vec<FailedCall>,
    /// The number of the last one.
    pub last: i64,
}

type FailedRow = (Option<i64>, String, String, Option<String>, i64);

fn failed(row: FailedRow) -> FailedCall {
    let (_, model, provider, tries, created_at) = row;
    let tries = tries.and_then(|text| serde_json::from_str::<Vec<Try>>(&text).ok());
    let tries = tries.unwrap_or_default().into_iter().map(|one| FailedTry {
        provider: one.provider,
        last4: one.key_last4,
        gateway: one.gateway.unwrap_or_default(),
    });
    let mut tries: Vec<FailedTry> = tries.collect();
    if !tries.iter().any(|one| one.provider == provider) {
        tries.push(FailedTry {
            provider,
            last4: String::new(),
            gateway: String::new(),
        });
    }
    FailedCall {
        model,
        created_at: Moment::from_unix_ms(created_at),
        tries,
    }
}

/// Whatever did not fail for what its caller sent.
fn not_the_callers() -> SqlLiteral<Bool> {
    let words: Vec<String> = callers_faults().map(|word| format!("'{word}'")).collect();
    sql(&format!(
        "COALESCE(fault, '') NOT IN ({})",
        words.join(", ")
    ))
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

impl Store {
    /// Every alert that has not ended, the oldest first.
    pub async fn open_alerts(&self) -> Result<Vec<Alert>, DbError> {
        let rows: Vec<AlertDbRow> = on!(self.db, |conn| {
            alerts::table
                .filter(alerts::ended_at.is_null())
                .order((alerts::first_seen, alerts::id))
                .limit(i64::try_from(OPEN_MAX).unwrap_or(i64::MAX))
                .load(conn)
                .await
        })?;
        rows.into_iter().map(AlertDbRow::alert).collect()
    }

    /// How far the last look came; the first time it comes from nowhere and counts from now on.
    pub async fn alert_round(&self) -> Result<RoundState, DbError> {
        let found: Option<(i64, i64)> = on!(self.db, |conn| {
            alert_rounds::table
                .find(ROUND)
                .select((alert_rounds::through, alert_rounds::looked_at))
                .first(conn)
                .await
                .optional()
        })?;
        if let Some((through, looked_at)) = found {
            return Ok(RoundState {
                through,
                looked_at: Moment::from_unix_ms(looked_at),
            });
        }
        let through = self.usage_summed_through().await?;
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(alert_rounds::table)
                .values((
                    alert_rounds::name.eq(ROUND),
                    alert_rounds::through.eq(through),
                    alert_rounds::looked_at.eq(0),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            let row: (i64, i64) = alert_rounds::table
                .find(ROUND)
                .select((alert_rounds::through, alert_rounds::looked_at))
                .first(conn)
                .await?;
            Ok::<_, DbError>(RoundState {
                through: row.0,
                looked_at: Moment::from_unix_ms(row.1),
            })
        })
    }

    /// The number of the last record that is in the sums: all up to it are there.
    pub async fn usage_summed_through(&self) -> Result<i64, DbError> {
        let found: Option<i64> = on!(self.db, |conn| {
            rollup_state::table
                .find("usage")
                .select(rollup_state::through)
                .first(conn)
                .await
                .optional()
        })?;
        Ok(found.unwrap_or(0))
    }

    /// Calls that failed, of the records behind `after` up to `upto`, at most `limit`.
    pub async fn failed_calls(
        &self,
        (after, upto): (i64, i64),
        limit: i64,
    ) -> Result<FailedCalls, DbError> {
        let rows: Vec<FailedRow> = on!(self.db, |conn| {
            usage_records::table
                .filter(usage_records::number.gt(after))
                .filter(usage_records::number.le(upto))
                .filter(usage_records::status.eq("failed"))
                .filter(usage_records::test.eq(false))
                .filter(not_the_callers())
                .order(usage_records::number)
                .select((
                    usage_records::number,
                    usage_records::model,
                    usage_records::provider,
                    usage_records::tries,
                    usage_records::created_at,
                ))
                .limit(limit)
                .load(conn)
                .await
        })?;
        let last = rows
            .iter()
            .next_back()
            .and_then(|row| row.0)
            .unwrap_or(after);
        Ok(FailedCalls {
            calls: rows.into_iter().map(failed).collect(),
            last,
        })
    }

    /// The calls of a model or a provider that failed since `from`, of the records up to `upto`: the first
    /// one's moment, and how many.
    pub async fn failed_since(
        &self,
        (of, name): (SumsOf, &str),
        from: Moment,
        upto: i64,
    ) -> Result<(Option<Moment>, u64), DbError> {
        let rows: Vec<i64> = on!(self.db, |conn| {
            let failed = usage_records::table
                .filter(usage_records::created_at.ge(from.unix_ms()))
                .filter(usage_records::status.eq("failed"))
                .filter(usage_records::test.eq(false))
                .filter(not_the_callers())
                .filter(usage_records::number.le(upto))
                .select(usage_records::created_at)
                .order((usage_records::created_at, usage_records::id))
                .limit(EARLIER_MAX);
            match of {
                SumsOf::Models => {
                    let named = failed.filter(usage_records::model.eq(name));
                    named.load(conn).await
                }
                SumsOf::Providers => {
                    let named = failed.filter(usage_records::provider.eq(name));
                    named.load(conn).await
                }
            }
        })?;
        let first = rows.as_slice().first().copied().map(Moment::from_unix_ms);
        Ok((first, u64::try_from(rows.len()).unwrap_or(u64::MAX)))
    }

    /// Calls of each model or provider in the hours since `from`, where there were any.
    pub async fn hour_sums(
        &self,
        of: SumsOf,
        from: Moment,
    ) -> Result<HashMap<String, CallSums>, DbError> {
        let sum =
            |column: &str| sql::<BigInt>(&format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)"));
        let sums = || {
            (
                sum("calls - caller_faults"),
                sum("failed - caller_faults"),
                sum("canceled"),
            )
        };
        let rows: Vec<(String, (i64, i64, i64))> = on!(self.db, |conn| {
            let hours = rollups::table
                .filter(rollups::tenant_id.eq(""))
                .filter(rollups::grain.eq("hour"))
                .filter(rollups::starts_at.ge(from.unix_ms()));
            match of {
                SumsOf::Models => {
                    hours
                        .filter(rollups::dimension.eq("model"))
                        .group_by(rollups::model)
                        .select((rollups::model, sums()))
                        .load(conn)
                        .await
                }
                SumsOf::Providers => {
                    hours
                        .filter(rollups::dimension.eq("provider"))
                        .group_by(rollups::provider)
                        .select((rollups::provider, sums()))
                        .load(conn)
                        .await
                }
            }
        })?;
        let sums = rows.into_iter().map(|(name, (calls, failed, canceled))| {
            let sums = CallSums {
                calls: unsigned(calls),
                failed: unsigned(failed),
                canceled: unsigned(canceled),
            };
            (name, sums)
        });
        Ok(sums.collect())
    }

    /// Notes what this process saw, at its newest. What nobody saw since `from` is seen for the first time.
    pub async fn note_sighting(
        &self,
        (kind, subject): (&str, &str),
        seen_at: Moment,
        from: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let made = diesel::insert_into(alert_sightings::table)
                .values((
                    alert_sightings::kind.eq(kind),
                    alert_sightings::subject.eq(subject),
                    alert_sightings::first_at.eq(seen_at.unix_ms()),
                    alert_sightings::seen_at.eq(seen_at.unix_ms()),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if made == 0 {
                let forgotten = alert_sightings::table
                    .find((kind, subject))
                    .filter(alert_sightings::seen_at.lt(from.unix_ms()));
                diesel::update(forgotten)
                    .set(alert_sightings::first_at.eq(seen_at.unix_ms()))
                    .execute(conn)
                    .await?;
                let older = alert_sightings::table
                    .find((kind, subject))
                    .filter(alert_sightings::seen_at.lt(seen_at.unix_ms()));
                diesel::update(older)
                    .set(alert_sightings::seen_at.eq(seen_at.unix_ms()))
                    .execute(conn)
                    .await?;
            }
            Ok::<_, DbError>(())
        })
    }

    /// What was seen of a kind since `from`, and when it was seen first.
    pub async fn sightings(
        &self,
        kind: &str,
        from: Moment,
    ) -> Result<Vec<(String, Moment)>, DbError> {
        let rows: Vec<(String, i64)> = on!(self.db, |conn| {
            alert_sightings::table
                .filter(alert_sightings::kind.eq(kind))
                .filter(alert_sightings::seen_at.ge(from.unix_ms()))
                .select((alert_sightings::subject, alert_sightings::first_at))
                .order(alert_sightings::subject)
                .limit(SIGHTINGS_MAX)
                .load(conn)
                .await
        })?;
        let seen = rows.into_iter();
        Ok(seen
            .map(|(subject, at)| (subject, Moment::from_unix_ms(at)))
            .collect())
    }
}
