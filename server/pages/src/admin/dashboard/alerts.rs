//! What somebody should look at: pools, providers, gateways, tenants and models without a price.

use admin_templates::admin::dashboard::AlertRow;
use admin_templates::labels::{AlertKind, Severity};
use futures_util::future::join_all;
use server_calls::Calls;
use server_rooms::gateways::Gateways;
use server_rooms::ledger::Ledger;
use server_rooms::providers::{ProviderRef, Providers};
use server_rooms::reports::dashboard::Range;
use server_rooms::reports::{ReportScope, Reports};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::TenantId;
use shared::link::ProviderKeyView;
use shared::link::balance::{BalanceState, KeyBalance};

use super::super::super::error::PageError;
use super::super::days::DAY_MS;
use super::super::{booked, named};
use super::{DashboardRooms, PATIENCE, model_alerts};

fn alert(
    (severity, kind): (Severity, AlertKind),
    subject: String,
    path: String,
    since: Moment,
) -> AlertRow {
    AlertRow {
        severity,
        kind,
        subject,
        path,
        since,
    }
}

/// What a provider's pool gives cause for. The gateway does not tell since when.
fn pool_alerts(provider: &str, keys: &[ProviderKeyView], now: Moment) -> Vec<AlertRow> {
    let path = || format!("providers/{provider}");
    let count = |status: &str| keys.iter().filter(|key| key.status == status).count();
    let (active, cooling) = (count("active"), count("cooling"));
    let mut alerts = Vec::new();
    if active == 0 && cooling == 0 {
        let kind = (Severity::Critical, AlertKind::NoKeys);
        alerts.push(alert(kind, provider.to_owned(), path(), now));
    } else if active == 0 {
        let kind = (Severity::Warning, AlertKind::KeysCooling);
        alerts.push(alert(kind, provider.to_owned(), path(), now));
    }
    // Keys that an operator disabled have no reason.
    let refused = keys
        .iter()
        .filter(|key| key.status == "disabled" && key.reason.is_some());
    alerts.extend(refused.map(|key| {
        let kind = (Severity::Critical, AlertKind::KeyRefused);
        alert(kind, format!("{provider} · {}", key.label), path(), now)
    }));
    alerts
}

async fn provider_alerts(providers: &Providers, now: Moment) -> Vec<AlertRow> {
    let Ok(Ok(list)) = tokio::time::timeout(PATIENCE, providers.all()).await else {
        // The gateway's own alert tells.
        return Vec::new();
    };
    let on = list
        .providers
        .iter()
        .filter(|one| one.answer.enabled && one.answer.secret.is_needed);
    let pools = on.map(async |one| {
        let of = list.address(one);
        let keys = tokio::time::timeout(PATIENCE, providers.keys(&of)).await;
        keys.ok()
            .and_then(Result::ok)
            .map(|keys| pool_alerts(&of.to_string(), &keys.answer, now))
    });
    join_all(pools)
        .await
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

/// Keys whose balance is low, ends soon, or is at its floor.
async fn balance_alerts(providers: &Providers, now: Moment) -> Vec<AlertRow> {
    let Ok(list) = tokio::time::timeout(PATIENCE, providers.balances()).await else {
        return Vec::new();
    };
    let row = |(of, key): (ProviderRef, &KeyBalance)| {
        let kind = match key.state {
            BalanceState::Parked => (Severity::Critical, AlertKind::KeyParked),
            BalanceState::Low => (Severity::Warning, AlertKind::BalanceLow),
            BalanceState::Ending => (Severity::Warning, AlertKind::BalanceEnding),
            BalanceState::Fine | BalanceState::Unknown => return None,
        };
        let subject = format!("{of} · {} …{}", key.label, key.last4);
        let since = key.read_at.map_or(now, Moment::from_unix_ms);
        Some(alert(kind, subject, "balances".to_owned(), since))
    };
    list.keys().filter_map(row).collect()
}

async fn gateway_alerts(gateways: &Gateways, now: Moment) -> Result<Vec<AlertRow>, PageError> {
    let mut alerts = Vec::new();
    for gateway in gateways.all().await? {
        let Some(view) = gateway.view else { continue };
        let name = if view.name.is_empty() {
            view.url.clone()
        } else {
            view.name.clone()
        };
        let kind = if !view.is_well {
            (Severity::Critical, AlertKind::GatewayAway)
        } else if view.is_way_bad {
            (Severity::Warning, AlertKind::GatewayDegraded)
        } else {
            continue;
        };
        alerts.push(alert(kind, name, "gateways".to_owned(), now));
    }
    Ok(alerts)
}

/// Of the tenants that spend most, those that have nothing left, or less than they spend in a day.
async fn tenant_alerts(
    reports: &Reports,
    ledger: &Ledger,
    now: Moment,
) -> Result<Vec<AlertRow>, PageError> {
    let week = Range::Last(server_rooms::reports::span::Span::Week);
    let week = reports.dashboard(&ReportScope::Platform, week).await?;
    let tops = week.tenants.map(|tops| tops.tenants).unwrap_or_default();
    let ids = tops
        .iter()
        .filter_map(|top| top.name.parse::<TenantId>().ok());
    let ids: Vec<TenantId> = ids.collect();
    let balances = ledger.balances(&ids).await.map_err(booked)?;
    let mut alerts = Vec::new();
    for id in &ids {
        let available = balances
            .get(id)
            .map_or(Credits::ZERO, |balance| balance.available);
        let spent = tops.iter().find(|top| top.name == id.as_str());
        let daily = spent.map_or(0, |top| top.credits.micros() / 7);
        let kind = if available <= Credits::ZERO && daily > 0 {
            (Severity::Critical, AlertKind::CreditsOut)
        } else if available.micros() < daily {
            (Severity::Warning, AlertKind::CreditsLow)
        } else {
            continue;
        };
        let name = named(&week.tenant_names, id.as_str());
        alerts.push(alert(kind, name, format!("tenants/{id}/money"), now));
    }
    Ok(alerts)
}

/// Models of which a call was charged in the last day without a rate that fits it.
fn unpriced_alerts(calls: &Calls, now: Moment) -> Vec<AlertRow> {
    let from = Moment::from_unix_ms(now.unix_ms().saturating_sub(DAY_MS));
    let row = |(model, at): (String, Moment)| {
        // A name with slashes is no part of a path.
        let path = if model.contains('/') {
            "models".to_owned()
        } else {
            format!("models/{model}")
        };
        alert((Severity::Critical, AlertKind::Unpriced), model, path, at)
    };
    let models = calls.unpriced_since(from);
    models.into_iter().map(row).collect()
}

pub(super) async fn alerts(
    rooms: &DashboardRooms,
    now: Moment,
) -> Result<Vec<AlertRow>, PageError> {
    let (providers, balances, gateways, tenants, models) = tokio::join!(
        provider_alerts(&rooms.providers, now),
        balance_alerts(&rooms.providers, now),
        gateway_alerts(&rooms.gateways, now),
        tenant_alerts(&rooms.reports, &rooms.ledger, now),
        model_alerts::alerts(rooms, now)
    );
    let mut alerts = gateways?;
    alerts.extend(providers);
    alerts.extend(balances);
    alerts.extend(tenants?);
    alerts.extend(models?);
    alerts.extend(unpriced_alerts(&rooms.calls, now));
    alerts.sort_by_key(|alert| match alert.severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    });
    Ok(alerts)
}
