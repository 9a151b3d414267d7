//! The log of all calls, its export, and the details of one.

pub(super) mod call;

use std::collections::{BTreeMap, BTreeSet};

use shared::zone::Zone;

use admin_templates::admin::usage::{Suggestions, UsageLog};
use admin_templates::labels::{CallStatus, Word};
use admin_templates::list::ListState;
use poem::web::Data;
use poem::{IntoResponse, Request, handler};
use server_edge::date::Date;
use server_edge::export::{Excel, Reader, usage_file};
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::Ledger;
use server_rooms::reports::{Reports, TimeRange, UsageFilter, UsageStatus};
use shared::clock::Moment;
use shared::id::TenantId;

use super::super::error::{PageError, PageResult};
use super::super::list_query::{self, CallList};
use super::super::session::Admin;
use super::calls::CallNames;
use super::{Asked, filters, list_state, page_request, reports_failed, unknown, wanted};

/// Tenants that the filter offers; a longer list helps nobody.
const SUGGESTED_MAX: i64 = 200;
/// Rows of a page of the log.
const ROWS: u32 = 50;
const FILTERS: [&str; 7] = [
    "tenant", "model", "provider", "status", "from", "to", "span",
];

/// What the log of calls and the page of one are filled from.
#[derive(Debug, Clone)]
pub(super) struct CallRooms {
    pub(super) accounts: Accounts,
    pub(super) ledger: Ledger,
    pub(super) reports: Reports,
}

fn day(asked: &BTreeMap<String, String>, name: &str) -> Option<Date> {
    wanted(asked, name).and_then(|text| text.parse().ok())
}

/// Days that were chosen; without any the stretch that a chart led to.
fn period(asked: &BTreeMap<String, String>, zone: &Zone) -> TimeRange {
    let days = TimeRange {
        from: day(asked, "from").and_then(|date| date.start_in(zone)),
        until: day(asked, "to").and_then(|date| date.end_in(zone)),
    };
    if days != TimeRange::default() {
        return days;
    }
    let span = wanted(asked, "span").and_then(list_query::span);
    span.unwrap_or_default()
}

/// The filter of a query; `None` where nothing can pass it. A tenant is named by its id, its name or a
/// part of it that no other one has.
async fn filter(
    accounts: &Accounts,
    asked: &BTreeMap<String, String>,
    zone: &Zone,
) -> Result<Option<UsageFilter>, PageError> {
    let tenant = match wanted(asked, "tenant") {
        Some(text) => match text.parse::<TenantId>() {
            Ok(id) => Some(id),
            Err(_) => match accounts.tenant_by_name(text).await? {
                Some(tenant) => Some(tenant.id),
                // A part of a name stands for a tenant where no other one has it.
                None => match accounts.tenants_named(text, 2).await?.as_slice() {
                    [one] => Some(one.tenant.clone()),
                    _ => return Ok(None),
                },
            },
        },
        None => None,
    };
    let status = match wanted(asked, "status") {
        // Calls that run have no record yet.
        Some(text) if text == CallStatus::Running.code() => return Ok(None),
        // A list of their own.
        Some(text) if text == CallStatus::Unknown.code() => return Ok(None),
        Some(text) => UsageStatus::from_word(text),
        None => None,
    };
    let text = |name| wanted(asked, name).map(str::to_owned);
    Ok(Some(UsageFilter {
        tenant,
        status,
        model: text("model"),
        provider: text("provider"),
        period: period(asked, zone),
        ..UsageFilter::default()
    }))
}

/// Names that the filters offer.
async fn suggestions(accounts: &Accounts, catalogue: &Catalogue) -> Result<Suggestions, PageError> {
    let tenants = accounts.tenants_named("", SUGGESTED_MAX).await?;
    let models = catalogue.models();
    let targets = models.iter().flat_map(|model| &model.targets);
    let providers: BTreeSet<String> = targets.map(|target| target.provider.clone()).collect();
    Ok(Suggestions {
        tenants: tenants.into_iter().map(|one| one.name).collect(),
        models: models.iter().map(|model| model.id.clone()).collect(),
        providers: providers.into_iter().collect(),
    })
}

/// `GET /admin/usage`
#[handler]
pub(super) async fn usage_log(
    who: Admin,
    asked: Asked,
    rooms: Data<&CallRooms>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let suggest = suggestions(&rooms.accounts, &catalogue).await?;
    let request = page_request(&asked, ROWS)?;
    let whole = || ListState {
        filters: filters(&asked, &FILTERS),
        ..ListState::whole()
    };
    if wanted(&asked, "status") == Some(CallStatus::Unknown.code()) {
        let (list, rows) = (
            whole(),
            unknown::rows(&rooms.ledger, &rooms.accounts).await?,
        );
        return who
            .show(&UsageLog {
                list,
                suggest,
                rows,
            })
            .await;
    }
    let Some(filter) = filter(&rooms.accounts, &asked, who.here().zone).await? else {
        let (list, rows) = (whole(), Vec::new());
        return who
            .show(&UsageLog {
                list,
                suggest,
                rows,
            })
            .await;
    };
    let asking = CallList {
        filter: &filter,
        request,
        sort: wanted(&asked, "sort").unwrap_or_default(),
        before: wanted(&asked, "at").unwrap_or_default(),
    };
    let mut read = asking.read(&rooms.reports).await.map_err(reports_failed)?;
    let list = read.told(list_state(filters(&asked, &FILTERS), &read.page));
    let names = CallNames::of(&rooms.accounts, &read.page.rows).await?;
    let rows = read.page.rows.into_iter().map(|record| names.row(record));
    let rows = rows.collect();
    who.show(&UsageLog {
        list,
        suggest,
        rows,
    })
    .await
}

/// `GET /admin/usage.csv`; streams, as the API's exports do.
#[handler]
pub(super) async fn usage_csv(
    who: Admin,
    asked: Asked,
    request: &Request,
    rooms: Data<&CallRooms>,
) -> PageResult {
    let filter = filter(&rooms.accounts, &asked, who.here().zone).await?;
    // A filter that nothing passes is a period of no length.
    let filter = filter.unwrap_or_else(|| UsageFilter {
        period: TimeRange {
            from: Some(Moment::default()),
            until: Some(Moment::default()),
        },
        ..UsageFilter::default()
    });
    let records = rooms.reports.export_usage(filter);
    Ok(usage_file(
        records,
        Reader::Superadmin,
        (
            Excel::of_query(request.uri().query()),
            who.here().zone.clone(),
        ),
    )
    .into_response())
}
