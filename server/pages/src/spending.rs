//! What calls that pass a filter tell together: when the last one was, and what they were charged.

use futures_util::TryStreamExt as _;
use server_rooms::reports::page::PageRequest;
use server_rooms::reports::span::Span;
use server_rooms::reports::{Reports, ReportsError, TimeRange, UsageFilter, UsageRecord};
use shared::clock::Moment;
use shared::credits::Credits;

use super::error::PageError;
use super::page_context::Here;

/// When the last of the calls was.
pub(super) async fn last_call(
    reports: &Reports,
    filter: &UsageFilter,
) -> Result<Option<Moment>, ReportsError> {
    let newest = PageRequest {
        from: None,
        rows: 1,
    };
    let page = reports.usage_log(filter, &newest).await?;
    Ok(page.rows.first().map(|record| record.created_at))
}

/// What the calls of the last 30 days were charged: read one after the other, because no sums are
/// kept of people.
pub(super) async fn spent(
    reports: &Reports,
    filter: UsageFilter,
    here: Here<'_>,
) -> Result<Credits, PageError> {
    let month = here.window(Span::Month);
    let period = TimeRange {
        from: Some(month.from()),
        until: Some(month.until),
    };
    let records = reports.export_usage(UsageFilter { period, ..filter });
    let add = async |sum: i64, page: Vec<UsageRecord>| {
        let page = page.iter().map(|record| record.credits.micros());
        Ok(page.fold(sum, i64::saturating_add))
    };
    let sum = records.try_fold(0_i64, add).await?;
    Ok(Credits::from_micros(sum))
}
