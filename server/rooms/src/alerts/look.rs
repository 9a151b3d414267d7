//! What is so now: pools, balances, gateways, credits, models and calls, each asked by itself. What does not
//! answer is said to be silent, so that nothing of it counts as over.

use std::time::Duration;

use futures_util::future::join_all;
use server_rules::alerts::round::AlertSight;
use server_rules::alerts::{AlertCondition, AlertKind, AlertSource, AlertSubject, SubjectKind};
use server_store::alerts::SumsOf;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use shared::link::ProviderKeyView;
use shared::link::balance::{BalanceState, KeyBalance};

use super::health::{hours_from, is_failing};
use super::{Alerts, AlertsError};
use crate::catalogue::lists::ComparedList;
use crate::catalogue::retirement::EndingModel;
use crate::providers::ProviderRef;
use crate::reports::span::Span;

/// A gateway far away answers within this time or is silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// A call without a fitting rate is told of for so long.
const UNPRICED_FOR: Duration = Duration::from_secs(86_400);
/// Days of a week, of which a day is the average.
const WEEK_DAYS: i64 = 7;

fn provider(of: &str) -> AlertSubject {
    AlertSubject::new(SubjectKind::Provider, of)
}

fn model(id: &str) -> AlertSubject {
    AlertSubject::new(SubjectKind::Model, id)
}

/// What a provider's pool gives cause for.
fn of_pool(of: &str, keys: &[ProviderKeyView]) -> Vec<AlertCondition> {
    let count = |status: &str| keys.iter().filter(|key| key.status == status).count();
    let (active, cooling) = (count("active"), count("cooling"));
    let mut found = Vec::new();
    if active == 0 {
        let kind = if cooling == 0 {
            AlertKind::NoKeys
        } else {
            AlertKind::KeysCooling
        };
        found.push(AlertCondition::new(kind, provider(of), of));
    }
    // Keys that an operator disabled have no reason.
    let refused = keys
        .iter()
        .filter(|key| key.status == "disabled" && key.reason.is_some());
    found.extend(refused.map(|key| AlertCondition {
        last4: key.last4.clone(),
        ..AlertCondition::new(
            AlertKind::KeyRefused,
            AlertSubject::key(of, key.id.as_str()),
            format!("{of} · {}", key.label),
        )
    }));
    found
}

fn of_balance(of: &ProviderRef, key: &KeyBalance) -> Option<AlertCondition> {
    let kind = match key.state {
        BalanceState::Parked => AlertKind::KeyParked,
        BalanceState::Low => AlertKind::BalanceLow,
        BalanceState::Ending => AlertKind::BalanceEnding,
        BalanceState::Fine | BalanceState::Unknown => return None,
    };
    let subject = AlertSubject::key(&of.to_string(), key.key.as_str());
    let label = format!("{of} · {} …{}", key.label, key.last4);
    Some(AlertCondition {
        last4: key.last4.clone(),
        ..AlertCondition::new(kind, subject, label)
    })
}

fn of_end(one: &EndingModel, now: Moment) -> AlertCondition {
    let end = &one.retirement;
    let kind = if end.is_over(now) {
        AlertKind::ModelEnded
    } else {
        AlertKind::ModelEnds
    };
    let next = end.successor.as_deref();
    let next = next.map(|next| format!(" → {next}")).unwrap_or_default();
    let id = &one.model.id;
    let label = format!("{id}{next} · {}", one.tenants);
    let since = if kind == AlertKind::ModelEnded {
        end.at
    } else {
        end.announced_at
    };
    AlertCondition::new(kind, model(id), label).since(Some(since))
}

fn gone(list: &ComparedList) -> impl Iterator<Item = AlertCondition> {
    let since = list.kept.as_ref().and_then(|kept| kept.listed_at);
    list.gone().map(move |target| {
        let label = format!("{} · {}", target.model, target.provider_model);
        AlertCondition::new(AlertKind::ModelGone, model(&target.model), label).since(since)
    })
}

impl Alerts {
    async fn see_pools(&self, sight: &mut AlertSight) {
        let providers = &self.0.providers;
        let Ok(Ok(list)) = tokio::time::timeout(PATIENCE, providers.all()).await else {
            sight.silent.push(AlertSource::Keys);
            return;
        };
        if !list.missing.is_empty() {
            // Whose providers they are is not known, so none of them can be said to be well.
            sight.silent.push(AlertSource::Keys);
        }
        let on = list
            .providers
            .iter()
            .filter(|one| one.answer.enabled && one.answer.secret.is_needed);
        let pools = on.map(async |one| {
            let of = list.address(one);
            let keys = tokio::time::timeout(PATIENCE, providers.keys(&of)).await;
            (of.to_string(), keys.ok().and_then(Result::ok))
        });
        for (of, keys) in join_all(pools).await {
            match keys {
                Some(keys) => sight.conditions.extend(of_pool(&of, &keys.answer)),
                None => sight.silent_providers.push(of),
            }
        }
    }

    /// Keys whose balance is low, ends soon, or is at its floor.
    async fn see_balances(&self, sight: &mut AlertSight) {
        let told = tokio::time::timeout(PATIENCE, self.0.providers.balances()).await;
        let Ok(list) = told else {
            sight.silent.push(AlertSource::Balances);
            return;
        };
        if !list.missing.is_empty() {
            sight.silent.push(AlertSource::Balances);
        }
        let found = list.keys().filter_map(|(of, key)| of_balance(&of, key));
        sight.conditions.extend(found);
    }

    async fn see_gateways(&self, sight: &mut AlertSight) -> Result<(), DbError> {
        for gateway in self.0.gateways.all().await? {
            let Some(view) = gateway.view else { continue };
            let name = if view.name.is_empty() {
                &view.url
            } else {
                &view.name
            };
            let kind = if !view.is_well {
                AlertKind::GatewayAway
            } else if view.is_way_bad {
                AlertKind::GatewayDegraded
            } else {
                continue;
            };
            let subject = AlertSubject::new(SubjectKind::Gateway, name);
            sight
                .conditions
                .push(AlertCondition::new(kind, subject, name));
        }
        Ok(())
    }

    /// Of the tenants that spend most, those that have nothing left, or less than they spend in a day.
    async fn see_credits(&self, sight: &mut AlertSight) -> Result<(), AlertsError> {
        let reports = &self.0.reports;
        let Some(tops) = reports.kept_top_tenants(Span::Week).await? else {
            // Nobody found them yet, and finding them takes as long as there are tenants.
            sight.silent.push(AlertSource::Credits);
            return Ok(());
        };
        let tops = tops.tenants;
        let names = tops.iter().map(|top| top.name.as_str());
        let names = reports.tenant_names(names).await?;
        let ids = tops
            .iter()
            .filter_map(|top| top.name.parse::<TenantId>().ok());
        let ids: Vec<TenantId> = ids.collect();
        let balances = self.0.ledger.balances(&ids).await?;
        for id in &ids {
            let available = balances
                .get(id)
                .map_or(Credits::ZERO, |balance| balance.available);
            let spent = tops.iter().find(|top| top.name == id.as_str());
            let daily = spent.map_or(0, |top| top.credits.micros() / WEEK_DAYS);
            let kind = if available <= Credits::ZERO && daily > 0 {
                AlertKind::CreditsOut
            } else if available.micros() < daily {
                AlertKind::CreditsLow
            } else {
                continue;
            };
            let name = names.get(id.as_str());
            let name = name.map_or(id.as_str(), String::as_str);
            let subject = AlertSubject::new(SubjectKind::Tenant, id.as_str());
            sight
                .conditions
                .push(AlertCondition::new(kind, subject, name));
        }
        Ok(())
    }

    /// Models that are offered and have no price, end or have ended; and whose provider has them no longer.
    async fn see_models(&self, sight: &mut AlertSight, now: Moment) -> Result<(), DbError> {
        let models = self.0.catalogue.models();
        let unpriced = models
            .iter()
            .filter(|model| model.enabled && model.price_at(now).is_none());
        let unpriced =
            unpriced.map(|one| AlertCondition::new(AlertKind::NoPrice, model(&one.id), &*one.id));
        sight.conditions.extend(unpriced);
        let ends = self.0.catalogue.ending().await?;
        let ends = ends.iter().map(|one| of_end(one, now));
        sight.conditions.extend(ends);
        let lists = self.0.model_lists.known().await?;
        sight.conditions.extend(lists.iter().flat_map(gone));
        let from = now.before(UNPRICED_FOR);
        let kind = AlertKind::Unpriced;
        let seen = self.0.store.sightings(kind.word(), from).await?;
        let seen = seen
            .into_iter()
            .map(|(id, at)| AlertCondition::new(kind, model(&id), id).since(Some(at)));
        sight.conditions.extend(seen);
        Ok(())
    }

    /// Models and providers half or more of whose calls failed in this hour and the last one.
    async fn see_calls(&self, sight: &mut AlertSight, now: Moment) -> Result<(), DbError> {
        let from = hours_from(now);
        for (of, kind) in [
            (SumsOf::Models, SubjectKind::Model),
            (SumsOf::Providers, SubjectKind::Provider),
        ] {
            let sums = self.0.store.hour_sums(of, from).await?;
            let mut failing: Vec<String> = sums
                .into_iter()
                .filter(|(name, sums)| !name.is_empty() && is_failing(sums))
                .map(|(name, _)| name)
                .collect();
            failing.sort();
            sight.conditions.extend(failing.into_iter().map(|name| {
                let subject = AlertSubject::new(kind, name.clone());
                AlertCondition::new(AlertKind::CallsFail, subject, name)
            }));
        }
        Ok(())
    }

    /// All that is so now.
    pub(super) async fn look(&self, now: Moment) -> Result<AlertSight, AlertsError> {
        let (mut pools, mut balances) = (AlertSight::default(), AlertSight::default());
        let (mut gateways, mut credits) = (AlertSight::default(), AlertSight::default());
        let (mut models, mut calls) = (AlertSight::default(), AlertSight::default());
        let ((), (), known, booked, listed, summed) = tokio::join!(
            self.see_pools(&mut pools),
            self.see_balances(&mut balances),
            self.see_gateways(&mut gateways),
            self.see_credits(&mut credits),
            self.see_models(&mut models, now),
            self.see_calls(&mut calls, now),
        );
        known?;
        listed?;
        summed?;
        if let Err(error) = booked {
            tracing::warn!(%error, "credits were not looked at: {error}");
            credits.silent.push(AlertSource::Credits);
        }
        let mut all = AlertSight::default();
        for part in [gateways, pools, balances, credits, models, calls] {
            all.conditions.extend(part.conditions);
            all.silent.extend(part.silent);
            all.silent_providers.extend(part.silent_providers);
        }
        Ok(all)
    }

    /// Lets all processes know what this one alone saw.
    pub(super) async fn tell_sightings(&self, now: Moment) -> Result<(), DbError> {
        let kind = AlertKind::Unpriced.word();
        for (id, at) in (self.0.unpriced)(now.before(UNPRICED_FOR)) {
            let from = now.before(UNPRICED_FOR);
            self.0.store.note_sighting((kind, &id), at, from).await?;
        }
        Ok(())
    }
}
