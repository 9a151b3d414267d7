//! The one writer of a process: gathers what arrived, commits once, answers each; shows a sign of
//! life while nothing arrives. Decides nothing (`rules` does) and holds no SQL (`store::ledger` does).

use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::DbError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, warn};

use super::nouns::{Adjusted, Budget, Grant, Settlement};
use super::pulse::Pulse;
use super::rules::Books;
use super::{
    AdjustError, Closing, ExtendError, GrantError, HoldError, LedgerError, LedgerSettings,
    Operation, Reply, SettleError,
};
use crate::store::ledger::{Wanted, Writer};
use crate::store::usage::{Filed, Standing};

/// Commits batch after batch until every handle is gone.
pub(super) async fn run(
    mut waiting: mpsc::Receiver<Operation>,
    mut writer: Writer,
    clock: Clock,
    settings: LedgerSettings,
    pulse: Pulse,
) {
    let mut batch = Vec::with_capacity(settings.batch_max);
    loop {
        let gathering = waiting.recv_many(&mut batch, settings.batch_max);
        match timeout(settings.heartbeat, gathering).await {
            Ok(0) => break,
            Ok(_) => {
                join_a_hold(&mut waiting, &mut batch, &settings).await;
                let full = Vec::with_capacity(settings.batch_max);
                let began = Instant::now();
                commit(std::mem::replace(&mut batch, full), &mut writer, &clock).await;
                pulse.committed(clock.now(), began.elapsed());
            }
            Err(_) => {
                if let Err(failure) = writer.beat(clock.now()).await {
                    warn!(error = %failure, "the ledger could not show a sign of life: {failure}");
                }
            }
        }
    }
}

/// Whether a caller waits for the operation before it can go on.
fn is_urgent(operation: &Operation) -> bool {
    !matches!(
        operation,
        Operation::Settle(..) | Operation::Release(..) | Operation::Record(..)
    )
}

/// Lets a batch of settlements alone wait a little for a hold. A commit takes as long for one
/// operation as for many, and without this half of all commits would be settlements that the next
/// hold has to wait for.
async fn join_a_hold(
    waiting: &mut mpsc::Receiver<Operation>,
    batch: &mut Vec<Operation>,
    settings: &LedgerSettings,
) {
    let end = Instant::now().checked_add(settings.patience);
    let Some(end) = end.filter(|_| !settings.patience.is_zero()) else {
        return;
    };
    while batch.len() < settings.batch_max && !batch.iter().any(is_urgent) {
        let more = settings.batch_max.saturating_sub(batch.len());
        let gathering = timeout_at(end, waiting.recv_many(batch, more));
        if !matches!(gathering.await, Ok(1..)) {
            return;
        }
    }
}

/// What an operation came to; told once the batch is committed.
enum Answer {
    Hold(Result<Credits, HoldError>),
    Extend(Result<Credits, ExtendError>),
    Close(Result<Settlement, SettleError>),
    Grant(Result<Grant, GrantError>),
    Adjust(Result<Adjusted, AdjustError>),
    Budget(Option<Budget>),
    Expire(Credits),
    Record,
}

async fn commit(batch: Vec<Operation>, writer: &mut Writer, clock: &Clock) {
    let (wanted, now) = (wanted(&batch), clock.now());
    let (batch, outcome) = writer.commit(batch, wanted, now, decide).await;
    // A batch that was lost has no callers left to tell: they see that nobody will answer.
    let batch = batch.unwrap_or_default();
    match outcome {
        Ok(answers) => {
            for (operation, answer) in batch.into_iter().zip(answers) {
                tell(operation, answer);
            }
        }
        Err(failure) => {
            error!(error = %failure, "a ledger batch was not committed: {failure}");
            for operation in batch {
                tell_failure(operation, &failure);
            }
        }
    }
}

/// What must be known for a batch.
fn wanted(batch: &[Operation]) -> Wanted {
    let mut wanted = Wanted::default();
    for operation in batch {
        match operation {
            Operation::Hold(ask, _) => {
                wanted.tenants.push(ask.tenant.clone());
                let spenders = ask.spenders.iter();
                wanted
                    .spenders
                    .extend(spenders.map(|spender| (ask.tenant.clone(), spender.clone())));
                wanted.fresh.push(ask.id.clone());
            }
            Operation::Extend(extending, _) => {
                wanted.tenants.push(extending.tenant.clone());
                let place = (extending.tenant.clone(), extending.hold.clone());
                wanted.holds.push(place);
            }
            Operation::Settle(closing, _) | Operation::Release(closing, _) => {
                wanted.tenants.push(closing.tenant.clone());
                let place = (closing.tenant.clone(), closing.hold.clone());
                wanted.holds.push(place);
            }
            Operation::Grant(new, _) => {
                wanted.open(&new.tenant);
                let source = (new.tenant.clone(), new.source_key.clone());
                wanted.sources.push(source);
            }
            Operation::Adjust(wish, _) => {
                wanted.open(&wish.tenant);
                let source = (wish.tenant.clone(), wish.source_key.clone());
                wanted.adjustments.push(source);
            }
            Operation::Budget(asked, _) => {
                let (ask, _) = &**asked;
                wanted.open(&ask.tenant);
                wanted
                    .spenders
                    .push((ask.tenant.clone(), ask.spender.clone()));
            }
            Operation::Expire(tenant, _) => wanted.tenants.push(tenant.clone()),
            Operation::Record(..) => {}
        }
    }
    wanted.tidy();
    wanted
}

/// Applies every operation in order of arrival; may run again over fresh books.
fn decide(batch: &Vec<Operation>, books: &mut Books, now: Moment) -> (Vec<Filed>, Vec<Answer>) {
    let mut usage = Vec::new();
    let mut answers = Vec::with_capacity(batch.len());
    for operation in batch {
        answers.push(match operation {
            Operation::Hold(ask, _) => Answer::Hold(books.hold(ask, now)),
            Operation::Extend(wish, _) => {
                Answer::Extend(books.extend(&wish.hold, &wish.tenant, wish.to, now))
            }
            Operation::Settle(closing, _) => {
                let standing = standing(books, closing);
                let outcome = books.settle(&closing.hold, &closing.tenant, closing.used, now);
                if let (Some(standing), Ok(settlement)) = (standing, &outcome) {
                    usage.extend(filed(closing, standing, *settlement));
                }
                Answer::Close(outcome)
            }
            Operation::Release(closing, _) => {
                let standing = standing(books, closing);
                let (hold, tenant) = (&closing.hold, &closing.tenant);
                let outcome = books.release(hold, tenant, closing.unknown, now);
                if let (Some(standing), Ok(())) = (standing, &outcome) {
                    usage.extend(filed(closing, standing, Settlement::default()));
                }
                Answer::Close(outcome.map(|()| Settlement::default()))
            }
            Operation::Grant(new, _) => Answer::Grant(books.grant(new, now)),
            Operation::Adjust(wish, _) => Answer::Adjust(books.adjust(wish, now)),
            Operation::Budget(asked, _) => {
                let (ask, zone) = &**asked;
                Answer::Budget(books.set_budget(ask, zone, now))
            }
            Operation::Expire(tenant, _) => Answer::Expire(books.expire(tenant, now)),
            Operation::Record(record, _) => {
                usage.push(Filed {
                    record: record.as_ref().clone(),
                    standing: Standing::Final,
                });
                Answer::Record
            }
        });
    }
    (usage, answers)
}

/// How the record of a hold that is to be closed stands; `None` where there is nothing to close any
/// more, so that what was written stays.
fn standing(books: &Books, closing: &Closing) -> Option<Standing> {
    let (tenant, hold) = (&closing.tenant, &closing.hold);
    if books.is_open(tenant, hold) {
        let open = closing.unknown.is_some();
        return Some(if open {
            Standing::Open
        } else {
            Standing::Final
        });
    }
    let resolves = books.is_unknown(tenant, hold) && closing.unknown.is_none();
    resolves.then_some(Standing::Final)
}

/// The record as it is written: with what was charged, which may be less than the call came to.
fn filed(closing: &Closing, standing: Standing, settlement: Settlement) -> Option<Filed> {
    let mut record = closing.usage.clone()?;
    record.credits = settlement.charged;
    if let Some(loss) = settlement.loss {
        let (before, more) = (record.loss.micros(), settlement.shortfall.micros());
        record.loss = Credits::from_micros(before.saturating_add(more));
        record.loss_why = Some(loss.word().to_owned());
    }
    Some(Filed { record, standing })
}

/// Tells a caller what came of its operation; one that went away does not mind.
fn tell(operation: Operation, answer: Answer) {
    match (operation, answer) {
        (Operation::Hold(_, reply), Answer::Hold(outcome)) => drop(reply.send(outcome)),
        (Operation::Extend(_, reply), Answer::Extend(outcome)) => drop(reply.send(outcome)),
        (Operation::Settle(_, reply) | Operation::Release(_, reply), Answer::Close(outcome)) => {
            drop(reply.send(outcome));
        }
        (Operation::Grant(_, reply), Answer::Grant(outcome)) => drop(reply.send(outcome)),
        (Operation::Adjust(_, reply), Answer::Adjust(outcome)) => drop(reply.send(outcome)),
        (Operation::Budget(_, reply), Answer::Budget(budget)) => drop(reply.send(Ok(budget))),
        (Operation::Expire(_, reply), Answer::Expire(lapsed)) => drop(reply.send(Ok(lapsed))),
        (Operation::Record(_, reply), Answer::Record) => drop(reply.send(Ok(()))),
        // Answers come in the order of the operations.
        (operation, _) => {
            let failure = DbError::Damaged("an operation got another's answer".to_owned());
            tell_failure(operation, &failure);
        }
    }
}

fn tell_failure(operation: Operation, failure: &DbError) {
    fn fail<T, E: From<LedgerError>>(reply: Reply<Result<T, E>>, failure: &DbError) {
        let error = LedgerError::Commit(failure.to_string());
        drop(reply.send(Err(error.into())));
    }
    match operation {
        Operation::Hold(_, reply) => fail(reply, failure),
        Operation::Extend(_, reply) => fail(reply, failure),
        Operation::Settle(_, reply) | Operation::Release(_, reply) => fail(reply, failure),
        Operation::Grant(_, reply) => fail(reply, failure),
        Operation::Adjust(_, reply) => fail(reply, failure),
        Operation::Budget(_, reply) => fail(reply, failure),
        Operation::Expire(_, reply) => fail(reply, failure),
        Operation::Record(_, reply) => fail(reply, failure),
    }
}
