//! Streams of the sandbox, made while they are read: a tenant chooses how many events there are.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use shared::fault::{Fault, FaultKind};

use crate::providers::ByteStream;

/// What a stream's events are.
pub(super) trait Script: Send + Sync + 'static {
    /// How fast they come, and how far.
    fn pace(&self) -> Pace;

    /// The events of step `at`: the beginning, a token each, the end; `None` behind the last one.
    fn step(&self, at: u64) -> Option<VecDeque<Bytes>>;
}

/// How a stream comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The wait between two events.
    pub(super) between: Duration,
    /// After so many events it breaks.
    pub(super) cut: Option<u64>,
}

/// An event of these choices; where usage is shown, one without it says so.
pub(super) fn event(
    mut head: Value,
    choices: Value,
    usage: Option<Value>,
    shows_usage: bool,
) -> Bytes {
    head["choices"] = choices;
    match usage {
        Some(usage) => head["usage"] = usage,
        None if shows_usage => head["usage"] = Value::Null,
        None => {}
    }
    Bytes::from(format!("data: {head}\n\n"))
}

/// Where a stream stands.
struct Streaming<S> {
    script: S,
    step: u64,
    ready: VecDeque<Bytes>,
    sent: u64,
}

/// The stream of a script.
pub(super) fn streamed(script: impl Script) -> ByteStream {
    let pace = script.pace();
    let state = Streaming {
        script,
        step: 0,
        ready: VecDeque::new(),
        sent: 0,
    };
    Box::pin(stream::unfold(Some(state), move |state| async move {
        let mut state = state?;
        if pace.cut == Some(state.sent) {
            let fault = Fault::new(FaultKind::Interrupted, "asked for by the request");
            return Some((Err(fault), None));
        }
        if state.ready.is_empty() {
            state.ready = state.script.step(state.step)?;
            state.step += 1;
        }
        let event = state.ready.pop_front()?;
        if state.sent > 0 && pace.between > Duration::ZERO {
            tokio::time::sleep(pace.between).await;
        }
        // Nothing here ever waits: without this a long stream would keep its thread to itself.
        tokio::task::coop::consume_budget().await;
        state.sent += 1;
        Some((Ok(event), Some(state)))
    }))
}
