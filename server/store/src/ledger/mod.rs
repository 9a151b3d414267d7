//! The ledger's tables: `writer` loads the books a batch may touch under lock and writes what it
//! changed, in one transaction; here is what is read besides. Imported by `ledger` alone. Decides
//! nothing: the caller's function does.

pub mod books;
mod convert;
pub(crate) mod due;
mod lines;
mod postgres;
mod reads;
mod rows;
mod sqlite;
mod statements;
pub mod verify;
mod writer;

use diesel::sql_types::{BigInt, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryableByName, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use server_rules::ledger::{Balance, Budget, Entry, Hold, Life, Owner, Spender, UnknownPlace};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{BootId, GenerationId, TenantId};
use shared::{on, write_tx};

use self::rows::{BudgetRow, EntryRow, HoldRow};
pub use self::writer::Writer;
use super::Store;
use super::schema::{ledger_budgets, ledger_entries, ledger_grants, ledger_holds, ledger_writers};

/// Owners that look after their holds whatever becomes of a process; `_` stands for any character,
/// which does no harm here.
const JOBS: &str = "job_%";
const SESSIONS: &str = "rts_%";

/// Whose holds are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// Processes'.
    Processes,
    /// Also those of jobs and sessions.
    All,
}

/// What a batch needs to know, each list without repetition and in one order everywhere, so that
/// processes lock accounts in the same order and never wait for one another in a ring.
#[derive(Debug, Clone, Default)]
pub struct LoadSet {
    /// An account is opened for those that have none: a hold of nothing needs no credits, so its tenant
    /// may never have been given any.
    pub tenants: Vec<TenantId>,
    pub spenders: Vec<(TenantId, Spender)>,
    /// New ids: nobody is expected to have used them.
    pub fresh: Vec<GenerationId>,
    pub holds: Vec<(TenantId, GenerationId)>,
    /// Those of the holds of which an answer may write nothing, so that no statement would notice that
    /// another process closed them.
    pub unconfirmed: Vec<GenerationId>,
    pub sources: Vec<(TenantId, String)>,
    pub adjustments: Vec<(TenantId, String)>,
}

fn tidy<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

/// Holds behind a place in the order of a moment and their ids; a macro, because either connection loads
/// them.
macro_rules! in_order {
    ($holds:expr, $moment:expr, ($at:expr, $id:expr)) => {{
        let same = $moment.eq($at).and(ledger_holds::id.gt($id));
        let holds = $holds.filter($moment.gt($at).or(same));
        holds.order(($moment.asc(), ledger_holds::id.asc()))
    }};
}

impl LoadSet {
    /// Sorts and drops repetitions.
    pub fn tidy(&mut self) {
        tidy(&mut self.tenants);
        tidy(&mut self.spenders);
        tidy(&mut self.holds);
        tidy(&mut self.sources);
        tidy(&mut self.adjustments);
    }
}

#[derive(QueryableByName)]
struct BalanceRow {
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = BigInt)]
    expired: i64,
    #[diesel(sql_type = BigInt)]
    debt: i64,
    #[diesel(sql_type = BigInt)]
    loss: i64,
}

/// One statement, so that the figures are of one moment. What expired and was not swept counts as expired.
const BALANCE: &str = "SELECT CAST(COALESCE((SELECT SUM(g.remaining_micros) FROM ledger_grants g \
     WHERE g.tenant_id = a.tenant_id AND g.remaining_micros > 0 \
     AND (g.expires_at IS NULL OR g.expires_at > $1)), 0) AS BIGINT) AS available, \
     a.held_micros AS held, a.revenue_micros AS used, \
     CAST(a.breakage_micros + COALESCE((SELECT SUM(g.remaining_micros) FROM ledger_grants g \
     WHERE g.tenant_id = a.tenant_id AND g.remaining_micros > 0 AND g.expires_at <= $1), 0) AS BIGINT) AS expired, \
     -a.debt_micros AS debt, -a.loss_micros AS loss \
     FROM ledger_accounts a WHERE a.tenant_id = $2";

/// The account of a tenant that was never given anything.
pub fn empty_account(tenant: &TenantId) -> rows::AccountRow {
    rows::AccountRow {
        tenant_id: tenant.to_string(),
        ..rows::AccountRow::default()
    }
}

impl Store {
    /// What a tenant has now; nothing when it has no account yet.
    pub async fn ledger_balance(&self, tenant: &TenantId, now: Moment) -> Result<Balance, DbError> {
        let rows: Vec<BalanceRow> = on!(self.db, |conn| {
            diesel::sql_query(BALANCE)
                .bind::<BigInt, _>(now.unix_ms())
                .bind::<Text, _>(tenant.as_str())
                .load(conn)
                .await
        })?;
        Ok(rows
            .into_iter()
            .next()
            .map_or_else(Balance::default, |row| Balance {
                available: Credits::from_micros(row.available),
                held: Credits::from_micros(row.held),
                used: Credits::from_micros(row.used),
                expired: Credits::from_micros(row.expired),
                debt: Credits::from_micros(row.debt),
                loss: Credits::from_micros(row.loss),
            }))
    }

    /// A tenant's entries, newest first.
    pub async fn ledger_history(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Entry>, DbError> {
        let rows: Vec<EntryRow> = on!(self.db, |conn| {
            ledger_entries::table
                .filter(ledger_entries::tenant_id.eq(tenant.as_str()))
                .filter(ledger_entries::number.lt(before.unwrap_or(i64::MAX)))
                .order(ledger_entries::number.desc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// A tenant's budgets, by spender.
    pub async fn ledger_budgets(&self, tenant: &TenantId) -> Result<Vec<Budget>, DbError> {
        use ledger_budgets as b;
        let rows: Vec<BudgetRow> = on!(self.db, |conn| {
            let budgets = b::table.filter(b::tenant_id.eq(tenant.as_str()));
            budgets.order((b::spender, b::period)).load(conn).await
        })?;
        rows.into_iter().map(Budget::try_from).collect()
    }

    /// Tenants that have something left in expired grants.
    pub async fn ledger_expired_tenants(
        &self,
        now: Moment,
        limit: i64,
    ) -> Result<Vec<TenantId>, DbError> {
        let rows: Vec<String> = on!(self.db, |conn| {
            ledger_grants::table
                .filter(ledger_grants::remaining_micros.gt(0))
                .filter(ledger_grants::expires_at.le(now.unix_ms()))
                .select(ledger_grants::tenant_id)
                .distinct()
                .limit(limit)
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(TenantId::from_stored).collect())
    }

    /// Open holds whose owner is among `gone`, and those of `own` whose deadline is past; oldest
    /// deadline first, those behind `behind` only.
    pub async fn ledger_abandoned(
        &self,
        gone: &[BootId],
        (own, now): (&BootId, Moment),
        (behind, limit): (Option<&Hold>, i64),
    ) -> Result<Vec<Hold>, DbError> {
        let gone: Vec<&str> = gone.iter().map(BootId::as_str).collect();
        let (at, id) = behind.map_or((i64::MIN, ""), |hold| {
            (hold.deadline_at.unix_ms(), hold.id.as_str())
        });
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            let holds = ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .filter(
                    ledger_holds::owner.eq_any(gone).or(ledger_holds::owner
                        .eq(own.as_str())
                        .and(ledger_holds::deadline_at.lt(now.unix_ms()))),
                );
            let holds = in_order!(holds, ledger_holds::deadline_at, (at, id));
            holds.limit(limit).load(conn).await
        })?;
        rows.into_iter().map(Hold::try_from).collect()
    }

    /// How many open holds of processes have their deadline behind them, counted up to `limit`.
    pub async fn ledger_overdue(&self, now: Moment, limit: i64) -> Result<usize, DbError> {
        let rows: Vec<String> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .filter(ledger_holds::owner.not_like(JOBS))
                .filter(ledger_holds::owner.not_like(SESSIONS))
                .filter(ledger_holds::deadline_at.lt(now.unix_ms()))
                .select(ledger_holds::id)
                .limit(limit)
                .load(conn)
                .await
        })?;
        Ok(rows.len())
    }

    /// Holds that were given back because nobody knows how their calls ended, those first of which the
    /// asking ends first, those behind `behind` only.
    pub async fn ledger_unknown(
        &self,
        whose: Owners,
        behind: Option<UnknownPlace<'_>>,
        limit: i64,
    ) -> Result<Vec<Hold>, DbError> {
        let (jobs, sessions) = match whose {
            Owners::Processes => (JOBS, SESSIONS),
            Owners::All => ("", ""),
        };
        let at = behind.map_or(i64::MIN, |place| place.ask_until.unix_ms());
        let id = behind.map_or("", |place| place.id.as_str());
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            let holds = ledger_holds::table
                .filter(ledger_holds::ask_until.is_not_null())
                .filter(ledger_holds::owner.not_like(jobs))
                .filter(ledger_holds::owner.not_like(sessions));
            let holds = in_order!(holds, ledger_holds::ask_until, (at, id));
            holds.limit(limit).load(conn).await
        })?;
        rows.into_iter().map(Hold::try_from).collect()
    }

    /// Open holds, the last deadline first, and how many there are.
    pub async fn ledger_running(&self, limit: i64) -> Result<(Vec<Hold>, i64), DbError> {
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .order(ledger_holds::deadline_at.desc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        let all: i64 = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .count()
                .get_result(conn)
                .await
        })?;
        let holds = rows.into_iter().map(Hold::try_from);
        Ok((holds.collect::<Result<_, _>>()?, all))
    }

    /// Processes that own open holds.
    pub async fn ledger_owners(&self) -> Result<Vec<BootId>, DbError> {
        let rows: Vec<String> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .select(ledger_holds::owner)
                .distinct()
                .load(conn)
                .await
        })?;
        let owners = rows.into_iter().map(Owner::from_stored);
        Ok(owners.filter_map(Owner::process).collect())
    }

    /// The lives that wrote, with their last sign of life.
    pub async fn ledger_lives(&self) -> Result<Vec<Life>, DbError> {
        let rows: Vec<(String, i64, i64)> = on!(self.db, |conn| {
            ledger_writers::table
                .select((
                    ledger_writers::boot,
                    ledger_writers::seen_at,
                    ledger_writers::skew_ms,
                ))
                .load(conn)
                .await
        })?;
        let lives = rows.into_iter().map(|(boot, seen_at, skew_ms)| Life {
            boot: BootId::from_stored(boot),
            seen_at: Moment::from_unix_ms(seen_at),
            skew_ms,
        });
        Ok(lives.collect())
    }

    /// Forgets lives that are over and own nothing any more.
    pub async fn forget_lives(&self, boots: &[BootId]) -> Result<(), DbError> {
        let boots: Vec<&str> = boots.iter().map(BootId::as_str).collect();
        write_tx!(self.db, |conn| -> DbError {
            let gone = ledger_writers::table.filter(ledger_writers::boot.eq_any(&boots));
            diesel::delete(gone).execute(conn).await?;
            Ok(())
        })
    }
}

/// Adds an empty account; a macro, because its body is compiled for either connection.
macro_rules! open_account {
    ($conn:expr, $tenant:expr) => {
        diesel::insert_into($crate::schema::ledger_accounts::table)
            .values($crate::ledger::empty_account($tenant))
            .on_conflict_do_nothing()
            .execute($conn)
            .await
    };
}
pub(crate) use open_account;
