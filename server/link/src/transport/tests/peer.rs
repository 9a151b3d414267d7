//! A gateway made of hyper's server on loopback, that may fall silent, cut and be filled.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;

use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::super::slot_keeper::WARM_BYTES;
use super::super::*;
use super::{soon, until};

/// Answers every request with the number of the connection it came on. `/hold` is never answered.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) accepted: Arc<AtomicUsize>,
    /// Requests for `/hold` that arrived.
    pub(super) holding: Arc<AtomicUsize>,
    /// Connections that something came on to keep them warm.
    pub(super) warmed: Arc<Mutex<Vec<usize>>>,
    pub(super) cut: Arc<Notify>,
    pub(super) frozen: watch::Sender<Frozen>,
    _task: JoinSet<()>,
}

/// Connections on which nothing is read or written, as by a process that gets no core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frozen {
    None,
    One(usize),
    All,
}

/// What a connection counts in.
#[derive(Clone)]
pub(super) struct Seen {
    number: usize,
    pub(super) frozen: watch::Receiver<Frozen>,
    pub(super) holding: Arc<AtomicUsize>,
    pub(super) warmed: Arc<Mutex<Vec<usize>>>,
}

pub(super) async fn answer(
    seen: Seen,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let number = seen.number;
    match (request.method(), request.uri().path()) {
        (_, "/hold") => {
            seen.holding.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        (&Method::POST, "/hello") => {
            let body = request.into_body().collect().await;
            if body.is_ok_and(|body| body.to_bytes().len() == WARM_BYTES) {
                seen.warmed.lock().unwrap().push(number);
            }
        }
        _ => {}
    }
    Ok(Response::new(Full::from(number.to_string())))
}

pub(super) fn pool_to(base: &str, shape: Shape, tls: Option<&ClientConfig>) -> Pool {
    let url = format!("{base}/hello");
    let hello = move || Request::get(&url).body(Full::default()).unwrap();
    Pool::new(base, shape, tls, Box::new(hello)).unwrap()
}

async fn serve<S>(stream: S, seen: Seen)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (number, mut frozen) = (seen.number, seen.frozen.clone());
    let is_frozen = |now: &Frozen| matches!(now, Frozen::All) || *now == Frozen::One(number);
    let service = service_fn(move |request| answer(seen.clone(), request));
    let mut serving = std::pin::pin!(
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
    );
    while frozen.wait_for(|now| !is_frozen(now)).await.is_ok() {
        tokio::select! {
            biased;
            _ = frozen.wait_for(is_frozen) => {}
            _ = &mut serving => return,
        }
    }
}

impl Peer {
    pub(super) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(super) async fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
        let tls = tls.map(TlsAcceptor::from);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, cut) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let holding = Arc::new(AtomicUsize::new(0));
        let warmed = Arc::<Mutex<Vec<usize>>>::default();
        let (counter, cutter) = (accepted.clone(), cut.clone());
        let (holds, warms) = (holding.clone(), Arc::clone(&warmed));
        let (frozen, freezes) = watch::channel(Frozen::None);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    () = cutter.notified() => connections.shutdown().await,
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        let number = counter.fetch_add(1, Ordering::SeqCst);
                        let (holding, warmed) = (holds.clone(), warms.clone());
                        let seen = Seen { number, frozen: freezes.clone(), holding, warmed };
                        let tls = tls.clone();
                        connections.spawn(async move {
                            match tls {
                                None => serve(stream, seen).await,
                                Some(tls) => {
                                    if let Ok(stream) = tls.accept(stream).await {
                                        serve(stream, seen).await;
                                    }
                                }
                            }
                        });
                    }
                }
            }
        });
        Self {
            address,
            accepted,
            holding,
            warmed,
            cut,
            frozen,
            _task: task,
        }
    }

    pub(super) fn pool(&self, shape: Shape) -> Arc<Pool> {
        Arc::new(pool_to(&format!("http://{}", self.address), shape, None))
    }

    pub(super) fn request(&self, path: &str, body_bytes: usize) -> Request<Full<Bytes>> {
        Request::post(format!("http://{}{path}", self.address))
            .body(Full::from(vec![b'x'; body_bytes]))
            .unwrap()
    }

    /// The connection that answered.
    pub(super) async fn ask(&self, pool: &Pool, body_bytes: usize) -> usize {
        let response = pool
            .send(self.request("/", body_bytes), Lane::Any, soon())
            .await
            .unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        std::str::from_utf8(&bytes).unwrap().parse().unwrap()
    }

    /// Asks until every connection is open.
    pub(super) async fn fill(&self, pool: &Pool, connections: usize) {
        until(async || {
            self.ask(pool, 0).await;
            self.ask(pool, 100_000).await;
            pool.usable() == connections
        })
        .await;
    }
}
