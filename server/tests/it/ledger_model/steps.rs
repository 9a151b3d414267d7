//! What may happen in a trace, and any order of it.

use proptest::prelude::*;

use super::{HOLDS, PROCESSES, SPENDERS, TENANTS};

#[derive(Debug, Clone)]
pub(super) enum Step {
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
pub(super) type Turn = (Step, usize, usize, usize);

pub(super) fn turns() -> impl Strategy<Value = Vec<Turn>> {
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
