//! Which keys take calls while all is well: shares follow weights, nobody starves, slow keys get little,
//! and prompts stay with their caches.

use std::cell::Cell;

use super::*;
use crate::pool::ask::Size;
use crate::pool::health::Asker;

const SEEDS: [u64; 3] = [1, 2, 3];

fn weighing(weight: u32) -> KeySpec {
    (weight, KeyTerms::default(), Behaviour::serves(200))
}

/// How far a share is from what it should be, in thousandths of that.
fn off_permille(count: usize, of: usize, weight: usize, weights: usize) -> usize {
    let expected = of * weight / weights;
    count.abs_diff(expected) * 1_000 / expected.max(1)
}

#[tokio::test]
async fn shares_follow_the_weights_within_a_twentieth() {
    // About one call at a time, ten, and a hundred and forty.
    let loads = [(2, 8_000), (20, 800), (200, 80)];
    let worlds = loads.map(|load| [(load, vec![1, 3]), (load, vec![5, 3, 2])]);
    let large = ((200, 200), vec![3, 2, 2, 2, 1]);
    for ((rate, seconds), weights) in worlds.into_iter().flatten().chain([large]) {
        let keys: Vec<KeySpec> = weights.iter().map(|w| weighing(*w)).collect();
        let sim = Sim::new(11, &[("a", keys)]);
        let seen = sim.run(&Load::of(rate, seconds), |_, _| {}).await;
        let all: u32 = weights.iter().sum();
        for (at, weight) in weights.iter().enumerate() {
            let count = by_key(&seen, &format!("a{at}"));
            let (weight, all) = (*weight as usize, all as usize);
            let off = off_permille(count, seen.len(), weight, all);
            assert!(
                off <= 50,
                "{rate}/s, {weights:?}: key {at} is off by {off} permille"
            );
        }
        assert_eq!(answered(&seen), seen.len());
    }
}

#[tokio::test]
async fn a_key_of_ten_times_the_latency_gets_less_than_a_twentieth_and_no_herd_when_it_heals() {
    for (keys, seed) in [(2, 1), (10, 2), (10, 3)] {
        let mut specs: Vec<KeySpec> = (0..keys).map(|_| key(Behaviour::serves(200))).collect();
        specs[0] = key(Behaviour::serves(2_000));
        let sim = Sim::new(seed, &[("a", specs)]);
        let load = Load::of(200, 100);
        let seen = sim
            .run(&load, |sim, ms| {
                if ms >= 50_000 {
                    sim.vendor.set("a0", Behaviour::serves(200));
                }
            })
            .await;
        let slow = between(&seen, 15, 50);
        let share = by_key(&slow, "a0") * 1_000 / slow.len();
        assert!(share < 50, "{share} permille while slow, of {keys}");
        assert!(share > 0, "it is looked at");
        let healed = between(&seen, 80, 100);
        let share = by_key(&healed, "a0") * keys * 100 / healed.len();
        assert!(
            share >= 90,
            "{share} % of its share 30 s after it healed, of {keys}"
        );
        if keys > 2 {
            for second in 15..100 {
                let part = between(&seen, second, second + 1);
                for at in 0..keys {
                    let count = by_key(&part, &format!("a{at}")) * keys;
                    assert!(
                        count <= part.len() * 2,
                        "a{at} has {count} in second {second}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_starves_and_the_next_priority_waits_for_its_turn() {
    for seed in SEEDS {
        let keys = (0..50).map(|_| key(Behaviour::serves(300))).collect();
        let sim = Sim::new(seed, &[("a", keys)]);
        let seen = sim.run(&Load::of(100, 60), |_, _| {}).await;
        for at in 0..50 {
            let count = by_key(&seen, &format!("a{at}"));
            assert!(
                count > seen.len() / 50 / 2,
                "a{at} has {count} of {}",
                seen.len()
            );
        }
        let second = KeyTerms {
            priority: 1,
            ..KeyTerms::default()
        };
        let first = KeyTerms {
            calls_at_once: Some(4),
            ..KeyTerms::default()
        };
        let keys = vec![
            (1, second, Behaviour::serves(200)),
            (1, first, Behaviour::serves(200)),
        ];
        let sim = Sim::new(seed, &[("a", keys)]);
        let seen = sim.run(&Load::of(2, 200), |_, _| {}).await;
        assert!(by_key(&seen, "a1") * 10 > seen.len() * 9, "one tier first");
        let seen = sim.run(&Load::of(20, 50), |_, _| {}).await;
        assert_eq!(answered(&seen), seen.len(), "then the other");
        assert!(by_key(&seen, "a0") > seen.len() / 2);
    }
}

#[tokio::test]
async fn prompts_that_begin_alike_stay_with_one_key_within_its_load() {
    for seed in SEEDS {
        let keys = (0..10).map(|_| key(Behaviour::serves(300))).collect();
        let sim = Sim::new(seed, &[("a", keys)]);
        let load = Load {
            sessions: 200,
            ..Load::of(60, 120)
        };
        let most = Cell::new(0.0_f64);
        let seen = sim
            .run(&load, |sim, ms| {
                let keys = sim.pools.all()["a"].keys.clone();
                let running: Vec<f64> = keys
                    .iter()
                    .map(|key| f64::from(key.health.in_flight()))
                    .collect();
                let mean = running.iter().sum::<f64>() / 10.0;
                if ms > 5_000 {
                    let over = running.iter().fold(0.0_f64, |a, b| a.max(*b)) - 1.25 * mean;
                    most.set(most.get().max(over));
                }
            })
            .await;
        assert!(most.get() <= 4.0, "{} calls above the bound", most.get());
        assert_eq!(answered(&seen), seen.len());
        let hits = sim.vendor.hits();
        assert!(
            hits.0 * 10 >= hits.1 * 9,
            "{} of {} found their cache",
            hits.0,
            hits.1
        );
    }
}

#[tokio::test]
async fn a_key_serves_its_models_alone() {
    let only = |models: &[&str]| KeyTerms {
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        ..KeyTerms::default()
    };
    let keys = vec![
        (1, only(&["m", "n-*"]), Behaviour::serves(200)),
        (1, only(&["other"]), Behaviour::serves(200)),
    ];
    let sim = Sim::new(1, &[("a", keys)]);
    for (model, by) in [("m", 0), ("n-1", 0), ("other", 1)] {
        let load = Load {
            targets: vec![("a", model)],
            ..Load::of(20, 10)
        };
        let seen = sim.run(&load, |_, _| {}).await;
        assert_eq!(by_key(&seen, &format!("a{by}")), seen.len(), "{model}");
    }
    let load = Load {
        targets: vec![("a", "n")],
        ..Load::of(20, 1)
    };
    let seen = sim.run(&load, |_, _| {}).await;
    assert_eq!(answered(&seen), 0);
}

/// Picks among `count` keys, with and without a prompt to be cached; each one's time.
fn picks(count: usize, has_affinity: bool) -> Vec<Duration> {
    let keys = (0..count).map(|_| key(Behaviour::serves(200))).collect();
    let sim = Sim::new(1, &[("a", keys)]);
    let pick = |caller: u64| {
        let asker = Asker {
            caller,
            model: "m",
            is_last_resort: false,
            size: Size::default(),
            affinity: has_affinity.then_some(caller),
        };
        let begun = Instant::now();
        let lease = sim.pools.lease("a", asker, &[]);
        let took = begun.elapsed();
        assert!(lease.is_ok());
        took
    };
    let mut took: Vec<Duration> = (0..20_000).map(pick).collect();
    took.sort_unstable();
    took
}

#[tokio::test]
async fn a_pick_of_a_thousand_keys_is_not_much_more_work_than_one_of_ten() {
    let median = |count| picks(count, false)[10_000];
    let (few, many) = (median(10), median(1_000));
    assert!(many < few * 5, "{few:?}, {many:?}");
}

#[test]
#[ignore = "measures; says something with optimisation alone"]
fn what_a_pick_costs() {
    for (count, has_affinity) in [(10, false), (1_000, false), (10, true), (1_000, true)] {
        let took = picks(count, has_affinity);
        let (median, p99) = (took[10_000], took[19_800]);
        figures(&format!(
            "{count} keys, affinity {has_affinity}: {median:?}, p99 {p99:?}"
        ));
    }
}
