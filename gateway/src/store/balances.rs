//! Statements of balances: what vendors told of keys' accounts, how it went in the last days, and what
//! operators want done about it. Knows no vendor.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::ProviderKeyId;
use shared::link::events::GatewayEvent;
use shared::{on, write_tx};

use super::Store;
use super::events::write_event;
use super::schema::{
    balance_samples, balance_terms, events, key_balances, provider_keys, revisions,
};

/// How far apart samples are kept, and for how long: 192 of a key at most.
const SAMPLE_EVERY_MS: i64 = 3_600_000;
pub(crate) const SAMPLES_KEPT_MS: i64 = 8 * 24 * SAMPLE_EVERY_MS;

/// What is known of a key's balance, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = key_balances)]
pub(crate) struct BalanceRow {
    pub(crate) key_id: String,
    pub(crate) provider: String,
    /// In millionths.
    pub(crate) amount: Option<i64>,
    pub(crate) currency: Option<String>,
    pub(crate) read_at: Option<i64>,
    pub(crate) asked_at: Option<i64>,
    pub(crate) next_at: i64,
    pub(crate) problem: Option<String>,
    pub(crate) failures: i64,
    pub(crate) state: String,
}

impl BalanceRow {
    /// What is known of a key that nobody asked about, which is done at `next`.
    pub(crate) fn unknown((provider, key): (&str, &str), next: Moment) -> Self {
        Self {
            key_id: key.to_owned(),
            provider: provider.to_owned(),
            amount: None,
            currency: None,
            read_at: None,
            asked_at: None,
            next_at: next.unix_ms(),
            problem: None,
            failures: 0,
            state: "unknown".to_owned(),
        }
    }
}

/// A balance at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: i64,
    /// In millionths.
    pub(crate) amount: i64,
}

/// What is written after a question.
#[derive(Debug)]
pub(crate) struct BalanceWrite<'a> {
    pub(crate) row: &'a BalanceRow,
    /// The time of the next question as it was claimed: an answer to a key or to terms that changed
    /// meanwhile is not kept.
    pub(crate) claimed: i64,
    /// What to tell servers.
    pub(crate) news: Option<&'a GatewayEvent>,
    /// Whether other gateways must read the list again, since the key takes calls or does no more.
    pub(crate) moves: bool,
    /// Whether it is told in another currency than before: earlier samples say nothing any more.
    pub(crate) is_other_money: bool,
}

impl Store {
    /// What is known of all balances.
    pub(crate) async fn balances(&self) -> Result<Vec<BalanceRow>, DbError> {
        on!(self.db, |conn| key_balances::table
            .order(key_balances::key_id)
            .load(conn)
            .await)
    }

    /// What operators said, by provider.
    pub(crate) async fn balance_terms(&self) -> Result<Vec<(String, String)>, DbError> {
        on!(self.db, |conn| balance_terms::table
            .order(balance_terms::provider)
            .load(conn)
            .await)
    }

    /// Keeps what an operator says.
    pub(crate) async fn set_balance_terms(
        &self,
        provider: &str,
        terms: &str,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::delete(balance_terms::table.filter(balance_terms::provider.eq(provider)))
                .execute(conn)
                .await?;
            let row = (
                balance_terms::provider.eq(provider),
                balance_terms::terms.eq(terms),
            );
            diesel::insert_into(balance_terms::table)
                .values(row)
                .execute(conn)
                .await?;
            // Asked anew at once, so that a line that was moved is seen.
            diesel::update(key_balances::table.filter(key_balances::provider.eq(provider)))
                .set((key_balances::next_at.eq(0), key_balances::failures.eq(0)))
                .execute(conn)
                .await?;
            super::moved!(conn);
            Ok(())
        })
    }

    /// Moves the time of a question on; answers whether nobody else did before. `at` is absent for a key
    /// that was never asked about.
    pub(crate) async fn claim_balance(
        &self,
        (provider, key): (&str, &ProviderKeyId),
        at: Option<i64>,
        next: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let Some(at) = at else {
                let row = BalanceRow::unknown((provider, key.as_str()), next);
                let made = diesel::insert_into(key_balances::table)
                    .values(&row)
                    .on_conflict_do_nothing()
                    .execute(conn)
                    .await?;
                return Ok(made > 0);
            };
            let row = key_balances::table
                .filter(key_balances::key_id.eq(key.as_str()))
                .filter(key_balances::next_at.eq(at));
            let claimed = diesel::update(row)
                .set(key_balances::next_at.eq(next.unix_ms()))
                .execute(conn)
                .await?;
            Ok(claimed > 0)
        })
    }

    /// Keeps what a question brought, where the key is still there.
    pub(crate) async fn keep_balance(
        &self,
        write: BalanceWrite<'_>,
        now: Moment,
    ) -> Result<(), DbError> {
        let BalanceWrite {
            row,
            claimed,
            news,
            moves,
            is_other_money,
        } = write;
        write_tx!(self.db, |conn| -> DbError {
            let known = key_balances::table
                .filter(key_balances::key_id.eq(&row.key_id))
                .filter(key_balances::next_at.eq(claimed));
            let changed = diesel::update(known)
                .set((
                    key_balances::amount.eq(row.amount),
                    key_balances::currency.eq(&row.currency),
                    key_balances::read_at.eq(row.read_at),
                    key_balances::asked_at.eq(row.asked_at),
                    key_balances::next_at.eq(row.next_at),
                    key_balances::problem.eq(&row.problem),
                    key_balances::failures.eq(row.failures),
                    key_balances::state.eq(&row.state),
                ))
                .execute(conn)
                .await?;
            if changed == 0 {
                return Ok(());
            }
            if is_other_money {
                let of_key = balance_samples::key_id.eq(&row.key_id);
                diesel::delete(balance_samples::table.filter(of_key))
                    .execute(conn)
                    .await?;
            }
            if let (Some(amount), None) = (row.amount, &row.problem) {
                let at = now.unix_ms();
                let of_key = balance_samples::table.filter(balance_samples::key_id.eq(&row.key_id));
                let last: Option<i64> = of_key
                    .order(balance_samples::at.desc())
                    .select(balance_samples::at)
                    .first(conn)
                    .await
                    .optional()?;
                if last.is_none_or(|last| at.saturating_sub(last) >= SAMPLE_EVERY_MS) {
                    let sample = (
                        balance_samples::key_id.eq(&row.key_id),
                        balance_samples::at.eq(at),
                        balance_samples::amount.eq(amount),
                    );
                    diesel::insert_into(balance_samples::table)
                        .values(sample)
                        .execute(conn)
                        .await?;
                    let old = balance_samples::table
                        .filter(balance_samples::key_id.eq(&row.key_id))
                        .filter(balance_samples::at.lt(at.saturating_sub(SAMPLES_KEPT_MS)));
                    diesel::delete(old).execute(conn).await?;
                }
            }
            if let Some(news) = news {
                write_event!(conn, news, now);
            }
            if moves {
                super::moved!(conn);
            }
            Ok(())
        })
    }

    /// The samples of one key, oldest first.
    pub(crate) async fn samples(&self, key: &str) -> Result<Vec<Sample>, DbError> {
        let rows: Vec<(i64, i64)> = on!(self.db, |conn| balance_samples::table
            .filter(balance_samples::key_id.eq(key))
            .order(balance_samples::at)
            .select((balance_samples::at, balance_samples::amount))
            .load(conn)
            .await)?;
        let sample = |(at, amount)| Sample { at, amount };
        Ok(rows.into_iter().map(sample).collect())
    }

    /// The samples of all keys, by key and oldest first.
    pub(crate) async fn all_samples(&self) -> Result<Vec<(String, Sample)>, DbError> {
        let rows: Vec<(String, i64, i64)> = on!(self.db, |conn| balance_samples::table
            .order((balance_samples::key_id, balance_samples::at))
            .load(conn)
            .await)?;
        let sample = |(key, at, amount)| (key, Sample { at, amount });
        Ok(rows.into_iter().map(sample).collect())
    }

    /// Forgets what was told of keys that are no more.
    pub(crate) async fn forget_balances(&self) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let known = || provider_keys::table.select(provider_keys::id);
            diesel::delete(key_balances::table.filter(key_balances::key_id.ne_all(known())))
                .execute(conn)
                .await?;
            diesel::delete(balance_samples::table.filter(balance_samples::key_id.ne_all(known())))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Forgets what was told of one: its secret is another account's by now. Nobody asks about it before
    /// `next`, until when other gateways know the secret too.
    pub(crate) async fn forget_balance(
        &self,
        (provider, key): (&str, &str),
        next: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let row = BalanceRow::unknown((provider, key), next);
            let made = diesel::insert_into(key_balances::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if made == 0 {
                diesel::update(key_balances::table.filter(key_balances::key_id.eq(key)))
                    .set((
                        key_balances::amount.eq(None::<i64>),
                        key_balances::currency.eq(None::<String>),
                        key_balances::read_at.eq(None::<i64>),
                        key_balances::asked_at.eq(None::<i64>),
                        key_balances::next_at.eq(row.next_at),
                        key_balances::problem.eq(None::<String>),
                        key_balances::failures.eq(0),
                        key_balances::state.eq(&row.state),
                    ))
                    .execute(conn)
                    .await?;
            }
            diesel::delete(balance_samples::table.filter(balance_samples::key_id.eq(key)))
                .execute(conn)
                .await?;
            Ok(())
        })
    }
}
