//! The way to addresses that people give: a POST with a deadline, a bounded answer and no redirects, and a
//! file that is fetched, to an address that was looked up once, checked, and connected to as it was checked.
//! Knows no receiver.

pub mod address;
mod file;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use self::address::{Purpose, Target, UrlProblem, is_public};
pub use self::file::{FileHead, FileProblem, FileRequest};

/// TCP and TLS to somewhere on the internet.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Addresses of a name that are tried in turn.
const ADDRESSES_MAX: usize = 4;
/// The head of an answer, which nobody reads but for its status.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Who says where names are.
#[derive(Debug, Clone)]
pub enum Names {
    /// The operating system.
    System,
    /// Only these are known; for tests.
    Fixed(BTreeMap<String, SocketAddr>),
    /// Only these are known, and stand for hosts of the internet wherever they are; for tests.
    Staged(BTreeMap<String, SocketAddr>),
}

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct OutboundParts {
    /// Whom it trusts.
    pub tls: ClientConfig,
    /// Where names are looked up.
    pub names: Names,
    /// Whether private networks, this machine and plain HTTP may be called.
    pub allows_private: bool,
}

/// A connection, with TLS or without.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Calls the outside; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    tls: TlsConnector,
    names: Arc<Names>,
    allows_private: bool,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound")
            .field("allows_private", &self.allows_private)
            .finish_non_exhaustive()
    }
}

/// A POST.
#[derive(Debug, Clone)]
pub struct OutboundPost {
    /// To which URL.
    pub url: String,
    /// Further headers than those of every request.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// For everything together: name, connection, request, answer.
    pub deadline: Duration,
    /// More of an answer is not read.
    pub answer_bytes_max: usize,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundAnswer {
    /// Its status.
    pub status: u16,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
    /// The beginning of its body.
    pub body: Bytes,
    /// Whether there was more of it, or it broke off.
    pub is_cut: bool,
}

/// Why there is no answer. Tells nothing of a private network but that it was not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The URL is not called by anybody.
    #[error("the URL can't be used: {0}")]
    Url(#[from] UrlProblem),
    /// Nobody knows the name.
    #[error("the name of the host was not found")]
    UnknownHost,
    /// It is on a private network, and that is not allowed.
    #[error("the host is at {0}, which is not on the internet")]
    Closed(IpAddr),
    /// Nobody listens there, or not for this name.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("no answer within {0} seconds")]
    TimedOut(u64),
    /// The connection broke, or what came is no HTTP. The request may have been read.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// The innermost reason is the useful one.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

fn broken(error: hyper::Error) -> OutboundError {
    OutboundError::Broken(innermost(&error))
}

fn unreachable(error: io::Error) -> OutboundError {
    OutboundError::Unreachable(innermost(&error))
}

fn request(target: &Target, post: &OutboundPost) -> Result<Request<Full<Bytes>>, OutboundError> {
    let host = HeaderValue::from_str(&target.authority).map_err(|_| UrlProblem::Unreadable)?;
    let mut request = Request::post(&target.path)
        .body(Full::new(post.body.clone()))
        .map_err(|_| UrlProblem::Unreadable)?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("waule"));
    headers.extend(post.headers.clone());
    headers.insert(HOST, host);
    Ok(request)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Sends over a connection and reads what comes, at most `bytes_max` of its body.
async fn exchange(
    line: Box<dyn Line>,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<OutboundAnswer, OutboundError> {
    let handshake = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(line));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    let asking = async move {
        let answer = sender.send_request(request).await.map_err(broken)?;
        let (head, mut incoming) = answer.into_parts();
        let (mut body, mut is_cut) = (BytesMut::new(), false);
        while let Some(frame) = incoming.frame().await {
            // What was answered is known by its status; a body that breaks off says less.
            let Ok(frame) = frame else {
                is_cut = true;
                break;
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let room = bytes_max.saturating_sub(body.len());
            body.extend_from_slice(&data[..room.min(data.len())]);
            if data.len() > room {
                is_cut = true;
                break;
            }
        }
        Ok(OutboundAnswer {
            status: head.status.as_u16(),
            retry_after: retry_after(&head.headers),
            body: body.freeze(),
            is_cut,
        })
    };
    // The connection is driven here: nothing of it is left when the deadline is over.
    match select(Box::pin(asking), Box::pin(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, asking)) => asking.await,
    }
}

impl Outbound {
    /// Of its parts.
    pub fn new(parts: OutboundParts) -> Self {
        let OutboundParts {
            mut tls,
            names,
            allows_private,
        } = parts;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            tls: TlsConnector::from(Arc::new(tls)),
            names: Arc::new(names),
            allows_private,
        }
    }

    /// As the platform trusts and looks names up.
    pub fn system(allows_private: bool) -> Self {
        Self::new(OutboundParts {
            tls: shared::tls::client_config(),
            names: Names::System,
            allows_private,
        })
    }

    /// Whether a URL would be called, as far as it can be told without looking its host up.
    pub fn check(&self, url: &str) -> Result<Target, OutboundError> {
        self.check_for(Purpose::Hook, url)
    }

    fn check_for(&self, purpose: Purpose, url: &str) -> Result<Target, OutboundError> {
        let target = Target::parse(url, purpose, self.allows_private)?;
        match target.host.parse::<IpAddr>() {
            Ok(address) if !self.may_call(address) => Err(OutboundError::Closed(address)),
            Ok(_) | Err(_) => Ok(target),
        }
    }

    fn may_call(&self, address: IpAddr) -> bool {
        self.allows_private || is_public(address)
    }

    /// Where a host is; all of its addresses must be such as may be called, or none is.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, OutboundError> {
        let found: Vec<SocketAddr> = match self.names.as_ref() {
            Names::Fixed(known) => known.get(&target.host).copied().into_iter().collect(),
            Names::Staged(known) => {
                let staged = known.get(&target.host).copied();
                return Ok(vec![staged.ok_or(OutboundError::UnknownHost)?]);
            }
            Names::System => tokio::net::lookup_host((target.host.as_str(), target.port))
                .await
                .map_err(|_| OutboundError::UnknownHost)?
                .collect(),
        };
        if let Some(closed) = found.iter().find(|one| !self.may_call(one.ip())) {
            return Err(OutboundError::Closed(closed.ip()));
        }
        if found.is_empty() {
            return Err(OutboundError::UnknownHost);
        }
        Ok(found)
    }

    /// A connection to one of the addresses, and to nothing else.
    async fn connect(&self, target: &Target) -> Result<TcpStream, OutboundError> {
        let mut last = OutboundError::UnknownHost;
        for address in self
            .addresses(target)
            .await?
            .into_iter()
            .take(ADDRESSES_MAX)
        {
            let connecting = TcpStream::connect(address);
            match tokio::time::timeout(CONNECT_MAX, connecting).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = unreachable(error),
                Err(_) => last = OutboundError::Unreachable("it takes too long".to_owned()),
            }
        }
        Err(last)
    }

    async fn post_patiently(&self, post: &OutboundPost) -> Result<OutboundAnswer, OutboundError> {
        let target = self.check(&post.url)?;
        let request = request(&target, post)?;
        let line = self.dial(target).await?;
        exchange(line, request, post.answer_bytes_max).await
    }

    /// A connection to the target, with TLS where it speaks that.
    async fn dial(&self, target: Target) -> Result<Box<dyn Line>, OutboundError> {
        let stream = self.connect(&target).await?;
        if !target.is_https {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(target.host).map_err(|_| UrlProblem::Unreadable)?;
        let stream = self.tls.connect(name, stream).await.map_err(unreachable)?;
        Ok(Box::new(stream))
    }

    /// Sends a POST once. Whether it is sent again is the caller's to say.
    pub async fn post(&self, post: &OutboundPost) -> Result<OutboundAnswer, OutboundError> {
        let late = |_| OutboundError::TimedOut(post.deadline.as_secs());
        tokio::time::timeout(post.deadline, self.post_patiently(post))
            .await
            .map_err(late)?
    }
}

#[cfg(test)]
mod tests;
