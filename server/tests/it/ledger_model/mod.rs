//! Random interleavings of every operation, repeated ones, jumps of the clock, restarts and a second
//! process, on both databases: each answer and each balance is the reference's after every step,
//! the tables agree with each other, and the same steps give the same entries on both databases.

mod reference;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shared::id::random_text;

use self::world::World;
use crate::support::{TestDb, databases};

const TENANTS: usize = 2;
const HOLDS: usize = 8;
const SPENDERS: usize = 2;
const PROCESSES: usize = 2;
const START: i64 = 1_800_000_000_000;

#[derive(Debug, Clone)]
enum Step {
    Grant {
        key: u32,
        micros: i64,
        expires_in: Option<i64>,
    },
    Adjust {
        key: u32,
        micros: i64,
        into_debt: bool,
    },
    Budget {
        spender: usize,
        limit: Option<i64>,
    },
    Hold {
        slot: usize,
        a: i64,
        b: i64,
        spenders: usize,
    },
    Extend {
        slot: usize,
        to: i64,
    },
    Settle {
        slot: usize,
        micros: i64,
    },
    Release {
        slot: usize,
    },
    GiveBack {
        slot: usize,
        promised: bool,
    },
    Expire,
    Wait {
        ms: u64,
    },
    Restart,
}

/// A step, whose process takes it, whose tenant it is for, and how often it is asked for.
type Turn = (Step, usize, usize, usize);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let step = prop_oneof![
        2 => (0_u32..6, 1_i64..1_000, proptest::option::of(1_i64..5_000))
            .prop_map(|(key, micros, expires_in)| Step::Grant { key, micros, expires_in }),
        1 => (0_u32..4, -800_i64..800, any::<bool>())
            .prop_map(|(key, micros, into_debt)| Step::Adjust { key, micros, into_debt }),
        2 => (0..SPENDERS, proptest::option::of(0_i64..900))
            .prop_map(|(spender, limit)| Step::Budget { spender, limit }),
        6 => (0..HOLDS, 0_i64..900, 0_i64..900, 0..4_usize)
            .prop_map(|(slot, a, b, spenders)| Step::Hold { slot, a, b, spenders }),
        2 => (0..HOLDS, 0_i64..1_200).prop_map(|(slot, to)| Step::Extend { slot, to }),
        4 => (0..HOLDS, 0_i64..1_200).prop_map(|(slot, micros)| Step::Settle { slot, micros }),
        2 => (0..HOLDS).prop_map(|slot| Step::Release { slot }),
        3 => (0..HOLDS, any::<bool>()).prop_map(|(slot, promised)| Step::GiveBack { slot, promised }),
        1 => Just(Step::Expire),
        2 => prop_oneof![3 => 0_u64..2_000, 1 => 0_u64..90_000_000].prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Restart),
    ];
    let turn = (step, 0..PROCESSES, 0..TENANTS, 1..3_usize);
    prop::collection::vec(turn, 1..50)
}

#[expect(
    clippy::disallowed_methods,
    reason = "`./test.sh --long` says so by the environment"
)]
fn long() -> bool {
    std::env::var_os("WAULE_TEST_LONG").is_some()
}

/// The short form takes the same traces every time, so that a change is judged by itself; the long
/// one takes other traces each time.
/// Traces on one pair of databases: the check of all tables looks at those of earlier traces again, so a
/// run over thousands of traces on one pair would take as long as their number squared.
const TRACES: u32 = 80;

fn runner() -> TestRunner {
    let config = Config {
        cases: TRACES,
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    if long() {
        TestRunner::new(config)
    } else {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, rng)
    }
}

#[test]
fn any_interleaving_gives_the_references_answers_and_the_same_entries_on_both_databases() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let strategy = (turns(), prop_oneof![Just(0_u64), 1_u64..20_000]);
    for _ in 0..if long() { 25 } else { 1 } {
        let databases = runtime.block_on(databases());
        let outcome = runner().run(&strategy, |(turns, grace)| {
            let trace = random_text(8);
            let of = |db| trace_on(db, &trace, &turns, Duration::from_millis(grace));
            let entries: Vec<Vec<String>> = databases
                .iter()
                .map(|db| runtime.block_on(of(db)))
                .collect();
            prop_assert_eq!(&entries[0], &entries[1]);
            Ok(())
        });
        outcome.expect("the ledger is the reference");
    }
}

/// What random traces found: a process whose hold another one closed must not believe its memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_another_process_closed_is_closed_here_too() {
    let grant = Step::Grant {
        key: 0,
        micros: 376,
        expires_in: None,
    };
    let hold = Step::Hold {
        slot: 6,
        a: 0,
        b: 1,
        spenders: 0,
    };
    let settle = Step::Settle { slot: 6, micros: 0 };
    let turns = [
        (grant, 0, 1, 1),
        (hold, 0, 1, 1),
        (settle, 1, 1, 1),
        (Step::Release { slot: 6 }, 0, 1, 1),
    ];
    for db in databases().await {
        trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
    }
}

/// The same for an answer that writes nothing: the refusal of an extension says that the hold is closed,
/// not that the balance is short.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_closed_is_not_extended_from_memory() {
    let grant = Step::Grant {
        key: 0,
        micros: 8,
        expires_in: None,
    };
    let hold = Step::Hold {
        slot: 0,
        a: 0,
        b: 0,
        spenders: 0,
    };
    let give_back = Step::GiveBack {
        slot: 0,
        promised: false,
    };
    for to in [0, 9] {
        let turns = [
            (grant.clone(), 0, 1, 1),
            (hold.clone(), 0, 1, 1),
            (give_back.clone(), 1, 1, 1),
            (Step::Extend { slot: 0, to }, 0, 1, 1),
        ];
        for db in databases().await {
            trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
        }
    }
}

/// A call that is free is held and closed though its tenant was never given credits.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_nothing_needs_no_credits_and_no_account() {
    let hold = Step::Hold {
        slot: 4,
        a: 0,
        b: 0,
        spenders: 0,
    };
    let ends = [
        Step::Release { slot: 4 },
        Step::Settle { slot: 4, micros: 0 },
        Step::Settle { slot: 4, micros: 5 },
        Step::GiveBack {
            slot: 4,
            promised: false,
        },
    ];
    for db in databases().await {
        for (end, closer) in ends.iter().flat_map(|end| [(end, 0), (end, 1)]) {
            let turns = [(hold.clone(), 0, 1, 1), (end.clone(), closer, 1, 1)];
            trace_on(&db, &random_text(8), &turns, Duration::ZERO).await;
        }
    }
}

async fn trace_on(db: &TestDb, trace: &str, turns: &[Turn], grace: Duration) -> Vec<String> {
    let mut world = World::new(db, trace, grace).await;
    for (place, turn) in turns.iter().enumerate() {
        world.take(turn).await;
        world.check(place % 16 == 15).await;
    }
    world.check(true).await;
    world.entries().await
}
