//! Traces that once went wrong, or that chance would seldom find.

use std::time::Duration;

use shared::id::random_text;

use super::steps::{Step, Turn};
use super::world::World;
use crate::support::{TestDb, databases};

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

pub(super) async fn trace_on(
    db: &TestDb,
    trace: &str,
    turns: &[Turn],
    grace: Duration,
) -> Vec<String> {
    let mut world = World::new(db, trace, grace).await;
    for (place, turn) in turns.iter().enumerate() {
        world.take(turn).await;
        world.check(place % 16 == 15).await;
    }
    world.check(true).await;
    world.entries().await
}
