//! A tenant's overview: what it has and for how long, what it spent each day and on what.

use server_store::accounts::Tenant;
use server_store::rollups::{ReportScope, SumsQuery, Top, TopOf};
use shared::credits::Credits;
use shared::id::TenantId;

use super::dashboard::Freshness;
use super::forecast::{Forecast, Pace, forecast};
use super::span::Span;
use super::sums::Grain;
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
    /// The last 30 days, one after the other; the last one is today.
    pub days: Vec<Point>,
    /// Charged since the tenant's day began, in its time zone; by whole hours.
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
    /// The overview of a tenant.
    pub async fn overview(&self, id: &TenantId) -> Result<Overview, ReportsError> {
        let found = self.store.tenant(id).await?;
        let tenant = found.ok_or(ReportsError::NoSuchTenant)?;
        let now = self.clock.now();
        let query = Span::Month.query(now);
        let scope = ReportScope::Tenant(id.clone());
        let zone = self.zones.of(tenant.zone.as_ref()).await;
        let today = SumsQuery {
            grain: Grain::Hour,
            from: Grain::Hour.start(zone.day(now).start),
            until: Grain::Hour.later(Grain::Hour.start(now), 1),
        };
        let (days, hours, models, keys, fresh) = tokio::try_join!(
            self.series(&scope, query),
            self.series(&scope, today),
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
            now,
        };
        let week = days.len().saturating_sub(7);
        Ok(Overview {
            forecast: forecast(&grants, pace),
            spent_today: spent(&hours),
            spent_7d: spent(days.get(week..).unwrap_or_default()),
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
