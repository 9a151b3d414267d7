//! Random interleavings of every operation, repeated ones, jumps of the clock, restarts and a second
//! process, on both databases: each answer and each balance is the reference's after every step,
//! the tables agree with each other, and the same steps give the same entries on both databases.

mod fixed;
mod reference;
mod steps;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shared::id::random_text;

use self::fixed::trace_on;
use self::steps::turns;
use crate::support::databases;

const TENANTS: usize = 2;
const HOLDS: usize = 8;
const SPENDERS: usize = 2;
const PROCESSES: usize = 2;
const START: i64 = 1_800_000_000_000;

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
