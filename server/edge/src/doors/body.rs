//! Bodies: put aside until somebody who knows the caller asks for them, then read within a bound of
//! their own, a budget of the whole process, and a time. A body that nobody asked for is not read.

pub mod budget;

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use poem::{Body, Request};
use sync_wrapper::SyncWrapper;
use tokio::time::{Instant, timeout, timeout_at};

use self::budget::{BodyBudget, Kept, Share};

/// A client from which nothing comes for so long is cut off.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a body waits for room in the budget, and how often it looks.
const ROOM_WAIT: Duration = Duration::from_secs(2);
const ROOM_LOOK: Duration = Duration::from_millis(25);
/// Bodies above this are large: they leave a quarter of the budget to the others.
const LARGE_BYTES: usize = 256 * 1024;
/// What a body is given at first; it grows with what has come, not with what was announced.
const FIRST_BYTES: usize = 64 * 1024;
/// A rest that is read away within that time keeps the connection.
const DRAIN_BYTES: usize = 64 * 1024;
const DRAIN_WAIT: Duration = Duration::from_millis(300);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than the route takes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It did not come in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// The connection ended in the middle of it.
    #[error("the body could not be read to its end")]
    Unreadable,
    /// Others fill the memory that there is for bodies.
    #[error("too many bodies are being read")]
    Busy,
}

/// How large and how long a body may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes.
    pub bytes: usize,
    /// From the first look at it to its end.
    pub time: Duration,
}

/// Bytes that are put together within the budget.
#[derive(Debug)]
pub struct Gathering {
    bytes: Vec<u8>,
    share: Share,
}

impl Gathering {
    /// Of none so far.
    pub fn new(budget: &BodyBudget) -> Self {
        Self {
            bytes: Vec::new(),
            share: budget.share(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes room for so many in all.
    pub async fn make_room(&mut self, whole: usize) -> Result<(), BodyError> {
        if whole > self.bytes.capacity() {
            self.share
                .grow(whole.saturating_sub(self.share.bytes))
                .await?;
            self.bytes.reserve_exact(whole - self.bytes.len());
        }
        Ok(())
    }

    /// Those that there are; more go behind them, for which room was made.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// All of them; the room is free again when the last copy is gone.
    pub fn finish(self) -> Bytes {
        Bytes::from_owner(Kept {
            bytes: self.bytes,
            _share: self.share,
        })
    }
}

#[derive(Debug)]
enum State {
    /// Nobody asked for it.
    Aside(Body),
    /// Somebody reads it, or gave up.
    Taken,
    /// It was read to its end.
    Read,
}

/// A request's body; a clone is the same one.
#[derive(Debug, Clone)]
pub struct Upload {
    state: Arc<Mutex<State>>,
    budget: BodyBudget,
    announced: Option<usize>,
    /// The client waits for a word before it sends.
    expects: bool,
}

impl Upload {
    /// Takes the body out of a request that has one.
    pub(super) fn of(request: &mut Request, budget: &BodyBudget) -> Option<Self> {
        let body = request.take_body();
        if body.is_empty() {
            return None;
        }
        let headers = request.headers();
        let announced = headers.get(CONTENT_LENGTH);
        Some(Self {
            announced: announced.and_then(|value| value.to_str().ok()?.parse().ok()),
            expects: headers.contains_key(EXPECT),
            state: Arc::new(Mutex::new(State::Aside(body))),
            budget: budget.clone(),
        })
    }

    fn set(&self, state: State) -> State {
        let mut now = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut now, state)
    }

    fn take(&self) -> Option<Body> {
        match self.set(State::Taken) {
            State::Aside(body) => Some(body),
            State::Taken => None,
            State::Read => {
                self.set(State::Read);
                None
            }
        }
    }

    /// The whole body.
    pub async fn read(&self, bounds: Bounds) -> Result<Bytes, BodyError> {
        if self.announced.is_some_and(|bytes| bytes > bounds.bytes) {
            return Err(BodyError::TooLarge(bounds.bytes));
        }
        let body = self.take().ok_or(BodyError::Unreadable)?;
        let mut whole = Gathering::new(&self.budget);
        let (mut pieces, end) = (body.into_bytes_stream(), Instant::now() + bounds.time);
        loop {
            let silent = Instant::now() + SILENCE_MAX;
            let piece = timeout_at(silent.min(end), pieces.next()).await;
            let Some(piece) = piece.map_err(|_| BodyError::Slow)? else {
                break;
            };
            let piece = piece.map_err(|_| BodyError::Unreadable)?;
            let length = whole.len().saturating_add(piece.len());
            if length > bounds.bytes {
                return Err(BodyError::TooLarge(bounds.bytes));
            }
            if length > whole.bytes.capacity() {
                let room = self.room(length).min(bounds.bytes).max(length);
                whole.make_room(room).await?;
            }
            whole.bytes.extend_from_slice(&piece);
        }
        self.set(State::Read);
        Ok(whole.finish())
    }

    /// The budget that it is read within.
    pub fn budget(&self) -> &BodyBudget {
        &self.budget
    }

    /// How much is reserved for a body of which `whole` bytes have come: what was announced if that
    /// is near, else twice as much.
    fn room(&self, whole: usize) -> usize {
        let doubled = whole.saturating_mul(2).max(FIRST_BYTES);
        self.announced
            .map_or(doubled, |announced| announced.min(doubled))
    }

    /// Reads a short rest away; false when one stays that the next request would begin with.
    pub(super) async fn drain(&self) -> bool {
        let body = match self.set(State::Taken) {
            State::Read => return true,
            State::Taken => return false,
            State::Aside(body) => body,
        };
        let is_short = self.announced.is_none_or(|bytes| bytes <= DRAIN_BYTES);
        if !is_short || self.expects {
            return false;
        }
        let reading = async {
            let (mut pieces, mut bytes) = (body.into_bytes_stream(), 0_usize);
            while let Some(piece) = pieces.next().await {
                bytes = bytes.saturating_add(piece.map_or(usize::MAX, |piece| piece.len()));
                if bytes > DRAIN_BYTES {
                    return false;
                }
            }
            true
        };
        timeout(DRAIN_WAIT, reading).await.unwrap_or(false)
    }
}

/// The whole body of a request, empty when it has none.
pub async fn read(request: &Request, bounds: Bounds) -> Result<Bytes, BodyError> {
    match request.extensions().get::<Upload>() {
        Some(upload) => upload.read(bounds).await,
        None => Ok(Bytes::new()),
    }
}

type Reading<E> = Pin<Box<dyn Future<Output = Result<Bytes, E>> + Send>>;

/// A body that is read when a handler's parameter asks for it, after the caller was let in.
struct Lazy<E> {
    reading: Option<SyncWrapper<Reading<E>>>,
    verdict: Arc<OnceLock<E>>,
}

impl<E: Send + Sync> http_body::Body for Lazy<E> {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = std::task::ready!(reading.get_mut().as_mut().poll(cx));
        self.reading = None;
        Poll::Ready(Some(match read {
            Ok(bytes) => Ok(Frame::data(bytes)),
            Err(error) => {
                // The first word counts.
                let _ = self.verdict.set(error);
                Err(std::io::Error::other("the body was refused"))
            }
        }))
    }
}

/// Gives a request a body that is read when it is asked for; what was wrong with it stands in the
/// answer of this.
pub fn read_later<E: Send + Sync + 'static>(
    request: &mut Request,
    reading: impl Future<Output = Result<Bytes, E>> + Send + 'static,
) -> Arc<OnceLock<E>> {
    let verdict = Arc::new(OnceLock::new());
    let lazy = Lazy {
        reading: Some(SyncWrapper::new(Box::pin(reading) as Reading<E>)),
        verdict: verdict.clone(),
    };
    request.set_body(Body::from(BoxBody::new(lazy)));
    verdict
}

#[cfg(test)]
mod tests;
