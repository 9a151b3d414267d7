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
use super::decode::Decoder;

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
    pub(crate) body: Body,
}

/// Makes of a body's bytes what is read of them, as events of frames.
pub(crate) trait Stage: Send {
    /// What can be read now that these bytes came; may be nothing yet.
    fn feed(&mut self, bytes: Bytes) -> Result<Bytes, Fault>;

    /// Whether a body may end here.
    fn end(&mut self) -> Result<(), Fault>;
}

/// A provider's answer as it comes, unpacked where it is packed.
pub(crate) struct Body {
    incoming: Incoming,
    decoder: Option<Decoder>,
    stage: Option<Box<dyn Stage>>,
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
    let (head, incoming) = answer.into_parts();
    let decoder = Decoder::for_answer(&head.headers)?;
    let body = Body {
        incoming,
        decoder,
        stage: None,
    };
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

/// The whole body, at most `bytes_max`, each piece within `silence`; `ahead` was read before.
pub(crate) async fn whole(
    ahead: Vec<Bytes>,
    mut body: Body,
    bytes_max: usize,
    silence: Duration,
) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut bytes = 0_usize;
    let mut ahead = ahead.into_iter();
    loop {
        let piece = match ahead.next() {
            Some(piece) => piece,
            None => match body.piece(silence).await {
                Some(piece) => piece?,
                None => break,
            },
        };
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

/// The beginning of a body whose rest says nothing; what can't be read is left out.
pub(crate) async fn beginning(mut body: Body, bytes_max: usize, silence: Duration) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes_max
        && let Some(Ok(piece)) = body.piece(silence).await
    {
        let room = bytes_max - read.len();
        read.extend_from_slice(&piece[..room.min(piece.len())]);
    }
    read
}

impl Body {
    /// The same, as `stage` makes it.
    #[must_use]
    pub(crate) fn through(self, stage: Option<Box<dyn Stage>>) -> Self {
        Self { stage, ..self }
    }

    /// The next piece, within `silence`; none at the end.
    pub(crate) async fn piece(&mut self, silence: Duration) -> Option<Result<Bytes, Fault>> {
        loop {
            let piece = self.unpacked(silence).await;
            let Some(stage) = &mut self.stage else {
                return piece;
            };
            return match piece {
                Some(Ok(bytes)) => match stage.feed(bytes) {
                    Ok(made) if made.is_empty() => continue,
                    made => Some(made),
                },
                Some(Err(fault)) => Some(Err(fault)),
                None => stage.end().err().map(Err),
            };
        }
    }

    async fn unpacked(&mut self, silence: Duration) -> Option<Result<Bytes, Fault>> {
        let Some(decoder) = &mut self.decoder else {
            return incoming(&mut self.incoming, silence).await;
        };
        loop {
            match decoder.next().transpose() {
                Some(unpacked) => return Some(unpacked),
                None => match incoming(&mut self.incoming, silence).await {
                    Some(Ok(packed)) => decoder.feed(packed),
                    Some(Err(fault)) => return Some(Err(fault)),
                    None => return decoder.end().err().map(Err),
                },
            }
        }
    }
}

async fn incoming(body: &mut Incoming, silence: Duration) -> Option<Result<Bytes, Fault>> {
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

/// The body piece by piece, `ahead` first, which was read before; silence or a break ends it with a
/// fault.
pub(crate) fn pieces(ahead: Vec<Bytes>, body: Body, silence: Duration) -> ByteStream {
    let state = (ahead.into_iter(), Some(body));
    Box::pin(stream::unfold(state, move |(mut ahead, body)| async move {
        if let Some(bytes) = ahead.next() {
            return Some((Ok(bytes), (ahead, body)));
        }
        let mut body = body?;
        match body.piece(silence).await? {
            Ok(bytes) => Some((Ok(bytes), (ahead, Some(body)))),
            Err(fault) => Some((Err(fault), (ahead, None))),
        }
    }))
}
