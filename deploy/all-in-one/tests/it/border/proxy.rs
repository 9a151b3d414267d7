//! A bad border on one machine: a TCP proxy whose connections can be cut in the ways networks do it.
//! It shows cuts and delays; loss needs real packets (`bench netem`).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Both sides see a reset.
    Reset,
    /// Nothing passes any more, and nobody is told.
    Silent,
    /// The server sees the end of what the gateway says; the gateway sees nothing.
    HalfClose,
    /// Every part is late from now on.
    Slow,
}

impl Cut {
    pub(super) const ALL: [Self; 4] = [Self::Reset, Self::Silent, Self::HalfClose, Self::Slow];
}

const LATE: Duration = Duration::from_millis(120);

type Line = watch::Sender<Option<Cut>>;

/// The proxy; it ends with the test's runtime.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    lines: Arc<Mutex<Vec<Line>>>,
    /// New connections are taken and nothing of them passes, as on a path that is black.
    black: Arc<AtomicBool>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the network is not a part of the product"
)]
impl Proxy {
    pub(super) async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
        let shared = lines.clone();
        let black = Arc::<AtomicBool>::default();
        let is_black = black.clone();
        tokio::spawn(async move {
            let mut swallowed = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                if is_black.load(Ordering::SeqCst) {
                    swallowed.push(client);
                    continue;
                }
                // The path is there again: what was sent into the dark is lost.
                swallowed.clear();
                let Ok(server) = TcpStream::connect(upstream).await else {
                    continue;
                };
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                let (line, cut) = watch::channel(None);
                shared.lock().expect("no panic").push(line);
                tokio::spawn(pass(client, server, cut));
            }
        });
        Self {
            address,
            lines,
            black,
        }
    }

    /// Cuts one of the connections that are whole, by the number of a die; false when there is none.
    pub(super) fn cut(&self, die: u64, cut: Cut) -> bool {
        let lines = self.lines.lock().expect("no panic");
        let whole = |line: &&Line| !line.is_closed() && line.borrow().is_none();
        let lines: Vec<&Line> = lines.iter().filter(whole).collect();
        let Some(at) = usize::try_from(die).unwrap_or(0).checked_rem(lines.len()) else {
            return false;
        };
        lines[at].send_replace(Some(cut));
        true
    }

    /// Nothing passes for `span`, neither what runs nor what is new; nobody is told.
    pub(super) async fn black_out(&self, span: Duration) {
        self.darken(Cut::Silent);
        tokio::time::sleep(span).await;
        self.lighten();
    }

    /// Cuts what runs; what is new is taken, and nothing of it passes.
    pub(super) fn darken(&self, cut: Cut) {
        self.black.store(true, Ordering::SeqCst);
        self.cut_all(cut);
    }

    /// What is new passes again.
    pub(super) fn lighten(&self) {
        self.black.store(false, Ordering::SeqCst);
    }

    /// Cuts every connection; one that is cut already stays cut as it is, for its ends may not have
    /// seen that yet.
    pub(super) fn cut_all(&self, cut: Cut) {
        for line in self.lines.lock().expect("no panic").iter() {
            line.send_if_modified(|now| {
                let is_whole = matches!(now, None | Some(Cut::Slow));
                if is_whole {
                    *now = Some(cut);
                }
                is_whole
            });
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the network is not a part of the product"
)]
async fn pass(client: TcpStream, server: TcpStream, mut cut: watch::Receiver<Option<Cut>>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = tokio::spawn(copy(from_client, to_server, cut.clone(), false));
    let down = tokio::spawn(copy(from_server, to_client, cut.clone(), true));
    // The sides end by themselves, or with the proxy.
    let _ = cut.wait_for(|cut| *cut == Some(Cut::Reset)).await;
    up.abort();
    down.abort();
}

/// One direction, as the cut lets it.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    cut: watch::Receiver<Option<Cut>>,
    is_down: bool,
) {
    // Closing a socket with a linger of zero sends a reset.
    let _ = SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO));
    let mut buffer = vec![0; 16 * 1024];
    let mut changed = cut.clone();
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = changed.changed() => Ok(usize::MAX),
        };
        let state = *cut.borrow();
        match (read, state) {
            (Ok(usize::MAX), Some(Cut::HalfClose)) if is_down => {
                let _ = SockRef::from(to.as_ref()).set_linger(None);
                let _ = to.shutdown().await;
                return std::future::pending().await;
            }
            (_, Some(Cut::Silent)) => return std::future::pending().await,
            (Ok(usize::MAX), _) => {}
            (Ok(read @ 1..), state) => {
                if state == Some(Cut::Slow) {
                    tokio::time::sleep(LATE).await;
                }
                if to.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
            (Ok(0) | Err(_), _) => {
                let _ = SockRef::from(to.as_ref()).set_linger(None);
                return;
            }
        }
    }
}
