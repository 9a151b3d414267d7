//! A provider that speaks OpenAI's protocol and costs as little CPU as hyper allows. Leaves what
//! the bytes say to `wire`; checks no key and understands no prompt.

mod events;
mod provider;
mod wire;

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wire::{Shape, Wire};

use self::provider::MockProvider;
use crate::failure::{Outcome, Step};
use crate::say;

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

/// Serves until the process is stopped.
pub(crate) fn run(args: &MockArgs) -> Outcome<()> {
    let provider = Arc::new(MockProvider {
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

fn serve_sockets(mut sockets: mpsc::Receiver<std::net::TcpStream>, provider: &Arc<MockProvider>) {
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

async fn serve_socket(socket: std::net::TcpStream, provider: Arc<MockProvider>) {
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
