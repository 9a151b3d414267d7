//! The tables of the link: a cell for every heading, failures and gaps told, nothing for what was
//! left out.

use std::time::Duration;

use clap::Parser;

use super::super::scenarios::uploads::UploadFigures;
use super::super::scenarios::{CutFigures, TokenFigures};
use super::super::ways::Way;
use super::super::{Cell, Lateness};
use super::*;
use crate::failure::{Failure, Outcome};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: LinkArgs,
}

fn measured(part: Part, figures: Outcome<Figures>) -> Measured {
    Measured {
        cell: Cell {
            part,
            way: Way::Waule,
            loss_percent: 1.0,
        },
        figures,
        congestion: vec![("bbr".to_owned(), 12)],
        late: Lateness::default(),
        provider_late: Duration::ZERO,
    }
}

fn times() -> Durations {
    Durations::of([100, 200].map(Duration::from_millis))
}

fn all() -> [Measured; 4] {
    let failed = || Failures {
        count: 2,
        reasons: [("the link\nbroke".to_owned(), 2)].into(),
    };
    let tokens = TokenFigures {
        delay: times(),
        first: times(),
        whole: times(),
        streams: 9,
        failed: failed(),
        bytes_down_a_token: 41.6,
        repeated: 0,
    };
    let upload = UploadFigures {
        took: times(),
        failed: Failures::default(),
    };
    let cut = CutFigures {
        streams: 9,
        hit: 3,
        failed: Failures::default(),
        gap: times(),
        repeated: -1,
    };
    [
        measured(Part::Tokens, Ok(Figures::Tokens(tokens))),
        measured(Part::Upload, Ok(Figures::Upload(upload))),
        measured(Part::Reset, Ok(Figures::Cut(cut))),
        measured(Part::BlackHole, Err(Failure::new("no gateway"))),
    ]
}

fn rendered(measured: &[Measured]) -> String {
    let command = Command::parse_from(["link"]);
    LinkReport {
        machine: Machine::default(),
        args: &command.args,
        measured,
    }
    .render()
}

#[test]
fn every_row_has_the_cells_of_its_heading() {
    let text = rendered(&all());
    let mut columns = None;
    let mut rows = 0;
    for line in text.lines() {
        if line.starts_with('|') {
            let cells = line.matches('|').count();
            assert_eq!(*columns.get_or_insert(cells), cells, "{line}");
            rows += 1;
        } else {
            columns = None;
        }
    }
    // Four tables with two lines of heading, four figures, and eight aims.
    assert_eq!(rows, 4 * 2 + 4 + 8, "{text}");
}

#[test]
fn figures_failures_and_gaps_are_told() {
    let text = rendered(&all());
    for expected in [
        "| 1 % | Waule as shipped | 100 / 200 / 200 | 100 / 200 | 100 / 200 | 9 | **2** | 42 |",
        "| 1 % | Waule as shipped | 100 / 200 | 200 | 2 | 0 |",
        "| reset of all connections | Waule as shipped | 3 of 9 | 0 | 100 / 200 | -1 |",
        "| black hole of 3 s | Waule as shipped | – | – | – | – |",
        "- Not measured: black hole of 3 s, Waule as shipped, 1 % loss: no gateway",
        "- Failed most often: tokens, Waule as shipped, 1 % loss: the link broke",
        "Waule as shipped: bbr",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in\n{text}");
    }
}

#[test]
fn a_part_that_was_left_out_has_no_table() {
    let text = rendered(&all()[..1]);
    assert!(text.contains("### Tokens under loss"));
    assert!(!text.contains("### 64 KiB up") && !text.contains("### Cuts"));
}
