//! A tenant's overview: what it has and for how long, what it spent each day and on what.

use server_store::accounts::Tenant;
use server_store::rollups::{ReportScope, Top, TopOf};
use shared::credits::Credits;
use shared::id::TenantId;
use shared::zone::Zone;

use super::dashboard::Freshness;
use super::forecast::{Forecast, Pace, forecast};
use super::span::Span;
use super::{Point, Reports, ReportsError};
use crate::ledger::{Balance, Grant};

/// Lines of a top list.
const TOPS: i64 = 10;
/// Grants with something left that are looked at; more of them make the forecast too short.
const GRANTS_MAX: i64 = 500;

/// A tenant's overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Who.
    pub tenant: Tenant,
    /// What it has.
    pub balance: Balance,
    /// For how long.
    pub forecast: Forecast,
    /// Grants with something left, those that expire first first.
    pub grants: Vec<Grant>,
    /// The last 30 days of the tenant's time zone, one after the other; the last one is today.
    pub days: Vec<Point>,
    /// Charged since the day began, in the same time zone; by whole hours.
    pub spent_today: Credits,
    /// Charged in the last 7 of them.
    pub spent_7d: Credits,
    /// Charged in all of them.
    pub spent_30d: Credits,
    /// On which models, in these days.
    pub models: Vec<Top>,
    /// With which keys, in these days; people's own calls stand under an empty one.
    pub keys: Vec<Top>,
    /// How current the days are; balance and grants are of this moment.
    pub fresh: Freshness,
}

fn spent(days: &[Point]) -> Credits {
    let micros = days.iter().map(|day| day.sums.credits.micros());
    Credits::from_micros(micros.fold(0_i64, i64::saturating_add))
}

impl Reports {
    /// The overview of a tenant, by the days of its time zone.
    pub async fn overview(&self, id: &TenantId) -> Result<Overview, ReportsError> {
        let found = self.store.tenant(id).await?;
        let tenant = found.ok_or(ReportsError::NoSuchTenant)?;
        let zone = self.zones.of(tenant.zone.as_ref()).await;
        self.overview_of(tenant, &zone).await
    }

    /// The same by the days of another zone, for whoever looks from elsewhere.
    pub async fn overview_in(&self, id: &TenantId, zone: &Zone) -> Result<Overview, ReportsError> {
        let found = self.store.tenant(id).await?;
        let tenant = found.ok_or(ReportsError::NoSuchTenant)?;
        self.overview_of(tenant, zone).await
    }

    async fn overview_of(&self, tenant: Tenant, zone: &Zone) -> Result<Overview, ReportsError> {
        let now = self.clock.now();
        let window = Span::Month.window(now, zone);
        let (id, query) = (&tenant.id, window.query());
        let scope = ReportScope::Tenant(id.clone());
        let (days, models, keys, fresh) = tokio::try_join!(
            self.series(&scope, &window),
            self.store.tops(TopOf::ModelsOf(id), query, TOPS),
            self.store.tops(TopOf::KeysOf(id), query, TOPS),
            self.freshness()
        )?;
        let (balance, mut grants) = tokio::try_join!(
            self.ledger.balance(id),
            self.ledger.open_grants(id, GRANTS_MAX)
        )?;
        grants.retain(|grant| grant.expires_at.is_none_or(|at| at > now));
        grants.sort_by_key(|grant| {
            (
                grant.expires_at.is_none(),
                grant.expires_at,
                grant.id.clone(),
            )
        });
        let spending: Vec<Credits> = days.iter().map(|day| day.sums.credits).collect();
        let pace = Pace {
            days: &spending,
            multiplier_ppm: tenant.price_multiplier_ppm,
            today: window.starts.last().copied().unwrap_or(now),
            now,
        };
        let last = |count: usize| {
            days.get(days.len().saturating_sub(count)..)
                .unwrap_or_default()
        };
        Ok(Overview {
            forecast: forecast(&grants, pace),
            spent_today: spent(last(1)),
            spent_7d: spent(last(7)),
            spent_30d: spent(&days),
            tenant,
            balance,
            grants,
            days,
            models,
            keys,
            fresh,
        })
    }
}
