//! What people look for: in the search box, in a ledger, how many there are, the other way round, and by the
//! days of another zone than UTC.

use server::reports::ReportScope;
use server::reports::page::PageRequest;
use server::reports::span::Span;
use server::store::usage::UsageStatus;
use server::store::usage_log::UsageFilter;
use shared::id::{RequestId, TenantId};
use shared::zone::Zone;

use super::fill::{LEDGER_OF, calls_of_ledger, id_text};
use super::questions::{Asked, Filling, Question, Rooms};
use crate::failure::{Failure, Outcome, Step};

/// Lines of a page of a ledger.
const LINES: i64 = 50;
/// Hits of a kind.
const HITS: i64 = 8;

/// Such a question.
pub(super) enum Further {
    /// A part of a name, or an id, in the search box.
    Named(String),
    /// A request, as its client saw it.
    Request(RequestId),
    /// A page of a ledger.
    Lines(TenantId, Option<&'static str>, Option<i64>),
    /// How many calls there are.
    Count(UsageFilter),
    /// Calls from the oldest on.
    Oldest(UsageFilter),
    /// A course by the days of a zone.
    Series(ReportScope, Span, &'static str),
}

fn asked(further: Further) -> Asked {
    Asked::Further(further)
}

fn none() -> UsageFilter {
    UsageFilter::default()
}

fn of_busy(turn: usize) -> UsageFilter {
    UsageFilter {
        tenant: Some(Filling::busy(turn)),
        ..none()
    }
}

fn line(place: &Filling, turn: usize) -> i64 {
    Filling::pick(turn, calls_of_ledger(place.size) * 2)
}

/// Every one of them.
pub(super) fn all() -> Vec<Question> {
    [searches(), ledgers(), counts()].concat()
}

fn searches() -> Vec<Question> {
    vec![
        ("search box, part of a name", |_, turn| {
            let parts = [
                "labs 12",
                "WORKS 7",
                "edia 99",
                "health 4",
                "cedar",
                "no such name",
            ];
            let part = parts.get(turn % parts.len()).copied();
            asked(Further::Named(part.unwrap_or_default().to_owned()))
        }),
        ("search box, id of a tenant", |_, turn| {
            asked(Further::Named(Filling::busy(turn).into_string()))
        }),
        ("search box, id of a request", |place, turn| {
            let number = Filling::pick(turn, calls_of_ledger(place.size)) * LEDGER_OF;
            let request = RequestId::from_stored(id_text("req", number));
            asked(Further::Request(request))
        }),
        (
            "search box, id of a request that is not there",
            |place, turn| {
                let number = Filling::pick(turn, calls_of_ledger(place.size)) * LEDGER_OF + 1;
                let request = RequestId::from_stored(id_text("req", number));
                asked(Further::Request(request))
            },
        ),
    ]
}

fn ledgers() -> Vec<Question> {
    vec![
        ("ledger of a busy tenant, first page", |_, _| {
            asked(Further::Lines(Filling::tenant(0), None, None))
        }),
        ("ledger of a busy tenant, in the middle", |place, turn| {
            let before = Some(line(place, turn));
            asked(Further::Lines(Filling::tenant(0), None, before))
        }),
        ("ledger of a busy tenant, what was given", |place, turn| {
            let before = Some(line(place, turn));
            asked(Further::Lines(Filling::tenant(0), Some("grant"), before))
        }),
        ("ledger of a busy tenant, what is not there", |_, _| {
            asked(Further::Lines(Filling::tenant(0), Some("claim"), None))
        }),
    ]
}

fn counts() -> Vec<Question> {
    vec![
        ("how many calls", |_, _| asked(Further::Count(none()))),
        ("how many calls of a busy tenant", |_, turn| {
            asked(Further::Count(of_busy(turn)))
        }),
        (
            "how many failed calls of a busy tenant and model",
            |_, turn| {
                let filter = UsageFilter {
                    model: Some(format!("model-{}", Filling::pick(turn, 40))),
                    status: Some(UsageStatus::Failed),
                    ..of_busy(turn)
                };
                asked(Further::Count(filter))
            },
        ),
        ("usage log from the oldest, a day", |place, turn| {
            let period = place.day(turn);
            asked(Further::Oldest(UsageFilter { period, ..none() }))
        }),
        ("usage log from the oldest, of a busy tenant", |_, turn| {
            asked(Further::Oldest(of_busy(turn)))
        }),
        ("course of 30 days in Asia/Kolkata", |_, _| {
            asked(Further::Series(
                ReportScope::Platform,
                Span::Month,
                "Asia/Kolkata",
            ))
        }),
        (
            "course of a busy tenant, 7 days in Asia/Shanghai",
            |_, turn| {
                let scope = ReportScope::Tenant(Filling::busy(turn));
                asked(Further::Series(scope, Span::Week, "Asia/Shanghai"))
            },
        ),
    ]
}

impl Further {
    /// Asks it; answers how many rows came.
    pub(super) async fn answer(self, rooms: &Rooms) -> Outcome<usize> {
        let failed = || "a question".to_owned();
        let page = PageRequest {
            from: None,
            rows: 50,
        };
        Ok(match self {
            Self::Named(text) => {
                let store = &rooms.store;
                let (tenants, people, keys) = tokio::try_join!(
                    store.find_tenants(&text, HITS),
                    store.find_users(None, &text, HITS),
                    store.find_keys(None, &text, HITS)
                )
                .step(failed)?;
                tenants.len() + people.len() + keys.len()
            }
            Self::Request(request) => {
                let found = rooms.ledger.call_of_request(&request).await;
                usize::from(found.step(failed)?.is_some())
            }
            Self::Lines(tenant, kind, before) => {
                let told = rooms.ledger.lines(&tenant, kind, (before, LINES)).await;
                told.step(failed)?.lines.len()
            }
            Self::Count(filter) => {
                let told = rooms.reports.usage_count(&filter).await;
                usize::try_from(told.step(failed)?.found).unwrap_or(usize::MAX)
            }
            Self::Oldest(filter) => {
                let told = rooms.reports.usage_log_from_oldest(&filter, &page).await;
                told.step(failed)?.rows.len()
            }
            Self::Series(scope, span, zone) => {
                let zone =
                    Zone::named(zone).ok_or_else(|| Failure::new("there is no such zone"))?;
                let window = span.window(shared::clock::Clock::system().now(), &zone);
                let told = rooms.reports.series(&scope, &window).await;
                told.step(failed)?.len()
            }
        })
    }
}
