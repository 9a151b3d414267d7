//! How a generation ends: what is charged, what is written down, what is recorded. Drives nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use shared::fault::{Fault, FaultKind};
use shared::link::Failure;
use shared::units::Usage;
use tracing::info;

use super::failure;
use super::generation::{About, Generation, canceled};
use super::journal::Kept;
use super::register::{End, Ended, Output};
use super::state::{Closing, Phase, State};
use super::taken::{self, Untaken};
use crate::pool::Lease;
use crate::providers::{ContentType, in_stream};

/// A disk that takes longer keeps no answer up.
pub(super) const KEPT_WITHIN: Duration = Duration::from_secs(2);

pub(super) fn left() -> Fault {
    canceled("the tenant went away")
}

pub(super) fn late() -> Fault {
    Fault::new(FaultKind::Timeout, "the call's deadline is over")
}

impl Generation {
    /// Ends it now, unless it has ended; answers how, and when that is on disk.
    pub(super) fn stop(&self, fault: Fault) -> (Ended, Kept) {
        let mut state = self.lock();
        let mut kept = Kept::nothing();
        match &state.phase {
            Phase::Ended(_) => {}
            Phase::Closing(_) => self.close(&mut state),
            Phase::Opening(_) => kept = self.fail(&mut state, failure(fault, 0)),
            Phase::Streaming(_) => {
                self.finish(&mut state, Some(fault));
                if let Phase::Closing(closing) = &mut state.phase {
                    kept = std::mem::replace(&mut closing.kept, Kept::nothing());
                }
                self.close(&mut state);
            }
        }
        let ended = match &state.phase {
            Phase::Ended(ended) => ended.clone(),
            // Not reached: every way above ends it.
            Phase::Opening(_) | Phase::Streaming(_) | Phase::Closing(_) => {
                let failed = failure(canceled("it did not end"), 0);
                Ended::remembered(End::Failure(Arc::new(failed)), false, 0, None)
            }
        };
        (ended, kept)
    }

    /// Ends it if its time is over, also while a reader stands still.
    pub(super) fn expire(&self, now: Instant) {
        let is_closing = matches!(self.lock().phase, Phase::Closing(_));
        if now >= self.about.deadline && (!is_closing || now >= self.about.deadline + KEPT_WITHIN) {
            self.stop(late());
        }
    }

    /// Writes down how far a stream has come, where that is worth a line. Of one whose tenant left,
    /// nothing is taken any more.
    pub(super) fn write_progress(&self, now: Instant, is_time_short: bool) {
        let mut state = self.lock();
        let taken = state.taking.output();
        if state.parted.is_some() || !state.progress.is_due(taken, now, is_time_short) {
            return;
        }
        let usage = Self::consumed(&state);
        let Phase::Streaming(streaming) = &state.phase else {
            return;
        };
        let died = Fault::new(FaultKind::Interrupted, "the gateway died");
        let outcome = streaming.trail.outcome(usage, Some(died));
        let came = Ended {
            end: End::Outcome(Arc::new(outcome)),
            whole: false,
            content_type: ContentType::default(),
            dropped: Arc::default(),
            length: state.length,
            output: None,
            untaken: Some(state.taking.come()),
        };
        state.progress.told(taken, now);
        let About {
            id, fingerprint, ..
        } = &self.about;
        self.context.outcomes.came(id, *fingerprint, &came);
    }

    pub(super) fn fail(&self, state: &mut State, failure: Failure) -> Kept {
        info!(
            request.id = %self.about.request, generation.id = %self.about.id,
            "generation `{}` failed: {failure}", self.about.id
        );
        let ended = Ended {
            end: End::Failure(Arc::new(failure)),
            whole: false,
            content_type: ContentType::default(),
            dropped: Arc::default(),
            length: state.length,
            output: None,
            untaken: None,
        };
        // Nothing is charged for it: nobody waits until it is on disk.
        let kept = self.note(&ended);
        self.end(state, ended);
        kept
    }

    /// Ends a stream with what it consumed.
    pub(super) fn finish(&self, state: &mut State, fault: Option<Fault>) {
        let usage = Self::consumed(state);
        let Phase::Streaming(streaming) = &mut state.phase else {
            return;
        };
        Self::watch_maximum(&streaming.lease, &usage);
        let fault = match (fault, streaming.flow.told()) {
            (Some(fault), Some(told)) => {
                let route = streaming.lease.route();
                Some(in_stream(fault, &told, route, self.about.names_person))
            }
            (fault, _) => fault,
        };
        // What came to its proper end is whole, whatever happened to the connection then.
        let fault = fault.filter(|_| !streaming.flow.is_done());
        match &fault {
            None => streaming.lease.succeeded(),
            Some(fault) => streaming.lease.failed(fault),
        }
        let fault = if state.parted.is_some() {
            Some(left())
        } else {
            fault
        };
        let outcome = streaming.trail.outcome(usage, fault);
        let (last, passed) = (streaming.last.take(), streaming.flow.passed());
        self.write_down(
            state,
            Closing {
                last,
                passed,
                ..Closing::new(outcome)
            },
        );
    }

    /// What was used counts at the key. A model that wrote more than it was asked for may not know the
    /// field of the maximum.
    pub(super) fn watch_maximum(lease: &Lease, usage: &Usage) {
        lease.used(usage);
        if usage.overrun {
            lease.ignored_maximum();
        }
    }

    /// The provider's count, else an estimate: of what passed, or where the tenant left of what it had
    /// been given.
    fn consumed(state: &State) -> Usage {
        let Phase::Streaming(streaming) = &state.phase else {
            return Usage::default();
        };
        let usage = streaming.flow.usage();
        match state.parted {
            Some(given) if usage.estimated => taken::part(&usage, given),
            Some(_) | None => usage,
        }
    }

    /// Writes an end down before the last of the answer goes out, where somebody may ask for it again.
    pub(super) fn write_down(&self, state: &mut State, mut closing: Closing) {
        if self.about.keeps {
            let ended = self.as_ended(state, &closing);
            closing.told_taken = ended.untaken.is_none();
            closing.kept = self.note(&ended);
            let until = tokio::time::Instant::now() + KEPT_WITHIN;
            state.timer.as_mut().reset(until);
        }
        state.phase = Phase::Closing(Box::new(closing));
    }

    fn note(&self, ended: &Ended) -> Kept {
        if self.about.keeps {
            let About {
                id, fingerprint, ..
            } = &self.about;
            self.context.outcomes.ended(id, *fingerprint, ended)
        } else {
            Kept::nothing()
        }
    }

    /// As it is recorded, without its output.
    fn as_ended(&self, state: &State, closing: &Closing) -> Ended {
        let last = closing.last.as_ref().map_or(0, Bytes::len);
        let length = state.length + u64::try_from(last).unwrap_or(0);
        // What a tenant that left is charged with is told by the usage; inside a process its server
        // lives as long as this.
        let untaken = match &closing.whole {
            _ if !self.about.keeps || state.parted.is_some() => None,
            Some(_) => Some(Untaken::whole(length)),
            None => state.taking.rest(length),
        };
        Ended {
            end: closing.end.clone(),
            whole: closing.whole.is_some(),
            content_type: state.content_type.clone(),
            dropped: state.dropped.clone(),
            length,
            output: None,
            untaken,
        }
    }

    /// Goes from the end that is known to the end.
    pub(super) fn close(&self, state: &mut State) {
        let Phase::Closing(closing) = &mut state.phase else {
            return;
        };
        let passed = closing.passed;
        if let Some(last) = closing.last.take() {
            state.put_out(last, passed);
        }
        let Phase::Closing(closing) = &state.phase else {
            return;
        };
        let mut ended = self.as_ended(state, closing);
        if ended.untaken.is_none() && !closing.told_taken && self.about.keeps {
            self.context.outcomes.took(&self.about.id);
        }
        ended.output = match (closing.whole.clone(), state.log.take()) {
            (Some(bytes), _) => Some(Arc::new(Output::Whole(bytes))),
            (None, Some(mut log)) => {
                log.close();
                Some(Arc::new(Output::Stream(log)))
            }
            (None, None) => None,
        };
        self.end(state, ended);
    }

    /// Records the end, once. The provider's connection is dropped with the phase.
    fn end(&self, state: &mut State, ended: Ended) {
        state.log = None;
        self.context
            .metrics
            .ended(self.about.surface.operation, &ended.end);
        state.phase = Phase::Ended(ended.clone());
        let About {
            id, fingerprint, ..
        } = &self.about;
        let keep = self.about.keeps && state.parted.is_none();
        self.context.register.end(id, *fingerprint, ended, keep);
        state.wake_all();
        self.over.notify_waiters();
    }
}
