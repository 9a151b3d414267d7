//! What a generation is at one moment: its phase, its readers' places, and how far it has come. Holds no
//! rule about when it ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use shared::link::{Failure, Outcome};
use tokio::time::Sleep;

use super::AttemptTrail;
use super::attempt::Accepted;
use super::flow::Flow;
use super::journal::Kept;
use super::log::Log;
use super::register::{End, Ended};
use super::taken::{Progress, Taking};
use crate::pool::Lease;
use crate::providers::ContentType;

pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Accepted, Failure>> + Send>>;

pub(super) struct Streaming {
    pub(super) flow: Flow,
    pub(super) trail: AttemptTrail,
    pub(super) lease: Lease,
    /// The event that ends it well, with what came with it: goes out when the end is on disk.
    pub(super) last: Option<Bytes>,
}

/// The end is known and being written down.
pub(super) struct Closing {
    pub(super) end: End,
    pub(super) last: Option<Bytes>,
    /// Output tokens in what was put out and in `last`.
    pub(super) passed: u64,
    pub(super) whole: Option<Bytes>,
    pub(super) kept: Kept,
    /// Whether the journal says that all of it was taken.
    pub(super) told_taken: bool,
}

pub(super) enum Phase {
    Opening(Opening),
    Streaming(Box<Streaming>),
    Closing(Box<Closing>),
    Ended(Ended),
}

/// A reader's place; its waker is there while it waits.
#[derive(Default)]
pub(super) struct Subscriber {
    pub(super) taken: bool,
    pub(super) waker: Option<Waker>,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// When it must be over, and when an end must have been written down.
    pub(super) timer: Pin<Box<Sleep>>,
    /// Absent where nobody can come again: inside one process, or when the tenant left.
    pub(super) log: Option<Log>,
    /// Bytes put out so far.
    pub(super) length: u64,
    pub(super) taking: Taking,
    /// What the journal says was taken.
    pub(super) progress: Progress,
    pub(super) subscribers: Vec<Subscriber>,
    /// Whoever drives while nobody reads.
    pub(super) driver: Option<Waker>,
    /// Counts how often the last reader left, so that an earlier driver knows that it is not meant.
    pub(super) left: u64,
    /// How long the server tries to come again, where it says so.
    pub(super) patience: Option<Duration>,
    /// Set when the tenant left: output tokens that it had been given by then.
    pub(super) parted: Option<u64>,
    /// Of what it puts out.
    pub(super) content_type: ContentType,
    /// What of the request could not be said to its provider.
    pub(super) dropped: Arc<[String]>,
}

impl Closing {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self {
            end: End::Outcome(Arc::new(outcome)),
            last: None,
            passed: 0,
            whole: None,
            kept: Kept::nothing(),
            told_taken: false,
        }
    }
}

impl State {
    pub(super) fn is_read(&self) -> bool {
        self.subscribers.iter().any(|subscriber| subscriber.taken)
    }

    pub(super) fn passed(&self) -> u64 {
        match &self.phase {
            Phase::Streaming(streaming) => streaming.flow.passed(),
            Phase::Opening(_) | Phase::Closing(_) | Phase::Ended(_) => 0,
        }
    }

    /// Counts and keeps what comes out; `passed` tokens are in all that did. Answers the same bytes in the
    /// memory in which they are kept.
    pub(super) fn put_out(&mut self, bytes: Bytes, passed: u64) -> Bytes {
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
        self.taking.put_out(self.length, passed);
        match &mut self.log {
            Some(log) => log.push(&bytes),
            None => bytes,
        }
    }

    /// A reader that had all before `position` takes these bytes.
    pub(super) fn took(&mut self, position: u64, bytes: &Bytes) {
        let length = u64::try_from(bytes.len()).unwrap_or(0);
        self.taking.took(position + length);
    }

    /// Whoever drives while nobody reads waits from now on; one that did before is told, since only
    /// one of them is woken by what happens.
    pub(super) fn wait_as_driver(&mut self, waker: &Waker) {
        let before = self.driver.replace(waker.clone());
        if let Some(before) = before.filter(|before| !before.will_wake(waker)) {
            before.wake();
        }
    }

    pub(super) fn wake_all(&mut self) {
        let subscribers = self
            .subscribers
            .iter_mut()
            .filter_map(|subscriber| subscriber.waker.take());
        for waker in subscribers.chain(self.driver.take()) {
            waker.wake();
        }
    }
}
