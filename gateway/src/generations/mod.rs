//! One generation from call to outcome: attempts over targets and keys, then the answer's bytes with
//! a meter on them, for readers that may come and go. Knows no HTTP and no provider's dialect.

mod attempt;
mod flow;
mod generation;
mod log;
mod reader;
pub(crate) mod register;

pub(crate) use self::reader::Leaving;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::fault::Fault;
use shared::id::{BootId, GenerationId};
use shared::link::{Call, FailedTry, Failure, Fate, LinkError, Outcome, Parting, Reply};
use shared::usage::Usage;

use self::generation::{Generation, canceled};
use self::reader::Reader;
use self::register::{Begun, Found, NotBegun};
use crate::Gateway;

/// Targets that are tried for one call.
const TARGETS_MAX: usize = 16;

/// What an outcome says besides usage and fault.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) key_last4: String,
    pub(crate) attempts: u32,
    pub(crate) failed: Vec<FailedTry>,
    pub(crate) begun: Instant,
    pub(crate) first_byte_ms: u64,
}

pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Story {
    pub(crate) fn outcome(&self, usage: Usage, fault: Option<Fault>) -> Outcome {
        Outcome {
            provider: self.provider.clone(),
            model: self.model.clone(),
            key_last4: self.key_last4.clone(),
            attempts: self.attempts,
            failed: self.failed.clone(),
            usage,
            taken: None,
            fault,
            first_byte_ms: self.first_byte_ms,
            duration_ms: millis(self.begun.elapsed()),
        }
    }
}

pub(crate) fn failure(fault: Fault, attempts: u32) -> Failure {
    Failure {
        fault,
        caller: None,
        attempts,
        failed: Vec::new(),
        provider: None,
    }
}

/// Tells requests apart that come with one id; both sides are ours, so no hash against attackers.
fn print(call: &Call) -> u64 {
    let mut hasher = DefaultHasher::new();
    (call.operation, call.stream, call.show_usage).hash(&mut hasher);
    call.body.hash(&mut hasher);
    for target in call.targets.iter() {
        (&target.provider, &target.model).hash(&mut hasher);
    }
    hasher.finish()
}

/// Starts the generation of a call or joins it; answers when a provider has accepted it.
pub(crate) async fn open(
    gateway: &Arc<Gateway>,
    call: Call,
    leaving: Leaving,
    offset: u64,
    life: Option<&BootId>,
) -> Result<Reply, LinkError> {
    if call.targets.is_empty() || call.targets.len() > TARGETS_MAX {
        return Err(LinkError::Refused(format!(
            "a call has 1 to {TARGETS_MAX} targets"
        )));
    }
    let (id, print) = (call.generation.clone(), print(&call));
    let keeps = leaving == Leaving::Detaches;
    let make = || Generation::new(gateway, call, print, keeps);
    let reader = match gateway.register.begin(&id, print, life, keeps, make) {
        Ok(Begun::New(generation)) => Reader::live(generation, offset, leaving),
        Ok(Begun::Running(_) | Begun::Ended(_)) if !keeps => {
            return Err(LinkError::Refused(
                "this generation was started before".to_owned(),
            ));
        }
        Ok(Begun::Running(generation)) => {
            gateway.metrics.joined();
            Reader::live(generation, offset, leaving)
        }
        Ok(Begun::Ended(ended)) => {
            gateway.metrics.joined();
            Reader::ended(ended, offset)
        }
        Err(why) => return Err(refusal(why)),
    };
    reader.reply(gateway.boot.clone()).await
}

fn refusal(why: NotBegun) -> LinkError {
    match why {
        NotBegun::OtherRequest => {
            LinkError::Refused("this generation belongs to another request".to_owned())
        }
        NotBegun::Buried => LinkError::Refused("this generation was given up before".to_owned()),
        NotBegun::Closed(why) => LinkError::NotSent(format!("the gateway is {why}")),
        NotBegun::OtherLife => LinkError::Lost("the gateway was restarted".to_owned()),
    }
}

/// Attaches to a generation from `offset` on; starts nothing.
pub(crate) async fn attach(
    gateway: &Arc<Gateway>,
    id: &GenerationId,
    offset: u64,
) -> Result<Reply, LinkError> {
    let reader = match gateway.register.find(id) {
        Found::Nothing => {
            return Err(LinkError::Lost("the generation is not known".to_owned()));
        }
        Found::Running(generation) => Reader::live(generation, offset, Leaving::Detaches),
        Found::Ended(ended) => Reader::ended(ended, offset),
    };
    gateway.metrics.resumed();
    reader.reply(gateway.boot.clone()).await
}

/// Cancels a generation if it runs, and answers how it ended. One that never came is not started
/// any more, should it still be on its way.
pub(crate) fn finish(gateway: &Gateway, id: &GenerationId, _why: Parting) -> Fate {
    match gateway.register.give_up(id) {
        Found::Nothing => Fate::Unknown {
            boot: gateway.boot.clone(),
        },
        Found::Ended(ended) => ended.end.fate(),
        Found::Running(generation) => generation.stop(canceled("cancelled by the server")).fate(),
    }
}

/// Ends all that runs, because the process does.
pub(crate) fn finish_all(gateway: &Gateway) {
    for generation in gateway.register.all_running() {
        generation.stop(Fault::new(
            shared::fault::FaultKind::Interrupted,
            "the gateway was shut down",
        ));
    }
}
