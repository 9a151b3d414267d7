//! A tenant's overview: what it has and for how long, what it spent each day and on what.

use server_store::accounts::Tenant;
use server_store::rollups::{ReportScope, Top, TopOf};
use server_store::usage::TimeRange;
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

/// Calls of people that are added up one by one; where they made more, people stand together.
const PEOPLES_CALLS_MAX: u64 = 20_000;

/// With each person in place of all together, and what is left of these, by credits.
fn each_person(mut keys: Vec<Top>, people: Vec<Top>) -> Vec<Top> {
    let Some(place) = keys.iter().position(|top| top.name.is_empty()) else {
        return keys;
    };
    let mut others = keys.swap_remove(place);
    for person in &people {
        others.calls = others.calls.saturating_sub(person.calls);
        others.failed = others.failed.saturating_sub(person.failed);
        others.canceled = others.canceled.saturating_sub(person.canceled);
        let left = others
            .credits
            .micros()
            .saturating_sub(person.credits.micros());
        others.credits = Credits::from_micros(left.max(0));
    }
    keys.extend(people);
    keys.extend((others.calls > 0).then_some(others));
    keys.sort_by(|one, other| {
        let size = |top: &Top| (top.credits, top.calls);
        size(other).cmp(&size(one)).then(one.name.cmp(&other.name))
    });
    keys.truncate(usize::try_from(TOPS).unwrap_or(usize::MAX));
    keys
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

    /// Who called in the days of an overview: keys, and people by themselves; under an empty name whatever is
    /// left of these.
    pub async fn top_callers(&self, overview: &Overview) -> Result<Vec<Top>, ReportsError> {
        let together = overview.keys.iter().find(|top| top.name.is_empty());
        let keys = overview.keys.clone();
        if together.is_none_or(|all| all.calls > PEOPLES_CALLS_MAX) {
            return Ok(keys);
        }
        let period = TimeRange {
            from: overview.days.first().map(|day| day.at),
            until: None,
        };
        let people = self
            .store
            .top_people(&overview.tenant.id, period, TOPS)
            .await?;
        Ok(each_person(keys, people))
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

#[cfg(test)]
mod tests {
    use super::*;
    use server_rules::usage::costs::KnownCost;

    fn top(name: &str, calls: u64, micros: i64) -> Top {
        Top {
            name: name.to_owned(),
            calls,
            failed: 0,
            canceled: 0,
            credits: Credits::from_micros(micros),
            cost: KnownCost::default(),
        }
    }

    #[test]
    fn people_stand_by_themselves_and_what_is_left_of_them_together() {
        let keys = || vec![top("key_a", 9, 900), top("", 5, 500), top("key_b", 1, 10)];
        let told = |people: Vec<Top>| -> Vec<(String, u64, i64)> {
            let all = each_person(keys(), people).into_iter();
            all.map(|top| (top.name, top.calls, top.credits.micros()))
                .collect()
        };
        let row = |name: &str, calls, micros| (name.to_owned(), calls, micros);
        assert_eq!(
            told(vec![top("usr_a", 2, 300), top("usr_b", 3, 200)]),
            [
                row("key_a", 9, 900),
                row("usr_a", 2, 300),
                row("usr_b", 3, 200),
                row("key_b", 1, 10),
            ]
        );
        let some = told(vec![top("usr_a", 4, 499)]);
        assert_eq!(
            some.last(),
            Some(&row("", 1, 1)),
            "one call is of nobody known"
        );
        // Records are there before they are added up.
        assert_eq!(told(vec![top("usr_a", 7, 900)]).len(), 3);
        assert_eq!(each_person(vec![top("key_a", 1, 1)], Vec::new()).len(), 1);
    }
}
