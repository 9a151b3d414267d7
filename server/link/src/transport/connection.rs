//! One HTTP/2 connection to a gateway: opened with the link's socket options, pinged, counted. Does
//! not decide when to open one; the pool does.

pub(super) mod body;
pub(super) mod heard;
mod watched;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use shared::id::BootId;
use shared::link::wire;
use shared::supervisor::Supervisor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::body::{Body, ConnectionId, Stream};
use self::heard::Heard;
use self::watched::{Severed, Signs, Watched};
use super::silence::SILENCE_MAX;

/// A border round trip is 300 ms at worst; TCP and TLS take three, and a lost packet a second more.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A connection on which nothing was read for that long is asked for a sign of life, busy or idle;
/// the gateway does the same (`shared::listen`), so that one lost ping is no silence.
pub(super) const PING_EVERY: Duration = Duration::from_millis(500);
/// A ping without an answer for so long after patience is over ends a connection, whatever else is
/// heard. Far beyond what `silence` decides by, which takes account of a lack of time: this is for
/// connections that nobody watches any more.
const PONG_SLACK: Duration = Duration::from_secs(20);
/// What one answer may have here unread: a tenant that reads slowly costs that, and as much again for
/// what is known of each small frame. At 300 ms it lets through 850 kbit/s, compressed where the way is
/// long: some thousand tokens a second.
const STREAM_WINDOW: u32 = 32 * 1024;
/// The same where large answers come, of which there are few: an image takes a second or two.
const LARGE_STREAM_WINDOW: u32 = 1024 * 1024;
/// Far above what a path can carry: h2 ends a connection on which unread frames of less than 256
/// bytes add up to half this window, and a token is such a frame. Tenants that do not read must not
/// cut the others' streams.
const CONNECTION_WINDOW: u32 = 256 * 1024 * 1024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Text as it comes.
    Tokens,
    /// Large bodies, either way.
    Large,
}

/// How exactly it is known when a gateway was last heard.
const HEARD_ABOUT_MS: u64 = 100;

/// How a connection is opened.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) purpose: Purpose,
    /// How long an address has to answer.
    pub(super) reach_max: Duration,
    /// How long its calls wait for a gateway that is not heard.
    pub(super) patience: Duration,
    /// Where it is noted that the gateway was heard.
    pub(super) heard: Arc<Heard>,
}

/// Where a node is and how it is spoken to.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    /// Absent for plain HTTP/2.
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// The first question on every connection; its answer says which life of the gateway is there.
pub(super) type Hello = dyn Fn() -> Request<Full<Bytes>> + Send + Sync;

/// A connection with the streams it carries.
pub(super) struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
    streams: AtomicUsize,
    signs: Signs,
    severed: Arc<Severed>,
    suspect: AtomicBool,
    /// The gateway's life, told in answer to the first question on this connection.
    boot: watch::Receiver<Option<BootId>>,
    ended: CancellationToken,
    /// Cancelled to end it at once.
    cut: CancellationToken,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Not a byte was written; here it is again.
    Unsent(Box<Request<Full<Bytes>>>),
    /// The gateway may have it.
    Unknown {
        why: String,
        /// The life that may have it.
        boot: Option<BootId>,
    },
}

impl Connection {
    /// Opens one; its driver runs on the runtime of whoever called.
    pub(super) async fn open(
        target: &Target,
        hello: &Hello,
        supervisor: &Supervisor,
        way: Way,
    ) -> io::Result<Arc<Self>> {
        let opening = async {
            let stream = connect(target, way.reach_max).await?;
            match &target.tls {
                None => Self::start(stream, hello, supervisor, way).await,
                Some((connector, name)) => {
                    let stream = connector.connect(name.clone(), stream).await?;
                    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                        return Err(io::Error::other("the gateway does not speak HTTP/2"));
                    }
                    Self::start(stream, hello, supervisor, way).await
                }
            }
        };
        tokio::time::timeout(CONNECT_MAX, opening)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn start<S>(
        stream: S,
        hello: &Hello,
        supervisor: &Supervisor,
        way: Way,
    ) -> io::Result<Arc<Self>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (signs, severed) = (Signs::now(way.heard), Arc::<Severed>::default());
        let stream = Watched {
            inner: stream,
            signs: signs.clone(),
            severed: severed.clone(),
        };
        let (mut sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(match way.purpose {
                Purpose::Tokens => STREAM_WINDOW,
                Purpose::Large => LARGE_STREAM_WINDOW,
            })
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(way.patience.saturating_add(PONG_SLACK))
            .keep_alive_while_idle(true)
            // Frames of streams that were left are on their way for a round trip; a peer that we
            // have the secret of does not flood us with them.
            .max_local_error_reset_streams(None)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let ended = CancellationToken::new();
        let cut = CancellationToken::new();
        // Also cancelled when the runtime drops the driver unfinished.
        let (end, cutting) = (ended.clone().drop_guard(), cut.clone());
        supervisor.spawn_servant("link connection", async move {
            let _end = end;
            tokio::select! {
                () = cutting.cancelled() => {}
                driven = driver => if let Err(error) = driven {
                    debug!(%error, "a connection to a gateway ended: {}", describe(&error));
                },
            }
        });
        let (told, boot) = watch::channel(None);
        let (question, asked) = (sender.send_request(hello()), cut.clone());
        // A stream that was cut does not wait for this answer; a new call does.
        supervisor.spawn_servant("link hello", async move {
            match question.await {
                Ok(answer) => {
                    let boot = answer.headers().get(wire::BOOT);
                    let boot = boot.and_then(|boot| boot.to_str().ok()).unwrap_or_default();
                    told.send_replace(Some(BootId::from_stored(boot.to_owned())));
                }
                Err(error) => {
                    debug!(%error, "a gateway did not say who it is: {}", describe(&error));
                    asked.cancel();
                }
            }
        });
        Ok(Arc::new(Self {
            sender,
            streams: AtomicUsize::new(0),
            signs,
            severed,
            suspect: AtomicBool::new(false),
            boot,
            ended,
            cut,
        }))
    }

    /// May a request be put on it?
    pub(super) fn is_usable(&self) -> bool {
        !self.ended.is_cancelled() && !self.sender.is_closed()
    }

    /// Whether it was heard of lately, or this process had no time to hear.
    pub(super) fn is_fresh(&self) -> bool {
        self.signs.silence() < SILENCE_MAX
            || (self.signs.is_late() && !self.suspect.load(Ordering::Relaxed))
    }

    /// Ends it at once, and every stream on it.
    pub(super) fn cut(&self) {
        // Without its driver alone a connection would live on until its streams have ended.
        self.severed.sever();
        self.cut.cancel();
    }

    /// How long nothing was heard of it.
    pub(super) fn silence(&self) -> Duration {
        self.signs.silence()
    }

    /// Waits for `span`; false when it ends before.
    pub(super) async fn lasts(&self, span: Duration) -> bool {
        let ended = self.ended.cancelled();
        tokio::time::timeout(span, ended).await.is_err()
    }

    /// When something was last heard, in milliseconds from its beginning.
    pub(super) fn last_sign_ms(&self) -> u64 {
        self.signs.last_ms.load(Ordering::Relaxed)
    }

    /// Its runtime had no time a moment ago.
    pub(super) fn was_late(&self) {
        let now = self.signs.age_ms();
        self.signs.late_ms.store(now, Ordering::Relaxed);
    }

    /// Whether its watch takes it for dead.
    pub(super) fn suspect(&self, suspect: bool) {
        self.suspect.store(suspect, Ordering::Relaxed);
    }

    /// Tells it from the others.
    pub(super) fn id(self: &Arc<Self>) -> ConnectionId {
        ConnectionId(Arc::as_ptr(self).addr())
    }

    /// Streams on it now.
    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Waits until the gateway's life is known; false when the connection ended before, or it takes
    /// too long.
    pub(super) async fn is_met_by(&self, until: tokio::time::Instant) -> bool {
        let mut boot = self.boot.clone();
        tokio::select! {
            met = boot.wait_for(Option::is_some) => met.is_ok(),
            () = self.ended.cancelled() => false,
            () = tokio::time::sleep_until(until) => false,
        }
    }

    /// Whether the gateway spoke on it, and lately.
    pub(super) fn is_met_and_fresh(&self) -> bool {
        self.boot.borrow().is_some() && self.is_fresh()
    }

    /// Sends and waits for the answer's head; where it must be known whom it is sent to, that is waited
    /// for until `known_by`.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<Full<Bytes>>,
        known_by: Option<tokio::time::Instant>,
    ) -> Result<Response<Body>, Failed> {
        let stream = Stream::on(self.clone());
        if let Some(until) = known_by
            && self.boot.borrow().is_none()
            && !self.is_met_by(until).await
        {
            return Err(Failed::Unsent(Box::new(request)));
        }
        match self.sender.clone().try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| Body {
                inner: body,
                stream,
            })),
            Err(mut failed) => Err(match failed.take_message() {
                Some(request) => Failed::Unsent(Box::new(request)),
                None => Failed::Unknown {
                    why: describe(failed.error()),
                    boot: self.boot.borrow().clone(),
                },
            }),
        }
    }
}

/// Tries every address of the host in turn.
async fn connect(target: &Target, reach_max: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host((target.host.as_str(), target.port)).await? {
        let reached = tokio::time::timeout(reach_max, connect_to(address)).await;
        match reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = shared::socket::for_link(address)?;
    TcpSocket::from_std_stream(socket.into())
        .connect(address)
        .await
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The innermost reason is the useful one.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
