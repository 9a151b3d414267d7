//! One connection that sends call after call and counts what comes back. Leaves threads and pace
//! to `load`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};

use super::Due;
use super::events::EventCount;
use super::report::{Sample, Tally};
use crate::http::{Call, Connection, excerpt};

/// Far beyond any sound answer of a mock; a call that takes longer is counted as an error.
const CALL_MAX: Duration = Duration::from_secs(30);
/// A target that refuses connections is asked again, but not in a busy loop.
const RECONNECT_PAUSE: Duration = Duration::from_millis(10);

/// The part of the run that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
}

/// One connection and where it counts.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) call: Arc<Call>,
    pub(crate) window: Window,
    pub(crate) tally: Arc<Mutex<Tally>>,
}

/// Why a call did not come to a whole, successful answer.
enum Broken {
    Connect(String),
    Send(String),
    Body(String),
    Cut,
    Status(StatusCode, String),
    Timeout,
}

impl Client {
    /// Sends until the window ends; what is in flight then is awaited and counted.
    pub(crate) async fn run(self, due: Due) {
        let mut connection = None;
        while let Some(since) = due.next(self.window.end).await {
            let answer = tokio::time::timeout(CALL_MAX, self.once(&mut connection, since)).await;
            let broken = match answer {
                Ok(Ok(sample)) => {
                    self.count(|tally| tally.add(sample));
                    continue;
                }
                Ok(Err(broken)) => broken,
                Err(_) => Broken::Timeout,
            };
            if !matches!(broken, Broken::Status(..)) {
                connection = None;
            }
            let refused = matches!(broken, Broken::Connect(_));
            self.count(|tally| broken.count(tally));
            if refused {
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        }
    }

    async fn once(&self, slot: &mut Option<Connection>, since: Instant) -> Result<Sample, Broken> {
        // A server may close a kept-alive connection between two calls; that is no error.
        if slot.as_ref().is_none_or(Connection::is_closed) {
            *slot = Some(
                Connection::open(self.call.address)
                    .await
                    .map_err(Broken::Connect)?,
            );
        }
        let Some(connection) = slot else {
            return Err(Broken::Connect("lost".into()));
        };
        let response = connection.send(&self.call).await;
        let response = response.map_err(|error| Broken::Send(error.to_string()))?;
        let status = response.status();
        self.count(|tally| *tally.statuses.entry(status.as_u16()).or_default() += 1);
        let (first, events) = read(response, status).await?;
        let now = Instant::now();
        Ok(Sample {
            total: now - since,
            first: first.unwrap_or(now) - since,
            chunks: events,
            timed: now >= self.window.begin,
            ended_within: now >= self.window.begin && now <= self.window.end,
        })
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        // Only a panic while counting poisons it, and that ends the thread anyway.
        if let Ok(mut tally) = self.tally.lock() {
            change(&mut tally);
        }
    }
}

/// Reads to the end; gives the time of the first byte and the number of events.
async fn read(
    response: Response<Incoming>,
    status: StatusCode,
) -> Result<(Option<Instant>, u64), Broken> {
    let streams = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let mut body = response.into_body();
    let mut first = None;
    let mut events = EventCount::default();
    let mut failure = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Broken::Body(error.to_string()))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        first.get_or_insert_with(Instant::now);
        if streams {
            events.push(data);
        } else if !status.is_success() {
            failure.extend_from_slice(data);
        }
    }
    if !status.is_success() {
        return Err(Broken::Status(status, excerpt(&failure)));
    }
    if streams && !events.is_whole() {
        return Err(Broken::Cut);
    }
    Ok((first, events.events))
}

impl Broken {
    fn count(self, tally: &mut Tally) {
        match self {
            Self::Connect(why) => tally.fail("connect", || format!("connect: {why}")),
            Self::Send(why) => tally.fail("send", || format!("send: {why}")),
            Self::Body(why) => tally.fail("body", || format!("body: {why}")),
            Self::Cut => tally.fail("cut", || "a stream ended without [DONE]".into()),
            Self::Timeout => tally.fail("timeout", || format!("no answer within {CALL_MAX:?}")),
            Self::Status(status, body) => {
                tally.fail("status", || format!("{}: {body}", status.as_u16()));
            }
        }
    }
}
