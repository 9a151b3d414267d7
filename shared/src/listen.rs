//! Listening sockets and the loop that serves a poem endpoint on them.
//! poem's own server leaves `TCP_NODELAY` off (40 ms stalls in event streams were measured) and has
//! no deadline for slow headers; this loop has both, and TLS where it is wanted. Holds no route.

mod connection;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use poem::endpoint::{DynEndpoint, ToDynEndpoint};
use poem::{EndpointExt, IntoEndpoint, Response};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::connection::Connection;
use crate::config::ConfigError;
use crate::supervisor::Supervisor;

/// A client that has not sent its request's head by then is cut off; it also ends idle connections.
const HEAD_READ_MAX: Duration = Duration::from_secs(75);
/// Head of a request: keys, addresses and targets are far smaller.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Bytes of an answer that wait in this process for a peer that reads slowly, a connection of HTTP/1 or
/// a stream of HTTP/2; then whoever makes the answer waits. Three thousand slow readers are 100 MB.
const UNSENT_BYTES_MAX: usize = 32 * 1024;
/// The same in the kernel, beyond what is on its way.
const UNSENT_KERNEL_BYTES_MAX: u32 = 64 * 1024;
/// Bytes of a request's body that may come before somebody reads it: a tenant's, who is strange, and a
/// server's over a long path.
const TENANT_WINDOW: u32 = 256 * 1024;
const TENANT_CONNECTION_WINDOW: u32 = 1024 * 1024;
const LINK_WINDOW: u32 = 4 * 1024 * 1024;
const LINK_CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Streams a peer may have open on one HTTP/2 connection.
const STREAMS_MAX: u32 = 1_024;
/// After an accept error (no file descriptors left) the loop rests instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// A client that has not ended the TLS handshake by then is cut off: at 300 ms round trip it takes
/// one second, with a lost packet three.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections the kernel keeps while the loop is busy.
const BACKLOG: i32 = 1_024;

/// A socket to serve, and when to end.
#[derive(Debug)]
pub struct Listening {
    /// Bound by [`bind`].
    pub listener: StdListener,
    /// No new connection is taken after this.
    pub stop: CancellationToken,
    /// How long running requests may then take.
    pub grace: Duration,
    /// How often an HTTP/2 peer from which nothing comes is asked for a sign of life, which is one
    /// for the peer as well.
    pub tick: Option<Duration>,
    /// How clients are spoken to; plain HTTP without.
    pub tls: Option<Arc<ServerConfig>>,
}

/// A peer that does not answer a tick for so long is gone.
const TICK_ANSWER_MAX: Duration = Duration::from_secs(10);

/// Binds `address`; a busy port is told as one sentence that names the setting to change.
pub fn bind(address: SocketAddr, setting: &str) -> Result<StdListener, ConfigError> {
    // Linux hands the options down to accepted connections.
    bind_with(address, setting, |socket| {
        keep_little_unsent(socket);
        socket.set_tcp_nodelay(true)
    })
}

/// A kernel that can't still serves, with more memory.
#[cfg(target_os = "linux")]
fn keep_little_unsent(socket: &socket2::Socket) {
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_KERNEL_BYTES_MAX) {
        debug!(%error, "TCP_NOTSENT_LOWAT was not set: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_little_unsent(_socket: &socket2::Socket) {}

/// [`bind`] for the gateway's end of the link, whose sockets are made for a long path. Tenants' are
/// not: one that reads slowly would be cut off.
pub fn bind_link(address: SocketAddr, setting: &str) -> Result<StdListener, ConfigError> {
    bind_with(address, setting, |socket| {
        crate::socket::prepare(socket, address)
    })
}

fn bind_with(
    address: SocketAddr,
    setting: &str,
    prepare: impl Fn(&socket2::Socket) -> io::Result<()>,
) -> Result<StdListener, ConfigError> {
    let sentence = |error: io::Error| {
        let port = address.port();
        ConfigError::Invalid(if error.kind() == io::ErrorKind::AddrInUse {
            format!("port {port} is taken by another program; set {setting} to a free one")
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            format!("port {port} needs more rights; set {setting} to one above 1023")
        } else {
            format!("can't listen on {address} ({setting}): {error}")
        })
    };
    let open = || -> io::Result<StdListener> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            None,
        )?;
        socket.set_reuse_address(true)?;
        prepare(&socket)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(sentence)
}

/// Serves `endpoint` on a thread and a single-threaded runtime a core, which forwards 1.6 times as
/// fast as one runtime over all cores (docs/decisions/runtime-per-core); returns when every thread has ended. A
/// thread lives on until the tasks of `supervisor` have ended, for some may run on it.
pub async fn serve_on_cores<E>(
    listening: Listening,
    endpoint: E,
    supervisor: &Supervisor,
) -> Result<(), ConfigError>
where
    E: IntoEndpoint,
    E::Endpoint: 'static,
{
    let endpoint: SharedEndpoint =
        Arc::new(ToDynEndpoint(endpoint.into_endpoint().map_to_response()));
    let failed = |e: io::Error| ConfigError::Invalid(format!("can't start serving: {e}"));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut ended = Vec::with_capacity(cores);
    for core in 0..cores {
        let listening = Listening {
            listener: listening.listener.try_clone().map_err(failed)?,
            stop: listening.stop.clone(),
            grace: listening.grace,
            tick: listening.tick,
            tls: listening.tls.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (endpoint, supervisor) = (endpoint.clone(), supervisor.clone());
        let (end, wait) = tokio::sync::oneshot::channel::<()>();
        std::thread::Builder::new()
            .name(format!("http-{core}"))
            .spawn(move || {
                runtime.block_on(async {
                    accept(listening, endpoint).await;
                    drop(end);
                    supervisor.ended().await;
                });
            })
            .map_err(failed)?;
        ended.push(wait);
    }
    drop(listening);
    for wait in ended {
        // The sender is dropped, never used.
        let _ = wait.await;
    }
    Ok(())
}

type SharedEndpoint = Arc<dyn DynEndpoint<Output = Response>>;

/// Serves `endpoint` until told to stop, then waits for running requests, at most `grace`.
pub async fn serve<E>(listening: Listening, endpoint: E)
where
    E: IntoEndpoint,
    E::Endpoint: 'static,
{
    let endpoint: SharedEndpoint =
        Arc::new(ToDynEndpoint(endpoint.into_endpoint().map_to_response()));
    accept(listening, endpoint).await;
}

async fn accept(listening: Listening, endpoint: SharedEndpoint) {
    let Listening {
        listener,
        stop,
        grace,
        tick,
        tls,
    } = listening;
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            warn!(%error, "the listening socket can't be used: {error}");
            return;
        }
    };
    let tls = tls.map(TlsAcceptor::from);
    let graceful = GracefulShutdown::new();
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        // Ended connections are forgotten, or the set would grow for ever.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let connection = Connection::new(&stream, peer, endpoint.clone(), tick);
                let watcher = graceful.watcher();
                match &tls {
                    None => connections.spawn(connection.serve(stream, watcher)),
                    Some(tls) => connections.spawn(connection.serve_tls(
                        stream,
                        tls.clone(),
                        watcher,
                        stop.clone(),
                    )),
                };
            }
            Err(error) => {
                warn!(%error, "a connection was not accepted: {error}");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown())
        .await
        .is_err()
    {
        info!(
            "some requests did not finish in {} s and are cut off",
            grace.as_secs()
        );
    }
    connections.shutdown().await;
}

#[cfg(test)]
mod tests;
