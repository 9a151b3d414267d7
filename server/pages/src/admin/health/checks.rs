//! What is checked of each part, and what is said where it is not as it should be.

use admin_templates::admin::platform::CheckRow;
use admin_templates::labels::{Health, HealthNote, Label, SystemPart};
use admin_templates::page::{Lang, Page};
use server_rooms::health::{Asked, HealthReport};
use server_rooms::providers::Providers;
use server_rooms::reports::dashboard::Freshness;

use super::super::{length, providers};
use super::{FULL, LATE_MS, SKEW, ms};

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

pub(super) fn database(report: &HealthReport, lang: Lang) -> CheckRow {
    let found = report.database.answer.as_ref();
    let told = found.map(|found| (Health::Good, found.name.clone()));
    let told = told.unwrap_or_else(|| away(lang));
    check(SystemPart::Database, &report.database, told)
}

pub(super) fn cache(report: &HealthReport, lang: Lang) -> CheckRow {
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

pub(super) fn link(report: &HealthReport, lang: Lang) -> CheckRow {
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

pub(super) fn ledger(report: &HealthReport, page: &Page) -> CheckRow {
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
            let mut told = words.replace("{}", &overdue);
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
pub(super) async fn pools(providers: &Providers, lang: Lang) -> CheckRow {
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
        (
            Health::Good,
            words.replace("{}", &healths.len().to_string()),
        )
    };
    let asked = Asked {
        answer: Some(()),
        took: began.elapsed(),
    };
    check(SystemPart::KeyPools, &asked, told)
}

pub(super) fn sums(fresh: &Asked<Freshness>, page: &Page) -> CheckRow {
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
            (health, words.replace("{}", &behind))
        }
        None => away(page.lang),
    };
    check(SystemPart::Rollups, fresh, told)
}
