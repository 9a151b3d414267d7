//! One generation from call to outcome: attempts over targets and keys, then the answer's bytes with
//! a meter on them, for readers that may come and go. Knows no HTTP and no provider's dialect.

mod attempt;
mod context;
mod ending;
mod flow;
mod generation;
pub(crate) mod journal;
mod log;
mod parting;
mod reader;
pub(crate) mod register;
mod state;
mod taken;
mod translation;

pub(crate) use self::context::GenerationContext;
pub(crate) use self::parting::cancel;
pub(crate) use self::reader::{Coming, OnDisconnect};

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::fault::Fault;
use shared::id::{BootId, GenerationId};
use shared::link::{Call, FailedTry, Failure, LinkError, Outcome, Reply};
use shared::units::Usage;

use self::generation::Generation;
use self::journal::Remembered;
use self::reader::Reader;
use self::register::{Found, NotRegistered, Register, Registration};

/// Targets that are tried for one call.
const TARGETS_MAX: usize = 16;

/// What an outcome says besides usage and fault.
#[derive(Debug, Clone)]
pub(crate) struct AttemptTrail {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) key_last4: String,
    pub(crate) attempts: u32,
    pub(crate) failed: Vec<FailedTry>,
    pub(crate) begun: Instant,
    pub(crate) first_byte_ms: u64,
    /// The name that the answer gives its model, instead of the provider's.
    pub(crate) answers: Option<Arc<str>>,
}

pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl AttemptTrail {
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
            made_by: None,
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
        made_by: None,
    }
}

/// Tells requests apart that come with one id; both sides are ours, so no hash against attackers.
fn fingerprint(call: &Call) -> u64 {
    let mut hasher = DefaultHasher::new();
    (call.surface.path, call.stream, call.show_usage).hash(&mut hasher);
    call.body.hash(&mut hasher);
    for target in call.targets.iter() {
        (&target.provider, &target.model).hash(&mut hasher);
    }
    hasher.finish()
}

/// Starts the generation of a call or joins it; answers when a provider has accepted it.
pub(crate) async fn open(
    context: &Arc<GenerationContext>,
    call: Call,
    coming: Coming,
    life: Option<&BootId>,
) -> Result<Reply, LinkError> {
    if call.targets.is_empty() || call.targets.len() > TARGETS_MAX {
        return Err(LinkError::Refused(format!(
            "a call has 1 to {TARGETS_MAX} targets"
        )));
    }
    let (id, fingerprint) = (call.generation.clone(), fingerprint(&call));
    let keeps = coming.on_disconnect == OnDisconnect::Detaches;
    if life.is_some() && matches!(context.register.find(&id), Found::Nothing) {
        // It was sent before: an earlier life may have ended it, or this one long ago.
        match context.outcomes.find(&id).await {
            Remembered::Ended(ended, known) if known == fingerprint => {
                let reader = Reader::ended(context, &id, *ended, coming.offset);
                return reader.reply(context.boot.clone()).await;
            }
            Remembered::Ended(..) => return Err(refusal(NotRegistered::OtherRequest)),
            Remembered::Begun | Remembered::Came(_) => {
                return Err(refusal(NotRegistered::OtherLife));
            }
            Remembered::Nothing => {}
        }
    }
    let make = || Generation::new(context, call, fingerprint, keeps);
    let reader = match context.register.begin(&id, fingerprint, life, keeps, make) {
        Ok(Registration::New(generation)) => Reader::live(generation, coming),
        Ok(Registration::Running(_) | Registration::Ended(_)) if !keeps => {
            return Err(LinkError::Refused(
                "this generation was started before".to_owned(),
            ));
        }
        Ok(Registration::Running(generation)) => {
            context.metrics.joined();
            Reader::live(generation, coming)
        }
        Ok(Registration::Ended(ended)) => {
            context.metrics.joined();
            Reader::ended(context, &id, ended, coming.offset)
        }
        Err(why) => return Err(refusal(why)),
    };
    reader.reply(context.boot.clone()).await
}

fn refusal(why: NotRegistered) -> LinkError {
    match why {
        NotRegistered::OtherRequest => {
            LinkError::Refused("this generation belongs to another request".to_owned())
        }
        NotRegistered::Tombstone => {
            LinkError::Refused("this generation was given up before".to_owned())
        }
        NotRegistered::Closed(why) => LinkError::NotSent(format!("the gateway is {why}")),
        NotRegistered::OtherLife => LinkError::Lost("the gateway was restarted".to_owned()),
    }
}

/// Attaches to a generation from an offset on; starts nothing.
pub(crate) async fn attach(
    context: &Arc<GenerationContext>,
    id: &GenerationId,
    coming: Coming,
) -> Result<Reply, LinkError> {
    let reader = match context.register.find(id) {
        Found::Running(generation) => Reader::live(generation, coming),
        Found::Ended(ended) => Reader::ended(context, id, ended, coming.offset),
        Found::Nothing => match context.outcomes.find(id).await {
            Remembered::Ended(ended, _) => Reader::ended(context, id, *ended, coming.offset),
            Remembered::Begun | Remembered::Came(_) | Remembered::Nothing => {
                return Err(LinkError::Lost("the generation is not known".to_owned()));
            }
        },
    };
    context.metrics.resumed();
    reader.reply(context.boot.clone()).await
}

/// The last byte of a whole answer was taken.
pub(crate) fn took_whole(context: &GenerationContext, id: &GenerationId) {
    if let Found::Ended(ended) = context.register.find(id)
        && ended.untaken.is_some_and(|untaken| untaken.took_all())
    {
        context.outcomes.took(id);
    }
}

/// Ends all that runs, because the process does.
pub(crate) fn cancel_all(register: &Register) {
    for generation in register.all_running() {
        generation.stop(Fault::new(
            shared::fault::FaultKind::Interrupted,
            "the gateway was shut down",
        ));
    }
}
