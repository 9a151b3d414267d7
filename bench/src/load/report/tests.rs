//! What was measured adds up over threads, and nothing is divided by zero.

use super::*;

fn sample(ms: u64, within: bool) -> Sample {
    let total = Duration::from_millis(ms);
    let first = total / 2;
    Sample {
        total,
        first,
        chunks: 52,
        timed: within,
        ended_within: within,
    }
}

#[test]
fn percentiles_and_rates_come_from_the_measured_calls_only() {
    let mut tally = Tally::new().unwrap();
    (1..=100).for_each(|ms| tally.add(sample(ms, true)));
    tally.add(sample(5_000, false));
    let report = tally.report(Duration::from_secs(10), Vec::new());
    assert_eq!((report.measured, report.succeeded), (100, 101));
    assert!((report.per_second - 10.0).abs() < 1e-9);
    assert!((report.chunks_per_second - 520.0).abs() < 1e-9);
    assert!(
        (report.latency.p50_ms - 50.0).abs() < 0.1,
        "{:?}",
        report.latency
    );
    assert!(
        (report.latency.p99_ms - 99.0).abs() < 0.1,
        "{:?}",
        report.latency
    );
    assert!(
        (report.latency.max_ms - 100.0).abs() < 0.1,
        "{:?}",
        report.latency
    );
    assert!(
        (report.first_byte.p50_ms - 25.0).abs() < 0.1,
        "{:?}",
        report.first_byte
    );
}

#[test]
fn two_threads_add_up_and_the_first_failure_is_kept() {
    let (mut left, mut right) = (Tally::new().unwrap(), Tally::new().unwrap());
    left.add(sample(10, true));
    left.fail("status", || "503".into());
    right.add(sample(20, true));
    right.fail("status", || "402".into());
    right.statuses.insert(402, 1);
    left.merge(right).unwrap();
    let report = left.report(Duration::from_secs(1), Vec::new());
    assert_eq!((report.measured, report.failed), (2, 2));
    assert_eq!(report.first_failure.as_deref(), Some("503"));
    assert_eq!(report.statuses.get(&402), Some(&1));
}

#[test]
fn cpu_is_divided_by_every_answered_call() {
    let mut tally = Tally::new().unwrap();
    (0..4).for_each(|_| tally.add(sample(1, true)));
    let used = ProcessUse {
        pid: 7,
        memory: Memory::default(),
        cpu_seconds: 0.001,
    };
    let report = tally.report(Duration::from_secs(1), vec![used]);
    assert_eq!(report.cpu_micros_per_call(7), Some(250.0));
    assert_eq!(report.cpu_micros_per_call(8), None);
}

#[test]
fn a_run_without_answers_reports_zeros() {
    let report = Tally::new()
        .unwrap()
        .report(Duration::from_secs(1), Vec::new());
    assert_eq!(report.latency, Percentiles::default());
    assert_eq!(report.cpu_micros_per_call(1), None);
}
