//! Views as people see them on an ordinary day: for tests, screenshots and the gallery.
//! Nothing here is shown by the product.

mod account;
mod calls;
mod catalogue;
mod dashboard;
mod house;
mod people;
mod portal;
mod studio;
mod supply;
mod tenants;
mod usage;

use std::time::Duration;

use shared::clock::Moment;
use shared::credits::Credits;

use crate::chart::{Chart, Series, SeriesName, Spark, Unit};
use crate::form::Form;
use crate::list::{ListState, Sort};
use crate::page::{Area, Flash, Lang, Notice, Page, Person, Theme};
use crate::parts::KnownCost;
use crate::views::ViewEntry;
use crate::words::PersonRole;

use calls::{arithmetic, calls, line, sums, top};
use people::{balance, budget, entries, grants, keys, members};

/// Has ordinary contents.
pub trait Typical: Sized {
    /// One or more.
    fn typical() -> Vec<Self>;
}

/// 2026-11-21 08:00 UTC, the moment all samples are made at.
pub const NOW: Moment = Moment::from_unix_ms(1_795_248_000_000);

impl Page {
    /// The frame of a sample.
    pub fn sample(entry: &ViewEntry, area: Area, lang: Lang, theme: Theme) -> Self {
        let person = match area {
            Area::Admin => Person {
                name: "lin".to_owned(),
                role: PersonRole::Owner,
                tenant: None,
            },
            Area::Portal => Person {
                name: "Maya".to_owned(),
                role: PersonRole::TenantOwner,
                tenant: Some("Harbour Light Studio".to_owned()),
            },
        };
        let saved = Flash {
            good: true,
            notice: Notice::Saved,
        };
        let shows_flash = matches!(entry.name, "settings" | "tenant-limits");
        Self {
            lang,
            theme,
            area,
            csrf: "3f0c-sample-token".to_owned(),
            path: format!("{}{}", area.root(), entry.path),
            person: entry.signed_in.then_some(person),
            flash: if shows_flash { vec![saved] } else { Vec::new() },
            announcement: None,
            now: NOW,
        }
    }
}

/// An amount by its decimal text; samples that do not parse are zero and look it.
fn credits(text: &str) -> Credits {
    text.parse().unwrap_or_default()
}

fn minutes_ago(minutes: u64) -> Moment {
    NOW.before(Duration::from_secs(minutes * 60))
}

fn days_ago(days: u64) -> Moment {
    minutes_ago(days * 1_440)
}

/// Midnight in so many days, as expiries are.
fn in_days(days: u64) -> Moment {
    const SINCE_MIDNIGHT_S: u64 = 8 * 3_600;
    NOW.after(Duration::from_secs(days * 86_400 - SINCE_MIDNIGHT_S))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Numbers that rise and fall around `base` like days do, and never the same way twice.
fn course(length: usize, base: i64, seed: i64) -> Vec<i64> {
    let shape = [
        52, 44, 38, 35, 36, 42, 55, 71, 88, 97, 104, 109, 101, 106, 112, 116, 113, 107, 98, 92, 86,
        79, 70, 60,
    ];
    let place = |place: usize| i64::try_from(place).unwrap_or(0);
    (0..length)
        .map(|hour| {
            let jitter = (place(hour) * 37 + seed * 53) % 23 - 11;
            base * (shape[hour % shape.len()] + jitter) / 100
        })
        .collect()
}

/// Cost and margin over so many of all calls.
fn known_cost((cost, margin): (&str, &str), (known, calls): (u64, u64)) -> KnownCost {
    KnownCost {
        cost: Some(credits(cost)),
        margin: Some(credits(margin)),
        known,
        calls,
    }
}

fn spark(base: i64, seed: i64) -> Spark {
    Spark {
        values: course(24, base, seed).into_iter().map(Some).collect(),
    }
}

fn hours() -> Vec<String> {
    (0..24)
        .map(|hour| format!("{:02}:00", (hour + 9) % 24))
        .collect()
}

fn days() -> Vec<String> {
    let october = (23..=31).map(|day| format!("10-{day:02}"));
    october
        .chain((1..=21).map(|day| format!("11-{day:02}")))
        .collect()
}

fn chart<N>(labels: Vec<String>, unit: Unit, series: &[(N, i64)]) -> Chart
where
    N: Into<SeriesName> + Clone,
{
    let length = labels.len();
    let named = (1..).zip(series).map(|(seed, (name, base))| Series {
        name: name.clone().into(),
        values: course(length, *base, seed).into_iter().map(Some).collect(),
    });
    Chart {
        labels,
        series: named.collect(),
        unit,
    }
}

fn list(filters: &[(&str, &str)], sort: Option<(&str, bool)>) -> ListState {
    ListState {
        filters: Form::of(filters.iter().copied()),
        sort: sort.map(|(key, descending)| Sort {
            key: key.to_owned(),
            descending,
        }),
        next: Some("c_8f21".to_owned()),
        previous: None,
    }
}
