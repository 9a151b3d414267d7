//! The only outbound client: deadlines, bounded bodies, requests built from nothing, no redirects.
//! Knows no provider.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use shared::fault::{Fault, FaultKind};

use super::ByteStream;

/// TCP and TLS to a provider; it is near.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Providers close idle connections after a minute or more.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// Idle connections kept for each provider and core.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// What of an answer is read before somebody wants it, a connection of HTTP/1: heads are far smaller.
const BUFFER_BYTES_MAX: usize = 16 * 1024;
/// The same a stream of HTTP/2; to a provider that is near no picture waits for it.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Of all streams of a connection together: those that nobody reads must not hold up the others.
const CONNECTION_WINDOW: u32 = 256 * 1024 * 1024;

type Outbound = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

thread_local! {
    /// One a thread: with a runtime a core a connection is then driven by the core that uses it.
    static CLIENT: Outbound = client();
}

fn client() -> Outbound {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_MAX));
    let tls = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(shared::tls::client_config())
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .http1_max_buf_size(BUFFER_BYTES_MAX)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .build(tls)
}

/// A provider's answer up to its headers.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
}

/// Sends a request and waits for the answer's head.
pub(crate) async fn send(
    request: Request<Full<Bytes>>,
    first_byte: Duration,
) -> Result<Head, Fault> {
    let sending = CLIENT.with(|client| client.request(request));
    let answer = tokio::time::timeout(first_byte, sending)
        .await
        .map_err(|_| Fault::new(FaultKind::Timeout, "no answer within the first-byte limit"))?
        .map_err(|error| broken(&error))?;
    let (head, body) = answer.into_parts();
    Ok(Head {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// A failure to connect started nothing; after that the work may have been billed.
fn broken(error: &Error) -> Fault {
    let kind = if error.is_connect() {
        FaultKind::Unreachable
    } else {
        FaultKind::Interrupted
    };
    Fault::new(kind, innermost(error))
}

/// The innermost reason is the useful one; none of them shows headers or bodies.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

/// The whole body, at most `bytes_max`, each piece within `silence`.
pub(crate) async fn whole(
    mut body: Incoming,
    bytes_max: usize,
    silence: Duration,
) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut bytes = 0_usize;
    while let Some(piece) = piece(&mut body, silence).await {
        let piece = piece?;
        bytes = bytes.saturating_add(piece.len());
        if bytes > bytes_max {
            return Err(Fault::new(
                FaultKind::InvalidAnswer,
                format!("the answer is larger than {bytes_max} bytes"),
            ));
        }
        // Most answers come as one piece, which needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

async fn piece(body: &mut Incoming, silence: Duration) -> Option<Result<Bytes, Fault>> {
    loop {
        return match tokio::time::timeout(silence, body.frame()).await {
            Err(_) => Some(Err(Fault::new(
                FaultKind::Timeout,
                "the provider fell silent",
            ))),
            Ok(None) => None,
            Ok(Some(Err(error))) => {
                Some(Err(Fault::new(FaultKind::Interrupted, innermost(&error))))
            }
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Some(Ok(data)),
                // Trailers say nothing that is passed on.
                Err(_) => continue,
            },
        };
    }
}

/// The body piece by piece; silence or a break ends it with a fault.
pub(crate) fn pieces(body: Incoming, silence: Duration) -> ByteStream {
    Box::pin(stream::unfold(Some(body), move |state| async move {
        let mut body = state?;
        match piece(&mut body, silence).await? {
            Ok(bytes) => Some((Ok(bytes), Some(body))),
            Err(fault) => Some((Err(fault), None)),
        }
    }))
}
