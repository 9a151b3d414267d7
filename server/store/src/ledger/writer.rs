//! The one writer of a process: keeps the books it knows from batch to batch, reads what it does not
//! know, writes what the rules changed, all in one transaction. Decides nothing.
//!
//! What is kept is never trusted further than the database confirms: an account counts as known
//! only under the version that was locked, an open hold is closed only if the row is still open and
//! as large, a new hold meets the primary key. When one of these says no, the batch is decided once
//! more over books that are read anew.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use server_rules::ledger::rules::{Account, Allocation, Books, HeldBook};
use server_rules::ledger::{Adjusted, Budget, Grant, HoldState, Spender};
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::id::{BootId, GenerationId, GrantId, TenantId};

use super::convert::{damaged, writes};
use super::postgres::PostgresWriter;
use super::rows::{AccountRow, AllocationRow, BudgetRow, HoldRow, Loaded, Missing, Writes};
use super::{LoadSet, sqlite};
use crate::usage::Filed;
use crate::{Store, duplicate_or};

/// Accounts kept in memory; beyond, all are forgotten and read again as they are wanted.
const ACCOUNTS_KEPT: usize = 20_000;

/// The caller's rules: change the books, answer each operation.
pub(crate) type Decide<B, A> = fn(&B, &mut Books, Moment) -> (Vec<Filed>, Vec<A>);

/// Why an attempt wrote nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What was kept in memory is not what the database holds.
    Stale,
    /// The database failed, or an invariant does not hold.
    Failed(DbError),
    /// The connection died during COMMIT.
    InDoubt(DbError),
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        // A hold's id, or a source key, that another process used meanwhile.
        duplicate_or(error, Self::Stale, Self::Failed)
    }
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

/// What one attempt works with.
pub(super) struct Attempt<'a, B, A> {
    pub(super) batch: &'a B,
    pub(super) to_load: &'a LoadSet,
    pub(super) now: Moment,
    pub(super) decide: Decide<B, A>,
    pub(super) life: &'a Life,
    /// Whether nothing of memory is used, new ids included.
    pub(super) careful: bool,
}

/// This life of the process and its batches.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) boot: BootId,
    /// The number of the batch that is being written.
    pub(super) batch: i64,
}

/// Writes batches; owned by the ledger's task.
pub struct Writer {
    store: Store,
    books: Books,
    life: Life,
    postgres: PostgresWriter,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Of this life of the process; for `grace` after a grant expired, parts of holds come back good.
    pub fn new(store: Store, boot: BootId, grace: Duration) -> Self {
        let books = Books {
            grace,
            ..Books::default()
        };
        Self {
            store,
            books,
            life: Life { boot, batch: 0 },
            postgres: PostgresWriter::default(),
        }
    }

    /// Shows that this process lives.
    pub async fn beat(&mut self, now: Moment) -> Result<(), DbError> {
        match &self.store.db {
            Db::Postgres(pool) => self.postgres.beat(pool, &self.life, now).await,
            Db::Sqlite { writer, .. } => sqlite::beat(writer, &self.life, now).await,
        }
    }

    /// Decides and writes a batch. The answers are told only after `Ok`; after `Err` nothing was
    /// written. The batch comes back, unless the work on it panicked.
    pub async fn commit<B: Send + Sync + 'static, A: Send + 'static>(
        &mut self,
        batch: B,
        to_load: LoadSet,
        now: Moment,
        decide: Decide<B, A>,
    ) -> (Option<B>, Result<Vec<A>, DbError>) {
        if self.books.accounts.len() > ACCOUNTS_KEPT {
            self.books.forget();
        }
        let (mut batch, mut outcome) = self.attempt(batch, &to_load, now, decide, false).await;
        if matches!(outcome, Err(Trouble::Stale))
            && let Some(again) = batch.take()
        {
            (batch, outcome) = self.attempt(again, &to_load, now, decide, true).await;
        }
        for tenant in &to_load.tenants {
            if let Some(account) = self.books.accounts.get_mut(tenant) {
                account.forget_spent_grants();
            }
        }
        if outcome.is_ok() {
            self.store.committed.notify_one();
        }
        let outcome = outcome.map_err(|trouble| match trouble {
            Trouble::Failed(error) | Trouble::InDoubt(error) => error,
            Trouble::Stale => DbError::Damaged("the books changed while they were read".to_owned()),
        });
        (batch, outcome)
    }

    async fn attempt<B: Send + Sync + 'static, A: Send + 'static>(
        &mut self,
        batch: B,
        to_load: &LoadSet,
        now: Moment,
        decide: Decide<B, A>,
        careful: bool,
    ) -> (Option<B>, Result<Vec<A>, Trouble>) {
        self.books.begin();
        self.life.batch = self.life.batch.saturating_add(1);
        let (batch, outcome) = match &self.store.db {
            Db::Postgres(pool) => {
                let attempt = Attempt {
                    batch: &batch,
                    to_load,
                    now,
                    decide,
                    life: &self.life,
                    careful,
                };
                let outcome = self.postgres.commit(pool, &mut self.books, &attempt).await;
                (Some(batch), outcome)
            }
            Db::Sqlite { writer, .. } => {
                let books = std::mem::take(&mut self.books);
                let grace = books.grace;
                let (life, to_load) = (self.life.clone(), to_load.clone());
                let work = move |conn: &mut diesel::SqliteConnection| {
                    let mut books = books;
                    let attempt = Attempt {
                        batch: &batch,
                        to_load: &to_load,
                        now,
                        decide,
                        life: &life,
                        careful,
                    };
                    let outcome = sqlite::commit(conn, &mut books, &attempt);
                    (batch, books, outcome)
                };
                match sqlite::blocking(writer, work).await {
                    Ok((batch, books, outcome)) => {
                        self.books = books;
                        (Some(batch), outcome)
                    }
                    Err(error) => {
                        self.books.grace = grace;
                        (None, Err(Trouble::Failed(error)))
                    }
                }
            }
        };
        if outcome.is_err() {
            self.books.forget();
        }
        (batch, outcome)
    }
}

/// Takes over the versions of those accounts that were `asked` for; answers what must be read before the
/// rules may decide.
pub(super) fn missing<'t, B, A>(
    books: &mut Books,
    locked: Vec<AccountRow>,
    asked: impl IntoIterator<Item = &'t TenantId>,
    attempt: &Attempt<'_, B, A>,
) -> Missing {
    let to_load = attempt.to_load;
    let mut missing = Missing::default();
    let mut without_row: BTreeSet<&TenantId> = asked.into_iter().collect();
    for row in locked {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        without_row.remove(&tenant);
        let account = books.accounts.entry(tenant).or_default();
        if account.version == row.version && row.version > 0 {
            continue;
        }
        // Open holds stay, because only their owner touches them as long as it lives; those that this
        // batch is about are read again below.
        let holds = std::mem::take(&mut account.holds);
        *account = Account {
            version: row.version,
            totals: (&row).into(),
            holds,
            ..Account::default()
        };
        missing.tenants.push(row.tenant_id);
    }
    for tenant in without_row {
        books.accounts.remove(tenant);
    }
    let stale: BTreeSet<&str> = missing.tenants.iter().map(String::as_str).collect();
    for (tenant, hold) in &to_load.holds {
        let account = books.accounts.get(tenant);
        let known = account.is_some_and(|account| account.holds.contains_key(hold));
        if !known || stale.contains(tenant.as_str()) {
            missing.holds.push(hold.to_string());
        }
    }
    let unconfirmed = to_load.unconfirmed.iter().map(GenerationId::to_string);
    missing.holds.extend(unconfirmed);
    if attempt.careful {
        let fresh = to_load.fresh.iter().map(GenerationId::to_string);
        missing.holds.extend(fresh);
    }
    missing.holds.sort_unstable();
    missing.holds.dedup();
    let text = |pairs: &[(TenantId, String)]| {
        let pairs = pairs.iter();
        pairs.map(|(t, key)| (t.to_string(), key.clone())).collect()
    };
    missing.sources = text(&to_load.sources);
    missing.adjustments = text(&to_load.adjustments);
    missing
}

/// Spent grants that parts of open holds came from, and that are not known yet.
pub(super) fn missing_grants(books: &Books, missing: &Missing, loaded: &Loaded) -> Vec<String> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let of_rows = loaded
        .holds
        .iter()
        .filter(|row| row.state == HoldState::Held.word());
    ids.extend(of_rows.filter_map(|row| row.grant_id.clone()));
    ids.extend(loaded.allocations.iter().map(|row| row.grant_id.clone()));
    for tenant in &missing.tenants {
        let account = books.accounts.get(&TenantId::from_stored(tenant.clone()));
        let kept = account
            .into_iter()
            .flat_map(|account| account.holds.values());
        let parts = kept.flat_map(|book| &book.allocations);
        ids.extend(parts.map(|part| part.grant.to_string()));
    }
    if ids.is_empty() {
        return Vec::new();
    }
    for grant in books.accounts.values().flat_map(|account| &account.grants) {
        ids.remove(grant.id.as_str());
    }
    ids.into_iter().collect()
}

/// Adds what was read to the books.
pub(super) fn merge(
    books: &mut Books,
    loaded: Loaded,
    spenders: &BTreeSet<(TenantId, Spender)>,
) -> Result<(), DbError> {
    let mut touched: BTreeSet<TenantId> = BTreeSet::new();
    for row in loaded.grants {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let account = books.accounts.get_mut(&tenant);
        // The grant of another tenant's hold whose id was asked for; nothing of it is touched.
        let Some(account) = account else { continue };
        let grant: Grant = row.try_into()?;
        if account.grants.iter().all(|known| known.id != grant.id) {
            account.grants.push(grant);
            touched.insert(tenant);
        }
    }
    for tenant in &touched {
        if let Some(account) = books.accounts.get_mut(tenant) {
            account.sort();
        }
    }
    for row in loaded.grants_by_source {
        let source = (
            TenantId::from_stored(row.tenant_id.clone()),
            row.source_key.clone(),
        );
        books.grants_by_source.insert(source, row.try_into()?);
    }
    for row in loaded.adjustments {
        let adjusted = Adjusted::from(row);
        let wish = &adjusted.adjustment;
        let source = (wish.tenant.clone(), wish.source_key.clone());
        books.adjusted_by_source.insert(source, adjusted);
    }
    merge_budgets(books, loaded.budgets, spenders)?;
    merge_holds(books, loaded.holds, loaded.allocations)
}

fn merge_budgets(
    books: &mut Books,
    rows: Vec<BudgetRow>,
    asked: &BTreeSet<(TenantId, Spender)>,
) -> Result<(), DbError> {
    for (tenant, spender) in asked {
        if let Some(account) = books.accounts.get_mut(tenant) {
            account.budgets.entry(spender.clone()).or_default();
        }
    }
    for row in rows {
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let budget: Budget = row.try_into()?;
        let account = books.accounts.get_mut(&tenant);
        let budgets = account.and_then(|account| account.budgets.get_mut(&budget.spender));
        if let Some(budgets) = budgets
            && budgets.iter().all(|known| known.period != budget.period)
        {
            budgets.push(budget);
        }
    }
    Ok(())
}

fn merge_holds(
    books: &mut Books,
    holds: Vec<HoldRow>,
    allocations: Vec<AllocationRow>,
) -> Result<(), DbError> {
    let mut loaded = HashMap::new();
    for row in holds {
        let book = HeldBook::try_from(row)?;
        loaded.insert(book.hold.id.clone(), book);
    }
    // Read in the order of their positions.
    for row in allocations {
        let id = GenerationId::from_stored(row.hold_id);
        let book = loaded.get_mut(&id);
        let book = book.ok_or_else(|| damaged("allocation of", id.as_str()))?;
        book.allocations.push(Allocation {
            grant: GrantId::from_stored(row.grant_id),
            micros: row.amount_micros,
        });
    }
    for (id, book) in loaded {
        let account = books.accounts.get_mut(&book.hold.tenant);
        match account {
            Some(account) if book.hold.state == HoldState::Held => {
                // Closed and refused ones are looked up by id alone, so that a foreign id is known.
                books.closed.insert(id.clone(), book.hold.clone());
                account.holds.insert(id, book);
            }
            account => {
                // Another process closed it meanwhile.
                if let Some(account) = account {
                    account.holds.remove(&id);
                }
                books.closed.insert(id, book.hold);
            }
        }
    }
    Ok(())
}

/// Spenders whose budgets must be known and are not: those that ask, and those that holds to be
/// closed count against.
pub(super) fn unknown_budgets(
    books: &Books,
    to_load: &LoadSet,
    loaded: &Loaded,
) -> BTreeSet<(TenantId, Spender)> {
    let mut spenders: BTreeSet<(TenantId, Spender)> = to_load.spenders.iter().cloned().collect();
    for row in loaded.holds.iter().filter(|row| !row.budgets.is_empty()) {
        let texts = row.budgets.split(',').filter_map(|t| t.split('|').next());
        let tenant = TenantId::from_stored(row.tenant_id.clone());
        let found = texts.filter_map(Spender::from_text);
        spenders.extend(found.map(|spender| (tenant.clone(), spender)));
    }
    for (tenant, hold) in &to_load.holds {
        let account = books.accounts.get(tenant);
        let book = account.and_then(|account| account.holds.get(hold));
        let counted = book.into_iter().flat_map(|book| &book.hold.budgets);
        spenders.extend(counted.map(|of| (tenant.clone(), of.spender.clone())));
    }
    spenders.retain(|(tenant, spender)| {
        let account = books.accounts.get(tenant);
        account.is_some_and(|account| !account.budgets.contains_key(spender))
    });
    spenders
}

/// Runs the caller's rules; a broken invariant stops this batch, not the ledger. Where something of
/// memory was used, the batch is decided once more without it.
pub(super) fn decided<B, A>(
    books: &mut Books,
    attempt: &Attempt<'_, B, A>,
) -> Result<(Writes, Vec<A>), Trouble> {
    let decide = AssertUnwindSafe(|| (attempt.decide)(attempt.batch, books, attempt.now));
    let Ok((usage, answers)) = catch_unwind(decide) else {
        let sentence = "an invariant of the ledger does not hold; nothing was written";
        return Err(if attempt.careful {
            Trouble::Failed(DbError::Damaged(sentence.to_owned()))
        } else {
            Trouble::Stale
        });
    };
    Ok((writes(books, usage, attempt.now)?, answers))
}
