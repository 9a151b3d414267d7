//! Waits one by one: who is woken by what, and what of somebody stays that left.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use shared::link::KeyTerms;

use super::*;
use crate::pool::tests::{Pool, asks, limited, pool_of};

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Waiter<'a> {
    wait: Pin<Box<dyn Future<Output = Result<Lease, Idle>> + 'a>>,
    woken: Arc<Woken>,
}

impl Waiter<'_> {
    fn poll(&mut self) -> Poll<Result<Lease, Idle>> {
        let waker = Waker::from(self.woken.clone());
        self.wait.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn lease(&mut self) -> Lease {
        match self.poll() {
            Poll::Ready(Ok(lease)) => lease,
            Poll::Ready(Err(idle)) => panic!("{idle:?}"),
            Poll::Pending => panic!("it waits"),
        }
    }

    fn woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }
}

/// One key for so many calls at once, where time stands still.
fn narrow(places: u32) -> Pool {
    narrow_of(1, places)
}

/// So many such keys.
fn narrow_of(keys: usize, places: u32) -> Pool {
    let terms = KeyTerms {
        calls_at_once: Some(places),
        ..KeyTerms::default()
    };
    let mut pool = pool_of(keys, &terms);
    pool.pools = pool.pools.passing_time_by(|_| std::future::pending());
    pool
}

fn waits(pool: &Pool, caller: u64) -> Waiter<'_> {
    waits_with(pool, asks(caller, false))
}

fn waits_with<'a>(pool: &'a Pool, asker: Asker<'a>) -> Waiter<'a> {
    let mut waiter = Waiter {
        wait: Box::pin(pool.pools.wait("p", asker, WAIT_MAX)),
        woken: Arc::default(),
    };
    assert!(waiter.poll().is_pending(), "it waits");
    waiter
}

#[test]
fn a_place_that_comes_free_is_for_the_next_in_line_and_wakes_nobody_else() {
    let pool = narrow(2);
    let running: Vec<Lease> = (0..2)
        .map(|_| pool.lease(1, false).expect("room"))
        .collect();
    let mut waiters: Vec<Waiter<'_>> = [1, 1, 2, 3, 4].map(|by| waits(&pool, by)).into();
    let woken_before: Vec<usize> = waiters.iter().map(Waiter::woken).collect();
    drop(running);
    // Callers by turns: the second one of the first caller is not among the first two.
    let mut first = waiters[0].lease();
    let second = waiters[2].lease();
    assert!(waiters[1].poll().is_pending() && waiters[3].poll().is_pending());
    assert!(matches!(pool.lease(9, false), Err(Idle::Full { .. })));
    // One of those that go on waiting may be told to look at the time for all.
    let woken = |at: usize| waiters[at].woken() - woken_before[at];
    assert!(woken(1) + woken(3) + woken(4) <= 2);
    first = {
        drop(first);
        waiters[3].lease()
    };
    assert_eq!(pool.pools.waits.ended("served"), 3);
    assert_eq!(pool.pools.waits.waiting(), 2);
    drop((first, second));
    drop((waiters[1].lease(), waiters[4].lease()));
    drop(waiters);
    assert_eq!(pool.pools.waits.waiting(), 0);
    assert_eq!(pool.keys()[0].health.in_flight(), 0);
    pool.lease(1, false).expect("nobody waits");
}

#[test]
fn whoever_leaves_frees_its_place_and_what_it_was_given() {
    let pool = narrow(1);
    let running = pool.lease(1, false).expect("room");
    let (left, given, mut last) = (waits(&pool, 2), waits(&pool, 3), waits(&pool, 4));
    drop(left);
    drop(running);
    // It has room and does not know it yet.
    assert!(given.woken() > 0);
    assert!(last.poll().is_pending());
    drop(given);
    drop(last.lease());
    drop(last);
    let (requests, _) = pool.keys()[0].health.minute(pool.clock.now());
    assert_eq!(requests, 2, "what was given to nobody does not count");
    assert_eq!(pool.pools.waits.ended("left"), 2);
    assert_eq!(pool.pools.waits.ended("served"), 1);
}

#[test]
fn too_many_do_not_wait_and_of_a_flood_one_gives_way() {
    let pool = narrow(1);
    let running = pool.lease(1, false).expect("room");
    let mut flood: Vec<Waiter<'_>> = (0..WAITING_LEAST).map(|_| waits(&pool, 1)).collect();
    let mut one_more = Box::pin(pool.pools.wait("p", asks(1, false), WAIT_MAX));
    let mut cx = Context::from_waker(Waker::noop());
    let refused = one_more.as_mut().poll(&mut cx);
    assert!(matches!(refused, Poll::Ready(Err(Idle::Full { .. }))));
    let mut other = waits(&pool, 2);
    let last = flood.last_mut().expect("several").poll();
    assert!(matches!(last, Poll::Ready(Err(Idle::Full { .. }))));
    drop(running);
    let first = flood[0].lease();
    assert!(other.poll().is_pending());
    drop(first);
    drop(other.lease());
    assert_eq!(pool.pools.waits.ended("refused"), 2);
}

/// Whoever sleeps wakes when it is polled and the time has come.
fn by_the_clock(terms: &KeyTerms) -> Pool {
    let mut pool = pool_of(1, terms);
    let clock = pool.clock.clone();
    pool.pools = pool.pools.passing_time_by(move |span| {
        let (clock, until) = (clock.clone(), clock.now().after(span));
        std::future::poll_fn(move |_| {
            if clock.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    });
    pool
}

#[test]
fn room_that_the_time_brings_is_given_to_as_many_as_there_is() {
    let pool = by_the_clock(&KeyTerms {
        requests_per_minute: Some(3),
        ..KeyTerms::default()
    });
    for _ in 0..3 {
        pool.lease(1, false).expect("room");
    }
    let is_long = matches!(pool.lease(1, false), Err(Idle::Rests { .. }));
    assert!(is_long, "a minute is no wait");
    pool.clock.advance(Duration::from_millis(59_500));
    assert!(matches!(pool.lease(1, false), Err(Idle::Full { .. })));
    let mut waiters: Vec<Waiter<'_>> = (0..5).map(|by| waits(&pool, by)).collect();
    pool.clock.advance(Duration::from_millis(1_500));
    let told: Vec<_> = waiters.iter_mut().map(Waiter::poll).collect();
    let served = told.iter().take(3);
    assert!(
        served
            .clone()
            .all(|told| matches!(told, Poll::Ready(Ok(_))))
    );
    // Whoever would wait for a minute now is told so at once.
    let refused = told.iter().skip(3);
    assert!(
        refused
            .clone()
            .all(|told| matches!(told, Poll::Ready(Err(Idle::Rests { .. }))))
    );
    assert_eq!(pool.pools.waits.ended("served"), 3);
    assert_eq!(pool.pools.waits.ended("other"), 2);
}

#[test]
fn nobody_waits_longer_than_the_longest_wait() {
    let pool = by_the_clock(&KeyTerms {
        calls_at_once: Some(1),
        ..KeyTerms::default()
    });
    let _running = pool.lease(1, false).expect("room");
    let mut waiters: Vec<Waiter<'_>> = (0..3).map(|by| waits(&pool, by)).collect();
    pool.clock.advance(WAIT_MAX * 9 / 10);
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    pool.clock.advance(WAIT_MAX / 10);
    for waiter in &mut waiters {
        let told = waiter.poll();
        assert!(matches!(told, Poll::Ready(Err(Idle::Full { .. }))));
    }
    assert_eq!(pool.pools.waits.ended("late"), 3);
}

#[test]
fn where_a_key_rests_for_one_caller_no_other_waits_behind_it() {
    let pool = narrow_of(2, 1);
    let rests = pool.lease(1, false).expect("room");
    rests.failed(&limited(60));
    drop(rests);
    let running = pool.lease(1, false).expect("the other key");
    let mut waiting = [waits(&pool, 1), waits(&pool, 1)];
    let own = pool.lease(1, false);
    assert!(matches!(own, Err(Idle::Full { .. })), "behind its own");
    // The first key is free for all others: at once, and to those that wait.
    let served = pool.lease(2, false).expect("room");
    let mut second = waits(&pool, 2);
    drop(served);
    let served = second.lease();
    // Now both are full, for whoever comes.
    let third = waits(&pool, 3);
    drop(served);
    assert!(waiting.iter_mut().all(|one| one.poll().is_pending()));
    assert!(third.woken() > 0);
    drop(third);
    // It gave back what it was given, and what the first caller waits for is still its own.
    let free = pool.lease(4, false).expect("the first key");
    drop(running);
    let first = waiting[0].lease();
    assert_ne!(first.key().id, free.key().id);
}

#[test]
fn a_last_resort_waits_behind_nobody() {
    let pool = by_the_clock(&KeyTerms {
        requests_per_minute: Some(2),
        ..KeyTerms::default()
    });
    for _ in 0..2 {
        pool.lease(1, false).expect("room");
    }
    pool.clock.advance(Duration::from_millis(59_500));
    let _waiting = waits(&pool, 1);
    pool.clock.advance(Duration::from_millis(1_500));
    let behind = pool.lease(2, false);
    assert!(matches!(behind, Err(Idle::Full { .. })));
    pool.lease(2, true).expect("room");
}

#[test]
fn one_look_goes_along_a_part_of_a_long_line_and_the_next_ones_go_on() {
    let pool = by_the_clock(&KeyTerms {
        tokens_per_minute: Some(1_000),
        ..KeyTerms::default()
    });
    let asks_for = |caller, input| Asker {
        size: Size {
            input,
            output_max: 0,
        },
        ..asks(caller, false)
    };
    let running = pool.pools.lease("p", asks_for(0, 900), &[]).expect("room");
    pool.clock.advance(Duration::from_millis(59_500));
    // Each is less than those before it, so that none tells of the next one.
    let needs = (0..15).map(|n| 500 - n);
    let mut large: Vec<Waiter<'_>> = needs
        .map(|need| waits_with(&pool, asks_for(need, need)))
        .collect();
    let mut small = waits_with(&pool, asks_for(1, 150));
    running.used(&shared::units::Usage::of([(
        shared::units::Unit::InputToken,
        800,
    )]));
    drop(running);
    assert!(small.poll().is_pending(), "it stands far behind");
    let mut looks = 0;
    while small.poll().is_pending() {
        looks += 1;
        assert!(looks <= 6, "it is never looked at");
        pool.clock.advance(LOOK_AGAIN);
        assert!(large.iter_mut().all(|one| one.poll().is_pending()));
    }
    assert_eq!(pool.pools.waits.ended("served"), 1);
}
