//! How the load client reaches what it measures: a kept-alive HTTP/1.1 connection for each stream,
//! or one HTTP/2 connection for all. Leaves the answers to `stream`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::stream::{Log, STREAM_MAX, follow, innermost};
use crate::http::{Call, Connection};

/// Which connections a caller takes.
#[derive(Clone)]
pub(super) enum Route {
    /// Its own, HTTP/1.1, kept alive.
    Own,
    /// The one HTTP/2 connection of all.
    Shared(Arc<Mutex<Option<Single>>>),
}

impl Route {
    pub(super) fn shared() -> Self {
        Self::Shared(Arc::default())
    }
}

/// One HTTP/2 connection; its driver ends with it.
pub(super) struct Single {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Single {
    /// With hyper's own settings, as most clients have them.
    async fn open(address: SocketAddr) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| innermost(&error))?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // The calls that were in flight report the same error.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            _driver: driver,
        })
    }
}

/// Makes one call after another.
pub(super) struct Caller {
    route: Route,
    kept: Option<Connection>,
}

impl Caller {
    pub(super) fn new(route: Route) -> Self {
        Self { route, kept: None }
    }

    /// One stream, followed to its end.
    pub(super) async fn stream(&mut self, call: &Call, epoch: Instant, tokens: u32) -> Log {
        let began = Instant::now();
        let sending = tokio::time::timeout_at((began + STREAM_MAX).into(), self.send(call));
        let sent = sending
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {STREAM_MAX:?}")));
        let log = match sent {
            Ok(response) => follow(response, began, epoch, tokens).await,
            Err(failure) => Log::failed(began, failure),
        };
        if log.failure.is_some() {
            self.kept = None;
        }
        log
    }

    /// Sends and waits for the answer's head.
    pub(super) async fn send(&mut self, call: &Call) -> Result<Response<Incoming>, String> {
        match &self.route {
            Route::Shared(single) => send_shared(single, call).await,
            Route::Own => {
                if self.kept.as_ref().is_none_or(Connection::is_closed) {
                    self.kept = Some(Connection::open(call.address).await?);
                }
                let Some(kept) = &mut self.kept else {
                    return Err("no connection".to_owned());
                };
                kept.send(call).await.map_err(|error| innermost(&error))
            }
        }
    }
}

async fn send_shared(
    single: &Mutex<Option<Single>>,
    call: &Call,
) -> Result<Response<Incoming>, String> {
    let mut sender = {
        let mut single = single.lock().await;
        match &*single {
            Some(open) if !open.sender.is_closed() => open.sender.clone(),
            _ => {
                let fresh = Single::open(call.address).await?;
                let sender = fresh.sender.clone();
                *single = Some(fresh);
                sender
            }
        }
    };
    sender.ready().await.map_err(|error| innermost(&error))?;
    let request = for_http2(call.request(), call.address)?;
    let answer = sender.send_request(request).await;
    answer.map_err(|error| innermost(&error))
}

/// HTTP/2 wants the authority in the URI instead of a header.
fn for_http2<B>(mut request: Request<B>, address: SocketAddr) -> Result<Request<B>, String> {
    let whole = format!("http://{address}{}", request.uri());
    *request.uri_mut() = whole
        .parse::<Uri>()
        .map_err(|error| format!("`{whole}`: {error}"))?;
    request.headers_mut().remove(HOST);
    Ok(request)
}
