//! The one writer of a process: gathers what arrived, commits once, answers each.
//! Decides nothing (`rules` does) and holds no SQL (`store::ledger` does).

use shared::clock::Clock;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::rules::Books;
use super::{GrantError, HoldError, LedgerError, Operation, SettleError};
use crate::store::Store;
use crate::store::ledger::Wanted;
use crate::store::usage::UsageRecord;

/// Operations in one transaction: larger ones make everybody wait longer without saving commits.
const BATCH_MAX: usize = 512;

/// Commits batch after batch until every handle is gone.
pub(super) async fn run(mut waiting: mpsc::Receiver<Operation>, store: Store, clock: Clock) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        commit(std::mem::take(&mut batch), &store, &clock).await;
    }
}

/// An answer that waits for the commit.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

async fn commit(batch: Vec<Operation>, store: &Store, clock: &Clock) {
    let wanted = wanted(&batch);
    let now = clock.now();
    let decide = move |books: &mut Books| decide(batch, books, now);
    match store.ledger_commit(wanted, now, decide).await {
        Ok(replies) => {
            for reply in replies {
                reply(Ok(()));
            }
        }
        Err((failure, replies)) => {
            error!(error = %failure, "a ledger batch was not committed: {failure}");
            let text = failure.to_string();
            for reply in replies {
                reply(Err(&text));
            }
        }
    }
}

/// What must be loaded and locked for a batch.
fn wanted(batch: &[Operation]) -> Wanted {
    let mut wanted = Wanted::default();
    for operation in batch {
        match operation {
            Operation::Hold(ask, _) => {
                wanted.tenants.push(ask.tenant.clone());
                wanted.holds.push(ask.id.clone());
            }
            Operation::Settle(closing, _) | Operation::Release(closing, _) => {
                wanted.tenants.push(closing.tenant.clone());
                wanted.holds.push(closing.hold.clone());
            }
            Operation::Grant(new, _) => {
                wanted.tenants.push(new.tenant.clone());
                wanted.accounts_to_open.push(new.tenant.clone());
                wanted
                    .sources
                    .push((new.tenant.clone(), new.source_key.clone()));
            }
            Operation::Record(..) => {}
        }
    }
    wanted.tidy();
    wanted
}

/// Applies every operation in order of arrival; the answers wait for the commit.
fn decide(
    batch: Vec<Operation>,
    books: &mut Books,
    now: shared::clock::Moment,
) -> (Vec<UsageRecord>, Vec<Reply>) {
    let mut usage = Vec::new();
    let mut replies: Vec<Reply> = Vec::with_capacity(batch.len());
    for operation in batch {
        match operation {
            Operation::Hold(ask, answer) => {
                let outcome = books.hold(&ask, now);
                replies.push(later(answer, outcome, HoldError::Ledger));
            }
            Operation::Settle(closing, answer) => {
                let open = books.is_open(&closing.hold);
                let outcome = books.settle(&closing.hold, &closing.tenant, closing.used, now);
                usage.extend(closing.usage.filter(|_| open && outcome.is_ok()));
                replies.push(later(answer, outcome, SettleError::Ledger));
            }
            Operation::Release(closing, answer) => {
                let open = books.is_open(&closing.hold);
                let outcome = books.release(&closing.hold, &closing.tenant, now);
                usage.extend(closing.usage.filter(|_| open && outcome.is_ok()));
                let outcome = outcome.map(|()| super::Settlement::default());
                replies.push(later(answer, outcome, SettleError::Ledger));
            }
            Operation::Grant(new, answer) => {
                let outcome = books.grant(&new, now);
                replies.push(later(answer, outcome, GrantError::Ledger));
            }
            Operation::Record(record, answer) => {
                usage.push(*record);
                replies.push(later(answer, Ok(()), |e| e));
            }
        }
    }
    (usage, replies)
}

/// A caller that went away does not mind that nobody reads its answer.
fn later<T: Send + 'static, E: Send + 'static>(
    answer: oneshot::Sender<Result<T, E>>,
    outcome: Result<T, E>,
    failed: fn(LedgerError) -> E,
) -> Reply {
    Box::new(move |committed| {
        let outcome = match committed {
            Ok(()) => outcome,
            Err(text) => Err(failed(LedgerError::Commit(text.to_owned()))),
        };
        drop(answer.send(outcome));
    })
}
