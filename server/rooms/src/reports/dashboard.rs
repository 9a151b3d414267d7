//! A dashboard's figures: totals, the same for the time before, a series, and what stands on top. All
//! come from sums, so their age is that of the sums.

use std::collections::HashMap;

use server_store::rollups::{ReportScope, SumsQuery, Top, TopOf, TopTenants};
use shared::clock::Moment;
use shared::db::DbError;
use shared::zone::Zone;

use super::rollup::TOP_TENANTS;
use super::span::{Span, Window};
use super::sums::{Grain, Sums};
use super::{Point, Reports};

/// Lines of a top list.
const TOPS: i64 = 10;
/// Far more than any catalogue has.
const MODELS_MAX: i64 = 10_000;
/// A series by the hour has at most this many: two weeks.
const HOURS_MAX: i64 = 14 * 24;
/// A series by the day has at most this many: 400 days.
const DAYS_MAX: u32 = 400;

/// Of when a dashboard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// One of those that are offered.
    Last(Span),
    /// Any other; widened to whole hours or days, and cut at its beginning where it is too long.
    Between {
        /// Hours or days.
        grain: Grain,
        /// The first moment inside.
        from: Moment,
        /// The first moment behind it.
        until: Moment,
    },
}

impl Range {
    /// As whole hours or days of a zone.
    pub fn window(self, now: Moment, zone: &Zone) -> Window {
        match self {
            Self::Last(span) => span.window(now, zone),
            Self::Between { grain, from, until } => {
                let last = Moment::from_unix_ms(until.unix_ms().saturating_sub(1));
                match grain {
                    Grain::Hour => {
                        let until = grain.later(grain.start(last), 1);
                        let most = grain.later(until, -HOURS_MAX);
                        Window::hours(grain.start(from).max(most), until)
                    }
                    Grain::Day => {
                        let most = zone.days_before(last, DAYS_MAX - 1);
                        Window::days_between(from.max(most), last, zone)
                    }
                }
            }
        }
    }
}

/// Records that wait to be filed are counted up to so many: a healthy server has those of a second.
const BEHIND_MAX: i64 = 100_000;

/// How current the figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// When records were last added up; the epoch when never.
    pub updated_at: Moment,
    /// Records that are not added up yet, at most.
    pub behind: u64,
}

/// A dashboard's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// What a point is.
    pub grain: Grain,
    /// All of them together.
    pub totals: Sums,
    /// As many hours or days before them, together.
    pub before: Sums,
    /// Each of them, those without calls too.
    pub series: Vec<Point>,
    /// What brought most credits, by model; of the platform or the tenant.
    pub models: Vec<Top>,
    /// By provider; of the platform only.
    pub providers: Vec<Top>,
    /// By operation; of the platform only.
    pub operations: Vec<Top>,
    /// The tenants that spent most; of the platform only.
    pub tenants: Option<TopTenants>,
    /// The names of those tenants, by id.
    pub tenant_names: HashMap<String, String>,
    /// How current all this is.
    pub fresh: Freshness,
}

/// A sum for each column, also where nothing was called.
pub(super) fn filled(window: &Window, sums: Vec<(Moment, Sums)>) -> Vec<Point> {
    let empty = window.starts.iter().map(|at| Point {
        at: *at,
        sums: Sums::default(),
    });
    let mut points: Vec<Point> = empty.collect();
    for (at, sums) in sums {
        let place = window.place(at);
        if let Some(point) = place.and_then(|place| points.get_mut(place)) {
            point.sums.merge(&sums);
        }
    }
    points
}

pub(super) fn total(points: &[Point]) -> Sums {
    let mut total = Sums::default();
    for point in points {
        total.merge(&point.sums);
    }
    total
}

impl Reports {
    /// How current the sums are.
    pub async fn freshness(&self) -> Result<Freshness, DbError> {
        let state = self.store.rollup_state().await?;
        let last = self.store.usage_last_number().await?;
        let filed = last.saturating_sub(state.through);
        let waiting = self.store.usage_waiting(BEHIND_MAX).await?;
        Ok(Freshness {
            updated_at: state.updated_at(),
            behind: u64::try_from(filed.saturating_add(waiting)).unwrap_or(0),
        })
    }

    /// The series of a scope, a column after the other.
    pub async fn series(
        &self,
        scope: &ReportScope,
        window: &Window,
    ) -> Result<Vec<Point>, DbError> {
        let sums = self.store.sums_series(scope, window.query()).await?;
        Ok(filled(window, sums))
    }

    /// What all calls of a span add up to, in the platform's zone.
    pub async fn totals(&self, scope: &ReportScope, span: Span) -> Result<Sums, DbError> {
        let window = self.window(span).await;
        self.store.sums_total(scope, window.query()).await
    }

    /// A span in the platform's zone.
    async fn window(&self, span: Span) -> Window {
        let zone = self.zones.platform().await;
        span.window(self.clock.now(), &zone)
    }

    /// Names of tenants, by id.
    pub async fn tenant_names<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, String>, DbError> {
        self.store.tenant_names(ids).await
    }

    /// What the calls of some models added up to in the last day, by model.
    pub async fn models_day(&self, models: &[&str]) -> Result<HashMap<String, Sums>, DbError> {
        let query = self.window(Span::Day).await.query();
        self.store.model_sums(models, query).await
    }

    /// A provider whose calls were charged, other than `without`, if there is any.
    pub async fn charged_provider(&self, without: &str) -> Result<Option<String>, DbError> {
        self.store.charged_provider(without).await
    }

    /// The days of some models from `from` on, of UTC, by model.
    pub async fn model_days(
        &self,
        models: &[&str],
        from: Moment,
    ) -> Result<HashMap<String, Vec<(Moment, Sums)>>, DbError> {
        self.store.model_days(models, from).await
    }

    /// How many calls each model had in the last day.
    pub async fn model_calls(&self) -> Result<HashMap<String, u64>, DbError> {
        let query = self.window(Span::Day).await.query();
        let tops = self.store.tops(TopOf::Models, query, MODELS_MAX).await?;
        Ok(tops.into_iter().map(|top| (top.name, top.calls)).collect())
    }

    /// A dashboard of the platform, or of one operation, model, provider or tenant, in the platform's zone.
    pub async fn dashboard(&self, scope: &ReportScope, range: Range) -> Result<Dashboard, DbError> {
        let zone = self.zones.platform().await;
        let window = range.window(self.clock.now(), &zone);
        let (series, before, fresh) = tokio::try_join!(
            self.series(scope, &window),
            self.store.sums_total(scope, window.before()),
            self.freshness()
        )?;
        let mut dashboard = Dashboard {
            grain: window.grain,
            totals: total(&series),
            before,
            series,
            models: Vec::new(),
            providers: Vec::new(),
            operations: Vec::new(),
            tenants: None,
            tenant_names: HashMap::new(),
            fresh,
        };
        match scope {
            ReportScope::Platform => {
                self.add_tops(&mut dashboard, range, window.query()).await?;
            }
            ReportScope::Tenant(tenant) => {
                let of = TopOf::ModelsOf(tenant);
                dashboard.models = self.store.tops(of, window.query(), TOPS).await?;
            }
            ReportScope::Operation(_) | ReportScope::Model(_) | ReportScope::Provider(_) => {}
        }
        Ok(dashboard)
    }

    async fn add_tops(
        &self,
        dashboard: &mut Dashboard,
        range: Range,
        query: SumsQuery,
    ) -> Result<(), DbError> {
        let store = &self.store;
        let (models, providers, operations, tenants) = tokio::try_join!(
            store.tops(TopOf::Models, query, TOPS),
            store.tops(TopOf::Providers, query, TOPS),
            store.tops(TopOf::Operations, query, TOPS),
            self.top_tenants(range, query)
        )?;
        let ids = tenants.tenants.iter().map(|top| top.name.as_str());
        dashboard.tenant_names = store.tenant_names(ids).await?;
        dashboard.models = models;
        dashboard.providers = providers;
        dashboard.operations = operations;
        dashboard.tenants = Some(tenants);
        Ok(())
    }

    /// The tenants that spent most, as they were found in the background; none before they were.
    pub async fn kept_top_tenants(&self, span: Span) -> Result<Option<TopTenants>, DbError> {
        self.store.kept_top_tenants(span.word()).await
    }

    /// For the spans that are offered, as found in the background; else found now, which takes as long
    /// as there are tenants.
    async fn top_tenants(&self, range: Range, query: SumsQuery) -> Result<TopTenants, DbError> {
        if let Range::Last(span) = range
            && let Some(kept) = self.store.kept_top_tenants(span.word()).await?
        {
            return Ok(kept);
        }
        let now = self.clock.now();
        let tenants = self.store.top_tenants(query, TOP_TENANTS).await?;
        Ok(TopTenants { tenants, at: now })
    }
}

#[cfg(test)]
mod tests;
