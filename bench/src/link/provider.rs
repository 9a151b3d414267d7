//! The provider beyond the border: every token says when it was sent. Runs in this process, on a
//! thread in the overseas namespace, so that client and provider read the same clock.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Sleep;

use crate::failure::{Failure, Outcome, Step};
use crate::netem::namespace::Namespace;

/// Free in a namespace that is ours alone.
pub(super) const PORT: u16 = 7_000;
/// More than one benchmark opens; hyper's own bound of 200 would make streams wait.
const STREAMS_MAX: u32 = 4_096;

/// When tokens come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    pub(super) first: Duration,
    pub(super) between: Duration,
    pub(super) tokens: u32,
}

impl Rhythm {
    /// From the request's arrival to the last token.
    pub(super) fn whole(&self) -> Duration {
        self.first + self.between * self.tokens.saturating_sub(1)
    }
}

/// A running provider; a drop ends it.
pub(super) struct Provider {
    seen: Arc<Seen>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    streams: AtomicU64,
    late_micros_max: AtomicU64,
}

impl Provider {
    /// Stamps are microseconds since `epoch`.
    pub(super) fn start(inside: &Namespace, rhythm: Rhythm, epoch: Instant) -> Outcome<Self> {
        let seen = Arc::new(Seen::default());
        let (end, ended) = oneshot::channel();
        let listener = inside.run(|| {
            let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT);
            std::net::TcpListener::bind(address).step(|| format!("port {PORT} overseas"))
        })??;
        listener
            .set_nonblocking(true)
            .step(|| "the provider's listener".into())?;
        let generation = Generation {
            rhythm,
            epoch,
            seen: seen.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("provider".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let Ok(runtime) = runtime else { return };
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, generation) => {}
                        _ = ended => {}
                    }
                });
            })
            .step(|| "a thread cannot be started".into())?;
        Ok(Self {
            seen,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Streams begun so far.
    pub(super) fn streams(&self) -> u64 {
        self.seen.streams.load(Ordering::Relaxed)
    }

    /// The most a token was sent after its time, because this machine had no core for it.
    pub(super) fn late_max(&self) -> Duration {
        Duration::from_micros(self.seen.late_micros_max.load(Ordering::Relaxed))
    }

    /// An error when it has ended by itself.
    pub(super) fn check(&self) -> Outcome<()> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return Err(Failure::new("the provider ended"));
        }
        Ok(())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // Panicked or not, it is gone.
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct Generation {
    rhythm: Rhythm,
    epoch: Instant,
    seen: Arc<Seen>,
}

async fn serve(listener: std::net::TcpListener, generation: Generation) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((socket, _)) = accepted {
                    open.spawn(serve_socket(socket, generation.clone()));
                }
            }
            Some(_) = open.join_next(), if !open.is_empty() => {}
        }
    }
}

async fn serve_socket(socket: TcpStream, generation: Generation) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| {
        let generation = generation.clone();
        async move { Ok::<_, Infallible>(generation.answer(request).await) }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http2().max_concurrent_streams(STREAMS_MAX);
    // A connection that was cut is what this benchmark is about.
    let _ = server.serve_connection(TokioIo::new(socket), service).await;
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

impl Generation {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let asked = request.into_body().collect().await;
        let body = asked.map(http_body_util::Collected::to_bytes);
        let streams = body.is_ok_and(|body| asks_for_stream(&body));
        let (kind, body) = if streams {
            self.seen.streams.fetch_add(1, Ordering::Relaxed);
            ("text/event-stream", self.stream().boxed())
        } else {
            ("application/json", Full::from(WHOLE).boxed())
        };
        let mut response = Response::new(body);
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    fn stream(&self) -> Tokens {
        let begin = Instant::now() + self.rhythm.first;
        Tokens {
            generation: self.clone(),
            begin,
            next: 0,
            sleep: Box::pin(tokio::time::sleep_until(begin.into())),
        }
    }
}

fn asks_for_stream(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Asked {
        #[serde(default)]
        stream: bool,
    }
    serde_json::from_slice::<Asked>(body).is_ok_and(|asked| asked.stream)
}

const WHOLE: &str = r#"{"id":"chatcmpl-link","object":"chat.completion","created":1760000000,"model":"mock-chat","choices":[{"index":0,"message":{"role":"assistant","content":"read"},"finish_reason":"stop"}],"usage":{"prompt_tokens":16000,"completion_tokens":1,"total_tokens":16001}}"#;

/// As long as what OpenAI sends for a token: about 280 bytes with its content.
const HEAD: &str = r#"data: {"id":"chatcmpl-link0123456789abcdefghijklmn","object":"chat.completion.chunk","created":1760000000,"model":"mock-chat","service_tier":"default","system_fingerprint":"fp_0123456789""#;

/// The body of a stream: tokens, a finish, usage and the end.
struct Tokens {
    generation: Generation,
    begin: Instant,
    next: u32,
    sleep: Pin<Box<Sleep>>,
}

impl Tokens {
    fn token(&self) -> Bytes {
        let Generation {
            epoch,
            seen,
            rhythm,
        } = &self.generation;
        let now = Instant::now();
        let planned = self.begin + rhythm.between * self.next;
        let late = now.saturating_duration_since(planned).as_micros();
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        seen.late_micros_max.fetch_max(late, Ordering::Relaxed);
        let (index, stamp) = (self.next, (now - *epoch).as_micros());
        let role = if index == 0 {
            r#""role":"assistant","#
        } else {
            ""
        };
        Bytes::from(format!(
            "{HEAD},\"choices\":[{{\"index\":0,\"delta\":{{{role}\"content\":\" w{index}@{stamp}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
        ))
    }

    fn ending(tokens: u32) -> Bytes {
        Bytes::from(format!(
            "{HEAD},\"choices\":[{{\"index\":0,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"stop\"}}]}}\n\n\
             {HEAD},\"choices\":[],\"usage\":{{\"prompt_tokens\":12,\"completion_tokens\":{tokens},\"total_tokens\":{}}}}}\n\n\
             data: [DONE]\n\n",
            tokens + 12
        ))
    }
}

impl Body for Tokens {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let tokens = self.generation.rhythm.tokens;
        if self.next > tokens {
            return Poll::Ready(None);
        }
        if self.next == tokens {
            self.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(Self::ending(tokens)))));
        }
        if self.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let token = self.token();
        self.next += 1;
        let next = self.begin + self.generation.rhythm.between * self.next;
        self.sleep.as_mut().reset(next.into());
        Poll::Ready(Some(Ok(Frame::data(token))))
    }
}

#[cfg(test)]
mod tests;
