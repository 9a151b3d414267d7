//! The console's first page: how the platform is doing, what it earns, and what somebody should look
//! at. Figures are sums, as current as these are; keys and gateways are of this moment.

use std::time::Duration;

use admin_templates::admin::dashboard::{AlertRow, Dashboard, LiveCall};
use admin_templates::chart::{Spark, Unit};
use admin_templates::labels::{AlertKind, Measure, Range as RangeWord, Severity};
use admin_templates::parts::{Quantiles, TopRow};
use futures_util::future::join_all;
use poem::handler;
use poem::web::Data;
use server_calls::Calls;
use server_rooms::gateways::Gateways;
use server_rooms::ledger::Ledger;
use server_rooms::providers::Providers;
use server_rooms::reports::dashboard::{Dashboard as Board, Range};
use server_rooms::reports::sums::{Percentiles, Sums};
use server_rooms::reports::{Point, ReportScope, Reports, Top};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::TenantId;
use shared::link::ProviderKeyView;

use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult};
use super::super::session::Admin;
use super::days::DAY_MS;
use super::{Asked, WHOLE, booked, chart, live, named, range, reports_failed, signed, success};

/// A gateway far away must not keep the page waiting.
const PATIENCE: Duration = Duration::from_millis(800);

/// What the dashboard is filled from.
#[derive(Debug, Clone)]
pub(super) struct DashboardRooms {
    pub(super) calls: Calls,
    pub(super) gateways: Gateways,
    pub(super) ledger: Ledger,
    pub(super) providers: Providers,
    pub(super) reports: Reports,
}

/// A row of a chart.
pub(super) type Row = (Measure, fn(&Sums) -> Option<i64>);
/// The amount a ranking shows, and what its parts are of.
type Ranked = (fn(&Top) -> (Option<Credits>, u64), fn(&Top) -> i128);

/// How something changed, in hundredths of a per cent; nothing where there was nothing before.
fn change(now: i128, before: i128) -> i64 {
    let grown = now.saturating_sub(before).saturating_mul(WHOLE.into());
    let share = grown.checked_div(before).unwrap_or(0);
    i64::try_from(share).unwrap_or(i64::MAX)
}

fn part(part: i128, all: i128) -> u64 {
    let share = part.saturating_mul(WHOLE.into()).checked_div(all);
    share
        .and_then(|share| u64::try_from(share).ok())
        .unwrap_or(0)
}

fn spark(points: &[Point], value: fn(&Sums) -> Option<i64>) -> Spark {
    Spark {
        values: points.iter().map(|point| value(&point.sums)).collect(),
    }
}

/// Calls that succeeded, of those whose tenants waited.
fn success_of(top: &Top) -> i64 {
    let waited = top.calls.saturating_sub(top.canceled);
    let good = waited.saturating_sub(top.failed);
    let share = good.saturating_mul(10_000).checked_div(waited);
    share.map_or(WHOLE, signed)
}

/// A ranking; `size` is what a line's part is of.
fn tops(
    tops: &[Top],
    name: impl Fn(&str) -> String,
    (credits, size): Ranked,
    all: i128,
) -> Vec<TopRow> {
    let row = |top: &Top| {
        let (credits, known) = credits(top);
        TopRow {
            id: top.name.clone(),
            name: name(&top.name),
            calls: top.calls,
            credits,
            known,
            share: part(size(top), all),
            success: success_of(top),
        }
    };
    tops.iter().map(row).collect()
}

fn quantiles(found: Percentiles) -> Quantiles {
    Quantiles {
        p50: found.p50_ms.unwrap_or(0),
        p95: found.p95_ms.unwrap_or(0),
        p99: found.p99_ms.unwrap_or(0),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of a chart may have gaps; these have none"
)]
fn ms(found: Option<u64>) -> Option<i64> {
    Some(signed(found.unwrap_or(0)))
}

/// Over the calls whose cost is known; a gap where none is.
fn margin(sums: &Sums) -> Option<i64> {
    sums.cost.margin(sums.calls).map(Credits::micros)
}

const TRAFFIC: [Row; 2] = [
    (Measure::Succeeded, |sums| Some(signed(sums.succeeded()))),
    (Measure::Failed, |sums| Some(signed(sums.failed))),
];
const MONEY: [Row; 3] = [
    (Measure::Charged, |sums| Some(sums.credits.micros())),
    (Measure::Cost, |sums| {
        sums.cost.told(sums.calls).map(Credits::micros)
    }),
    (Measure::Margin, margin),
];
const FIRST: [Row; 3] = [
    (Measure::P50, |sums| ms(sums.first_byte().p50_ms)),
    (Measure::P95, |sums| ms(sums.first_byte().p95_ms)),
    (Measure::P99, |sums| ms(sums.first_byte().p99_ms)),
];
const LATENCY: [Row; 3] = [
    (Measure::P50, |sums| ms(sums.latency().p50_ms)),
    (Measure::P95, |sums| ms(sums.latency().p95_ms)),
    (Measure::P99, |sums| ms(sums.latency().p99_ms)),
];

/// Calls by result, for a chart.
pub(super) const RESULTS: [Row; 2] = TRAFFIC;

/// The day of a provider or a model.
pub(super) async fn day(reports: &Reports, scope: ReportScope) -> Result<Board, PageError> {
    let day = Range::Last(server_rooms::reports::span::Span::Day);
    Ok(reports.dashboard(&scope, day).await?)
}

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

async fn alerts(rooms: &DashboardRooms, now: Moment) -> Result<Vec<AlertRow>, PageError> {
    let (providers, gateways, tenants) = tokio::join!(
        provider_alerts(&rooms.providers, now),
        gateway_alerts(&rooms.gateways, now),
        tenant_alerts(&rooms.reports, &rooms.ledger, now)
    );
    let mut alerts = gateways?;
    alerts.extend(providers);
    alerts.extend(tenants?);
    alerts.extend(unpriced_alerts(&rooms.calls, now));
    alerts.sort_by_key(|alert| match alert.severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    });
    Ok(alerts)
}

fn view(
    board: &Board,
    range: RangeWord,
    alerts: Vec<AlertRow>,
    (live, live_count): (Vec<LiveCall>, u64),
) -> Dashboard {
    let (points, grain) = (&board.series, board.query.grain);
    let (totals, before) = (&board.totals, &board.before);
    let micros = |credits: Credits| i128::from(credits.micros());
    let tenants = board.tenants.as_ref().map_or(&[][..], |tops| &tops.tenants);
    let by_credits: Ranked = (
        |top| (Some(top.credits), top.calls),
        |top| top.credits.micros().into(),
    );
    let by_calls: Ranked = (
        |top| (top.cost.told(top.calls), top.cost.calls),
        |top| top.calls.into(),
    );
    let name = |id: &str| named(&board.tenant_names, id);
    Dashboard {
        range,
        calls: totals.calls,
        calls_change: change(totals.calls.into(), before.calls.into()),
        calls_course: spark(points, |sums| Some(signed(sums.calls))),
        credits: totals.credits,
        credits_change: change(micros(totals.credits), micros(before.credits)),
        credits_course: spark(points, |sums| Some(sums.credits.micros())),
        cost: known_cost(&totals.cost, totals.calls),
        margin_share: totals.cost.margin_bp(totals.calls),
        margin_course: spark(points, margin),
        success: success(totals),
        success_course: spark(points, |sums| Some(success(sums))),
        live_count,
        latency: quantiles(totals.latency()),
        first_token: quantiles(totals.first_byte()),
        traffic: chart(points, grain, Unit::Count, TRAFFIC),
        money: chart(points, grain, Unit::Credits, MONEY),
        first_token_course: chart(points, grain, Unit::Milliseconds, FIRST),
        latency_course: chart(points, grain, Unit::Milliseconds, LATENCY),
        top_models: tops(
            &board.models,
            str::to_owned,
            by_credits,
            micros(totals.credits),
        ),
        top_tenants: tops(tenants, name, by_credits, micros(totals.credits)),
        top_providers: tops(
            &board.providers,
            str::to_owned,
            by_calls,
            totals.calls.into(),
        ),
        live,
        alerts,
    }
}

/// `GET /admin`
#[handler]
pub(super) async fn dashboard(
    who: Admin,
    asked: Asked,
    rooms: Data<&DashboardRooms>,
) -> PageResult {
    let (range, span) = range(&asked, RangeWord::Day);
    let now = who.now();
    let board = rooms
        .reports
        .dashboard(&ReportScope::Platform, Range::Last(span));
    let running = live::running(&rooms.ledger, &rooms.reports);
    let (board, alerts, running) = tokio::join!(board, alerts(&rooms, now), running);
    let board = board.map_err(|error| reports_failed(error.into()))?;
    who.show(&view(&board, range, alerts?, running?)).await
}
