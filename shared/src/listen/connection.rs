//! One connection that was accepted: its handshake, its bounds, and how it takes leave.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::uri::Scheme;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::{
    HANDSHAKE_MAX, HEAD_BYTES_MAX, HEAD_READ_MAX, LINK_CONNECTION_WINDOW, LINK_WINDOW, STREAMS_MAX,
    SharedEndpoint, TENANT_CONNECTION_WINDOW, TENANT_WINDOW, TICK_ANSWER_MAX, UNSENT_BYTES_MAX,
};

/// What every request of a connection is told.
#[derive(Clone)]
pub(super) struct Connection {
    endpoint: SharedEndpoint,
    local: LocalAddr,
    peer: SocketAddr,
    scheme: Scheme,
    pub(super) tick: Option<Duration>,
}

impl Connection {
    pub(super) fn new(
        stream: &TcpStream,
        peer: SocketAddr,
        endpoint: SharedEndpoint,
        tick: Option<Duration>,
    ) -> Self {
        // Inherited from the listening socket on Linux; set again where it is not.
        let _ = stream.set_nodelay(true);
        let local = stream
            .local_addr()
            .map_or_else(|_| Addr::Custom("unknown", "".into()), Addr::SocketAddr);
        Self {
            endpoint,
            local: LocalAddr(local),
            peer,
            scheme: Scheme::HTTP,
            tick,
        }
    }

    /// Shakes hands first. Nobody waits for that: it is off the accept loop and bounded in time, and
    /// a process that stops does not finish it.
    pub(super) async fn serve_tls(
        mut self,
        stream: TcpStream,
        tls: TlsAcceptor,
        watcher: Watcher,
        stop: CancellationToken,
    ) {
        self.scheme = Scheme::HTTPS;
        let peer = self.peer;
        let shaken = tokio::select! {
            () = stop.cancelled() => return,
            shaken = shake_hands(stream, &tls, HANDSHAKE_MAX) => shaken,
        };
        match shaken {
            Ok(stream) => self.serve(stream, watcher).await,
            // Above debug: who is refused for a certificate is told little, and asks here.
            Err(error) => info!(%error, "no TLS with {peer}: {error}"),
        }
    }

    pub(super) async fn serve<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (peer, tick) = (self.peer, self.tick);
        let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
            let connection = self.clone();
            async move {
                let remote = RemoteAddr(Addr::SocketAddr(connection.peer));
                let request = Request::from((request, connection.local, remote, connection.scheme));
                Ok::<_, std::convert::Infallible>(hyper::Response::from(
                    connection.endpoint.get_response(request).await,
                ))
            }
        });
        let serving = builder(tick)
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(error) = watcher.watch(serving).await {
            // A client that goes away or sends nonsense is everyday business.
            debug!(%error, "connection from {peer} ended: {error}");
        }
    }
}

pub(super) async fn shake_hands<S>(
    stream: S,
    tls: &TlsAcceptor,
    limit: Duration,
) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::time::timeout(limit, tls.accept(stream))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn builder(tick: Option<Duration>) -> auto::Builder<TokioExecutor> {
    // Only servers, at the other end of the link, are asked for signs of life.
    let (stream_window, connection_window) = if tick.is_some() {
        (LINK_WINDOW, LINK_CONNECTION_WINDOW)
    } else {
        (TENANT_WINDOW, TENANT_CONNECTION_WINDOW)
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_MAX)
        .max_buf_size(UNSENT_BYTES_MAX.max(HEAD_BYTES_MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(tick)
        .keep_alive_timeout(TICK_ANSWER_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .max_send_buf_size(UNSENT_BYTES_MAX)
        .adaptive_window(false)
        .initial_connection_window_size(connection_window)
        .initial_stream_window_size(stream_window);
    builder
}
