//! How the platform's parts do: one look at each, with what it took. Mends nothing.

use std::time::Duration;

use admin_templates::admin::platform::{CheckRow, QueueRow, SystemHealth};
use admin_templates::chart::{Chart, Series, Unit};
use admin_templates::labels::{
    FactName, Health, HealthNote, Label, Measure, QueueName, SystemPart,
};
use admin_templates::page::{Lang, Page};
use admin_templates::parts::Fact;
use poem::handler;
use poem::web::Data;
use server_edge::date;
use server_rooms::health::{Asked, HealthCheck, HealthReport};
use server_rooms::ledger::pulse::Commits;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::reports::dashboard::Freshness;

use super::super::error::PageResult;
use super::super::session::Admin;
use super::{length, minute, providers};

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

fn check<T>(part: SystemPart, asked: &Asked<T>, (health, detail): (Health, String)) -> CheckRow {
    CheckRow {
        part,
        health,
        latency_ms: ms(asked.took),
        detail,
    }
}

fn note(note: HealthNote, lang: Lang) -> String {
    note.text(lang).to_owned()
}

fn away(lang: Lang) -> (Health, String) {
    (Health::Away, note(HealthNote::NoAnswer, lang))
}

fn database(report: &HealthReport, lang: Lang) -> CheckRow {
    let found = report.database.answer.as_ref();
    let told = found.map(|found| (Health::Good, found.name.clone()));
    let told = told.unwrap_or_else(|| away(lang));
    check(SystemPart::Database, &report.database, told)
}

fn cache(report: &HealthReport, lang: Lang) -> CheckRow {
    let told = match report.redis.answer.flatten() {
        None => (Health::Good, note(HealthNote::InProcess, lang)),
        Some(true) => (Health::Good, "Redis".to_owned()),
        // Limits are then counted by each process alone.
        Some(false) => (
            Health::Degraded,
            format!("Redis · {}", HealthNote::Without.text(lang)),
        ),
    };
    check(SystemPart::Cache, &report.redis, told)
}

fn link(report: &HealthReport, lang: Lang) -> CheckRow {
    let told = match &report.gateways.answer {
        Some(views) => {
            let well = views
                .iter()
                .filter(|view| view.is_well && view.answered.is_some());
            let (well, all) = (well.count(), views.len());
            let health = match well {
                0 => Health::Away,
                _ if well < all => Health::Degraded,
                _ => Health::Good,
            };
            let words = HealthNote::Answering.text(lang);
            (health, format!("{well} / {all} {words}"))
        }
        None => away(lang),
    };
    check(SystemPart::Link, &report.gateways, told)
}

fn ledger(report: &HealthReport, page: &Page) -> CheckRow {
    let (waiting, bound) = report.waiting;
    let told = match &report.ledger.answer {
        Some(found) => {
            let crowded = waiting.saturating_mul(FULL) > bound;
            let skewed = found.skew >= SKEW;
            let health = if crowded || skewed || found.overdue > 0 {
                Health::Degraded
            } else {
                Health::Good
            };
            let overdue = page.count(length(found.overdue));
            let words = HealthNote::Overdue.text(page.lang);
            let mut told = format!("{overdue} {words}");
            if skewed {
                let seconds = page.count(found.skew.as_secs());
                let words = HealthNote::Skewed.text(page.lang);
                told = format!("{told} · {words} {seconds} s");
            }
            (health, told)
        }
        None => away(page.lang),
    };
    check(SystemPart::Ledger, &report.ledger, told)
}

/// Pools of keys, by what the gateway tells of them in time.
async fn pools(providers: &Providers, lang: Lang) -> CheckRow {
    let began = std::time::Instant::now();
    let known = providers::known(providers).await;
    let healths = providers::healths(providers, &known, |_| true).await;
    let named = |health: Health| -> Vec<&str> {
        let all = known.providers.iter().map(|one| one.answer.name.as_str());
        let mut of: Vec<&str> = all
            .filter(|name| healths.get(*name) == Some(&health))
            .collect();
        of.dedup();
        of
    };
    let (empty, cooling) = (named(Health::Away), named(Health::Degraded));
    let told = if healths.is_empty() {
        away(lang)
    } else if !empty.is_empty() {
        let words = HealthNote::Empty.text(lang);
        (Health::Away, format!("{} · {words}", empty.join(", ")))
    } else if !cooling.is_empty() {
        let words = HealthNote::Cooling.text(lang);
        (
            Health::Degraded,
            format!("{} · {words}", cooling.join(", ")),
        )
    } else {
        let words = HealthNote::Working.text(lang);
        (Health::Good, format!("{} {words}", healths.len()))
    };
    let asked = Asked {
        answer: Some(()),
        took: began.elapsed(),
    };
    check(SystemPart::KeyPools, &asked, told)
}

fn sums(fresh: &Asked<Freshness>, page: &Page) -> CheckRow {
    let told = match &fresh.answer {
        Some(found) => {
            let age = page
                .now
                .unix_ms()
                .saturating_sub(found.updated_at.unix_ms());
            let late = found.behind > 0 && age > LATE_MS;
            let health = if late { Health::Degraded } else { Health::Good };
            let behind = page.count(found.behind);
            let words = HealthNote::Behind.text(page.lang);
            (health, format!("{behind} {words}"))
        }
        None => away(page.lang),
    };
    check(SystemPart::Rollups, fresh, told)
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
        (FactName::SummedUntil, reached.map(date::text)),
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
        labels: minutes.iter().map(|of| minute(of.at)).collect(),
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
