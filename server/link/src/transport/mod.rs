//! The pool of HTTP/2 connections to one gateway. One connection alone is ruinous under loss
//! (docs/decisions/link-pool); hyper's own client never opens a second. Knows no calls, and repeats
//! nothing that may have been written.
//!
//! Every slot of the pool has a keeper: a task that opens the connection, waits for its end or its
//! age, and opens the next. The first call that meets an unkept slot starts the keeper on its
//! own runtime, so connections spread over the cores as calls do and a lone core waits for no other.

mod choosing;
mod connection;
mod silence;
mod slot_keeper;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body as _;
use http_body_util::Full;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use shared::config::ConfigError;
use shared::id::BootId;
use shared::supervisor::Supervisor;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsConnector;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) use connection::body::{Body, ConnectionId};
pub(super) use connection::describe;
use connection::heard::Heard;
use connection::{CONNECT_MAX, Connection, Failed, Hello, Target};
use silence::FalseAlarms;
pub(super) use silence::SILENCE_MAX;

/// Bodies above this go to the slots kept for them, or small ones would wait behind one; what is
/// below fits into the first window of a connection that was idle.
const LARGE_BYTES: u64 = 8 * 1024;
/// How long a call that has waited for a connection leaves it to others, when it carries its share
/// and more are being opened: after a cut all streams come at once, and what one connection may send
/// before it hears of the path is soon used up; the rest would take a round trip more.
const SPREAD_MAX: Duration = Duration::from_millis(30);
/// Connections that end between choice and use, one after another, before a request gives up.
const TRIES_MAX: usize = 3;
/// How long a gateway that is not heard is waited for, unless that is set.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a call without a connection looks whether one of those that were silent speaks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a pool is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Connections in all; at 1 % loss eight bring the median token back to the ideal.
    pub(super) connections: usize,
    /// Of these, for large bodies.
    pub(super) for_uploads: usize,
    /// A connection is replaced at an age between this and twice this: routes, addresses and
    /// balancers change, and not all connections should move at once.
    pub(super) age_max: Duration,
    /// Whether the slots for large bodies are kept warm.
    pub(super) is_far: bool,
    /// How long a gateway that is not heard is waited for.
    pub(super) patience: Duration,
}

impl Shape {
    /// A quarter for uploads, none when there is only one connection.
    pub(super) fn of(connections: usize, is_far: bool) -> Self {
        Self {
            connections: connections.max(1),
            for_uploads: connections / 4,
            age_max: Duration::from_secs(30 * 60),
            is_far,
            patience: PATIENCE,
        }
    }
}

/// Which connection a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// One whose gateway's life is known: this may start something.
    Call,
    /// The same, for an answer that is large.
    LargeCall,
    /// Any.
    Any,
    /// Another than this while there is one, rather one of those kept for uploads.
    Beside(ConnectionId),
}

/// Why a pool gave no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// Nothing was written: another node may be asked.
    Unsent(String),
    /// The gateway may have it.
    Unknown {
        /// What broke.
        why: String,
        /// The life of the gateway that may have it.
        boot: Option<BootId>,
    },
}

/// Connections to one gateway; dropping it ends the keepers, and running streams end by themselves.
pub(super) struct Pool {
    inner: Arc<Inner>,
    _end: DropGuard,
}

struct Inner {
    target: Target,
    hello: Box<Hello>,
    begun: Instant,
    /// When the last call was sent, in milliseconds from the beginning.
    used_ms: AtomicU64,
    shape: Shape,
    slots: Box<[Slot]>,
    /// For small bodies and for large ones: one count for both would skip slots when they alternate.
    turns: [AtomicUsize; 2],
    /// Calls that wait for a connection.
    waiting: AtomicUsize,
    /// Attempts under way and the last that failed.
    opening: watch::Sender<Opening>,
    /// A call has no connection: keepers that rest should try now.
    wanted: Notify,
    alarms: FalseAlarms,
    heard: Arc<Heard>,
    supervisor: Supervisor,
    end: CancellationToken,
}

#[derive(Default)]
struct Slot {
    live: ArcSwapOption<Connection>,
    kept: AtomicBool,
}

#[derive(Default)]
struct Opening {
    attempts: usize,
    failures: u64,
    last: String,
}

impl Pool {
    /// To the gateway at `base`, which was checked; opens nothing yet. `hello` is the first question
    /// on every connection; `tls` is used for `https://` instead of the platform's roots.
    pub(super) fn new(
        base: &str,
        shape: Shape,
        tls: Option<&ClientConfig>,
        hello: Box<Hello>,
    ) -> Result<Self, ConfigError> {
        let end = CancellationToken::new();
        let slots = std::iter::repeat_with(Slot::default);
        Ok(Self {
            inner: Arc::new(Inner {
                target: target(base, tls)?,
                hello,
                begun: Instant::now(),
                used_ms: AtomicU64::new(0),
                shape,
                slots: slots.take(shape.connections).collect(),
                turns: <[AtomicUsize; 2]>::default(),
                waiting: AtomicUsize::new(0),
                opening: watch::Sender::default(),
                wanted: Notify::new(),
                alarms: FalseAlarms::default(),
                heard: Arc::new(Heard::nothing()),
                supervisor: Supervisor::new(),
                end: end.clone(),
            }),
            _end: end.drop_guard(),
        })
    }

    /// Opens all connections in the background, where that costs round trips. On loopback it costs
    /// nothing, and they are better opened by the cores that use them.
    pub(super) fn warm(&self) {
        if self.inner.target.tls.is_some() {
            for at in 0..self.inner.slots.len() {
                self.inner.keep(at);
            }
        }
    }

    /// Sends on the least loaded connection of the lane, which it may wait for until then but no
    /// longer than [`CONNECT_MAX`], and waits for the answer's head for as long as the gateway is heard.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        lane: Lane,
        until: Instant,
    ) -> Result<Response<Body>, SendError> {
        let (large, beside) = match lane {
            Lane::Call | Lane::Any => (request.body().size_hint().lower() > LARGE_BYTES, None),
            Lane::LargeCall => (true, None),
            // What little comes down there leaves room.
            Lane::Beside(connection) => (true, Some(connection)),
        };
        let starts = matches!(lane, Lane::Call | Lane::LargeCall);
        if self.inner.shape.is_far && starts {
            let now = self.inner.begun.elapsed().as_millis();
            let now = u64::try_from(now).unwrap_or(u64::MAX);
            self.inner.used_ms.store(now, Ordering::Relaxed);
        }
        let until = until.min(Instant::now() + CONNECT_MAX).into();
        for _ in 0..TRIES_MAX {
            let connection = match self.inner.choose(large, beside) {
                Some(connection) => connection,
                None => self.inner.wait(large, until).await?,
            };
            match connection.send(request, starts.then_some(until)).await {
                Ok(response) => return Ok(response),
                Err(Failed::Unsent(again)) => request = *again,
                Err(Failed::Unknown { why, boot }) => {
                    return Err(SendError::Unknown { why, boot });
                }
            }
        }
        Err(SendError::Unsent(
            "connections end before they are used".to_owned(),
        ))
    }

    /// Whether the gateway is heard over a connection, or none was tried yet. One that is open and
    /// says nothing may be taken by whoever stands between.
    pub(super) fn may_be_connected(&self) -> bool {
        let slots = &self.inner.slots;
        let tried = |slot: &Slot| slot.kept.load(Ordering::Relaxed);
        let mut open = self.inner.usable(0..slots.len());
        open.any(|one| one.is_met_and_fresh()) || !slots.iter().any(tried)
    }

    /// When the gateway was last heard, in milliseconds on a clock of the pool; the same twice says that
    /// nothing was heard between.
    pub(super) fn last_heard_ms(&self) -> u64 {
        self.inner.heard.last_ms()
    }

    /// Whether the gateway was silent for all of the patience there is, and still is.
    pub(super) fn is_given_up(&self) -> bool {
        self.inner.heard.is_given_up()
    }

    /// Open connections and the streams on them.
    pub(super) fn load(&self) -> (usize, usize) {
        self.inner.load()
    }

    #[cfg(test)]
    fn usable(&self) -> usize {
        self.inner.usable(0..self.inner.slots.len()).count()
    }
}

fn target(base: &str, tls: Option<&ClientConfig>) -> Result<Target, ConfigError> {
    let wrong = || ConfigError::Invalid(format!("GATEWAY_URLS: `{base}` is not a URL"));
    let uri: Uri = base.parse().map_err(|_| wrong())?;
    let far = uri.scheme_str() == Some("https");
    let host = uri.host().ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let tls = if far {
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let mut config = tls.cloned().unwrap_or_else(shared::tls::client_config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Some((TlsConnector::from(Arc::new(config)), name))
    } else {
        None
    };
    Ok(Target {
        host,
        port: uri.port_u16().unwrap_or(if far { 443 } else { 80 }),
        tls,
    })
}

#[cfg(test)]
mod tests;
