//! The one writer of a process: gathers what arrived, commits once, answers each; shows a sign of
//! life while nothing arrives. Decides nothing (`rules` does) and holds no SQL (`store::ledger` does).

use server_rules::ledger::{Adjusted, Budget, Grant, Settlement};
use server_store::ledger::{LoadSet, Writer};
use server_store::usage::{Filed, Standing};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::DbError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, warn};

use super::pulse::Pulse;
use super::rules::Books;
use super::{
    AdjustError, Closing, Command, ExtendError, GrantError, HoldError, LedgerError, LedgerSettings,
    Reply, SettleError,
};

/// Commits batch after batch until every handle is gone.
pub(super) async fn run(
    mut waiting: mpsc::Receiver<Command>,
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

/// Whether a caller waits for the command before it can go on.
fn is_urgent(command: &Command) -> bool {
    !matches!(
        command,
        Command::Settle(..) | Command::Release(..) | Command::Record(..)
    )
}

/// Lets a batch of settlements alone wait a little for a hold. A commit takes as long for one
/// command as for many, and without this half of all commits would be settlements that the next
/// hold has to wait for.
async fn join_a_hold(
    waiting: &mut mpsc::Receiver<Command>,
    batch: &mut Vec<Command>,
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

/// What a command came to; told once the batch is committed.
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

async fn commit(batch: Vec<Command>, writer: &mut Writer, clock: &Clock) {
    let (to_load, now) = (to_load(&batch), clock.now());
    let (batch, outcome) = writer.commit(batch, to_load, now, decide).await;
    // A batch that was lost has no callers left to tell: they see that nobody will answer.
    let batch = batch.unwrap_or_default();
    match outcome {
        Ok(answers) => {
            for (command, answer) in batch.into_iter().zip(answers) {
                tell(command, answer);
            }
        }
        Err(failure) => {
            error!(error = %failure, "a ledger batch was not committed: {failure}");
            for command in batch {
                tell_failure(command, &failure);
            }
        }
    }
}

/// What must be known for a batch.
fn to_load(batch: &[Command]) -> LoadSet {
    let mut to_load = LoadSet::default();
    for command in batch {
        match command {
            Command::Hold(request, _) => {
                to_load.tenants.push(request.tenant.clone());
                let spenders = request.spenders.iter();
                to_load
                    .spenders
                    .extend(spenders.map(|spender| (request.tenant.clone(), spender.clone())));
                to_load.fresh.push(request.id.clone());
            }
            Command::Extend(extending, _) => {
                to_load.tenants.push(extending.tenant.clone());
                to_load.unconfirmed.push(extending.hold.clone());
                let place = (extending.tenant.clone(), extending.hold.clone());
                to_load.holds.push(place);
            }
            Command::Settle(closing, _) | Command::Release(closing, _) => {
                to_load.tenants.push(closing.tenant.clone());
                let place = (closing.tenant.clone(), closing.hold.clone());
                to_load.holds.push(place);
            }
            Command::Grant(new, _) => {
                to_load.tenants.push(new.tenant.clone());
                let source = (new.tenant.clone(), new.source_key.clone());
                to_load.sources.push(source);
            }
            Command::Adjust(wish, _) => {
                to_load.tenants.push(wish.tenant.clone());
                let source = (wish.tenant.clone(), wish.source_key.clone());
                to_load.adjustments.push(source);
            }
            Command::Budget(asked, _) => {
                let (request, _) = &**asked;
                to_load.tenants.push(request.tenant.clone());
                to_load
                    .spenders
                    .push((request.tenant.clone(), request.spender.clone()));
            }
            Command::Expire(tenant, _) => to_load.tenants.push(tenant.clone()),
            Command::Record(..) => {}
        }
    }
    to_load.tidy();
    to_load
}

/// Applies every command in order of arrival; may run again over fresh books.
fn decide(batch: &Vec<Command>, books: &mut Books, now: Moment) -> (Vec<Filed>, Vec<Answer>) {
    let mut usage = Vec::new();
    let mut answers = Vec::with_capacity(batch.len());
    for command in batch {
        answers.push(match command {
            Command::Hold(request, _) => Answer::Hold(books.hold(request, now)),
            Command::Extend(wish, _) => {
                Answer::Extend(books.extend(&wish.hold, &wish.tenant, wish.to, now))
            }
            Command::Settle(closing, _) => {
                let standing = standing(books, closing);
                let outcome = books.settle(&closing.hold, &closing.tenant, closing.used, now);
                if let (Some(standing), Ok(settlement)) = (standing, &outcome) {
                    usage.extend(filed(closing, standing, *settlement));
                }
                Answer::Close(outcome)
            }
            Command::Release(closing, _) => {
                let standing = standing(books, closing);
                let (hold, tenant) = (&closing.hold, &closing.tenant);
                let outcome = books.release(hold, tenant, closing.unknown, now);
                if let (Some(standing), Ok(())) = (standing, &outcome) {
                    usage.extend(filed(closing, standing, Settlement::default()));
                }
                Answer::Close(outcome.map(|()| Settlement::default()))
            }
            Command::Grant(new, _) => Answer::Grant(books.grant(new, now)),
            Command::Adjust(wish, _) => Answer::Adjust(books.adjust(wish, now)),
            Command::Budget(asked, _) => {
                let (request, zone) = &**asked;
                Answer::Budget(books.set_budget(request, zone, now))
            }
            Command::Expire(tenant, _) => Answer::Expire(books.expire(tenant, now)),
            Command::Record(record, _) => {
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

/// Tells a caller what came of its command; one that went away does not mind.
fn tell(command: Command, answer: Answer) {
    match (command, answer) {
        (Command::Hold(_, reply), Answer::Hold(outcome)) => drop(reply.send(outcome)),
        (Command::Extend(_, reply), Answer::Extend(outcome)) => drop(reply.send(outcome)),
        (Command::Settle(_, reply) | Command::Release(_, reply), Answer::Close(outcome)) => {
            drop(reply.send(outcome));
        }
        (Command::Grant(_, reply), Answer::Grant(outcome)) => drop(reply.send(outcome)),
        (Command::Adjust(_, reply), Answer::Adjust(outcome)) => drop(reply.send(outcome)),
        (Command::Budget(_, reply), Answer::Budget(budget)) => drop(reply.send(Ok(budget))),
        (Command::Expire(_, reply), Answer::Expire(lapsed)) => drop(reply.send(Ok(lapsed))),
        (Command::Record(_, reply), Answer::Record) => drop(reply.send(Ok(()))),
        // Answers come in the order of the commands.
        (command, _) => {
            let failure = DbError::Damaged("a command got another's answer".to_owned());
            tell_failure(command, &failure);
        }
    }
}

fn tell_failure(command: Command, failure: &DbError) {
    fn fail<T, E: From<LedgerError>>(reply: Reply<Result<T, E>>, failure: &DbError) {
        let error = LedgerError::Commit(failure.to_string());
        drop(reply.send(Err(error.into())));
    }
    match command {
        Command::Hold(_, reply) => fail(reply, failure),
        Command::Extend(_, reply) => fail(reply, failure),
        Command::Settle(_, reply) | Command::Release(_, reply) => fail(reply, failure),
        Command::Grant(_, reply) => fail(reply, failure),
        Command::Adjust(_, reply) => fail(reply, failure),
        Command::Budget(_, reply) => fail(reply, failure),
        Command::Expire(_, reply) => fail(reply, failure),
        Command::Record(_, reply) => fail(reply, failure),
    }
}
