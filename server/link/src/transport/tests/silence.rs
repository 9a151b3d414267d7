//! Silences: of one connection, of a runtime without time, and of a gateway beyond patience.

use tokio::task::JoinSet;

use super::super::connection::PING_EVERY;
use super::super::*;
use super::peer::{Frozen, Peer};
use super::{WAIT_MAX, soon, until};

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
