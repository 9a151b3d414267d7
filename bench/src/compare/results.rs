//! What a comparison found, and the arithmetic over rounds. Leaves wording to `table` and the
//! judgement to `aims`.

use std::time::Duration;

use super::first_answer::Starts;
use super::machine::Machine;
use super::targets::Name;
use crate::load::report::Report;
use crate::procfs::Memory;

#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) seconds: u64,
    pub(crate) rounds: usize,
    pub(crate) connections: usize,
    pub(crate) stream_connections: usize,
    pub(crate) rate: u32,
    pub(crate) targets: Vec<TargetResults>,
    /// Absent when the all-in-one was not asked for.
    pub(crate) starts: Option<Starts>,
}

/// One report per round and phase.
#[derive(Debug, Clone)]
pub(crate) struct TargetResults {
    pub(crate) name: Name,
    pub(crate) json: Vec<Report>,
    pub(crate) stream: Vec<Report>,
    pub(crate) rate: Vec<Report>,
    pub(crate) memory: Vec<PartMemory>,
    pub(crate) exact: Option<Exactness>,
}

#[derive(Debug, Clone)]
pub(crate) struct PartMemory {
    pub(crate) name: &'static str,
    pub(crate) pid: u32,
    pub(crate) own: bool,
    pub(crate) idle: Memory,
    pub(crate) loaded: Memory,
}

/// The ledger beside the load generator's count.
#[derive(Debug, Clone)]
pub(crate) struct Exactness {
    pub(crate) succeeded: u64,
    pub(crate) price_micros: i64,
    pub(crate) used_micros: i64,
    pub(crate) held_micros: i64,
    pub(crate) available_micros: i64,
    pub(crate) granted_micros: i64,
    pub(crate) waited: Duration,
}

impl Exactness {
    pub(crate) fn expected_micros(&self) -> i64 {
        i64::try_from(self.succeeded)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.price_micros)
    }

    pub(crate) fn holds(&self) -> bool {
        let charged = self.used_micros == self.expected_micros();
        let settled = self.held_micros == 0;
        let kept = self.available_micros == self.granted_micros - self.used_micros;
        charged && settled && kept
    }
}

/// Which figure of a report.
pub(crate) type Figure = fn(&Report) -> f64;

impl TargetResults {
    pub(crate) fn new(name: Name, memory: Vec<PartMemory>) -> Self {
        let (json, stream, rate) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            name,
            json,
            stream,
            rate,
            memory,
            exact: None,
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        let all = self.json.iter().chain(&self.stream).chain(&self.rate);
        all.map(|report| report.failed + report.unsent).sum()
    }
}

impl Results {
    pub(crate) fn target(&self, name: Name) -> Option<&TargetResults> {
        self.targets.iter().find(|target| target.name == name)
    }
}

/// Median with the smallest and largest round beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            median,
            least,
            most,
        })
    }

    pub(crate) fn figure(reports: &[Report], figure: Figure) -> Option<Self> {
        Self::of(reports.iter().map(figure))
    }

    /// Each round over the same round of the yardstick, so that a slow hour cancels out.
    pub(crate) fn ratio(reports: &[Report], yardstick: &[Report], figure: Figure) -> Option<Self> {
        Self::of(pairs(reports, yardstick, figure).map(|(own, other)| own / other))
    }

    /// Each round less the same round of the yardstick.
    pub(crate) fn added(reports: &[Report], yardstick: &[Report], figure: Figure) -> Option<Self> {
        Self::of(pairs(reports, yardstick, figure).map(|(own, other)| own - other))
    }
}

fn pairs<'a>(
    reports: &'a [Report],
    yardstick: &'a [Report],
    figure: Figure,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    reports
        .iter()
        .zip(yardstick)
        .map(move |(own, other)| (figure(own), figure(other)))
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::load::report::Tally;

    /// A report with the given calls per second, ten chunks each, and latency.
    pub(crate) fn report(per_second: f64, p50_ms: f64) -> Report {
        let mut report = Tally::new()
            .unwrap()
            .report(Duration::from_secs(1), Vec::new());
        report.per_second = per_second;
        report.chunks_per_second = per_second * 10.0;
        report.latency.p50_ms = p50_ms;
        report
    }
}

#[cfg(test)]
mod tests;
