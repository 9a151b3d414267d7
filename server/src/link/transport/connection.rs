//! One HTTP/2 connection to a gateway: opened with the link's socket options, pinged, counted. Does
//! not decide when to open one; the pool does.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use shared::supervisor::Supervisor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// A border round trip is 300 ms at worst; TCP and TLS take three, and a lost packet a second more.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A connection on which nothing was read for that long is asked for a sign of life, busy or idle.
const PING_EVERY: Duration = Duration::from_secs(2);
/// At 300 ms round trip that is room for three retransmissions of the ping: shorter would end
/// living connections under loss, and their streams with them.
const PING_ANSWER_MAX: Duration = Duration::from_secs(3);
/// 4 MiB at 300 ms are 110 Mbit/s for one stream; four such streams fill the connection.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// Where a node is and how it is spoken to.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    /// Absent for plain HTTP/2.
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A connection with the streams it carries.
pub(super) struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
    streams: AtomicUsize,
    ended: CancellationToken,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Not a byte was written; here it is again.
    Unsent(Box<Request<Full<Bytes>>>),
    /// The gateway may have it.
    Unknown(String),
}

impl Connection {
    /// Opens one; its driver runs on the runtime of whoever called.
    pub(super) async fn open(target: &Target, supervisor: &Supervisor) -> io::Result<Arc<Self>> {
        let opening = async {
            let stream = connect(target).await?;
            match &target.tls {
                None => Self::start(stream, supervisor).await,
                Some((connector, name)) => {
                    let stream = connector.connect(name.clone(), stream).await?;
                    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                        return Err(io::Error::other("the gateway does not speak HTTP/2"));
                    }
                    Self::start(stream, supervisor).await
                }
            }
        };
        tokio::time::timeout(CONNECT_MAX, opening)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn start<S>(stream: S, supervisor: &Supervisor) -> io::Result<Arc<Self>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(STREAM_WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER_MAX)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let ended = CancellationToken::new();
        // Also cancelled when the runtime drops the driver unfinished.
        let end = ended.clone().drop_guard();
        supervisor.spawn_servant("link connection", async move {
            let _end = end;
            if let Err(error) = driver.await {
                debug!(%error, "a connection to a gateway ended: {}", describe(&error));
            }
        });
        Ok(Arc::new(Self {
            sender,
            streams: AtomicUsize::new(0),
            ended,
        }))
    }

    /// May a request be put on it?
    pub(super) fn is_usable(&self) -> bool {
        !self.ended.is_cancelled() && !self.sender.is_closed()
    }

    /// Streams on it now.
    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Becomes ready when the connection is gone.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Sends and waits for the answer's head.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, Failed> {
        let stream = Stream::on(self.clone());
        match self.sender.clone().try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| Body {
                inner: body,
                _stream: stream,
            })),
            Err(mut failed) => Err(match failed.take_message() {
                Some(request) => Failed::Unsent(Box::new(request)),
                None => Failed::Unknown(describe(failed.error())),
            }),
        }
    }
}

/// One stream's place in the count.
struct Stream(Arc<Connection>);

impl Stream {
    fn on(connection: Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        Self(connection)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer; its stream counts as live until this is dropped.
pub(in crate::link) struct Body {
    inner: Incoming,
    _stream: Stream,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Tries every address of the host in turn.
async fn connect(target: &Target) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host((target.host.as_str(), target.port)).await? {
        match connect_to(address).await {
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

/// The innermost reason is the useful one.
pub(in crate::link) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
