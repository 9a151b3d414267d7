//! The overview: what the tenant has, for how long it lasts, and where it goes.

use admin_templates::labels::{Label, MemberRole};
use admin_templates::page::Lang;
use admin_templates::parts::TopRow;
use admin_templates::portal::Overview as View;
use poem::handler;
use poem::web::Data;
use server_rooms::accounts::{Accounts, Callers, TenantSettings};
use server_rooms::catalogue::Catalogue;
use server_rooms::reports::forecast::Forecast;
use server_rooms::reports::overview::Overview;
use server_rooms::reports::sums::Grain;
use server_rooms::reports::{Reports, Top};
use shared::clock::Moment;
use shared::credits::Credits;

use super::super::error::PageResult;
use super::super::ledger_lines;
use super::super::session::Member;
use super::rows;
use super::{manages, notices, reports_failed};

/// Where those begin who only use models.
const STUDIO: &str = "/portal/studio/chat";
/// Who has credits for fewer days is told so.
const LOW_DAYS: u64 = 3;

/// Whether credits run low, for how many days they last, and until when.
fn outlook(forecast: Forecast) -> (bool, Option<u64>, Option<Moment>) {
    match forecast {
        Forecast::Unlimited | Forecast::NotSpending => (false, None, None),
        Forecast::Empty => (true, Some(0), None),
        Forecast::Lasts { days, until, .. } => (days < LOW_DAYS, Some(days), Some(until)),
    }
}

/// Calls that succeeded among all, in hundredths of a per cent.
fn success(calls: u64, lost: u64) -> i64 {
    let good = u128::from(calls.saturating_sub(lost)).saturating_mul(10_000);
    let rate = good.checked_div(u128::from(calls));
    i64::try_from(rate.unwrap_or(0)).unwrap_or(0)
}

fn tops(tops: Vec<Top>, whole: Credits, name: impl Fn(&str) -> String) -> Vec<TopRow> {
    let row = |top: Top| TopRow {
        name: name(&top.name),
        id: top.name,
        calls: top.calls,
        credits: Some(top.credits),
        known: top.calls,
        share: rows::share(top.credits, whole),
        success: success(top.calls, top.failed.saturating_add(top.canceled)),
    };
    tops.into_iter().map(row).collect()
}

fn view(
    found: Overview,
    own: TenantSettings,
    (by, names): (Vec<Top>, &Callers),
    lang: Lang,
) -> View {
    let (soon, days_left, empty_at) = outlook(found.forecast);
    let left = found.balance.available;
    let low = soon || own.alert_below.is_some_and(|bound| left < bound);
    let spend = rows::spend(&found.days, Grain::Day).leading_to("usage", &[]);
    let (mut calls, mut lost) = (0_u64, 0_u64);
    for day in &found.days {
        calls = calls.saturating_add(day.sums.calls);
        lost = lost.saturating_add(day.sums.failed);
        lost = lost.saturating_add(day.sums.canceled);
    }
    let month = found.spent_30d;
    View {
        balance: rows::balance(found.balance),
        low,
        notices: Vec::new(),
        spent_today: found.spent_today,
        spent_month: month,
        calls,
        success: success(calls, lost),
        days_left,
        empty_at,
        spend,
        grants: ledger_lines::grants(found.grants),
        top_models: tops(found.models, month, str::to_owned),
        // Of people who are not named one by one.
        top_members: tops(by, month, |id| {
            if id.is_empty() {
                MemberRole::Member.text(lang).to_owned()
            } else {
                names.name(id)
            }
        }),
    }
}

/// `GET /portal`: the overview of those who run the tenant; others begin in the studio.
#[handler]
pub(super) async fn overview_page(
    who: Member,
    reports: Data<&Reports>,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    if !manages(&who) {
        // The studio is closed to whoever looks as somebody else.
        let looks = who.browser.opener.is_some();
        return who.go(if looks { "/portal/history" } else { STUDIO });
    }
    let found = reports.overview(&who.tenant.id).await;
    let found = found.map_err(reports_failed)?;
    let by = reports.top_callers(&found).await.map_err(reports_failed)?;
    let ids: Vec<&str> = by.iter().map(|top| top.name.as_str()).collect();
    let names = accounts.callers_by_id(&who.tenant.id, &ids).await?;
    let own = accounts.tenant_settings(&who.tenant.id).await?;
    let mut view = view(found, own, (by, &names), who.lang());
    view.notices = notices::notes(&who, &catalogue).await?;
    who.show(&view).await
}
