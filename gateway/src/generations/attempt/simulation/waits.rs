//! Waits for room: they turn refusals into answers where limits are just below what comes, cross no limit,
//! starve nobody, end soon, and are not there where waiting cures nothing.

use std::collections::HashMap;

use shared::fault::FaultKind;

use super::limits::{limited, minute_max};
use super::vendor::{Does, Tells};
use super::*;
use crate::pool::ask::Size;
use crate::pool::health::Asker;

/// No call waits longer, and a look at the clock more.
const BOUND_MS: u64 = 2_001;

fn at_once(most: u32) -> Vec<KeySpec> {
    vec![(1, limited(None, None, Some(most)), Behaviour::serves(200))]
}

fn part(seen: &[Seen], is_theirs: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    seen.iter().filter(|one| is_theirs(one)).cloned().collect()
}

#[tokio::test]
async fn places_that_are_short_for_moments_refuse_nobody() {
    for seed in 0..4 {
        let sim = Sim::new(seed, &[("a", at_once(10))]);
        // 8.4 of 10 places on average.
        let seen = sim
            .run(&Load::of(12, 300), |sim, _| {
                let running = sim.pools.all()["a"].keys[0].health.in_flight();
                assert!(running <= 10, "{running}");
            })
            .await;
        let after_a_wait = part(&seen, |one| one.outcome.is_ok() && one.waited_ms > 0);
        let (all, good) = (seen.len(), answered(&seen));
        figures(&format!(
            "seed {seed}: {good} of {all} answered, {} of them after a wait",
            after_a_wait.len()
        ));
        assert!(good * 1_000 >= all * 985, "{good} of {all}");
        assert!(after_a_wait.len() * 100 >= all * 5, "they would be refused");
        assert!(seen.iter().all(|one| one.waited_ms <= BOUND_MS));
        assert_eq!(sim.pools.waits.waiting(), 0);
    }
}

#[tokio::test]
async fn limits_of_a_minute_are_used_up_and_not_crossed_by_those_that_wait() {
    for (seed, tells) in [(1, Tells::Nothing), (2, Tells::Bucket)] {
        let terms = limited(Some(60), None, None);
        let keys = vec![(1, terms, Behaviour::limited(60, tells)); 2];
        let sim = Sim::new(seed, &[("a", keys)]);
        let seen = sim.run(&Load::of(2, 900), |_, _| {}).await;
        for key in ["a0", "a1"] {
            let counts = sim.vendor.counts(key);
            assert!(counts.limited.is_empty(), "{tells:?}: nothing is refused");
            assert!(minute_max(&counts.calls) <= 60);
        }
        let (used, waits) = (answered(&seen), sim.pools.waits.ended("served"));
        figures(&format!("{tells:?}: {used} of 1800, {waits} after a wait"));
        assert!(used >= 1_800 * 92 / 100, "{used}");
        assert!(waits > 0 && seen.iter().all(|one| one.waited_ms <= BOUND_MS));
    }
}

#[tokio::test]
async fn a_flood_of_one_caller_starves_nobody() {
    for seed in 0..4 {
        let sim = Sim::new(seed, &[("a", at_once(5))]);
        // Three times what it takes, nine of ten calls by one caller.
        let load = Load {
            flood: 900,
            callers: 4,
            ..Load::of(21, 300)
        };
        let seen = sim.run(&load, |_, _| {}).await;
        let (flood, others) = (
            part(&seen, |one| one.caller == FLOODER),
            part(&seen, |one| one.caller != FLOODER),
        );
        let (good, all) = (answered(&others), others.len());
        figures(&format!(
            "seed {seed}: {good} of {all}, and {} of {} of the flood",
            answered(&flood),
            flood.len()
        ));
        assert!(good * 100 >= all * 95, "{good} of {all}");
        assert!(answered(&flood) > 0, "it has what is left");
        assert!(seen.iter().all(|one| one.waited_ms <= BOUND_MS));
        for one in seen.iter().filter_map(|one| one.outcome.as_ref().err()) {
            assert_eq!(one.fault.kind, FaultKind::RateLimited);
            assert!(one.fault.retry_after_ms.is_some_and(|wait| wait > 0));
        }
    }
}

#[tokio::test]
async fn callers_that_all_want_more_share_alike() {
    let sim = Sim::new(7, &[("a", at_once(5))]);
    let load = Load {
        callers: 6,
        ..Load::of(30, 400)
    };
    let seen = sim.run(&load, |_, _| {}).await;
    let mut by_caller: HashMap<u64, u64> = HashMap::new();
    for one in seen.iter().filter(|one| one.outcome.is_ok()) {
        *by_caller.entry(one.caller).or_default() += 1;
    }
    let (sum, squares) = by_caller
        .values()
        .fold((0, 0), |(sum, squares), n| (sum + n, squares + n * n));
    // Jain's index, in thousandths.
    let jain = sum * sum * 1_000 / (6 * squares);
    assert!(jain >= 950, "{jain}: {by_caller:?}");
}

#[tokio::test]
async fn another_target_is_better_than_a_wait() {
    let providers = [
        ("a", at_once(2)),
        ("b", vec![key(Behaviour::serves(200)); 2]),
    ];
    let sim = Sim::new(3, &providers);
    let load = Load {
        targets: vec![("a", "m"), ("b", "m")],
        ..Load::of(20, 60)
    };
    let seen = sim.run(&load, |_, _| {}).await;
    assert_eq!(answered(&seen), seen.len());
    assert!(seen.iter().all(|one| one.waited_ms == 0));
}

#[tokio::test]
async fn an_outage_is_waited_for_by_nobody() {
    let all = [
        Does::Refuses,
        Does::Silent,
        Does::Fails(FaultKind::Overloaded, 503),
        Does::Fails(FaultKind::RateLimited, 429),
        Does::Fails(FaultKind::InvalidKey, 401),
    ];
    for does in all {
        let terms = limited(Some(6_000), None, None);
        let keys = vec![(1, terms, Behaviour::does(does.clone())); 3];
        let sim = Sim::new(11, &[("a", keys.clone()), ("b", keys)]);
        let load = Load {
            targets: vec![("a", "m"), ("b", "m")],
            ..Load::of(20, 120)
        };
        let seen = sim.run(&load, |_, _| {}).await;
        assert!(seen.iter().all(|one| one.waited_ms == 0), "{does:?}");
        for end in ["served", "late", "refused", "other", "left"] {
            assert_eq!(sim.pools.waits.ended(end), 0, "{does:?}: {end}");
        }
    }
}

#[tokio::test]
async fn a_target_is_not_waited_for_because_the_one_before_is_full() {
    let fails = key(Behaviour::does(Does::Fails(FaultKind::Overloaded, 503)));
    let only = at_once(1).remove(0);
    let sim = Sim::new(5, &[("a", vec![fails, only]), ("b", Vec::new())]);
    let asker = Asker {
        caller: 0,
        model: "m",
        is_last_resort: false,
        size: Size::default(),
        affinity: None,
    };
    let failing = ProviderKeyId::from_stored("a0".to_owned());
    let running = sim.pools.lease("a", asker, &[failing]).expect("room");
    let load = Load {
        targets: vec![("a", "m"), ("b", "m")],
        ..Load::of(2, 10)
    };
    let mut one = Box::pin(sim.one(&load, 0));
    while futures_util::poll!(one.as_mut()).is_pending() {
        assert!(sim.world.step(), "it waits for nothing");
    }
    drop((one, running));
    assert_eq!(sim.seen.borrow()[0].attempts, 1, "it tried the first");
    let waited = ["served", "late", "other"].map(|end| sim.pools.waits.ended(end));
    assert_eq!(waited, [0, 0, 0], "the second has no key to wait for");
}
