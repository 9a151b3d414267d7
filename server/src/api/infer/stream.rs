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
use poem::IntoResponse;
use sync_wrapper::SyncWrapper;
use tokio::time::Sleep;

use super::super::error::ApiError;
use crate::calls::{self, Answer, Begun, CallError};

/// A stream begins after this long, whether or not there is anything to be told: proxies give up on
/// silence, the strictest in use after 15 seconds.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Nothing for one to two of these is followed by a comment.
const QUIET: Duration = Duration::from_secs(7);
/// A comment, which clients pass over (WHATWG HTML, 9.2.6): somebody still works on the answer.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

type Pieces = Pin<Box<dyn Stream<Item = Bytes> + Send>>;
/// The answer, or the event that tells why there is none.
type Later = Pin<Box<dyn Future<Output = Result<Answer, Bytes>> + Send>>;

enum State {
    Later(Later),
    Pieces(Pieces),
    Over,
}

impl State {
    fn of(later: calls::Later) -> Self {
        Self::Later(Box::pin(async move {
            match later.await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(error_event(error).await),
            }
        }))
    }
}

struct StreamBody {
    state: SyncWrapper<State>,
    timer: Pin<Box<Sleep>>,
    quiet: Duration,
    /// Whether anything passed since the timer was set.
    passed: bool,
}

/// A failure as an event that OpenAI's clients raise as an error.
async fn error_event(error: CallError) -> Bytes {
    let body = ApiError::from(error).into_response().into_body();
    // It is in memory already.
    let json = body.into_bytes().await.unwrap_or_default();
    [b"data: ", &json[..], b"\n\n"].concat().into()
}

impl StreamBody {
    fn new(begun: Begun, quiet: Duration) -> Self {
        let (state, first) = match begun {
            // The time for the first sign is over already.
            Begun::Later(later) => (State::of(later), Duration::ZERO),
            Begun::Answered(Answer::Stream(stream)) => {
                (State::Pieces(Box::into_pin(stream)), quiet)
            }
            Begun::Answered(Answer::Whole(bytes)) => (whole(bytes), quiet),
        };
        Self {
            state: SyncWrapper::new(state),
            timer: Box::pin(tokio::time::sleep(first)),
            quiet,
            passed: false,
        }
    }

    /// What comes next of the answer itself.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let state = self.state.get_mut();
            match state {
                State::Pieces(pieces) => return pieces.as_mut().poll_next(cx),
                State::Over => return Poll::Ready(None),
                State::Later(later) => match std::task::ready!(later.as_mut().poll(cx)) {
                    Ok(Answer::Stream(stream)) => *state = State::Pieces(Box::into_pin(stream)),
                    Ok(Answer::Whole(bytes)) => *state = whole(bytes),
                    Err(event) => {
                        *state = State::Over;
                        return Poll::Ready(Some(event));
                    }
                },
            }
        }
    }

    /// A comment when it is time for one.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let next = tokio::time::Instant::now() + self.quiet;
            self.timer.as_mut().reset(next);
            if !std::mem::take(&mut self.passed) {
                return Poll::Ready(Some(Bytes::from_static(KEEP_ALIVE)));
            }
        }
    }
}

/// An answer that came at once although a stream was promised, as its only event.
fn whole(bytes: Bytes) -> State {
    let line: Vec<u8> = bytes
        .iter()
        .map(|byte| if byte.is_ascii_control() { b' ' } else { *byte })
        .collect();
    let event = [b"data: ", line.as_slice(), b"\n\ndata: [DONE]\n\n"].concat();
    State::Pieces(Box::pin(futures_util::stream::once(async {
        Bytes::from(event)
    })))
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.poll_answer(cx) {
            Poll::Ready(bytes) => bytes,
            Poll::Pending => std::task::ready!(self.poll_quiet(cx)),
        };
        self.passed = true;
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

pub(super) fn body(begun: Begun) -> poem::Body {
    let body = StreamBody::new(begun, QUIET).map_err(|never| match never {});
    poem::Body::from(BoxBody::new(body))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use shared::link::LinkError;
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
            timer: Box::pin(tokio::time::sleep(SHORT)),
            quiet: SHORT,
            passed: false,
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
        let later: calls::Later = Box::pin(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Err(CallError::Link(LinkError::NotSent("gone".to_owned())))
        });
        let mut body = StreamBody::new(Begun::Later(later), SHORT);
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
        let answer = Answer::Whole(Bytes::from_static(b"{\n\"a\": 1\n}"));
        let mut body = StreamBody::new(Begun::Answered(answer), QUIET);
        let text = next(&mut body).await.expect("an event");
        assert_eq!(text, "data: { \"a\": 1 }\n\ndata: [DONE]\n\n");
        assert_eq!(next(&mut body).await, None);
    }
}
