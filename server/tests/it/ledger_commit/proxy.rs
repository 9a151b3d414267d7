//! A TCP proxy before PostgreSQL that sees COMMIT pass and cuts the connection around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It never arrives.
    Before = 1,
    /// It arrives, its answer does not.
    After = 2,
    /// The client sees the connection die, and the COMMIT arrives a while later.
    Late = 3,
    /// It arrives, and nothing is heard any more on a connection that stays open.
    Silent = 4,
}

/// How long a late COMMIT stays on the way.
const LATE: Duration = Duration::from_millis(400);
/// The simple query as the protocol writes it: `Q`, its length, the text and a zero.
const COMMIT: &[u8] = b"Q\x00\x00\x00\x0bCOMMIT\x00";

#[derive(Debug, Default)]
struct Plan {
    next: AtomicU8,
    cuts: AtomicUsize,
}

/// The proxy; it ends with the test's runtime.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    plan: Arc<Plan>,
}

impl Proxy {
    pub(super) async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let plan = Arc::new(Plan::default());
        let shared = plan.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(upstream).await else {
                    continue;
                };
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { address, plan }
    }

    /// Plans a cut around the next COMMIT.
    pub(super) fn arm(&self, cut: Cut) {
        self.plan.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Cuts so far.
    pub(super) fn cuts(&self) -> usize {
        self.plan.cuts.load(Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, server: TcpStream, plan: Arc<Plan>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mute = Arc::new(AtomicBool::new(false));
    let answers = tokio::spawn(copy(from_server, to_client, mute.clone()));
    forward(from_client, to_server, &plan, &answers, &mute).await;
    answers.abort();
}

/// An end of either side ends the connection.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mute: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let is_mute = mute.load(Ordering::SeqCst);
        if !is_mute && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: &Plan,
    answers: &tokio::task::JoinHandle<()>,
    mute: &AtomicBool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..read];
        // The writer waits for every answer before it commits, so COMMIT comes alone.
        let planned = if bytes == COMMIT {
            plan.next.swap(0, Ordering::SeqCst)
        } else {
            0
        };
        if planned == 0 {
            if to.write_all(bytes).await.is_err() {
                return;
            }
            continue;
        }
        plan.cuts.fetch_add(1, Ordering::SeqCst);
        if planned == Cut::Silent as u8 {
            mute.store(true, Ordering::SeqCst);
            let _ = to.write_all(COMMIT).await;
            // Whatever else the client says is not heard, and it sees no end.
            while let Ok(1..) = from.read(&mut buffer).await {}
            return;
        }
        answers.abort();
        if planned == Cut::Late as u8 {
            drop(from);
            tokio::time::sleep(LATE).await;
        }
        if planned != Cut::Before as u8 {
            let _ = to.write_all(COMMIT).await;
            // Until the server has read it: a reset would throw it away.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        return;
    }
}
