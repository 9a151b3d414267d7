//! What a tenant used: sums, a chart, and by model.

use admin_templates::admin::tenants::TenantUsage;
use admin_templates::chart::Unit;
use admin_templates::labels::{Measure, Operation, Range as RangeWord, Word};
use admin_templates::parts::ModelSum;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::reports::history::UsageHistory;
use server_rooms::reports::{ReportScope, TimeRange, UsageFilter, UsageStatus, UsageSummary};
use shared::credits::Credits;

use super::super::super::error::PageResult;
use super::super::super::list_query::{self, CallList};
use super::super::super::session::Admin;
use super::super::calls::CallNames;
use super::super::dashboard::Row;
use super::super::{
    Asked, ROWS, chart, filters, list_state, page_request, range, reports_failed, wanted, word,
};
use super::{TenantRooms, found, head};

pub(super) fn sums(rows: Vec<UsageSummary>) -> Vec<ModelSum> {
    let all: i128 = rows
        .iter()
        .map(|row| i128::from(row.credits.micros()))
        .sum();
    let share = |credits: Credits| {
        let part = i128::from(credits.micros()).saturating_mul(10_000);
        part.checked_div(all)
            .and_then(|part| u64::try_from(part).ok())
    };
    let row = |row: UsageSummary| ModelSum {
        operation: word(row.operation.word(), Operation::Chat),
        share: share(row.credits).unwrap_or(0),
        model: row.model,
        calls: row.calls,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        images: row.images,
        credits: row.credits,
        cost: row.cost.told(row.calls),
    };
    rows.into_iter().map(row).collect()
}

/// `GET /admin/tenants/{id}/usage`
#[handler]
pub(in super::super) async fn usage_page(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&TenantRooms>,
    history: Data<&UsageHistory>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let (range, span) = range(&asked, RangeWord::Week);
    let scope = ReportScope::Tenant(tenant.id.clone());
    let window = who.here().window(span);
    let series = rooms.reports.series(&scope, &window).await?;
    let period = TimeRange {
        from: Some(window.from()),
        until: Some(window.until),
    };
    let summary = history.summary(&tenant.id, period).await?;
    let status = wanted(&asked, "status");
    let narrowed = wanted(&asked, "span").and_then(list_query::span);
    let filter = UsageFilter {
        tenant: Some(tenant.id.clone()),
        model: wanted(&asked, "model").map(str::to_owned),
        status: status.and_then(UsageStatus::from_word),
        period: narrowed.unwrap_or(period),
        ..UsageFilter::default()
    };
    let asking = CallList {
        filter: &filter,
        request: page_request(&asked, ROWS)?,
        sort: wanted(&asked, "sort").unwrap_or_default(),
        before: wanted(&asked, "at").unwrap_or_default(),
    };
    let mut read = asking.read(&rooms.reports).await.map_err(reports_failed)?;
    if status.is_some_and(|status| UsageStatus::from_word(status).is_none()) {
        // Calls that run have no record yet.
        let page = &mut read.page;
        (page.rows, page.next, page.previous) = (Vec::new(), None, None);
    }
    let names = CallNames::of(&rooms.accounts, &read.page.rows).await?;
    let state = list_state(filters(&asked, &["model", "status", "span"]), &read.page);
    let mut list = read.told(state);
    if list.next.is_some() || list.previous.is_some() {
        let kept = ("range".to_owned(), range.code().to_owned());
        list.filters.values.extend([kept]);
    }
    let charged: [Row; 1] = [(Measure::Charged, |sums| Some(sums.credits.micros()))];
    who.show(&TenantUsage {
        head: head(&rooms.ledger, &tenant).await?,
        range,
        list,
        spend: chart(&series, window.grain, Unit::Credits, charged)
            .leading_to("usage", &[("tenant", tenant.id.as_str())]),
        sums: sums(summary),
        rows: read
            .page
            .rows
            .into_iter()
            .map(|row| names.row(row))
            .collect(),
    })
    .await
}
