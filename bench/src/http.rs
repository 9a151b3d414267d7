//! One call and one connection to a local HTTP/1.1 address. Leaves repetition and counting to
//! `load`, and the meaning of answers to `compare::setup`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::failure::{Failure, Outcome, Step};

/// A request that can be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) address: SocketAddr,
    method: Method,
    path: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub(crate) fn get(url: &str) -> Outcome<Self> {
        Self::new(Method::GET, url)
    }

    pub(crate) fn post(url: &str, body: impl Into<Bytes>) -> Outcome<Self> {
        Ok(Self::new(Method::POST, url)?.with_body(body))
    }

    pub(crate) fn patch(url: &str, body: impl Into<Bytes>) -> Outcome<Self> {
        Ok(Self::new(Method::PATCH, url)?.with_body(body))
    }

    fn new(method: Method, url: &str) -> Outcome<Self> {
        let uri: Uri = url.parse().step(|| format!("`{url}` is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(Failure::new(format!("`{url}` has to start with http://")));
        }
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(80);
        let address = (host.trim_matches(['[', ']']), port)
            .to_socket_addrs()
            .step(|| format!("`{host}` does not resolve"))?
            .next()
            .ok_or_else(|| Failure::new(format!("`{host}` has no address")))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = HeaderMap::new();
        let named = uri.authority().map_or(host, |authority| authority.as_str());
        headers.insert(HOST, header_value(named)?);
        Ok(Self {
            address,
            method,
            path: path.parse().step(|| format!("`{path}` is not a path"))?,
            headers,
            body: Bytes::new(),
        })
    }

    fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Outcome<Self> {
        let name: HeaderName = name
            .parse()
            .step(|| format!("`{name}` is not a header name"))?;
        self.headers.insert(name, header_value(value)?);
        Ok(self)
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Sends it once, on a connection of its own.
    pub(crate) async fn once(&self, within: Duration) -> Outcome<Reply> {
        let answer = async {
            let mut connection = Connection::open(self.address).await?;
            let response = connection
                .send(self)
                .await
                .map_err(|error| error.to_string())?;
            let status = response.status().as_u16();
            let body = response
                .into_body()
                .collect()
                .await
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(Reply {
                status,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(within, answer).await {
            Ok(reply) => reply.step(|| self.to_string()),
            Err(_) => Err(Failure::new(format!("{self}: no answer within {within:?}"))),
        }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} http://{}{}", self.method, self.address, self.path)
    }
}

fn header_value(text: &str) -> Outcome<HeaderValue> {
    HeaderValue::from_str(text).step(|| "a header value has characters that cannot be sent".into())
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The start of the body, for a person.
    pub(crate) fn excerpt(&self) -> String {
        excerpt(&self.body)
    }
}

pub(crate) fn excerpt(body: &[u8]) -> String {
    /// Enough for an error object, short enough for one terminal paragraph.
    const EXCERPT_BYTES: usize = 600;
    let cut = &body[..body.len().min(EXCERPT_BYTES)];
    String::from_utf8_lossy(cut).trim().to_owned()
}

/// A kept-alive connection; its driver ends with it.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| error.to_string())?;
        // Without it the second small write of a request waits for the peer's delayed ACK.
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // The call that was in flight reports the same error to its sender.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            _driver: driver,
        })
    }

    pub(crate) async fn send(&mut self, call: &Call) -> hyper::Result<Response<Incoming>> {
        self.sender.ready().await?;
        self.sender.send_request(call.request()).await
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
