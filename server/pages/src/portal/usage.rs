//! What was used: the tenant's calls with their sums and their export, one call with the arithmetic
//! of its charge, and a person's own calls.

use admin_templates::labels::{CallStatus, Range, Word};
use admin_templates::parts::{Arithmetic, ModelSum};
use admin_templates::portal::{History, OwnCall, PortalUsage};
use futures_util::stream::TryStreamExt;
use poem::web::{Data, Path, Query};
use poem::{IntoResponse, Request, handler};
use server_edge::export::{Excel, Reader, usage_file};
use server_rooms::accounts::{Accounts, CalledBy, Reading};
use server_rooms::ledger::{Ledger, Spender};
use server_rooms::reports::call_detail::{CallDetail, Charge, HoldDetail};
use server_rooms::reports::history::UsageHistory;
use server_rooms::reports::span::{Span, Window};
use server_rooms::reports::sums::{Grain, Sums};
use server_rooms::reports::{
    Point, ReportScope, Reports, TimeRange, UsageFilter, UsageRecord, UsageStatus, UsageSummary,
};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{RequestId, TenantId, UserId};
use shared::units::Usage;

use super::super::bills;
use super::super::error::{PageError, PageResult, parsed};
use super::super::lanes::{Seen, lanes};
use super::super::list_query::{self, CallList, CallsRead};
use super::super::page_context::Here;
use super::super::session::{Manager, Member};
use super::rows::{self, Asked, Caller, field};
use super::{manages, reports_failed, unread};

/// Filters of the list of calls, and the range, which links to its pages carry.
const FILTERS: [&str; 5] = ["model", "status", "caller", "range", "span"];

/// No call is older than the epoch.
const NEVER: TimeRange = TimeRange {
    from: None,
    until: Some(Moment::from_unix_ms(0)),
};

fn range_of(asked: &Asked) -> Range {
    Range::from_code(field(asked, "range")).unwrap_or(Range::Week)
}

/// The hours or days of a range; a week is shown by the day.
fn window(range: Range, here: Here<'_>) -> Window {
    let span = match range {
        Range::Day => Span::Day,
        Range::Week => Span::Week,
        Range::Month => Span::Month,
        Range::Quarter => Span::Quarter,
    };
    span.by_day(here.now, here.zone)
}

fn since(window: &Window) -> TimeRange {
    TimeRange {
        from: Some(window.from()),
        until: None,
    }
}

/// Narrowed to what the query asks for; what nobody is or no call has leaves nothing.
async fn narrowed(
    mut filter: UsageFilter,
    asked: &Asked,
    (accounts, tenant): (&Accounts, &TenantId),
) -> Result<UsageFilter, PageError> {
    let model = field(asked, "model");
    filter.model = Some(model.to_owned()).filter(|model| !model.is_empty());
    if let Some(span) = list_query::span(field(asked, "span")) {
        filter.period = span;
    }
    let status = field(asked, "status");
    if !status.is_empty() {
        filter.status = UsageStatus::from_word(status);
        if filter.status.is_none() {
            filter.period = NEVER;
        }
    }
    let caller = field(asked, "caller");
    if !caller.is_empty() && filter.user.is_none() {
        match rows::meant(accounts, tenant, caller).await? {
            Some(Caller::User(id)) => filter.user = Some(id),
            Some(Caller::Key(id)) => filter.key = Some(id),
            None => filter.period = NEVER,
        }
    }
    Ok(filter)
}

fn totals(points: &[Point]) -> Sums {
    let mut total = Sums::default();
    for point in points {
        total.merge(&point.sums);
    }
    total
}

fn model_sums(all: Vec<UsageSummary>) -> Vec<ModelSum> {
    let whole = rows::sum(all.iter().map(|sum| sum.credits));
    let row = |sum: UsageSummary| ModelSum {
        share: rows::share(sum.credits, whole),
        model: sum.model,
        operation: rows::operation(sum.operation),
        calls: sum.calls,
        input_tokens: sum.input_tokens,
        output_tokens: sum.output_tokens,
        images: sum.images,
        credits: sum.credits,
        cost: None,
    };
    let mut sums: Vec<ModelSum> = all.into_iter().map(row).collect();
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.credits));
    sums
}

/// A page of calls as the query wants it.
async fn calls(
    reports: &Reports,
    filter: &UsageFilter,
    asked: &Asked,
) -> Result<CallsRead, PageError> {
    let asking = CallList {
        filter,
        request: rows::page_request(asked)?,
        sort: field(asked, "sort"),
        before: field(asked, "at"),
    };
    asking.read(reports).await.map_err(reports_failed)
}

/// `GET /portal/usage`
#[handler]
pub(super) async fn usage_page(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    reports: Data<&Reports>,
    accounts: Data<&Accounts>,
    usage: Data<&UsageHistory>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let range = range_of(&asked);
    let window = window(range, who.here());
    let whole = UsageFilter {
        tenant: Some(tenant.clone()),
        period: since(&window),
        ..UsageFilter::default()
    };
    let filter = narrowed(whole, &asked, (&accounts, tenant)).await?;
    let mut read = calls(&reports, &filter, &asked).await?;
    let list = read.told(rows::list(&asked, &FILTERS, &read.page));
    let names = rows::callers(&accounts, tenant, &read.page.rows).await?;
    let scope = ReportScope::Tenant(tenant.clone());
    let points = reports.series(&scope, &window).await?;
    let sums = totals(&points);
    who.show(&PortalUsage {
        range,
        list,
        credits: sums.credits,
        calls: sums.calls,
        spend: rows::spend(&points, window.grain).leading_to("usage", &[("range", range.code())]),
        sums: model_sums(usage.summary(tenant, since(&window)).await?),
        rows: rows::calls(read.page.rows, &names),
    })
    .await
}

/// `GET /portal/usage.csv`: the same query as a file.
#[handler]
pub(super) async fn usage_csv(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    request: &Request,
    reports: Data<&Reports>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let whole = UsageFilter {
        tenant: Some(tenant.clone()),
        period: since(&window(range_of(&asked), who.here())),
        ..UsageFilter::default()
    };
    let filter = narrowed(whole, &asked, (&accounts, tenant)).await?;
    let excel = Excel::of_query(request.uri().query());
    let zone = who.here().zone.clone();
    let file = usage_file(reports.export_usage(filter), Reader::Tenant, (excel, zone));
    Ok(file.into_response())
}

/// How the charge was reckoned; without lines where nothing was, or its price is gone.
fn charge(detail: &CallDetail, multiplier_ppm: i64) -> Arithmetic {
    if let Charge::Lines(bill) = &detail.charge {
        return bills::arithmetic(bill);
    }
    let total = detail.record.as_ref().map(|record| record.credits);
    let total = total.unwrap_or(Credits::ZERO);
    Arithmetic {
        lines: Vec::new(),
        subtotal: total.to_string(),
        multiplier_ppm,
        total,
    }
}

fn held(hold: Option<&HoldDetail>) -> Credits {
    hold.map_or(Credits::ZERO, |hold| hold.hold.held)
}

/// The request that made a call, as its hold keeps it; a call without one, made with a test key, stands
/// for itself.
fn request_of(detail: &CallDetail) -> String {
    let kept = detail
        .hold
        .as_ref()
        .and_then(|held| held.hold.snapshot.read());
    let request = kept.and_then(|kept| kept.request);
    request.map_or_else(|| detail.id.to_string(), RequestId::into_string)
}

fn ended_call(
    detail: &CallDetail,
    record: &UsageRecord,
    by: &CalledBy,
    multiplier_ppm: i64,
) -> OwnCall {
    let hold = detail.hold.as_ref().map(|held| &held.hold);
    OwnCall {
        lanes: lanes(record, hold, Seen::ByTenant),
        id: record.id.to_string(),
        request_id: request_of(detail),
        status: rows::status(record),
        fault: record.fault.clone(),
        operation: rows::operation(record.operation),
        model: record.model.clone(),
        caller: by.text(),
        test: record.test,
        at: record.created_at,
        first_byte_ms: record.first_byte_ms,
        duration_ms: record.duration_ms,
        held: held(detail.hold.as_ref()),
        counts: bills::counts(&record.usage),
        charge: charge(detail, multiplier_ppm),
    }
}

/// A call without a record: it runs, or was refused or given back.
fn open_call(detail: &CallDetail, by: &CalledBy, multiplier_ppm: i64) -> Option<OwnCall> {
    let hold = &detail.hold.as_ref()?.hold;
    let kept = hold.snapshot.read()?;
    let status = match detail.charge {
        Charge::Open => CallStatus::Running,
        Charge::Lines(_)
        | Charge::Test
        | Charge::NothingProduced
        | Charge::Refused
        | Charge::Released
        | Charge::Unknown
        | Charge::ByHand
        | Charge::Untold => CallStatus::Failed,
    };
    Some(OwnCall {
        lanes: Vec::new(),
        id: detail.id.to_string(),
        request_id: request_of(detail),
        status,
        fault: None,
        operation: rows::operation(kept.operation),
        model: kept.model.clone(),
        caller: by.text(),
        test: false,
        at: hold.created_at,
        first_byte_ms: 0,
        duration_ms: 0,
        held: hold.held,
        counts: bills::counts(&Usage::default()),
        charge: charge(detail, multiplier_ppm),
    })
}

/// Whether a person made the call.
pub(in super::super) fn is_by(detail: &CallDetail, user: &UserId) -> bool {
    if let Some(record) = &detail.record {
        return record.user.as_ref() == Some(user);
    }
    let hold = detail.hold.as_ref();
    let kept = hold.and_then(|hold| hold.hold.snapshot.read());
    kept.is_some_and(|kept| kept.user.as_ref() == Some(user))
}

/// `GET /portal/usage/{id}`: one of the tenant's calls; who does not run the tenant sees their own.
#[handler]
pub(super) async fn call_page(
    who: Member,
    Path(id): Path<String>,
    reports: Data<&Reports>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let detail = reports
        .call_detail(&parsed(&id)?, Some(&who.tenant.id))
        .await;
    let detail = detail.map_err(reports_failed)?.ok_or(PageError::NotFound)?;
    if !manages(&who) && !is_by(&detail, &who.user.id) {
        return Err(PageError::NotFound);
    }
    let kept = detail.hold.as_ref();
    let kept = kept.and_then(|held| held.hold.snapshot.read());
    let (person, key) = match (&detail.record, &kept) {
        (Some(record), _) => (record.user.as_ref(), record.key.as_ref()),
        (None, Some(kept)) => (kept.user.as_ref(), kept.key.as_ref()),
        (None, None) => (None, None),
    };
    let reading = Reading::Tenant(&who.tenant.id);
    let callers = accounts.callers(reading, &[(person, key)]).await?;
    let by = callers.of(person, key);
    let ppm = who.tenant.price_multiplier_ppm;
    let view = match &detail.record {
        Some(record) => Some(ended_call(&detail, record, &by, ppm)),
        None => open_call(&detail, &by, ppm),
    };
    who.show(&view.ok_or(PageError::NotFound)?).await
}

/// What a person was charged in the last 30 days, one after the other. Reads each of their calls:
/// sums of people are not kept, and a person makes few calls beside a key.
async fn days_of(
    reports: &Reports,
    of: UsageFilter,
    here: Here<'_>,
) -> Result<Vec<Point>, PageError> {
    let window = here.window(Span::Month);
    let empty = window.starts.iter().map(|at| Point {
        at: *at,
        sums: Sums::default(),
    });
    let mut points: Vec<Point> = empty.collect();
    let filter = UsageFilter {
        period: since(&window),
        ..of
    };
    let pages = reports.export_usage(filter);
    let mut pages = std::pin::pin!(pages);
    while let Some(records) = pages.try_next().await? {
        for record in records {
            let place = window.place(record.created_at);
            if let Some(point) = place.and_then(|place| points.get_mut(place)) {
                let both = [point.sums.credits, record.credits];
                point.sums.credits = rows::sum(both.into_iter());
            }
        }
    }
    Ok(points)
}

/// `GET /portal/history`: a person's own calls.
#[handler]
pub(super) async fn history_page(
    who: Member,
    Query(asked): Query<Asked>,
    reports: Data<&Reports>,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let own = UsageFilter {
        tenant: Some(tenant.clone()),
        user: Some(who.user.id.clone()),
        ..UsageFilter::default()
    };
    let filter = narrowed(own.clone(), &asked, (&accounts, tenant)).await?;
    let mut read = calls(&reports, &filter, &asked).await?;
    let list = read.told(rows::list(&asked, &["model", "status", "span"], &read.page));
    let names = rows::callers(&accounts, tenant, &read.page.rows).await?;
    let budgets = ledger.budgets(tenant).await.map_err(unread)?;
    let points = days_of(&reports, own, who.here()).await?;
    who.show(&History {
        spent: totals(&points).credits,
        budget: rows::budget_of(&budgets, &Spender::User(who.user.id.clone())),
        spend: rows::spend(&points, Grain::Day).leading_to("history", &[]),
        list,
        rows: rows::calls(read.page.rows, &names),
    })
    .await
}
