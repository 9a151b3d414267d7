//! What the link is meant to reach, against what it did. Measures nothing.

use super::figures::Durations;
use super::{Figures, Measured, Part};

/// One aim of Waule's way.
#[derive(Debug)]
pub(super) struct LinkAim {
    pub(super) name: String,
    /// At most, in the unit of the name.
    pub(super) wanted: f64,
    pub(super) measured: Option<f64>,
}

impl LinkAim {
    pub(super) fn is_met(&self) -> bool {
        self.measured
            .is_some_and(|measured| measured <= self.wanted)
    }
}

/// Percent of lost packets, percentile of the delay, and milliseconds at most.
const DELAYS: [(f64, usize, f64); 4] = [
    (1.0, 50, 101.0),
    (1.0, 90, 150.0),
    (1.0, 99, 300.0),
    (5.0, 99, 400.0),
];
/// One round trip and 20 ms.
const UPLOAD_MS: f64 = 220.0;
const RESET_GAP_MS: f64 = 450.0;
const SILENT_GAP_MS: f64 = 1_500.0;

/// For the border of 100 ms one way, of which the aims speak.
pub(super) fn of(measured: &[Measured]) -> Vec<LinkAim> {
    let mut aims = Vec::new();
    for one in measured.iter().filter(|one| one.cell.way.is_waule()) {
        let loss = one.cell.loss_percent;
        let at = format!("{}, {loss} % loss", one.cell.part.title());
        let failed = match &one.figures {
            Err(_) => {
                aims.push(LinkAim {
                    name: at,
                    wanted: 0.0,
                    measured: None,
                });
                continue;
            }
            Ok(Figures::Tokens(figures)) => {
                let wanted = DELAYS.iter().filter(|(of, ..)| (of - loss).abs() < 1e-9);
                for (_, percent, wanted) in wanted {
                    aims.push(LinkAim {
                        name: format!("{at}: delay p{percent}, ms"),
                        wanted: *wanted,
                        measured: figures.delay.percentile_ms(*percent),
                    });
                }
                figures.failed.count
            }
            Ok(Figures::Upload(figures)) => {
                if loss == 0.0 {
                    aims.push(LinkAim {
                        name: format!("{at}: p50, ms"),
                        wanted: UPLOAD_MS,
                        measured: figures.took.percentile_ms(50),
                    });
                }
                figures.failed.count
            }
            Ok(Figures::Cut(figures)) => {
                aims.extend(gap(one.cell.part, &figures.gap));
                figures.failed.count
            }
        };
        aims.push(LinkAim {
            name: format!("{at}: failed"),
            wanted: 0.0,
            measured: Some(failed as f64),
        });
    }
    aims
}

fn gap(part: Part, gap: &Durations) -> Option<LinkAim> {
    let wanted = match part {
        Part::Reset => RESET_GAP_MS,
        Part::SilentFlow => SILENT_GAP_MS,
        Part::Tokens | Part::Upload | Part::BlackHole => return None,
    };
    Some(LinkAim {
        name: format!("{}: longest added gap, ms", part.title()),
        wanted,
        // Of streams that lived; those that failed are an aim of their own.
        measured: gap.max_ms(),
    })
}

#[cfg(test)]
mod tests {
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
}
