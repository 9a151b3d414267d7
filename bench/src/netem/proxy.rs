//! A bad network where namespaces can't be had: a TCP proxy of bytes with delay, bandwidth and hard
//! cuts. It can't show what loss does to TCP; `border` does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::conditions::{Conditions, Fate, Line, Loss};
use super::packet::Direction;
use super::schedule::{Kind, Planned};
use crate::failure::{Failure, Outcome, Step};
use crate::say;
use crate::stop::Stop;

const READ_BYTES: usize = 16 * 1024;
/// Reads that wait for their time: 16 MiB of full ones, more than the bandwidth-delay product of
/// any link worth testing. Beyond it the sender waits, as it would for a receiver's window.
const WAITING_MAX: usize = 1_024;

/// What every connection obeys.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Grows by one with every reset; connections that are older end.
    resets: u64,
    /// Grows by one with every half-close: nothing more reaches the client, whose own bytes pass.
    half_closes: u64,
    /// Nothing moves until then, and what moves then was only late.
    stalled_until: Option<Instant>,
    /// The connection with this number stalls for ever.
    silent: Option<u64>,
}

/// A running proxy; a drop ends it and all its connections.
pub(crate) struct Proxy {
    address: SocketAddr,
    control: Arc<watch::Sender<State>>,
    /// Bytes towards the client, by connection, of those that live.
    live: Live,
    _tasks: JoinSet<()>,
}

type Live = Arc<Mutex<std::collections::BTreeMap<u64, u64>>>;

impl Proxy {
    /// Forwards what comes to `listen` to `target`.
    pub(crate) async fn start(
        listen: &str,
        target: SocketAddr,
        conditions: Conditions,
    ) -> Outcome<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .step(|| format!("`{listen}` cannot be used"))?;
        let address = listener.local_addr().step(|| "the listener".into())?;
        let control = Arc::new(watch::Sender::new(State::default()));
        let live = Live::default();
        let serving = Serving {
            target,
            conditions,
            control: control.clone(),
            live: live.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serving.accept(listener));
        Ok(Self {
            address,
            control,
            live,
            _tasks: tasks,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts now.
    pub(super) fn cut(&self, kind: Kind) {
        let busiest = || {
            let live = lock(&self.live);
            live.iter()
                .max_by_key(|(_, bytes)| **bytes)
                .map(|(number, _)| *number)
        };
        self.control.send_modify(|state| match kind {
            Kind::Reset => state.resets += 1,
            Kind::HalfClose => state.half_closes += 1,
            Kind::BlackHole(length) => state.stalled_until = Some(Instant::now() + length),
            Kind::Flow => state.silent = busiest(),
            Kind::Restore => state.stalled_until = None,
            // Refused before anything started.
            Kind::Loss(_) => {}
        });
    }
}

/// `bench netem --proxy LISTEN=TARGET`: until a signal.
pub(super) fn run(
    route: &str,
    conditions: Conditions,
    cuts: &[Planned],
    stop: &Stop,
) -> Outcome<()> {
    let (listen, target) = route.split_once('=').ok_or_else(|| {
        Failure::new("--proxy is LISTEN=TARGET, such as 127.0.0.1:7001=127.0.0.1:9000")
    })?;
    let target = target.parse().step(|| format!("`{target}`"))?;
    if cuts.iter().any(|cut| matches!(cut.kind, Kind::Loss(_))) {
        return Err(Failure::new("a proxy of bytes can't show loss"));
    }
    let mut cuts = cuts.to_vec();
    cuts.sort_by_key(|planned| planned.at);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .step(|| "a runtime cannot be made".into())?;
    let forwarding = async {
        let proxy = Proxy::start(listen, target, conditions).await?;
        say(&format!("{} leads to {target}", proxy.address()));
        let begin = tokio::time::Instant::now();
        for planned in &cuts {
            tokio::time::sleep_until(begin + planned.at).await;
            proxy.cut(planned.kind);
            say(&planned.told(None));
        }
        std::future::pending().await
    };
    runtime.block_on(stop.or(forwarding))
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Serving {
    target: SocketAddr,
    conditions: Conditions,
    control: Arc<watch::Sender<State>>,
    live: Live,
}

impl Serving {
    async fn accept(self, listener: TcpListener) {
        let mut open = JoinSet::new();
        let mut number = 0;
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // One that was gone before it was accepted is no reason to stop.
                    let Ok((client, _)) = accepted else { continue };
                    number += 1;
                    open.spawn(self.connection(number, client));
                }
                Some(_) = open.join_next(), if !open.is_empty() => {}
            }
        }
    }

    fn connection(&self, number: u64, client: TcpStream) -> impl Future<Output = ()> + use<> {
        let connection = Connection {
            number,
            conditions: self.conditions,
            control: self.control.subscribe(),
            live: self.live.clone(),
        };
        let target = self.target;
        async move {
            let Ok(server) = TcpStream::connect(target).await else {
                reset(&client);
                return;
            };
            connection.serve(client, server).await;
        }
    }
}

struct Connection {
    number: u64,
    conditions: Conditions,
    control: watch::Receiver<State>,
    live: Live,
}

impl Connection {
    async fn serve(self, mut client: TcpStream, mut server: TcpStream) {
        // A byte that waits for an acknowledgement would be delay nobody asked for.
        if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
            return;
        }
        lock(&self.live).insert(self.number, 0);
        let _gone = Gone(&self);
        let mut control = self.control.clone();
        let before = control.borrow().resets;
        let is_reset = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let both = async {
                tokio::join!(
                    self.forward(from_client, to_server, Direction::Out),
                    self.forward(from_server, to_client, Direction::Back)
                )
            };
            tokio::select! {
                _ = both => false,
                changed = control.wait_for(|state| state.resets > before) => changed.is_ok(),
            }
        };
        if is_reset {
            reset(&client);
            reset(&server);
        }
    }

    /// One direction, until its end or an error: then the other direction finds out by itself.
    async fn forward(&self, from: ReadHalf<'_>, to: WriteHalf<'_>, way: Direction) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::join!(self.read(from, sender), self.write(receiver, to, way));
    }

    async fn read(&self, mut from: ReadHalf<'_>, sender: mpsc::Sender<(Instant, Bytes)>) {
        // Bytes can't be dropped; what is too much waits in the channel, and then at the sender.
        let conditions = Conditions {
            queue_bytes: Some(u64::MAX),
            ..self.conditions
        };
        let mut line = Line::new(conditions, Instant::now());
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let Ok(length @ 1..) = from.read(&mut buffer).await else {
                return;
            };
            let Fate::Due(due) = line.admit(Instant::now(), length, Loss::NONE) else {
                return;
            };
            let part = Bytes::copy_from_slice(&buffer[..length]);
            if sender.send((due, part)).await.is_err() {
                return;
            }
        }
    }

    async fn write(
        &self,
        mut parts: mpsc::Receiver<(Instant, Bytes)>,
        mut to: WriteHalf<'_>,
        way: Direction,
    ) {
        let mut control = self.control.clone();
        let before = control.borrow().half_closes;
        let half_closed = async {
            let closing = control.wait_for(|state| state.half_closes > before);
            let ends = closing.await.is_err();
            // The proxy itself ends, or the cut is for the other direction.
            if ends || way == Direction::Out {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = half_closed => {}
            () = self.write_all(&mut parts, &mut to, way) => {}
        }
        // A failure means that the other end is gone, and knows.
        let _ = to.shutdown().await;
        // Nobody waits for room in a channel that leads nowhere.
        while parts.recv().await.is_some() {}
    }

    async fn write_all(
        &self,
        parts: &mut mpsc::Receiver<(Instant, Bytes)>,
        to: &mut WriteHalf<'_>,
        way: Direction,
    ) {
        while let Some((due, part)) = parts.recv().await {
            tokio::time::sleep_until(due.into()).await;
            self.pass().await;
            if to.write_all(&part).await.is_err() {
                return;
            }
            if way == Direction::Back
                && let Some(bytes) = lock(&self.live).get_mut(&self.number)
            {
                *bytes += part.len() as u64;
            }
        }
    }

    /// Waits while this connection may not move.
    async fn pass(&self) {
        loop {
            let state = *self.control.borrow();
            if state.silent == Some(self.number) {
                std::future::pending::<()>().await;
            }
            match state.stalled_until {
                Some(until) if until > Instant::now() => {
                    tokio::time::sleep_until(until.into()).await;
                }
                _ => return,
            }
        }
    }
}

/// Takes a connection off the list of the living.
struct Gone<'a>(&'a Connection);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        lock(&self.0.live).remove(&self.0.number);
    }
}

/// Lets the stream end with a reset instead of in order, once it is dropped.
fn reset(stream: &TcpStream) {
    // On a socket that is gone already the peer has its reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
