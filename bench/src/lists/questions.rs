//! What is asked of the room: every list and figure that pages show, with what people filter by.

use futures_util::StreamExt;
use server::ledger::Ledger;
use server::reports::Reports;
use server::reports::dashboard::Range;
use server::reports::page::{Cursor, PageRequest, Towards};
use server::reports::span::Span;
use server::store::Store;
use server::store::audit::AuditFilter;
use server::store::rollups::ReportScope;
use server::store::usage::{TimeRange, UsageStatus};
use server::store::usage_log::UsageFilter;
use shared::clock::Moment;
use shared::id::{GenerationId, TenantId};
use shared::link::Operation;

use super::fill::{BUSY, DAYS, Size, id_text};
use super::further::{self, Further};
use crate::failure::{Outcome, Step};

/// Rows of a page.
const ROWS: u32 = 50;
const DAY_MS: i64 = 86_400_000;

/// Where it is asked.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) size: Size,
    pub(super) now: Moment,
}

impl Filling {
    /// A number below `bound` that is another for each turn.
    pub(super) fn pick(turn: usize, bound: i64) -> i64 {
        let turn = i64::try_from(turn).unwrap_or(0) + 1;
        turn.wrapping_mul(2_654_435_761).rem_euclid(bound.max(1))
    }

    pub(super) fn tenant(number: i64) -> TenantId {
        TenantId::from_stored(id_text("ten", number))
    }

    pub(super) fn busy(turn: usize) -> TenantId {
        Self::tenant(Self::pick(turn, BUSY))
    }

    fn quiet(&self, turn: usize) -> TenantId {
        Self::tenant(BUSY + Self::pick(turn, self.size.tenants - BUSY))
    }

    /// A moment that records cover.
    fn moment(&self, turn: usize) -> Moment {
        let back = Self::pick(turn, (DAYS - 2) * DAY_MS) + DAY_MS;
        Moment::from_unix_ms(self.now.unix_ms() - back)
    }

    /// A place between other records.
    fn middle(&self, turn: usize, towards: Towards) -> Cursor {
        Cursor::at(towards, self.moment(turn), "gen_")
    }

    pub(super) fn day(&self, turn: usize) -> TimeRange {
        let from = self.moment(turn);
        let until = Moment::from_unix_ms(from.unix_ms() + DAY_MS);
        TimeRange {
            from: Some(from),
            until: Some(until),
        }
    }
}

/// What is asked.
pub(super) struct Rooms {
    pub(super) reports: Reports,
    pub(super) ledger: Ledger,
    pub(super) store: Store,
}

/// What it is asked.
pub(super) enum Asked {
    Dashboard(ReportScope, Span),
    Overview(TenantId),
    Log(UsageFilter, Option<Cursor>),
    CallDetail(GenerationId),
    Tenants(String, Option<Cursor>),
    Audit(AuditFilter, Option<Cursor>),
    Export(UsageFilter),
    Further(Further),
}

/// A kind of question: its name, and what is asked at a turn.
pub(super) type Question = (&'static str, fn(&Filling, usize) -> Asked);

/// Every kind.
pub(super) fn all() -> Vec<Question> {
    [
        dashboards(),
        logs(),
        narrow_logs(),
        others(),
        further::all(),
    ]
    .concat()
}

fn dashboards() -> Vec<Question> {
    vec![
        ("dashboard, 24 hours", |_, _| {
            Asked::Dashboard(ReportScope::Platform, Span::Day)
        }),
        ("dashboard, 7 days by the hour", |_, _| {
            Asked::Dashboard(ReportScope::Platform, Span::Week)
        }),
        ("dashboard, 30 days", |_, _| {
            Asked::Dashboard(ReportScope::Platform, Span::Month)
        }),
        ("dashboard, 90 days", |_, _| {
            Asked::Dashboard(ReportScope::Platform, Span::Quarter)
        }),
        ("dashboard of a model, 7 days", |_, turn| {
            Asked::Dashboard(ReportScope::Model(model(turn)), Span::Week)
        }),
        ("dashboard of a busy tenant, 7 days", |_, turn| {
            Asked::Dashboard(ReportScope::Tenant(Filling::busy(turn)), Span::Week)
        }),
        ("overview of a busy tenant", |_, turn| {
            Asked::Overview(Filling::busy(turn))
        }),
        ("overview of another tenant", |place, turn| {
            Asked::Overview(place.quiet(turn))
        }),
    ]
}

fn model(turn: usize) -> String {
    format!("model-{}", Filling::pick(turn, 40))
}

fn provider(turn: usize) -> String {
    format!("provider-{}", Filling::pick(turn, 8))
}

fn none() -> UsageFilter {
    UsageFilter::default()
}

fn logs() -> Vec<Question> {
    vec![
        ("usage log, first page", |_, _| Asked::Log(none(), None)),
        ("usage log, a page in the middle", |place, turn| {
            Asked::Log(none(), Some(place.middle(turn, Towards::Next)))
        }),
        (
            "usage log, the page before one in the middle",
            |place, turn| Asked::Log(none(), Some(place.middle(turn, Towards::Previous))),
        ),
        ("usage log of a day", |place, turn| {
            let period = place.day(turn);
            Asked::Log(UsageFilter { period, ..none() }, None)
        }),
        (
            "usage log of a busy tenant, in the middle",
            |place, turn| {
                let tenant = Some(Filling::busy(turn));
                let from = Some(place.middle(turn, Towards::Next));
                Asked::Log(UsageFilter { tenant, ..none() }, from)
            },
        ),
        ("usage log of another tenant", |place, turn| {
            let tenant = Some(place.quiet(turn));
            Asked::Log(UsageFilter { tenant, ..none() }, None)
        }),
        ("usage log of a key", |_, turn| {
            let number = Filling::pick(turn, BUSY) * 2 + Filling::pick(turn, 2);
            let key = id_text("key", number).parse().ok();
            Asked::Log(UsageFilter { key, ..none() }, None)
        }),
        ("usage log of a person", |_, turn| {
            let user = id_text("usr", Filling::pick(turn, BUSY) * 3).parse().ok();
            Asked::Log(UsageFilter { user, ..none() }, None)
        }),
        ("usage log of a model", |_, turn| {
            let model = Some(model(turn));
            Asked::Log(UsageFilter { model, ..none() }, None)
        }),
        ("usage log of a provider", |_, turn| {
            let provider = Some(provider(turn));
            Asked::Log(UsageFilter { provider, ..none() }, None)
        }),
    ]
}

fn narrow_logs() -> Vec<Question> {
    vec![
        ("usage log of failed calls, in the middle", |place, turn| {
            let status = Some(UsageStatus::Failed);
            let from = Some(place.middle(turn, Towards::Next));
            Asked::Log(UsageFilter { status, ..none() }, from)
        }),
        ("usage log of an operation, in the middle", |place, turn| {
            let operation = Some(Operation::Embedding);
            let from = Some(place.middle(turn, Towards::Next));
            Asked::Log(
                UsageFilter {
                    operation,
                    ..none()
                },
                from,
            )
        }),
        (
            "usage log of a busy tenant, model, status and day",
            |place, turn| {
                let number = Filling::pick(turn, BUSY);
                let filter = UsageFilter {
                    tenant: Some(Filling::tenant(number)),
                    model: Some(format!("model-{}", (number + 2) % 40)),
                    status: Some(UsageStatus::Failed),
                    period: place.day(turn),
                    ..none()
                };
                Asked::Log(filter, None)
            },
        ),
        (
            "usage log of failed calls of a provider and a day",
            |place, turn| {
                let filter = UsageFilter {
                    // Failed calls are with even providers.
                    provider: Some(format!("provider-{}", Filling::pick(turn, 4) * 2)),
                    status: Some(UsageStatus::Failed),
                    period: place.day(turn),
                    ..none()
                };
                Asked::Log(filter, None)
            },
        ),
    ]
}

fn others() -> Vec<Question> {
    vec![
        ("one call's story", |place, turn| {
            let number = Filling::pick(turn, place.size.records);
            Asked::CallDetail(GenerationId::from_stored(id_text("gen", number)))
        }),
        ("tenants, first page, with balance and spending", |_, _| {
            Asked::Tenants(String::new(), None)
        }),
        ("tenants, a page in the middle", |place, turn| {
            let (key, id) = (String::new(), place.quiet(turn).into_string());
            let towards = Towards::Next;
            Asked::Tenants(String::new(), Some(Cursor { towards, key, id }))
        }),
        ("tenants by the beginning of a name", |_, turn| {
            let names = [
                "ac",
                "Blue",
                "cedar labs",
                "D",
                "ember w",
                "fjord media",
                "g",
                "HAVEN",
            ];
            let name = names.get(turn % names.len()).copied();
            Asked::Tenants(name.unwrap_or_default().to_owned(), None)
        }),
        ("tenants by id", |place, turn| {
            Asked::Tenants(place.quiet(turn).into_string(), None)
        }),
        ("audit log, first page", |_, _| {
            Asked::Audit(AuditFilter::default(), None)
        }),
        ("audit log of a tenant", |place, turn| {
            let tenant = Some(place.quiet(turn).into_string());
            let all = AuditFilter::default();
            Asked::Audit(AuditFilter { tenant, ..all }, None)
        }),
        (
            "audit log of an actor and a kind of action",
            |place, turn| {
                let filter = AuditFilter {
                    actor: Some(format!("adm_{}", Filling::pick(turn, 20))),
                    action: Some("tenant.".to_owned()),
                    ..AuditFilter::default()
                };
                let from = Cursor::at(Towards::Next, place.moment(turn), "aud_");
                Asked::Audit(filter, Some(from))
            },
        ),
        ("first 500 lines of an export", |_, turn| {
            let tenant = Some(Filling::busy(turn));
            Asked::Export(UsageFilter { tenant, ..none() })
        }),
    ]
}

impl Asked {
    /// Asks it; answers how many rows came.
    pub(super) async fn answer(self, rooms: &Rooms) -> Outcome<usize> {
        let reports = &rooms.reports;
        let failed = || "a question".to_owned();
        let page = |from| PageRequest { from, rows: ROWS };
        Ok(match self {
            Self::Dashboard(scope, span) => {
                let told = reports.dashboard(&scope, Range::Last(span)).await;
                told.step(failed)?.series.len()
            }
            Self::Overview(tenant) => {
                let told = reports.overview(&tenant).await;
                told.step(failed)?.days.len()
            }
            Self::Log(filter, from) => {
                let told = reports.usage_log(&filter, &page(from)).await;
                told.step(failed)?.rows.len()
            }
            Self::CallDetail(call) => {
                let told = reports.call_detail(&call, None).await;
                usize::from(told.step(failed)?.is_some())
            }
            Self::Tenants(search, from) => {
                let told = reports.tenants(&search, &page(from)).await;
                told.step(failed)?.rows.len()
            }
            Self::Audit(filter, from) => {
                let told = reports.audit_log(&filter, &page(from)).await;
                told.step(failed)?.rows.len()
            }
            Self::Export(filter) => {
                let mut pages = Box::pin(reports.export_usage(filter));
                let first = pages.next().await.transpose().step(failed)?;
                first.map_or(0, |records| records.len())
            }
            Self::Further(further) => further.answer(rooms).await?,
        })
    }
}
