//! What is asked of the room: every list and figure that pages show, with what people filter by.

use server::figures::Figures;
use server::figures::dashboard::Range;
use server::figures::page::{Cursor, PageAsk, Towards};
use server::figures::span::Span;
use server::store::audit::AuditFilter;
use server::store::rollups::Scope;
use server::store::usage::{Period, UsageStatus};
use server::store::usage_log::UsageFilter;
use shared::clock::Moment;
use shared::id::TenantId;
use shared::link::Operation;

use super::fill::{BUSY, DAYS, Size, id_text};
use crate::failure::{Outcome, Step};

/// Rows of a page.
const ROWS: u32 = 50;
const DAY_MS: i64 = 86_400_000;

/// Where it is asked.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) size: Size,
    pub(super) now: Moment,
}

impl Place {
    /// A number below `bound` that is another for each turn.
    fn pick(turn: usize, bound: i64) -> i64 {
        let turn = i64::try_from(turn).unwrap_or(0) + 1;
        turn.wrapping_mul(2_654_435_761).rem_euclid(bound.max(1))
    }

    fn tenant(number: i64) -> TenantId {
        TenantId::from_stored(id_text("ten", number))
    }

    fn busy(turn: usize) -> TenantId {
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

    fn day(&self, turn: usize) -> Period {
        let from = self.moment(turn);
        let until = Moment::from_unix_ms(from.unix_ms() + DAY_MS);
        Period {
            from: Some(from),
            until: Some(until),
        }
    }
}

macro_rules! questions {
    ($($name:ident = $title:literal,)+) => {
        /// One kind of question.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Question { $($name),+ }

        impl Question {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

questions! {
    Dashboard24h = "dashboard, 24 hours",
    Dashboard7d = "dashboard, 7 days by the hour",
    Dashboard30d = "dashboard, 30 days",
    Dashboard90d = "dashboard, 90 days",
    DashboardModel = "dashboard of a model, 7 days",
    DashboardTenant = "dashboard of a busy tenant, 7 days",
    OverviewBusy = "overview of a busy tenant",
    OverviewQuiet = "overview of another tenant",
    LogAll = "usage log, first page",
    LogDeep = "usage log, a page in the middle",
    LogBack = "usage log, the page before one in the middle",
    LogDay = "usage log of a day",
    LogBusy = "usage log of a busy tenant, in the middle",
    LogQuiet = "usage log of another tenant",
    LogKey = "usage log of a key",
    LogUser = "usage log of a person",
    LogModel = "usage log of a model",
    LogProvider = "usage log of a provider",
    LogFailed = "usage log of failed calls",
    LogOperation = "usage log of an operation",
    LogNarrow = "usage log of a busy tenant, model, status and day",
    LogFailedProvider = "usage log of failed calls of a provider and a day",
    Story = "one call's story",
    TenantsAll = "tenants, first page, with balance and spending",
    TenantsDeep = "tenants, a page in the middle",
    TenantsName = "tenants by the beginning of a name",
    TenantsId = "tenants by id",
    AuditAll = "audit log, first page",
    AuditTenant = "audit log of a tenant",
    AuditActor = "audit log of an actor and an action",
    Export = "first 500 lines of an export",
}

fn page(from: Option<Cursor>) -> PageAsk {
    PageAsk { from, rows: ROWS }
}

impl Question {
    /// Asks it; answers how many rows came.
    pub(super) async fn ask(self, figures: &Figures, place: &Place, turn: usize) -> Outcome<usize> {
        if let Some((scope, span)) = dashboard(self, turn) {
            let told = figures.dashboard(&scope, Range::Last(span)).await;
            return Ok(told.step(|| self.name().into())?.series.len());
        }
        if let Some((filter, from)) = log(self, place, turn) {
            let told = figures.usage_log(&filter, &page(from)).await;
            return Ok(told.step(|| self.name().into())?.rows.len());
        }
        if let Some((filter, from)) = audit(self, place, turn) {
            let told = figures.audit_log(&filter, &page(from)).await;
            return Ok(told.step(|| self.name().into())?.rows.len());
        }
        if let Some((search, from)) = tenants(self, place, turn) {
            let told = figures.tenants(&search, &page(from)).await;
            return Ok(told.step(|| self.name().into())?.rows.len());
        }
        self.ask_other(figures, place, turn).await
    }

    async fn ask_other(self, figures: &Figures, place: &Place, turn: usize) -> Outcome<usize> {
        use futures_util::StreamExt;
        let failed = || self.name().to_owned();
        if matches!(self, Self::Export) {
            let filter = UsageFilter {
                tenant: Some(Place::busy(turn)),
                ..UsageFilter::default()
            };
            let mut pages = Box::pin(figures.export_usage(filter));
            let first = pages.next().await.transpose().step(failed)?;
            return Ok(first.map_or(0, |records| records.len()));
        }
        if matches!(self, Self::Story) {
            let number = Place::pick(turn, place.size.records);
            let call = shared::id::GenerationId::from_stored(id_text("gen", number));
            let story = figures.story(&call, None).await.step(failed)?;
            return Ok(usize::from(story.is_some()));
        }
        let tenant = if matches!(self, Self::OverviewBusy) {
            Place::busy(turn)
        } else {
            place.quiet(turn)
        };
        Ok(figures.overview(&tenant).await.step(failed)?.days.len())
    }
}

fn dashboard(question: Question, turn: usize) -> Option<(Scope, Span)> {
    Some(match question {
        Question::Dashboard24h => (Scope::Platform, Span::Day),
        Question::Dashboard7d => (Scope::Platform, Span::Week),
        Question::Dashboard30d => (Scope::Platform, Span::Month),
        Question::Dashboard90d => (Scope::Platform, Span::Quarter),
        Question::DashboardModel => {
            let model = format!("model-{}", Place::pick(turn, 40));
            (Scope::Model(model), Span::Week)
        }
        Question::DashboardTenant => (Scope::Tenant(Place::busy(turn)), Span::Week),
        _ => return None,
    })
}

fn log(question: Question, place: &Place, turn: usize) -> Option<(UsageFilter, Option<Cursor>)> {
    let all = UsageFilter::default();
    let middle = |towards| Some(Cursor::at(towards, place.moment(turn), "gen_"));
    let tenant = || Some(Place::busy(turn));
    let model = || Some(format!("model-{}", Place::pick(turn, 40)));
    let provider = || Some(format!("provider-{}", Place::pick(turn, 8)));
    let busy = Place::pick(turn, BUSY);
    let of = |filter| Some((filter, None));
    match question {
        Question::LogAll => of(all),
        Question::LogDeep => Some((all, middle(Towards::Next))),
        Question::LogBack => Some((all, middle(Towards::Previous))),
        Question::LogDay => of(UsageFilter {
            period: place.day(turn),
            ..all
        }),
        Question::LogBusy => Some((
            UsageFilter {
                tenant: tenant(),
                ..all
            },
            middle(Towards::Next),
        )),
        Question::LogQuiet => of(UsageFilter {
            tenant: Some(place.quiet(turn)),
            ..all
        }),
        Question::LogKey => {
            let key = id_text("key", busy * 2 + Place::pick(turn, 2));
            of(UsageFilter {
                key: key.parse().ok(),
                ..all
            })
        }
        Question::LogUser => {
            let user = id_text("usr", busy * 3);
            of(UsageFilter {
                user: user.parse().ok(),
                ..all
            })
        }
        Question::LogModel => of(UsageFilter {
            model: model(),
            ..all
        }),
        Question::LogProvider => of(UsageFilter {
            provider: provider(),
            ..all
        }),
        Question::LogFailed => {
            let status = Some(UsageStatus::Failed);
            Some((UsageFilter { status, ..all }, middle(Towards::Next)))
        }
        Question::LogOperation => {
            let operation = Some(Operation::Embedding);
            Some((UsageFilter { operation, ..all }, middle(Towards::Next)))
        }
        Question::LogNarrow => of(UsageFilter {
            tenant: tenant(),
            model: Some(format!("model-{}", (busy + 2) % 40)),
            status: Some(UsageStatus::Failed),
            period: place.day(turn),
            ..all
        }),
        Question::LogFailedProvider => of(UsageFilter {
            provider: provider(),
            status: Some(UsageStatus::Failed),
            period: place.day(turn),
            ..all
        }),
        _ => None,
    }
}

fn audit(question: Question, place: &Place, turn: usize) -> Option<(AuditFilter, Option<Cursor>)> {
    let all = AuditFilter::default();
    match question {
        Question::AuditAll => Some((all, None)),
        Question::AuditTenant => {
            let tenant = Some(place.quiet(turn).to_string());
            Some((AuditFilter { tenant, ..all }, None))
        }
        Question::AuditActor => {
            let actor = Some(format!("adm_{}", Place::pick(turn, 20)));
            let action = Some("tenant.".to_owned());
            let from = Cursor::at(Towards::Next, place.moment(turn), "aud_");
            Some((
                AuditFilter {
                    actor,
                    action,
                    ..all
                },
                Some(from),
            ))
        }
        _ => None,
    }
}

fn tenants(question: Question, place: &Place, turn: usize) -> Option<(String, Option<Cursor>)> {
    match question {
        Question::TenantsAll => Some((String::new(), None)),
        Question::TenantsDeep => {
            let from = Cursor {
                towards: Towards::Next,
                key: String::new(),
                id: place.quiet(turn).into_string(),
            };
            Some((String::new(), Some(from)))
        }
        Question::TenantsName => {
            let names = [
                "ac",
                "Blue",
                "cedar labs",
                "D",
                "ember w",
                "fjord media 1",
                "g",
                "HAVEN",
            ];
            let place = usize::try_from(Place::pick(turn, 8)).unwrap_or(0);
            names.get(place).map(|name| ((*name).to_owned(), None))
        }
        Question::TenantsId => Some((place.quiet(turn).into_string(), None)),
        _ => None,
    }
}
