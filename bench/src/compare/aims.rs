//! The aims of the product beside what was measured. Leaves their layout to `table`.

use super::first_answer::Starts;
use super::results::{Figure, Results, Spread};
use super::targets::Name;
use crate::load::report::{Report, megabytes};

/// One aim; `measured` is absent when its target did not run.
#[derive(Debug, PartialEq)]
pub(crate) struct Aim {
    pub(crate) what: String,
    pub(crate) wanted: Wanted,
    pub(crate) measured: Option<Spread>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    AtLeast(f64),
    Below(f64, &'static str),
}

impl Aim {
    /// `None` when it was not measured.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let median = self.measured?.median;
        Some(match self.wanted {
            Wanted::AtLeast(bound) => median >= bound,
            Wanted::Below(bound, _) => median < bound,
        })
    }
}

/// Calls per second through each, as a share of nginx.
const CALL_RATIOS: [(Name, f64); 3] = [
    (Name::Gateway, 0.60),
    (Name::Sqlite, 0.30),
    (Name::Postgres, 0.17),
];
/// Chunks per second through each, as a share of nginx.
const STREAM_RATIOS: [(Name, f64); 3] = [
    (Name::Gateway, 0.90),
    (Name::Sqlite, 0.60),
    (Name::Postgres, 0.50),
];
/// What each adds to half of the calls, in milliseconds.
const ADDED_P50_MS: [(Name, f64); 3] = [
    (Name::Gateway, 1.5),
    (Name::Sqlite, 0.9),
    (Name::Postgres, 1.4),
];
const IDLE_MEGABYTES: f64 = 48.0;
const FIRST_ANSWER_MS: f64 = 500.0;

pub(crate) fn judge(results: &Results) -> Vec<Aim> {
    let mut aims = Vec::new();
    for (name, ratio) in CALL_RATIOS {
        aims.push(Aim {
            what: format!("calls/s, {}, share of nginx", name.title()),
            wanted: Wanted::AtLeast(ratio),
            measured: ratio_to_nginx(results, name, |target| &target.json, |r| r.per_second),
        });
    }
    for (name, ratio) in STREAM_RATIOS {
        aims.push(Aim {
            what: format!("streamed chunks/s, {}, share of nginx", name.title()),
            wanted: Wanted::AtLeast(ratio),
            measured: ratio_to_nginx(results, name, |t| &t.stream, |r| r.chunks_per_second),
        });
    }
    for (name, most) in ADDED_P50_MS {
        let direct = results.target(Name::Direct);
        let added = results
            .target(name)
            .zip(direct)
            .and_then(|(target, direct)| {
                Spread::added(&target.rate, &direct.rate, |report| report.latency.p50_ms)
            });
        aims.push(Aim {
            what: format!("p50 added at {} calls/s, {}", results.rate, name.title()),
            wanted: Wanted::Below(most, "ms"),
            measured: added,
        });
    }
    for target in &results.targets {
        for part in target.memory.iter().filter(|part| part.own) {
            aims.push(Aim {
                what: format!(
                    "resident when idle, `{}` ({})",
                    part.name,
                    target.name.title()
                ),
                wanted: Wanted::Below(IDLE_MEGABYTES, "MB"),
                measured: Spread::of([megabytes(part.idle.resident_bytes)]),
            });
        }
    }
    aims.extend(first_answers(results.starts.as_ref()));
    aims
}

fn first_answers(starts: Option<&Starts>) -> [Aim; 2] {
    let aim = |folder: &str, values: Option<&Vec<f64>>| Aim {
        what: format!("first answer after start, `waule`, {folder} data folder"),
        wanted: Wanted::Below(FIRST_ANSWER_MS, "ms"),
        measured: values.and_then(|values| Spread::of(values.iter().copied())),
    };
    [
        aim("empty", starts.map(|starts| &starts.fresh_ms)),
        aim("existing", starts.map(|starts| &starts.existing_ms)),
    ]
}

/// Which phase of a target.
pub(crate) type Phase = fn(&super::results::TargetResults) -> &Vec<Report>;

pub(crate) fn ratio_to_nginx(
    results: &Results,
    name: Name,
    phase: Phase,
    figure: Figure,
) -> Option<Spread> {
    let (target, nginx) = (results.target(name)?, results.target(Name::Nginx)?);
    Spread::ratio(phase(target), phase(nginx), figure)
}
