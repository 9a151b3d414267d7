//! One generation from call to outcome: attempts over targets and keys, then the answer's bytes with
//! a meter on them. Knows no HTTP and no provider's dialect.

mod attempt;
pub(crate) mod meter;
pub(crate) mod register;
mod stream;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use shared::fault::{Fault, FaultKind};
use shared::id::GenerationId;
use shared::link::{Call, Failure, Fate, LinkError, Operation, Outcome, Reply, ReplyBody};
use shared::usage::Usage;
use tracing::{info, warn};

use self::attempt::Accepted;
use self::meter::Meter;
use self::register::{End, Found, Place};
use self::stream::{MeteredStream, Running};
use crate::Gateway;
use crate::providers::Answer;

/// A cancelled generation ends within this, or something is stuck.
const CANCEL_WAIT: Duration = Duration::from_secs(5);
/// Targets that are tried for one call.
const TARGETS_MAX: usize = 16;

/// What an outcome says besides usage and fault.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) key_last4: String,
    pub(crate) attempts: u32,
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
            usage,
            fault,
            first_byte_ms: self.first_byte_ms,
            duration_ms: millis(self.begun.elapsed()),
        }
    }
}

/// Records the end of a generation that nobody waits for any more.
struct Guard {
    gateway: Arc<Gateway>,
    operation: Operation,
    place: Option<Place>,
}

impl Guard {
    fn end(&mut self, end: End) {
        if let Some(place) = self.place.take() {
            self.gateway.metrics.ended(self.operation, &end);
            place.end(end);
        }
    }
}

impl Drop for Guard {
    /// The caller went away while a provider was asked: the call is dropped with it, and nothing
    /// had been produced that anybody saw.
    fn drop(&mut self) {
        self.end(End::Failure(Arc::new(failure(
            Fault::new(FaultKind::Canceled, "nobody waits any more"),
            0,
        ))));
    }
}

pub(crate) fn failure(fault: Fault, attempts: u32) -> Failure {
    Failure {
        fault,
        caller: None,
        attempts,
        provider: None,
    }
}

/// Starts a generation; answers when a provider has accepted it.
pub(crate) async fn open(gateway: &Arc<Gateway>, call: Call) -> Result<Reply, LinkError> {
    if call.targets.is_empty() || call.targets.len() > TARGETS_MAX {
        return Err(LinkError::Refused(format!(
            "a call has 1 to {TARGETS_MAX} targets"
        )));
    }
    let place = gateway.register.begin(&call.generation);
    let place =
        place.ok_or_else(|| LinkError::Refused("this generation was started before".to_owned()))?;
    let cancel = place.cancel.clone();
    let mut guard = Guard {
        gateway: gateway.clone(),
        operation: call.operation,
        place: Some(place),
    };
    let begun = Instant::now();
    let attempts = attempt::attempts(gateway, &call, begun);
    let accepted = tokio::select! {
        () = cancel.cancelled() => Err(failure(Fault::new(FaultKind::Canceled, "cancelled by the server"), 0)),
        () = tokio::time::sleep(call.deadline) => Err(failure(Fault::new(FaultKind::Timeout, "the call's deadline is over"), 0)),
        accepted = attempts => accepted,
    };
    match accepted {
        Ok(accepted) => deliver(call, accepted, guard),
        Err(failure) => {
            info!(request.id = %call.request, generation.id = %call.generation, "generation `{}` failed: {failure}", call.generation);
            guard.end(End::Failure(Arc::new(failure.clone())));
            Err(LinkError::Failed(Box::new(failure)))
        }
    }
}

fn deliver(call: Call, accepted: Accepted, mut guard: Guard) -> Result<Reply, LinkError> {
    let Accepted {
        answer,
        story,
        lease,
    } = accepted;
    let boot = guard.gateway.boot.clone();
    match answer {
        Answer::Whole(bytes) => {
            match meter::whole_usage(&bytes, call.operation == Operation::Image) {
                Ok(usage) => {
                    lease.succeeded();
                    let outcome = story.outcome(usage, None);
                    guard.end(End::Outcome(Arc::new(outcome.clone())));
                    let body = ReplyBody::Whole {
                        bytes,
                        outcome: Box::new(outcome),
                    };
                    Ok(Reply {
                        boot,
                        content_type: "application/json".to_owned(),
                        body,
                    })
                }
                Err(fault) => {
                    warn!(request.id = %call.request, "generation `{}`: {fault}", call.generation);
                    let failure = failure(fault, story.attempts);
                    guard.end(End::Failure(Arc::new(failure.clone())));
                    Err(LinkError::Failed(Box::new(failure)))
                }
            }
        }
        Answer::Stream(bytes) => {
            let meter = Meter::new(call.show_usage, call.body.len());
            let deadline = story.begun + call.deadline;
            let running = Running::new(story, meter, lease, guard);
            let body = ReplyBody::Stream(Box::pin(MeteredStream::new(bytes, running, deadline)));
            Ok(Reply {
                boot,
                content_type: "text/event-stream; charset=utf-8".to_owned(),
                body,
            })
        }
    }
}

/// Cancels a generation if it runs, and answers how it ended.
pub(crate) async fn finish(gateway: &Gateway, id: &GenerationId) -> Result<Fate, LinkError> {
    let mut end = match gateway.register.find(id) {
        Found::Nothing => {
            return Ok(Fate::Unknown {
                boot: gateway.boot.clone(),
            });
        }
        Found::Ended(end) => return Ok(end.fate()),
        Found::Running { cancel, stop, end } => {
            cancel.cancel();
            // A stream that nobody reads does not see the token.
            if let Some(stream) = stop.get().and_then(Weak::upgrade) {
                stream.stop();
            }
            end
        }
    };
    let waiting = end.wait_for(Option::is_some);
    match tokio::time::timeout(CANCEL_WAIT, waiting).await {
        Ok(Ok(end)) => match end.as_ref() {
            Some(end) => Ok(end.fate()),
            None => Err(LinkError::Lost("the generation has no end".to_owned())),
        },
        Ok(Err(_)) | Err(_) => Err(LinkError::Lost(
            "the generation did not end in time".to_owned(),
        )),
    }
}
