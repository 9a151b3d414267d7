//! The console's first page: how the platform is doing, what it earns, and what somebody should look
//! at. Figures are sums, as current as these are; alerts are rows, as they were seen last.

mod alerts;
pub(super) mod start;

use std::time::Duration;

use admin_templates::admin::dashboard::{AlertRow, Dashboard, LiveCall};
use admin_templates::admin::start::StartRow;
use admin_templates::chart::{Mark, Spark, Unit};
use admin_templates::labels::{Measure, Range as RangeWord};
use admin_templates::parts::{Quantiles, TopRow};
use poem::handler;
use poem::web::Data;
use server_rooms::accounts::Accounts;
use server_rooms::alerts::Alerts;
use server_rooms::catalogue::Catalogue;
use server_rooms::gateways::Gateways;
use server_rooms::ledger::Ledger;
use server_rooms::ledger::books::Books;
use server_rooms::providers::Providers;
use server_rooms::reports::dashboard::{Dashboard as Board, Range};
use server_rooms::reports::sums::{Percentiles, Sums};
use server_rooms::reports::{Point, ReportScope, Reports, Top};
use server_rooms::settings::Settings;
use shared::credits::Credits;

use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult};
use super::super::ledger_lines;
use super::super::session::Admin;
use super::{
    Asked, WHOLE, booked, chart, live, marks, named, range, reports_failed, signed, success,
};

/// A gateway far away must not keep the page waiting.
const PATIENCE: Duration = Duration::from_millis(800);

/// What the dashboard is filled from.
#[derive(Debug, Clone)]
pub(super) struct DashboardRooms {
    pub(super) accounts: Accounts,
    pub(super) alerts: Alerts,
    pub(super) catalogue: Catalogue,
    pub(super) gateways: Gateways,
    pub(super) ledger: Ledger,
    pub(super) providers: Providers,
    pub(super) reports: Reports,
    pub(super) settings: Settings,
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

/// A gap where no call was measured.
fn ms(found: Option<u64>) -> Option<i64> {
    found.map(signed)
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

fn view(
    board: &Board,
    range: RangeWord,
    (alerts, start): (Vec<AlertRow>, Vec<StartRow>),
    (live, live_count): (Vec<LiveCall>, u64),
    (books, marks): (&Books, Vec<Mark>),
) -> Dashboard {
    let (points, grain) = (&board.series, board.grain);
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
        traffic: chart(points, grain, Unit::Count, TRAFFIC)
            .leading_to("usage", &[])
            .marked(marks.clone()),
        money: chart(points, grain, Unit::Credits, MONEY)
            .leading_to("usage", &[])
            .marked(marks),
        first_token_course: chart(points, grain, Unit::Milliseconds, FIRST)
            .leading_to("usage", &[]),
        latency_course: chart(points, grain, Unit::Milliseconds, LATENCY).leading_to("usage", &[]),
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
        start,
        books: ledger_lines::books(books),
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
    let (board, alerts, running, start, books) = tokio::join!(
        board,
        rooms.alerts.on(),
        running,
        start::rows(&rooms, now),
        rooms.ledger.books()
    );
    let alerts = alerts?.into_iter().map(|alert| alerts::row(alert, now));
    let board = board.map_err(|error| reports_failed(error.into()))?;
    let books = books.map_err(booked)?;
    let since = board.series.first().map_or(now, |point| point.at);
    let marks = marks::of_platform(&rooms.catalogue, &rooms.gateways, since).await?;
    let told = (alerts.collect(), start?);
    who.show(&view(&board, range, told, running?, (&books, marks)))
        .await
}
