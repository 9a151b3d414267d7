//! An aim is met only by what was measured, survived and stayed below it.

use std::time::Duration;

use super::super::scenarios::{CutFigures, Failures, TokenFigures};
use super::super::ways::Way;
use super::super::{Cell, Lateness};
use super::*;
use crate::failure::{Failure, Outcome};

fn measured(part: Part, way: Way, figures: Outcome<Figures>) -> Measured {
    Measured {
        cell: Cell {
            part,
            way,
            loss_percent: 1.0,
        },
        figures,
        congestion: Vec::new(),
        late: Lateness::default(),
        provider_late: Duration::ZERO,
    }
}

fn tokens(delay_ms: u64) -> Figures {
    Figures::Tokens(TokenFigures {
        delay: Durations::of([Duration::from_millis(delay_ms)]),
        first: Durations::default(),
        whole: Durations::default(),
        streams: 1,
        failed: Failures::default(),
        bytes_down_a_token: 300.0,
        repeated: 0,
    })
}

#[test]
fn a_delay_beyond_its_aim_is_not_met_and_other_ways_have_no_aims() {
    let all = [
        measured(Part::Tokens, Way::Waule, Ok(tokens(120))),
        measured(Part::Tokens, Way::H2Cubic, Ok(tokens(9_000))),
    ];
    let aims = of(&all);
    let met: Vec<_> = aims.iter().map(LinkAim::is_met).collect();
    // p50 at most 101, p90 at most 150, p99 at most 300, none failed.
    assert_eq!(met, [false, true, true, true]);
}

#[test]
fn what_was_not_measured_or_has_no_survivor_is_not_met() {
    let broken = Err(Failure::new("no gateway"));
    let cut = Figures::Cut(CutFigures {
        streams: 100,
        hit: 100,
        failed: Failures {
            count: 100,
            reasons: [("reset".to_owned(), 100)].into(),
        },
        gap: Durations::default(),
        repeated: 0,
    });
    let all = [
        measured(Part::Tokens, Way::Waule, broken),
        measured(Part::Reset, Way::Waule, Ok(cut)),
    ];
    assert_eq!(of(&all).len(), 3);
    assert!(!of(&all).iter().any(LinkAim::is_met));
}
