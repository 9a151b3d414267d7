//! Pieces that wait for a common tick: of many streams on one connection a tick's pieces leave in one
//! packet, and what is not sent can't be lost. For second copies, whose delay nobody waits for.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::Stream;
use shared::link::{LinkError, Piece, PieceStream};
use tokio::time::{Instant, Sleep};

/// Longer is for nobody.
pub(super) const TICK_MAX: Duration = Duration::from_millis(100);
/// More than this waits for no tick: it fills packets by itself.
const BYTES_MAX: usize = 8 * 1024;
/// From where all ticks of this process are counted, so that streams share them.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A stream whose pieces leave on ticks.
pub(super) struct Coalesced {
    pieces: PieceStream,
    tick: Duration,
    bytes: BytesMut,
    /// Set while bytes wait.
    timer: Option<Pin<Box<Sleep>>>,
    /// What follows the bytes that wait.
    after: Option<Result<Piece, LinkError>>,
}

impl Coalesced {
    pub(super) fn new(pieces: PieceStream, tick: Duration) -> Self {
        Self {
            pieces,
            tick: tick.clamp(Duration::from_millis(1), TICK_MAX),
            bytes: BytesMut::new(),
            timer: None,
            after: None,
        }
    }

    fn next_tick(&self) -> Instant {
        let now = Instant::now();
        let tick = self.tick.as_nanos();
        let into = now.saturating_duration_since(*EPOCH).as_nanos() % tick;
        now + Duration::from_nanos(u64::try_from(tick - into).unwrap_or(0))
    }

    fn flush(&mut self) -> Poll<Option<Result<Piece, LinkError>>> {
        self.timer = None;
        Poll::Ready(Some(Ok(Piece::Bytes(self.bytes.split().freeze()))))
    }
}

impl Stream for Coalesced {
    type Item = Result<Piece, LinkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.after.is_some() {
                if self.bytes.is_empty() {
                    return Poll::Ready(self.after.take());
                }
                return self.flush();
            }
            match self.pieces.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(Piece::Bytes(bytes)))) => {
                    self.bytes.extend_from_slice(&bytes);
                    if self.bytes.len() >= BYTES_MAX {
                        return self.flush();
                    }
                }
                Poll::Ready(None) if self.bytes.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) => return self.flush(),
                Poll::Ready(other) => self.after = other,
                Poll::Pending if self.bytes.is_empty() => return Poll::Pending,
                Poll::Pending => {
                    let tick = self.next_tick();
                    let timer = self
                        .timer
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(tick)));
                    ready!(timer.as_mut().poll(cx));
                    return self.flush();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, StreamExt, stream};
    use tokio::sync::mpsc;

    use super::*;

    type Sender = mpsc::UnboundedSender<Result<Piece, LinkError>>;

    fn coalesced(tick: Duration) -> (Sender, Coalesced) {
        let (sender, mut pieces) = mpsc::unbounded_channel();
        let pieces = stream::poll_fn(move |cx| pieces.poll_recv(cx));
        (sender, Coalesced::new(Box::pin(pieces), tick))
    }

    fn say(sender: &Sender, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        sender.send(Ok(Piece::Bytes(bytes))).unwrap();
    }

    fn text(piece: Option<Result<Piece, LinkError>>) -> String {
        match piece {
            Some(Ok(Piece::Bytes(bytes))) => String::from_utf8(bytes.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_comes_within_a_tick_leaves_together_on_the_tick() {
        let (sender, mut coalesced) = coalesced(TICK_MAX);
        for word in ["a", "b", "c"] {
            say(&sender, word);
        }
        assert_eq!(text(coalesced.next().await), "abc");
        // On the grid that all streams share, give or take how late timers are.
        let tick = TICK_MAX.as_millis();
        let into = EPOCH.elapsed().as_millis() % tick;
        assert!(into < tick * 9 / 10, "{into} ms after a tick");
        assert!(coalesced.next().now_or_never().is_none());
        say(&sender, "d");
        assert_eq!(text(coalesced.next().await), "d");
    }

    #[tokio::test]
    async fn the_end_and_large_pieces_wait_for_nothing() {
        let (sender, mut coalesced) = coalesced(TICK_MAX);
        say(&sender, &"x".repeat(BYTES_MAX));
        assert_eq!(
            text(coalesced.next().now_or_never().unwrap()).len(),
            BYTES_MAX
        );
        say(&sender, "last");
        let over = LinkError::Lost("over".to_owned());
        sender.send(Err(over)).unwrap();
        assert_eq!(text(coalesced.next().now_or_never().unwrap()), "last");
        assert!(text(coalesced.next().now_or_never().unwrap()).contains("over"));
        drop(sender);
        assert!(coalesced.next().now_or_never().unwrap().is_none());
    }
}
