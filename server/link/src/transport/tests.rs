//! The pool against a gateway made of hyper's server on loopback.

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::peer::{Peer, pool_to};
use super::slot_keeper::{REACH_MIN, REST_MAX, REST_MIN, WARM_EVERY, rest};
use super::*;

mod peer;
mod silence;
mod tls;

/// How long a condition may take to come true on a loaded machine.
const WAIT_MAX: Duration = Duration::from_secs(20);

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
