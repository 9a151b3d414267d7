//! The one writer of a process: keeps the books it knows from batch to batch, reads what it does not
//! know, writes what the rules changed, all in one transaction. Decides nothing.
//!
//! What is kept is never trusted further than the database confirms: an account counts as known
//! only under the version that was locked, an open hold is closed only if the row is still open and
//! as large, a new hold meets the primary key. When one of these says no, the batch is decided once
//! more over books that are read anew.

pub(super) mod books;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use server_rules::ledger::rules::Books;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::id::BootId;

use super::convert::writes::writes;
use super::postgres::PostgresWriter;
use super::rows::Writes;
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
