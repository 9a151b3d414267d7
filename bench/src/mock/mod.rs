//! A provider that speaks OpenAI's protocol and costs as little CPU as hyper allows. Leaves what
//! the bytes say to `wire`; checks no key and understands no prompt.

mod wire;

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Sleep;

use crate::failure::{Outcome, Step};
use crate::say;
use wire::{MockRequest, Shape, Wire};

/// More sockets than one benchmark opens at once; beyond it the acceptor waits.
const SOCKETS_WAITING_MAX: usize = 1_024;

#[derive(Debug, clap::Args)]
pub(crate) struct MockArgs {
    /// Port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Milliseconds before the first byte of every generation.
    #[arg(long, default_value_t = 0)]
    first_byte_ms: u64,
    /// Milliseconds between two chunks of a stream.
    #[arg(long, default_value_t = 0)]
    between_chunks_ms: u64,
    /// Content chunks of a stream.
    #[arg(long, default_value_t = 50)]
    chunks: usize,
    /// Length of an answer that is not streamed.
    #[arg(long, default_value_t = 400)]
    body_bytes: usize,
    /// Threads with a runtime each; one per core when absent.
    #[arg(long)]
    threads: Option<usize>,
}

/// What all threads share.
#[derive(Debug)]
struct Provider {
    wire: Wire,
    first_byte: Duration,
    /// In milliseconds; `/_pace/MILLISECONDS` changes it.
    between_chunks: AtomicU64,
    calls: AtomicU64,
    cut: AtomicU64,
}

/// Serves until the process is stopped.
pub(crate) fn run(args: &MockArgs) -> Outcome<()> {
    let provider = Arc::new(Provider {
        wire: Wire::new(Shape {
            chunks: args.chunks,
            body_bytes: args.body_bytes,
        }),
        first_byte: Duration::from_millis(args.first_byte_ms),
        between_chunks: AtomicU64::new(args.between_chunks_ms),
        calls: AtomicU64::new(0),
        cut: AtomicU64::new(0),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .step(|| format!("port {} cannot be used", args.port))?;
    let threads = args.threads.unwrap_or_else(crate::cores).max(1);
    let mut queues = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (sender, receiver) = mpsc::channel(SOCKETS_WAITING_MAX);
        let provider = Arc::clone(&provider);
        thread::spawn(move || serve_sockets(receiver, &provider));
        queues.push(sender);
    }
    say(&format!(
        "mock provider on http://127.0.0.1:{}/v1",
        args.port
    ));
    // Handing sockets round gives every core the same share; SO_REUSEPORT leaves it to a hash.
    for queue in queues.iter().cycle() {
        let (socket, _) = listener.accept().step(|| "accept".into())?;
        if queue.blocking_send(socket).is_err() {
            break;
        }
    }
    Ok(())
}

fn serve_sockets(mut sockets: mpsc::Receiver<std::net::TcpStream>, provider: &Arc<Provider>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                socket = sockets.recv() => match socket {
                    Some(socket) => { open.spawn(serve_socket(socket, Arc::clone(provider))); }
                    None => return,
                },
                Some(_) = open.join_next(), if !open.is_empty() => {}
            }
        }
    });
}

async fn serve_socket(socket: std::net::TcpStream, provider: Arc<Provider>) {
    if socket.set_nodelay(true).is_err() || socket.set_nonblocking(true).is_err() {
        return;
    }
    let Ok(stream) = TcpStream::from_std(socket) else {
        return;
    };
    let service = service_fn(move |request| {
        let provider = Arc::clone(&provider);
        async move { Ok::<_, Infallible>(provider.answer(request).await) }
    });
    // An error here is a client that went away; `cut` has counted it if a stream was open.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

impl Provider {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        // A base URL is configured with or without the version.
        let path = request.uri().path();
        match path.strip_prefix("/v1").unwrap_or(path) {
            "/chat/completions" => self.chat(request).await,
            "/embeddings" => self.generation(request, |wire| wire.embeddings.clone()).await,
            "/images/generations" => self.generation(request, |wire| wire.images.clone()).await,
            "/models" => json(StatusCode::OK, self.wire.models.clone()),
            "/_count" => json(StatusCode::OK, self.counts().into()),
            path if path.starts_with("/_pace/") => self.pace(path),
            _ => json(
                StatusCode::NOT_FOUND,
                Bytes::from_static(br#"{"error":{"message":"the mock has no such path","type":"invalid_request_error","param":null,"code":"not_found"}}"#),
            ),
        }
    }

    async fn generation(
        &self,
        request: Request<Incoming>,
        body: impl FnOnce(&Wire) -> Bytes,
    ) -> Answer {
        // Read to the end, so that the connection can be used again.
        if request.into_body().collect().await.is_ok() {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        self.wait_first().await;
        json(StatusCode::OK, body(&self.wire))
    }

    async fn chat(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let body = match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return json(StatusCode::BAD_REQUEST, Bytes::from_static(b"{}")),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let asked = MockRequest::read(&body);
        self.wait_first().await;
        if !asked.stream {
            return json(StatusCode::OK, self.wire.chat.clone());
        }
        let events = Events {
            provider: self,
            usage: asked.usage,
            next: 0,
            pause: Pause::None,
        };
        let mut response = Response::new(BodyExt::boxed(events));
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    fn pace(&self, path: &str) -> Answer {
        let told = path.rsplit('/').next().and_then(|told| told.parse().ok());
        let Some(told) = told else {
            return json(StatusCode::BAD_REQUEST, Bytes::from_static(b"{}"));
        };
        self.between_chunks.store(told, Ordering::Relaxed);
        json(StatusCode::OK, Bytes::from_static(b"{}"))
    }

    async fn wait_first(&self) {
        if !self.first_byte.is_zero() {
            tokio::time::sleep(self.first_byte).await;
        }
    }

    fn counts(&self) -> String {
        let calls = self.calls.load(Ordering::Relaxed);
        let cut = self.cut.load(Ordering::Relaxed);
        format!(r#"{{"calls":{calls},"cut":{cut}}}"#)
    }
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A stream body; a drop before its end is counted as cut.
struct Events {
    provider: Arc<Provider>,
    usage: bool,
    next: usize,
    pause: Pause,
}

enum Pause {
    None,
    /// One turn of the scheduler: hyper writes out what it has when the body has nothing ready,
    /// and so every chunk becomes a write of its own, as from a real provider.
    Turn,
    Timed(Pin<Box<Sleep>>),
}

impl Events {
    fn all(&self) -> &[Bytes] {
        let wire = &self.provider.wire;
        if self.usage {
            &wire.stream_with_usage
        } else {
            &wire.stream
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.pause {
            Pause::None => {}
            Pause::Turn => {
                self.pause = Pause::None;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Pause::Timed(sleep) => {
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.pause = Pause::None;
            }
        }
        let Some(event) = self.all().get(self.next).cloned() else {
            return Poll::Ready(None);
        };
        self.next += 1;
        let between = self.provider.between_chunks.load(Ordering::Relaxed);
        self.pause = if between == 0 {
            Pause::Turn
        } else {
            let between = Duration::from_millis(between);
            Pause::Timed(Box::pin(tokio::time::sleep(between)))
        };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.next < self.all().len() {
            self.provider.cut.fetch_add(1, Ordering::Relaxed);
        }
    }
}
