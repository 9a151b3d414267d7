//! The pool against a gateway made of hyper's server on loopback.

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

use super::connection::PING_EVERY;
use super::slot_keeper::{REACH_MIN, REST_MAX, REST_MIN, WARM_BYTES, WARM_EVERY, rest};
use super::*;

mod tls;

/// How long a condition may take to come true on a loaded machine.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Answers every request with the number of the connection it came on. `/hold` is never answered.
struct Peer {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    /// Requests for `/hold` that arrived.
    holding: Arc<AtomicUsize>,
    /// Connections that something came on to keep them warm.
    warmed: Arc<Mutex<Vec<usize>>>,
    cut: Arc<Notify>,
    frozen: watch::Sender<Frozen>,
    _task: JoinSet<()>,
}

/// Connections on which nothing is read or written, as by a process that gets no core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frozen {
    None,
    One(usize),
    All,
}

/// What a connection counts in.
#[derive(Clone)]
struct Seen {
    number: usize,
    frozen: watch::Receiver<Frozen>,
    holding: Arc<AtomicUsize>,
    warmed: Arc<Mutex<Vec<usize>>>,
}

async fn answer(
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

fn pool_to(base: &str, shape: Shape, tls: Option<&ClientConfig>) -> Pool {
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
    async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
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

    fn pool(&self, shape: Shape) -> Arc<Pool> {
        Arc::new(pool_to(&format!("http://{}", self.address), shape, None))
    }

    fn request(&self, path: &str, body_bytes: usize) -> Request<Full<Bytes>> {
        Request::post(format!("http://{}{path}", self.address))
            .body(Full::from(vec![b'x'; body_bytes]))
            .unwrap()
    }

    /// The connection that answered.
    async fn ask(&self, pool: &Pool, body_bytes: usize) -> usize {
        let response = pool
            .send(self.request("/", body_bytes), Lane::Any, soon())
            .await
            .unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        std::str::from_utf8(&bytes).unwrap().parse().unwrap()
    }

    /// Asks until every connection is open.
    async fn fill(&self, pool: &Pool, connections: usize) {
        until(async || {
            self.ask(pool, 0).await;
            self.ask(pool, 100_000).await;
            pool.usable() == connections
        })
        .await;
    }
}

/// Until when a call may wait for a connection.
fn soon() -> Instant {
    Instant::now() + CONNECT_MAX
}

async fn until(condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, waiting)
        .await
        .expect("the condition never came true");
}

#[tokio::test]
async fn calls_open_every_connection_and_large_bodies_keep_to_theirs() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape::of(8, false));
    peer.fill(&pool, 8).await;
    assert_eq!(peer.accepted.load(Ordering::SeqCst), 8);
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..24 {
        small.push(peer.ask(&pool, 8 * 1024).await);
        large.push(peer.ask(&pool, 8 * 1024 + 1).await);
    }
    for seen in [&mut small, &mut large] {
        seen.sort_unstable();
        seen.dedup();
    }
    assert_eq!((small.len(), large.len()), (6, 2));
    assert!(small.iter().all(|number| !large.contains(number)));
}

#[tokio::test]
async fn the_least_loaded_connection_is_taken_and_a_dropped_call_counts_no_more() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        ..Shape::of(3, false)
    });
    peer.fill(&pool, 3).await;
    let mut held = JoinSet::new();
    for _ in 0..2 {
        let (pool, request) = (pool.clone(), peer.request("/hold", 0));
        held.spawn(async move {
            pool.send(request, Lane::Any, soon())
                .await
                .map(drop)
                .is_ok()
        });
    }
    let loads = || {
        let mut loads: Vec<usize> = pool.inner.usable(0..3).map(|one| one.streams()).collect();
        loads.sort_unstable();
        loads
    };
    until(async || loads() == [0, 1, 1]).await;
    let free = peer.ask(&pool, 0).await;
    for _ in 0..9 {
        assert_eq!(peer.ask(&pool, 0).await, free);
    }
    held.shutdown().await;
    until(async || loads() == [0, 0, 0]).await;
}

#[tokio::test]
async fn calls_that_wait_do_not_all_take_the_first_connection_while_more_come() {
    const CALLS: usize = 40;
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        ..Shape::of(1, false)
    });
    // Three more seem to be under way, and never arrive.
    let coming = 3;
    pool.inner
        .opening
        .send_modify(|opening| opening.attempts = coming);
    let began = Instant::now();
    let mut held = JoinSet::new();
    for _ in 0..CALLS {
        let (pool, request) = (pool.clone(), peer.request("/hold", 0));
        held.spawn(async move { pool.send(request, Lane::Any, soon()).await.map(drop) });
    }
    until(async || peer.holding.load(Ordering::SeqCst) == CALLS).await;
    let taken = began.elapsed();
    assert!(
        taken >= SPREAD_MAX,
        "the last ones left it to others: {taken:?}"
    );

    let only = pool.inner.usable(0..1).next().unwrap();
    assert_eq!(only.streams(), CALLS);
    assert!(pool.inner.has_its_share(&only, coming), "all of them");
    assert!(!pool.inner.has_its_share(&only, 0), "nothing else comes");
    pool.inner.waiting.store(4 * CALLS, Ordering::Relaxed);
    assert!(!pool.inner.has_its_share(&only, coming), "a fifth of them");
}

#[tokio::test]
async fn places_for_large_bodies_are_kept_warm_while_calls_come() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape::of(4, true));
    peer.fill(&pool, 4).await;
    let large = peer.ask(&pool, 100_000).await;
    tokio::time::sleep(WARM_EVERY.mul_f64(1.5)).await;
    let warmed = || peer.warmed.lock().unwrap().clone();
    assert!(warmed().is_empty(), "nobody called");
    let call = pool.send(peer.request("/", 0), Lane::Call, soon()).await;
    assert!(call.is_ok());
    until(async || warmed().len() >= 2).await;
    assert!(warmed().iter().all(|number| *number == large));
}

#[tokio::test]
async fn a_second_way_is_another_connection_and_rather_one_for_uploads() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape::of(8, false));
    peer.fill(&pool, 8).await;
    let on = async |lane, bytes| {
        let answer = pool
            .send(peer.request("/", bytes), lane, soon())
            .await
            .unwrap();
        answer.into_body().connection()
    };
    let first = on(Lane::Any, 0).await;
    let uploads = [on(Lane::Any, 100_000).await, on(Lane::Any, 100_000).await];
    for _ in 0..4 {
        assert!(uploads.contains(&on(Lane::Beside(first), 0).await));
        let other = on(Lane::Beside(uploads[0]), 0).await;
        assert_eq!(other, uploads[1]);
    }
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_asked_anew_after_a_second() {
    // Nobody accepts, and the queue of one that waits is full: further attempts hear nothing.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut fillers = JoinSet::new();
    for _ in 0..4 {
        fillers.spawn(tokio::net::TcpStream::connect(address));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let pool = pool_to(&format!("http://{address}"), Shape::of(1, false), None);
    let request = Request::post(format!("http://{address}/")).body(Full::default());
    let began = Instant::now();
    let outcome = pool
        .send(request.unwrap(), Lane::Any, soon())
        .await
        .map(drop);
    assert!(matches!(outcome, Err(SendError::Unsent(_))), "{outcome:?}");
    let taken = began.elapsed();
    assert!(REACH_MIN <= taken && taken < REACH_MIN * 3, "{taken:?}");
}

#[tokio::test]
async fn cut_connections_are_replaced_and_what_was_written_is_not_said_to_be_unsent() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape::of(4, false));
    peer.fill(&pool, 4).await;
    let (holder, request) = (pool.clone(), peer.request("/hold", 0));
    let mut held = JoinSet::new();
    held.spawn(async move { holder.send(request, Lane::Any, soon()).await.map(drop) });
    until(async || pool.inner.usable(0..4).any(|one| one.streams() == 1)).await;
    until(async || peer.holding.load(Ordering::SeqCst) == 1).await;
    peer.cut.notify_one();
    let outcome = held.join_next().await.unwrap().unwrap();
    assert!(
        matches!(outcome, Err(SendError::Unknown { .. })),
        "{outcome:?}"
    );
    until(async || peer.accepted.load(Ordering::SeqCst) == 8 && pool.usable() == 4).await;
    assert!(peer.ask(&pool, 0).await >= 4, "a fresh connection answers");
}

/// A call that is held, on each connection of a pool; tells how it ended.
async fn hold_on_all(
    peer: &Peer,
    pool: &Arc<Pool>,
    connections: usize,
) -> JoinSet<Result<(), SendError>> {
    let mut held = JoinSet::new();
    for _ in 0..connections {
        let (pool, request) = (pool.clone(), peer.request("/hold", 0));
        held.spawn(async move { pool.send(request, Lane::Any, soon()).await.map(drop) });
    }
    until(async || peer.holding.load(Ordering::SeqCst) == connections).await;
    held
}

#[tokio::test]
async fn a_gateway_that_has_no_time_for_a_while_is_waited_for_and_keeps_its_connections() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        ..Shape::of(3, false)
    });
    peer.fill(&pool, 3).await;
    let mut held = hold_on_all(&peer, &pool, 3).await;
    for _ in 0..2 {
        peer.frozen.send_replace(Frozen::All);
        tokio::time::sleep(SILENCE_MAX * 2).await;
        // Nothing new is put on what is silent.
        assert!(pool.inner.choose(false, None).is_none());
        let request = peer.request("/", 0);
        let asked = pool.send(request, Lane::Call, soon());
        let thaw = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            peer.frozen.send_replace(Frozen::None);
        };
        let (asked, ()) = tokio::join!(asked, thaw);
        assert!(asked.is_ok(), "{:?}", asked.map(drop));
        tokio::time::sleep(SILENCE_MAX).await;
    }
    assert!(held.try_join_next().is_none(), "a call was given up");
}

#[tokio::test]
async fn a_connection_that_is_silent_while_others_speak_is_replaced() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        ..Shape::of(3, false)
    });
    peer.fill(&pool, 3).await;
    let mut held = hold_on_all(&peer, &pool, 3).await;
    let began = Instant::now();
    peer.frozen.send_replace(Frozen::One(0));
    let ended = tokio::time::timeout(WAIT_MAX, held.join_next()).await;
    let ended = ended.expect("in time").expect("one").expect("no panic");
    assert!(matches!(ended, Err(SendError::Unknown { .. })), "{ended:?}");
    let taken = began.elapsed();
    assert!(taken >= SILENCE_MAX / 2, "{taken:?}");
    until(async || pool.usable() == 3).await;
    assert!(held.try_join_next().is_none(), "the others go on");
}

#[tokio::test]
async fn an_old_connection_is_replaced_without_harm_to_its_calls() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        age_max: Duration::from_millis(20),
        is_far: false,
        ..Shape::of(1, false)
    });
    let mut last = 0;
    until(async || peer.ask(&pool, 0).await >= 3).await;
    for _ in 0..200 {
        last = peer.ask(&pool, 0).await.max(last);
    }
    assert!(last >= 3);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_told_as_unsent_and_found_when_it_comes() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let pool = pool_to(&format!("http://{address}"), Shape::of(8, false), None);
    for _ in 0..20 {
        let request = Request::post(format!("http://{address}/")).body(Full::default());
        let outcome = pool
            .send(request.unwrap(), Lane::Any, soon())
            .await
            .map(drop);
        assert!(matches!(outcome, Err(SendError::Unsent(_))), "{outcome:?}");
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let mut accepting = JoinSet::new();
    accepting.spawn(async move { listener.accept().await.map(drop) });
    let request = Request::post(format!("http://{address}/")).body(Full::default());
    let _ = pool
        .send(request.unwrap(), Lane::Any, soon())
        .await
        .map(drop);
    assert!(
        tokio::time::timeout(WAIT_MAX, accepting.join_next())
            .await
            .is_ok()
    );
}

#[test]
fn rests_double_up_to_their_bound_and_differ() {
    assert_eq!(rest(1, 0.0), REST_MIN);
    assert_eq!(rest(2, 0.0), REST_MIN * 2);
    assert_eq!(rest(2, 1.0), REST_MIN);
    assert_eq!(rest(u32::MAX, 0.0), REST_MAX);
}

#[tokio::test]
async fn a_gateway_that_is_silent_for_longer_than_patience_is_given_up_until_it_is_heard() {
    let patience = Duration::from_millis(1_500);
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        patience,
        ..Shape::of(3, false)
    });
    peer.fill(&pool, 3).await;
    let mut held = hold_on_all(&peer, &pool, 3).await;
    // A call that takes longer is waited for while the link lives.
    tokio::time::sleep(patience * 2).await;
    assert!(held.try_join_next().is_none() && !pool.is_given_up());
    let began = Instant::now();
    peer.frozen.send_replace(Frozen::All);
    for _ in 0..3 {
        let ended = tokio::time::timeout(WAIT_MAX, held.join_next()).await;
        let ended = ended.expect("in time").expect("one").expect("no panic");
        assert!(matches!(ended, Err(SendError::Unknown { .. })), "{ended:?}");
    }
    let taken = began.elapsed();
    assert!(taken + PING_EVERY * 2 >= patience, "{taken:?}");
    assert!(taken < patience + Duration::from_secs(1), "{taken:?}");
    assert!(pool.is_given_up());
    peer.frozen.send_replace(Frozen::None);
    until(async || !pool.is_given_up()).await;
    peer.ask(&pool, 0).await;
}

#[tokio::test]
async fn a_connection_that_has_no_place_any_more_is_watched_for_as_long_as_it_carries_something() {
    let peer = Peer::start().await;
    let pool = peer.pool(Shape {
        for_uploads: 0,
        age_max: Duration::from_millis(300),
        ..Shape::of(1, false)
    });
    let mut held = hold_on_all(&peer, &pool, 1).await;
    until(async || peer.accepted.load(Ordering::SeqCst) >= 2).await;
    assert!(held.try_join_next().is_none(), "age harms nobody");
    peer.frozen.send_replace(Frozen::One(0));
    let ended = tokio::time::timeout(WAIT_MAX, held.join_next()).await;
    let ended = ended.expect("in time").expect("one").expect("no panic");
    assert!(matches!(ended, Err(SendError::Unknown { .. })), "{ended:?}");
    let open = || peer.accepted.load(Ordering::SeqCst);
    let before = open();
    until(async || open() > before).await;
    assert!(pool.usable() <= 1, "nothing is kept that carries nothing");
}
