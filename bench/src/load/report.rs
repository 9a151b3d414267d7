//! What one load run found, as numbers and as text. Leaves the sending to `client`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::failure::{Outcome, Step};
use crate::procfs::Memory;

/// Longest latency kept apart; equal to the longest a call may take, with room to wait before it.
const LATENCY_MAX: Duration = Duration::from_mins(2);
/// Three figures: 1.23 ms and 1.24 ms stay different.
const FIGURES: u8 = 3;

/// What one thread counts while it runs.
#[derive(Debug)]
pub(crate) struct Tally {
    total: Histogram<u64>,
    first: Histogram<u64>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) errors: BTreeMap<String, u64>,
    /// Whole and successful, over the whole run.
    pub(crate) succeeded: u64,
    /// Whole and successful, ended within the measured time.
    measured: u64,
    chunks: u64,
    pub(crate) unsent: u64,
    /// The first answer that was not a success, for the person who reads.
    pub(crate) first_failure: Option<String>,
}

/// One whole, successful answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) total: Duration,
    pub(crate) first: Duration,
    pub(crate) chunks: u64,
    /// Its latency counts: a call that a stall kept waiting may end after the measured time, and
    /// leaving it out would flatter the target.
    pub(crate) timed: bool,
    /// It counts for the rate.
    pub(crate) ended_within: bool,
}

impl Tally {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self {
            total: histogram()?,
            first: histogram()?,
            statuses: BTreeMap::new(),
            errors: BTreeMap::new(),
            succeeded: 0,
            measured: 0,
            chunks: 0,
            unsent: 0,
            first_failure: None,
        })
    }

    pub(crate) fn add(&mut self, sample: Sample) {
        self.succeeded += 1;
        if sample.ended_within {
            self.measured += 1;
            self.chunks += sample.chunks;
        }
        if sample.timed {
            self.total.saturating_record(micros(sample.total));
            self.first.saturating_record(micros(sample.first));
        }
    }

    pub(crate) fn fail(&mut self, kind: &str, detail: impl FnOnce() -> String) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        self.first_failure.get_or_insert_with(detail);
    }

    pub(crate) fn merge(&mut self, other: Self) -> Outcome<()> {
        self.total
            .add(other.total)
            .step(|| "latencies do not add up".into())?;
        self.first
            .add(other.first)
            .step(|| "latencies do not add up".into())?;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.succeeded += other.succeeded;
        self.measured += other.measured;
        self.chunks += other.chunks;
        self.unsent += other.unsent;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        Ok(())
    }

    pub(crate) fn report(self, measured: Duration, processes: Vec<ProcessUse>) -> Report {
        let seconds = measured.as_secs_f64();
        Report {
            seconds,
            per_second: self.measured as f64 / seconds,
            chunks_per_second: self.chunks as f64 / seconds,
            measured: self.measured,
            succeeded: self.succeeded,
            failed: self.errors.values().sum(),
            unsent: self.unsent,
            statuses: self.statuses,
            errors: self.errors,
            first_failure: self.first_failure,
            latency: Percentiles::of(&self.total),
            first_byte: Percentiles::of(&self.first),
            processes,
        }
    }
}

fn histogram() -> Outcome<Histogram<u64>> {
    Histogram::new_with_bounds(1, micros(LATENCY_MAX), FIGURES)
        .step(|| "a histogram cannot be made".into())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds below which the named share of calls ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are the JSON keys, which need the unit"
)]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let at = |share: f64| histogram.value_at_quantile(share) as f64 / 1e3;
        Self {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: histogram.max() as f64 / 1e3,
        }
    }
}

/// What one process under test used while the load ran.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProcessUse {
    pub(crate) pid: u32,
    pub(crate) memory: Memory,
    pub(crate) cpu_seconds: f64,
}

/// Everything one load run found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) chunks_per_second: f64,
    pub(crate) measured: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Scheduled calls that no connection was free for before the end (constant rate only).
    pub(crate) unsent: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) first_failure: Option<String>,
    pub(crate) latency: Percentiles,
    pub(crate) first_byte: Percentiles,
    pub(crate) processes: Vec<ProcessUse>,
}

impl Report {
    /// CPU time of one process per answered call, in microseconds.
    pub(crate) fn cpu_micros_per_call(&self, pid: u32) -> Option<f64> {
        let used = self.processes.iter().find(|used| used.pid == pid)?;
        let calls = self.succeeded + self.failed;
        (calls > 0).then(|| used.cpu_seconds * 1e6 / calls as f64)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:.0} calls/s, {} within {:.1} s ({} succeeded and {} failed in all)",
            self.per_second, self.measured, self.seconds, self.succeeded, self.failed
        )?;
        if self.chunks_per_second > 0.0 {
            writeln!(f, "{:.0} chunks/s", self.chunks_per_second)?;
        }
        for (name, times) in [("total", self.latency), ("first byte", self.first_byte)] {
            writeln!(
                f,
                "{name:<11} p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3} ms",
                times.p50_ms, times.p90_ms, times.p99_ms, times.p999_ms, times.max_ms
            )?;
        }
        for (status, count) in &self.statuses {
            writeln!(f, "status {status}: {count}")?;
        }
        for (kind, count) in &self.errors {
            writeln!(f, "error {kind}: {count}")?;
        }
        if self.unsent > 0 {
            writeln!(f, "not sent for want of a free connection: {}", self.unsent)?;
        }
        if let Some(failure) = &self.first_failure {
            writeln!(f, "first failure: {failure}")?;
        }
        for used in &self.processes {
            writeln!(
                f,
                "process {}: {:.1} MB resident, {:.1} MB peak, {:.2} CPU s, {:.1} us per call",
                used.pid,
                megabytes(used.memory.resident_bytes),
                megabytes(used.memory.peak_bytes),
                used.cpu_seconds,
                self.cpu_micros_per_call(used.pid).unwrap_or(0.0)
            )?;
        }
        Ok(())
    }
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

#[cfg(test)]
mod tests;
