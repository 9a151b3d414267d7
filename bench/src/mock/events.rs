//! A stream of the mock: its events at their pace, one after the other.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::Sleep;

use super::provider::MockProvider;

/// A stream body; a drop before its end is counted as cut.
pub(super) struct Events {
    pub(super) provider: Arc<MockProvider>,
    pub(super) usage: bool,
    pub(super) next: usize,
    pub(super) pause: Pause,
}

pub(super) enum Pause {
    None,
    /// One turn of the scheduler: hyper writes out what it has when the body has nothing ready,
    /// and so every chunk becomes a write of its own, as from a real provider.
    Turn,
    Timed(Pin<Box<Sleep>>),
}

impl Events {
    fn all(&self) -> &[Bytes] {
        let wire = &self.provider.wire;
        if self.usage {
            &wire.stream_with_usage
        } else {
            &wire.stream
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.pause {
            Pause::None => {}
            Pause::Turn => {
                self.pause = Pause::None;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Pause::Timed(sleep) => {
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.pause = Pause::None;
            }
        }
        let Some(event) = self.all().get(self.next).cloned() else {
            return Poll::Ready(None);
        };
        self.next += 1;
        let between = self.provider.between_chunks.load(Ordering::Relaxed);
        self.pause = if between == 0 {
            Pause::Turn
        } else {
            let between = Duration::from_millis(between);
            Pause::Timed(Box::pin(tokio::time::sleep(between)))
        };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.next < self.all().len() {
            self.provider.cut.fetch_add(1, Ordering::Relaxed);
        }
    }
}
