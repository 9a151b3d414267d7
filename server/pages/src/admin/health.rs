//! How the platform's parts do: one look at each, with what it took. Mends nothing.

mod checks;

use std::time::Duration;

use admin_templates::admin::platform::{CheckRow, QueueRow, SystemHealth};
use admin_templates::chart::{Chart, Columns, Series, Unit};
use admin_templates::labels::{FactName, Health, Measure, QueueName, SystemPart};
use admin_templates::page::Page;
use admin_templates::parts::Fact;
use poem::handler;
use poem::web::Data;
use server_rooms::health::{Asked, HealthCheck, HealthReport};
use server_rooms::ledger::pulse::Commits;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::reports::dashboard::Freshness;

use self::checks::{cache, database, ledger, link, pools, sums};
use super::super::error::PageResult;
use super::super::session::Admin;
use super::length;

/// A row of the chart of commits.
type Taken = (Measure, fn(&Commits) -> Duration);

/// Sums that are this far behind are late: rounds take seconds.
const LATE_MS: i64 = 5 * 60_000;
/// Clocks that differ by more make limits, prices and expiries of one server differ from another's.
const SKEW: Duration = Duration::from_secs(5);
/// A queue that is fuller than this part of its bound is a matter to look at.
const FULL: usize = 2;

fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// Resident memory as the kernel tells it; nothing where there is no such kernel.
fn memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(format!("{} MiB", kib / 1_024))
}

fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn facts(report: &HealthReport, fresh: &Asked<Freshness>, page: &Page) -> Vec<Fact> {
    let ledger = report.ledger.answer.as_ref();
    let database = report.database.answer.as_ref();
    let reached = fresh.answer.as_ref().map(|found| found.updated_at);
    let reached = reached.filter(|at| at.unix_ms() > 0);
    let rows = [
        (
            FactName::Replicas,
            ledger.map(|found| page.count(length(found.processes))),
        ),
        (
            FactName::Running,
            ledger.map(|found| page.count(found.running)),
        ),
        (FactName::Database, database.map(|found| found.name.clone())),
        (FactName::Schema, database.map(|found| found.schema.clone())),
        (
            FactName::SummedUntil,
            reached.map(|at| page.when(at).text()),
        ),
        (FactName::Memory, memory()),
        (FactName::Host, host()),
    ];
    let rows = rows.into_iter();
    rows.filter_map(|(name, value)| {
        Some(Fact {
            name,
            value: value?,
        })
    })
    .collect()
}

fn commits(minutes: &[Commits]) -> Chart {
    let rows: [Taken; 3] = [
        (Measure::P50, |minute| minute.p50),
        (Measure::P95, |minute| minute.p95),
        (Measure::P99, |minute| minute.p99),
    ];
    // Rounded up: a commit that took no whole millisecond was still one.
    let whole =
        |took: Duration| i64::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX);
    Chart {
        columns: Columns::Clock(minutes.iter().map(|of| of.at).collect()),
        series: rows
            .map(|(name, value)| Series {
                name: name.into(),
                values: minutes
                    .iter()
                    .map(|minute| Some(whole(value(minute))))
                    .collect(),
            })
            .into(),
        unit: Unit::Milliseconds,
        leads_to: String::new(),
        marks: Vec::new(),
    }
}

fn worst(checks: &[CheckRow]) -> Health {
    let database = checks.iter().find(|row| row.part == SystemPart::Database);
    if database.is_some_and(|row| row.health == Health::Away) {
        Health::Away
    } else if checks.iter().all(|row| row.health == Health::Good) {
        Health::Good
    } else {
        Health::Degraded
    }
}

/// `GET /admin/health`
#[handler]
pub(super) async fn health_page(
    who: Admin,
    health: Data<&HealthCheck>,
    reports: Data<&Reports>,
    providers: Data<&Providers>,
) -> PageResult {
    let page = who.page().await;
    let began = std::time::Instant::now();
    let fresh = async {
        let answer = reports.freshness().await.ok();
        Asked {
            answer,
            took: began.elapsed(),
        }
    };
    let pools = pools(&providers, page.lang);
    let (report, fresh, pools) = tokio::join!(health.report(), fresh, pools);
    let checks = vec![
        database(&report, page.lang),
        cache(&report, page.lang),
        link(&report, page.lang),
        pools,
        ledger(&report, &page),
        sums(&fresh, &page),
    ];
    let (waiting, bound) = report.waiting;
    who.show(&SystemHealth {
        health: worst(&checks),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: health.started_at(),
        checks,
        queues: vec![QueueRow {
            name: QueueName::Ledger,
            waiting: length(waiting),
            bound: length(bound),
        }],
        facts: facts(&report, &fresh, &page),
        commits: commits(&report.commits),
    })
    .await
}
