//! A tenant's stream as an HTTP body: bytes as they come, nothing gathered, and a comment where nothing
//! comes for a while. When the client goes away hyper drops the body, and with it the call.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use server_calls::{Answer, EarlyAnswer};
use shared::dialect::Dialect;
use sync_wrapper::SyncWrapper;
use tokio::time::Sleep;

use super::super::error::ApiError;
use super::array::ArrayWriter;
use super::state::KeptCall;

/// A stream begins after this long, whether or not there is anything to be told: proxies give up on
/// silence, the strictest in use after 15 seconds.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Nothing for one to two of these is followed by a comment.
const QUIET: Duration = Duration::from_secs(7);

type Pieces = Pin<Box<dyn Stream<Item = Bytes> + Send>>;
/// The answer, or the event that tells why there is none.
type Later = Pin<Box<dyn Future<Output = Result<Answer, Bytes>> + Send>>;

enum State {
    Later(Later),
    Pieces(Pieces),
    Over,
}

impl State {
    fn of(later: server_calls::Later, dialect: &'static dyn Dialect) -> Self {
        Self::Later(Box::pin(async move {
            let answer = later.await;
            answer.map_err(|error| ApiError::from(error).event_in(dialect))
        }))
    }
}

struct StreamBody {
    state: SyncWrapper<State>,
    dialect: &'static dyn Dialect,
    /// Where it is shown as one.
    array: Option<ArrayWriter>,
    timer: Pin<Box<Sleep>>,
    quiet: Duration,
    /// Whether anything passed since the timer was set.
    passed: bool,
    /// Keeps the answer on its way; gone when its pieces come.
    kept: SyncWrapper<Option<KeptCall>>,
}

impl StreamBody {
    fn new(begun: EarlyAnswer, dialect: &'static dyn Dialect, quiet: Duration) -> Self {
        let (state, first) = match begun {
            // The time for the first sign is over already.
            EarlyAnswer::Later(later) => (State::of(later, dialect), Duration::ZERO),
            EarlyAnswer::Answered(Answer::Stream(stream)) => {
                (State::Pieces(Box::into_pin(stream)), quiet)
            }
            EarlyAnswer::Answered(Answer::Whole(bytes)) => (whole(&bytes, dialect), quiet),
        };
        Self {
            state: SyncWrapper::new(state),
            dialect,
            array: None,
            timer: Box::pin(tokio::time::sleep(first)),
            quiet,
            passed: false,
            kept: SyncWrapper::new(None),
        }
    }

    /// Keeps the answer on its way.
    fn kept(mut self, kept: KeptCall) -> Self {
        let state = std::mem::replace(self.state.get_mut(), State::Over);
        let (state, kept) = match state {
            State::Pieces(pieces) => (State::Pieces(kept.keep_stream(pieces)), None),
            state @ (State::Later(_) | State::Over) => (state, Some(kept)),
        };
        self.state = SyncWrapper::new(state);
        self.kept = SyncWrapper::new(kept);
        self
    }

    /// What comes next of the answer itself.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let state = self.state.get_mut();
            match state {
                State::Pieces(pieces) => {
                    let piece = std::task::ready!(pieces.as_mut().poll_next(cx));
                    if piece.is_none() {
                        *state = State::Over;
                    }
                    return Poll::Ready(piece);
                }
                State::Over => return Poll::Ready(None),
                State::Later(later) => {
                    let begun = match std::task::ready!(later.as_mut().poll(cx)) {
                        Ok(Answer::Stream(stream)) => State::Pieces(Box::into_pin(stream)),
                        Ok(Answer::Whole(bytes)) => whole(&bytes, self.dialect),
                        Err(event) => {
                            *state = State::Over;
                            return Poll::Ready(Some(event));
                        }
                    };
                    *state = match (begun, self.kept.get_mut().take()) {
                        (State::Pieces(pieces), Some(kept)) => {
                            State::Pieces(kept.keep_stream(pieces))
                        }
                        (begun, _) => begun,
                    };
                }
            }
        }
    }

    /// The same as it is shown.
    fn poll_shown(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let piece = std::task::ready!(self.poll_answer(cx));
            let Some(array) = &mut self.array else {
                return Poll::Ready(piece);
            };
            let Some(piece) = piece else {
                return Poll::Ready(array.end());
            };
            let shown = array.piece(piece);
            if !shown.is_empty() {
                return Poll::Ready(Some(shown));
            }
        }
    }

    /// A comment when it is time for one.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let next = tokio::time::Instant::now() + self.quiet;
            self.timer.as_mut().reset(next);
            if !std::mem::take(&mut self.passed)
                && let Some(sign) = self.dialect.keep_alive()
            {
                return Poll::Ready(Some(sign));
            }
        }
    }
}

/// An answer that came at once although a stream was promised, as that stream.
fn whole(bytes: &[u8], dialect: &dyn Dialect) -> State {
    let events = dialect.as_stream(bytes).unwrap_or_else(|| {
        let error =
            ApiError::bad_gateway("invalid_answer", "The provider's answer is not a stream.");
        error.event_in(dialect)
    });
    State::Pieces(Box::pin(futures_util::stream::once(async { events })))
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.poll_shown(cx) {
            Poll::Ready(bytes) => bytes,
            Poll::Pending => std::task::ready!(self.poll_quiet(cx)),
        };
        self.passed = true;
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The body, as an array where `as_array`, and kept on its way by `kept`.
pub(super) fn body(
    begun: EarlyAnswer,
    dialect: &'static dyn Dialect,
    (as_array, kept): (bool, Option<KeptCall>),
) -> poem::Body {
    let body = StreamBody {
        array: as_array.then(ArrayWriter::default),
        ..StreamBody::new(begun, dialect, QUIET)
    };
    let body = match kept {
        Some(kept) => body.kept(kept),
        None => body,
    };
    poem::Body::from(BoxBody::new(body.map_err(|never| match never {})))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use server_calls::CallError;
    use shared::link::{LinkError, Operation};
    use shared::surface::Surface;
    use tokio::time::Instant;

    use super::*;

    async fn next(body: &mut StreamBody) -> Option<String> {
        let frame = body.frame().await?.expect("infallible");
        let bytes = frame.into_data().expect("data");
        Some(String::from_utf8(bytes.to_vec()).expect("text"))
    }

    /// As seven seconds are to a proxy that gives up after fifteen.
    const SHORT: Duration = Duration::from_millis(70);

    fn of(state: State) -> StreamBody {
        StreamBody {
            state: SyncWrapper::new(state),
            dialect: Surface::of(Operation::Chat).dialect,
            array: None,
            timer: Box::pin(tokio::time::sleep(SHORT)),
            quiet: SHORT,
            passed: false,
            kept: SyncWrapper::new(None),
        }
    }

    #[tokio::test]
    async fn a_silent_provider_is_covered_by_comments_in_time() {
        let pieces = stream::unfold(0_u32, |number| async move {
            let wait = if number == 0 { 10 } else { 600 };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            (number < 2).then_some((Bytes::from_static(b"data: x\n\n"), number + 1))
        });
        let mut body = of(State::Pieces(Box::pin(pieces)));
        let mut texts = Vec::new();
        while let Some(text) = next(&mut body).await {
            texts.push(text);
        }
        let comments = texts.iter().filter(|text| *text == ": keep-alive\n\n");
        // 1,200 ms of silence at one to two times 70 ms; a busy machine may be late.
        assert!((4..=18).contains(&comments.count()), "{texts:?}");
        let events = texts.iter().filter(|text| *text == "data: x\n\n");
        assert_eq!(events.count(), 2);
        assert_eq!(texts[0], "data: x\n\n", "no comment before it is time");
    }

    #[tokio::test]
    async fn what_waits_for_its_provider_is_told_at_once_and_fails_as_an_event() {
        let later: server_calls::Later = Box::pin(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Err(CallError::Link(LinkError::NotSent("gone".to_owned())))
        });
        let mut body = StreamBody::new(
            EarlyAnswer::Later(later),
            Surface::of(Operation::Chat).dialect,
            SHORT,
        );
        let begun = Instant::now();
        assert_eq!(next(&mut body).await.as_deref(), Some(": keep-alive\n\n"));
        assert!(begun.elapsed() < Duration::from_millis(250));
        let mut last = String::new();
        while let Some(text) = next(&mut body).await {
            last = text;
        }
        let json = last.trim().strip_prefix("data: ").expect("an event");
        let told: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert!(told["error"]["message"].is_string(), "{told}");
    }

    #[tokio::test]
    async fn what_came_at_once_is_an_event_and_the_end() {
        let chat = Surface::of(Operation::Chat).dialect;
        for (answer, beginning, end) in [
            (
                r#"{"id":"x","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}"#,
                "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}",
                "data: [DONE]\n\n",
            ),
            ("{}", "data: {\"error\":", "}}\n\n"),
        ] {
            let answer = Answer::Whole(Bytes::from_static(answer.as_bytes()));
            let mut body = StreamBody::new(EarlyAnswer::Answered(answer), chat, QUIET);
            let text = next(&mut body).await.expect("events");
            assert!(text.starts_with(beginning) && text.ends_with(end), "{text}");
            assert_eq!(next(&mut body).await, None);
        }
    }
}
