//! Limits of keys: those that are set are never crossed and nearly used up, those that are told are kept
//! ahead of, and what was taken is given back.

use super::vendor::Tells;
use super::*;

pub(super) fn limited(
    requests: Option<u32>,
    tokens: Option<u64>,
    at_once: Option<u32>,
) -> KeyTerms {
    KeyTerms {
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        calls_at_once: at_once,
        ..KeyTerms::default()
    }
}

/// The most calls that came within any sixty seconds.
pub(super) fn minute_max(calls: &[i64]) -> usize {
    let within = |from: &i64| {
        let end = calls.partition_point(|at| *at < from + 60_000);
        end - calls.partition_point(|at| at < from)
    };
    calls.iter().map(within).max().unwrap_or(0)
}

#[tokio::test]
async fn limits_that_are_set_are_never_crossed_and_nearly_used_up() {
    for (seed, tells) in [(1, Tells::Nothing), (2, Tells::Bucket), (3, Tells::Window)] {
        let limits = [30_u32, 60, 120];
        let keys = limits.map(|limit| {
            let terms = limited(Some(limit), None, None);
            (1, terms, Behaviour::limited(limit.into(), tells))
        });
        let sim = Sim::new(seed, &[("a", keys.to_vec())]);
        // Twice what they take.
        let seen = sim.run(&Load::of(7, 600), |_, _| {}).await;
        for (at, limit) in limits.iter().enumerate() {
            let counts = sim.vendor.counts(&format!("a{at}"));
            assert!(counts.limited.is_empty(), "{tells:?}: nothing is refused");
            let most = minute_max(&counts.calls);
            assert!(most <= *limit as usize, "{most} of {limit}");
        }
        let possible = 210 * 10;
        let used = answered(&seen) * 100 / possible;
        assert!(used >= 95, "{used} % of what they take, {tells:?}");
        for one in seen.iter().filter_map(|one| one.outcome.as_ref().err()) {
            let wait = one.fault.retry_after_ms.expect("a wait");
            assert!((1..=61_000).contains(&wait), "{wait}");
        }
    }
}

#[tokio::test]
async fn tokens_and_places_are_never_crossed() {
    let tokens = 20_000;
    let keys = vec![
        (
            1,
            limited(None, Some(tokens), Some(7)),
            Behaviour::serves(200)
        );
        2
    ];
    let sim = Sim::new(5, &[("a", keys)]);
    let load = Load {
        input: 300,
        output_max: 200,
        callers: 1,
        ..Load::of(40, 300)
    };
    let seen = sim
        .run(&load, |sim, _| {
            for key in &sim.pools.all()["a"].keys {
                assert!(key.health.in_flight() <= 7);
                let (_, used) = key.health.minute(sim.world.clock.now());
                // What is longer than nine of ten answers is seen when it is over.
                assert!(used <= tokens + 7 * 200, "{used}");
            }
        })
        .await;
    // Tokens that answers really had: 300 and about 100.
    let possible = 2 * 5 * tokens / 400;
    let used = answered(&seen) * 100 / usize::try_from(possible).expect("small");
    assert!(used >= 85, "{used} %");
}

#[tokio::test]
async fn a_key_is_not_driven_into_429_where_its_provider_tells_of_its_limits() {
    for (seed, tells) in [(1, Tells::Bucket), (2, Tells::Window)] {
        let keys = vec![key(Behaviour::limited(120, tells)); 4];
        let sim = Sim::new(seed, &[("a", keys)]);
        let seen = sim.run(&Load::of(16, 600), |_, _| {}).await;
        let counts: Vec<_> = (0..4)
            .map(|at| sim.vendor.counts(&format!("a{at}")))
            .collect();
        let limited: usize = counts.iter().map(|counts| counts.limited.len()).sum();
        let calls: usize = counts.iter().map(|counts| counts.calls.len()).sum();
        assert!(
            limited * 1_000 <= calls,
            "{limited} of {calls} calls, {tells:?}"
        );
        let used = answered(&seen) * 100 / (4 * 120 * 10);
        assert!(used >= 90, "{used} % of what they take, {tells:?}");
    }
}

#[tokio::test]
async fn what_was_taken_is_given_back_also_by_calls_that_were_dropped() {
    let terms = limited(Some(100_000), Some(10_000_000), Some(1_000));
    let keys = vec![(1, terms, Behaviour::does(vendor::Does::Any)); 3];
    let sim = Sim::new(9, &[("a", keys)]);
    sim.run(&Load::of(50, 60), |_, _| {}).await;
    {
        // Some are dropped on their way.
        let waker = Waker::noop();
        let mut cx = Context::from_waker(waker);
        let load = Load::of(1, 1);
        for number in 0..50 {
            let mut one = Box::pin(sim.one(&load, number));
            assert!(one.as_mut().poll(&mut cx).is_pending() || number > 0);
        }
    }
    sim.world.clock.advance(Duration::from_secs(62));
    for key in &sim.pools.all()["a"].keys {
        assert_eq!(key.health.in_flight(), 0);
        assert_eq!(key.health.minute(sim.world.clock.now()), (0, 0));
    }
    assert_eq!(sim.pools.all()["a"].health.running(), 0);
}
