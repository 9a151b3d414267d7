//! What faults cost: a part of the keys, a whole provider, all of them, and what one caller can do.

use shared::fault::FaultKind;

use super::vendor::Does;
use super::*;
use crate::pool::ask::Size;
use crate::pool::health::{Asker, Shown};

const SEEDS: [u64; 3] = [1, 2, 3];

fn serving(count: usize) -> Vec<KeySpec> {
    vec![key(Behaviour::serves(200)); count]
}

fn doing(does: Does, count: usize) -> Vec<KeySpec> {
    vec![key(Behaviour::does(does)); count]
}

fn two_targets(rate: u64, seconds: u64) -> Load {
    Load {
        targets: vec![("a", "m"), ("b", "m")],
        ..Load::of(rate, seconds)
    }
}

#[tokio::test]
async fn three_of_ten_keys_fail_and_nearly_every_call_is_answered() {
    let overloaded = Does::Fails(FaultKind::Overloaded, 503);
    let refused = Does::Fails(FaultKind::InvalidKey, 401);
    let empty = Does::Fails(FaultKind::QuotaExhausted, 402);
    let limited = Does::Fails(FaultKind::RateLimited, 429);
    for (at, does) in [overloaded, refused, empty, limited]
        .into_iter()
        .enumerate()
    {
        let mut keys = serving(10);
        keys[..3].fill(key(Behaviour::does(does.clone())));
        let sim = Sim::new(at as u64, &[("a", keys)]);
        let seen = sim.run(&Load::of(100, 120), |_, _| {}).await;
        let failed = seen.len() - answered(&seen);
        assert!(
            failed * 1_000 < seen.len(),
            "{failed} of {} failed, {does:?}",
            seen.len()
        );
        let attempts = attempts_permille(&seen);
        assert!(
            attempts < 1_500,
            "{attempts} tries for a thousand, {does:?}"
        );
        tell("three of ten fail", &seen);
    }
}

fn tell(what: &str, seen: &[Seen]) {
    let (answered, attempts) = (answered(seen), attempts_permille(seen));
    figures(&format!(
        "{what}: {answered} of {} answered, {attempts} tries for a thousand",
        seen.len()
    ));
}

#[tokio::test]
async fn one_call_of_ten_fails_everywhere_and_nearly_every_one_is_answered() {
    // Whichever the key: what is tried again is within the budget.
    for seed in SEEDS {
        let keys = doing(Does::FailsOneOf(10, FaultKind::Overloaded, 503), 10);
        let sim = Sim::new(seed, &[("a", keys)]);
        let seen = sim.run(&Load::of(100, 60), |_, _| {}).await;
        let failed = seen.len() - answered(&seen);
        assert!(failed * 200 < seen.len(), "{failed} of {}", seen.len());
        tell("one of ten calls fails", &seen);
    }
}

#[tokio::test]
async fn a_whole_provider_is_dead_and_the_next_target_answers_every_call() {
    for does in [
        Does::Refuses,
        Does::Silent,
        Does::Fails(FaultKind::Overloaded, 503),
        Does::Fails(FaultKind::RateLimited, 429),
        Does::Fails(FaultKind::InvalidKey, 401),
    ] {
        let sim = Sim::new(4, &[("a", doing(does.clone(), 10)), ("b", serving(3))]);
        let seen = sim.run(&two_targets(50, 120), |_, _| {}).await;
        assert_eq!(answered(&seen), seen.len(), "{does:?}");
        let late = between(&seen, 20, 120);
        let attempts = attempts_permille(&late);
        assert!(
            attempts < 1_100,
            "{attempts} tries for a thousand, {does:?}"
        );
        tell("a whole provider is dead", &seen);
    }
}

#[tokio::test]
async fn a_provider_that_heals_has_its_share_again_within_a_cool_down() {
    for does in [
        Does::Refuses,
        Does::Silent,
        Does::Fails(FaultKind::Overloaded, 503),
        Does::Fails(FaultKind::RateLimited, 429),
        Does::Fails(FaultKind::QuotaExhausted, 402),
    ] {
        let sim = Sim::new(8, &[("a", serving(10)), ("b", serving(10))]);
        let seen = sim
            .run(&two_targets(50, 150), |sim, ms| {
                let is_ill = (30_000..60_000).contains(&ms);
                for at in 0..10 {
                    let behaviour = if is_ill {
                        Behaviour::does(does.clone())
                    } else {
                        Behaviour::serves(200)
                    };
                    sim.vendor.set(&format!("a{at}"), behaviour);
                }
            })
            .await;
        assert_eq!(answered(&seen), seen.len(), "{does:?}");
        let after = between(&seen, 122, 150);
        let by_a = after
            .iter()
            .filter(|one| matches!(&one.outcome, Ok((provider, _)) if provider == "a"));
        let share = by_a.count() * 100 / after.len();
        assert!(share >= 90, "{share} % at the first target again, {does:?}");
    }
}

#[tokio::test]
async fn keys_that_heal_have_their_share_again_within_half_a_minute() {
    for seed in SEEDS {
        let sim = Sim::new(seed, &[("a", serving(10))]);
        let seen = sim
            .run(&Load::of(100, 120), |sim, ms| {
                let is_ill = (20_000..50_000).contains(&ms);
                let does = if is_ill {
                    Does::Fails(FaultKind::Overloaded, 503)
                } else {
                    Does::Serves
                };
                for at in 0..3 {
                    sim.vendor
                        .set(&format!("a{at}"), Behaviour::does(does.clone()));
                }
            })
            .await;
        let after = between(&seen, 82, 120);
        for at in 0..3 {
            let share = by_key(&after, &format!("a{at}")) * 10 * 100 / after.len();
            assert!(share >= 85, "{share} % of its share at a{at}");
        }
        assert!(answered(&seen) * 1_000 >= seen.len() * 999);
    }
}

#[tokio::test]
async fn a_total_outage_brings_few_extra_calls() {
    for (seed, does) in [
        (1, Does::Fails(FaultKind::Overloaded, 503)),
        (2, Does::Refuses),
        (3, Does::Fails(FaultKind::RateLimited, 429)),
    ] {
        for targets in [vec![("a", "m")], vec![("a", "m"), ("b", "m")]] {
            let providers = [
                ("a", doing(does.clone(), 10)),
                ("b", doing(does.clone(), 10)),
            ];
            let sim = Sim::new(seed, &providers);
            let load = Load {
                targets,
                ..Load::of(50, 120)
            };
            let seen = sim.run(&load, |_, _| {}).await;
            assert_eq!(answered(&seen), 0);
            tell("total outage", &seen);
            let all = attempts_permille(&seen);
            assert!(all <= 1_150, "{all} tries for a thousand, {does:?}");
            let late = attempts_permille(&between(&seen, 10, 120));
            assert!(
                late <= 1_100,
                "{late} tries for a thousand after ten seconds, {does:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_dead_key_is_found_soon_and_then_asked_once_a_pause() {
    for (does, pause_ms) in [
        (Does::Fails(FaultKind::Overloaded, 503), 30_000),
        (Does::Fails(FaultKind::QuotaExhausted, 402), 60_000),
        (Does::Fails(FaultKind::InvalidKey, 401), 60_000),
    ] {
        let mut keys = serving(4);
        keys[0] = key(Behaviour::does(does.clone()));
        let sim = Sim::new(2, &[("a", keys)]);
        let load = Load {
            callers: 5,
            ..Load::of(20, 600)
        };
        sim.run(&load, |_, _| {}).await;
        let calls = sim.vendor.counts("a0").calls;
        let first = calls.iter().filter(|at| **at < 10_000).count();
        assert!(first <= 12, "{first} calls before it was found, {does:?}");
        let later = calls.iter().filter(|at| **at >= 10_000).count();
        figures(&format!(
            "a dead key: {first} calls, then {later} in ten minutes, {does:?}"
        ));
        let steps = usize::try_from(600_000 / pause_ms).expect("small");
        assert!(
            later <= steps * 5,
            "{later} calls in {steps} pauses, {does:?}"
        );
    }
}

#[tokio::test]
async fn nothing_that_may_have_been_billed_is_sent_twice() {
    for seed in SEEDS {
        let providers = [
            ("a", doing(Does::Any, 6)),
            ("b", doing(Does::Any, 3)),
            ("c", doing(Does::Breaks(FaultKind::Interrupted), 2)),
        ];
        let sim = Sim::new(seed, &providers);
        let load = Load {
            targets: vec![("a", "m"), ("c", "m"), ("b", "m")],
            ..Load::of(50, 60)
        };
        let seen = sim.run(&load, |_, _| {}).await;
        assert!(answered(&seen) > 0);
        assert_eq!(sim.vendor.billed_max(), 1);
    }
}

#[tokio::test]
async fn a_flood_of_bad_requests_of_one_caller_changes_no_key() {
    for does in [
        Does::Fails(FaultKind::BadRequest, 400),
        Does::Fails(FaultKind::Overloaded, 503),
        Does::Fails(FaultKind::Timeout, 0),
    ] {
        let sim = Sim::new(6, &[("a", doing(does.clone(), 5))]);
        let flood = Load {
            callers: 1,
            ..Load::of(50, 30)
        };
        sim.run(&flood, |_, _| {}).await;
        for at in 0..5 {
            sim.vendor.set(&format!("a{at}"), Behaviour::serves(200));
        }
        let all = sim.pools.all()["a"].clone();
        let now = sim.world.clock.now();
        let off = all
            .keys
            .iter()
            .any(|key| matches!(key.health.shown(now), Shown::Off(_)));
        assert!(!off);
        // Another one is served at once, by all of them.
        let other = Asker {
            caller: 2,
            model: "m",
            is_last_resort: false,
            size: Size::default(),
            affinity: None,
        };
        let mut leases = Vec::new();
        let mut tried = Vec::new();
        while let Ok(lease) = sim.pools.lease("a", other, &tried) {
            tried.push(lease.key().id.clone());
            leases.push(lease);
        }
        assert_eq!(leases.len(), 5, "{does:?}");
    }
}

#[tokio::test]
async fn only_the_providers_own_word_switches_a_key_off() {
    let mut keys = doing(Does::Any, 4);
    keys.push(key(Behaviour::does(Does::Fails(
        FaultKind::InvalidKey,
        401,
    ))));
    let mut sim = Sim::new(7, &[("a", keys)]);
    sim.run(&Load::of(30, 60), |_, _| {}).await;
    let mut off = Vec::new();
    while let Ok(news) = sim.told.try_recv() {
        if let GatewayEvent::KeyDisabled(key) = news {
            off.push(key.last4);
        }
    }
    assert_eq!(off, ["a4"]);
}
