//! One tenant: information, usage, limits, and suspending it. Its people, keys and money are below.

pub(super) mod keys;
pub(super) mod money;
pub(super) mod people;

use std::collections::BTreeSet;

use admin_templates::admin::tenants::{TenantHead, TenantInfo, TenantLimits, TenantUsage};
use admin_templates::chart::Unit;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{Measure, Operation, Range as RangeWord, Word};
use admin_templates::page::Notice;
use admin_templates::parts::{Balance as BalanceView, ModelSum};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, Tenant, TenantPatch, TenantStatus};
use server_rooms::auth::roles::{Kind, kind};
use server_rooms::ledger::{Balance, Ledger};
use server_rooms::limits::LimitSettings;
use server_rooms::reports::dashboard::Range;
use server_rooms::reports::page::PageRequest;
use server_rooms::reports::span::Span;
use server_rooms::reports::{ReportScope, TimeRange, UsageFilter, UsageStatus, UsageSummary};
use server_rooms::settings::Retention;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::zone::Zone;

use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult};
use super::super::form::{FieldProblem, FormData, field_error};
use super::super::session::{Admin, Confirmed};
use super::calls::CallNames;
use super::dashboard::Row;
use super::form_errors::{FormErrors, again};
use super::tenants::status_word;
use super::{
    Asked, Console, ROWS, booked, chart, count, filters, list_state, page_request, range, reason,
    reports_failed, success, tenant_id, wanted, word,
};

/// More people or keys than this are not counted.
const COUNTED: i64 = 1_000;

/// One tenant's path.
fn path(tenant: &Tenant, tab: &str) -> String {
    format!("/admin/tenants/{}{tab}", tenant.id)
}

/// The tenant of a path.
async fn found(rooms: &Console, id: &str) -> Result<Tenant, PageError> {
    Ok(rooms.accounts.tenant(&tenant_id(id)?).await?)
}

/// What stands above every tab.
async fn head(ledger: &Ledger, tenant: &Tenant) -> Result<TenantHead, PageError> {
    let balance = ledger.balance(&tenant.id).await.map_err(booked)?;
    Ok(head_of(tenant, &balance))
}

fn head_of(tenant: &Tenant, balance: &Balance) -> TenantHead {
    TenantHead {
        id: tenant.id.to_string(),
        name: tenant.name.clone(),
        status: status_word(tenant),
        available: balance.available,
        held: balance.held,
        delete_at: tenant.delete_at,
    }
}

fn balance_view(balance: &Balance) -> BalanceView {
    BalanceView {
        available: balance.available,
        held: balance.held,
        used: balance.used,
        expired: balance.expired,
        debt: balance.debt,
        loss: balance.loss,
    }
}

/// The first tab as it stands.
async fn info_view(rooms: &Console, tenant: &Tenant, now: Moment) -> Result<TenantInfo, PageError> {
    let id = &tenant.id;
    let balance = rooms.ledger.balance(id).await.map_err(booked)?;
    let scope = ReportScope::Tenant(id.clone());
    let month = Range::Last(Span::Month);
    let month = rooms.reports.dashboard(&scope, month).await?;
    let last = PageRequest {
        from: None,
        rows: 1,
    };
    let of = UsageFilter {
        tenant: Some(id.clone()),
        ..UsageFilter::default()
    };
    let newest = rooms
        .reports
        .usage_log(&of, &last)
        .await
        .map_err(reports_failed)?;
    let keys = rooms.accounts.keys(id, None, COUNTED).await?;
    let works = |at: Option<Moment>| at.is_none_or(|at| at > now);
    let keys = keys
        .iter()
        .filter(|key| !key.revoked && works(key.expires_at));
    let members = rooms.accounts.users(id, None, COUNTED).await?.len();
    let retention: Retention = rooms.settings.get().await?;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let charged: [Row; 1] = [(Measure::Charged, |sums| Some(sums.credits.micros()))];
    Ok(TenantInfo {
        head: head_of(tenant, &balance),
        created_at: tenant.created_at,
        called_at: newest.rows.first().map(|record| record.created_at),
        balance: balance_view(&balance),
        members: number(members),
        keys: number(keys.count()),
        calls: month.totals.calls,
        success: success(&month.totals),
        cost: known_cost(&month.totals.cost, month.totals.calls),
        spend: chart(&month.series, month.query.grain, Unit::Credits, charged),
        rename: Form::of([("name", tenant.name.as_str())]),
        zone: Form::of([("time_zone", tenant.zone.as_ref().map_or("", Zone::name))]),
        suspend: Form::default(),
        delete: Form::default(),
        grace_days: u64::from(retention.delete_grace_days),
    })
}

/// `GET /admin/tenants/{id}`
#[handler]
pub(super) async fn info(who: Admin, Path(id): Path<String>, rooms: Data<&Console>) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    who.show(&info_view(&rooms, &tenant, who.now()).await?)
        .await
}

/// `POST /admin/tenants/{id}/rename`
#[handler]
pub(super) async fn rename(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let patch = TenantPatch {
        name: Some(posted.text("name").to_owned()),
        ..TenantPatch::default()
    };
    let wrong = match rooms
        .accounts
        .update_tenant(&who.actor(), &tenant.id, patch)
        .await
    {
        Ok(_) => return who.done(&path(&tenant, ""), &Notice::Saved),
        Err(error) => field_error(error)?,
    };
    let mut view = info_view(&rooms, &tenant, who.now()).await?;
    view.rename = posted.again(&["name"]).wrong(wrong.0, wrong.1);
    who.show_again(&view).await
}

/// `POST /admin/tenants/{id}/zone`
#[handler]
pub(super) async fn set_zone(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let Ok(zone) = Accounts::zone(posted.text("time_zone")) else {
        let mut view = info_view(&rooms, &tenant, who.now()).await?;
        let form = posted.again(&["time_zone"]);
        view.zone = form.wrong("time_zone", FieldError::NotAZone);
        return who.show_again(&view).await;
    };
    let patch = TenantPatch {
        zone: Some(zone),
        ..TenantPatch::default()
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    accounts.update_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Saved)
}

/// `POST /admin/tenants/{id}/suspend`
#[handler]
pub(super) async fn suspend(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let why = match reason(&posted, "reason") {
        Ok(why) => why,
        Err((field, error)) => {
            let mut view = info_view(&rooms, &tenant, who.now()).await?;
            view.suspend = posted.again(&["reason"]).wrong(field, error);
            return who.show_again(&view).await;
        }
    };
    let patch = TenantPatch {
        status: Some(TenantStatus::Suspended),
        reason: Some(why),
        ..TenantPatch::default()
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    accounts.update_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Saved)
}

/// `POST /admin/tenants/{id}/resume`
#[handler]
pub(super) async fn resume(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    if tenant.delete_at.is_some() {
        // Its page was older than its deletion: that is taken back by its own form.
        return who.go_saying(&path(&tenant, ""), false, &Notice::Stale);
    }
    let patch = TenantPatch {
        status: Some(TenantStatus::Active),
        ..TenantPatch::default()
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    accounts.update_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Enabled)
}

/// `POST /admin/tenants/{id}/delete`
#[handler]
pub(super) async fn delete(
    who: Confirmed<Admin<kind::EditTenants>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let mut errors = FormErrors::default();
    if posted.text("confirm") != tenant.name.trim() {
        errors.add("confirm", FieldError::Different);
    }
    let why = errors.take(reason(&posted, "reason"));
    let why = match errors.unless(why) {
        Ok(why) => why,
        Err(wrong) => {
            let mut view = info_view(&rooms, &tenant, who.now()).await?;
            view.delete = again(&posted, &["confirm", "reason"], wrong);
            return who.show_again(&view).await;
        }
    };
    let patch = TenantPatch {
        reason: Some(why),
        ..TenantPatch::default()
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    accounts.delete_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Deleted)
}

/// `POST /admin/tenants/{id}/restore`
#[handler]
pub(super) async fn restore(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let (accounts, actor) = (&rooms.accounts, who.actor());
    let patch = TenantPatch::default();
    accounts.restore_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Enabled)
}

fn sums(rows: Vec<UsageSummary>) -> Vec<ModelSum> {
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
pub(super) async fn usage_page(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let (range, span) = range(&asked, RangeWord::Week);
    let scope = ReportScope::Tenant(tenant.id.clone());
    let query = span.query(who.now());
    let series = rooms.reports.series(&scope, query).await?;
    let period = TimeRange {
        from: Some(query.from),
        until: Some(query.until),
    };
    let summary = rooms.history.summary(&tenant.id, period).await?;
    let status = wanted(&asked, "status");
    let filter = UsageFilter {
        tenant: Some(tenant.id.clone()),
        model: wanted(&asked, "model").map(str::to_owned),
        status: status.and_then(UsageStatus::from_word),
        period,
        ..UsageFilter::default()
    };
    let page = rooms
        .reports
        .usage_log(&filter, &page_request(&asked, ROWS)?)
        .await;
    let mut page = page.map_err(reports_failed)?;
    if status.is_some_and(|status| UsageStatus::from_word(status).is_none()) {
        // Calls that run have no record yet.
        (page.rows, page.next, page.previous) = (Vec::new(), None, None);
    }
    let names = CallNames::of(&rooms.accounts, &page.rows).await?;
    let mut list = list_state(filters(&asked, &["model", "status"]), &page);
    if list.next.is_some() || list.previous.is_some() {
        let kept = ("range".to_owned(), range.code().to_owned());
        list.filters.values.extend([kept]);
    }
    let charged: [Row; 1] = [(Measure::Charged, |sums| Some(sums.credits.micros()))];
    who.show(&TenantUsage {
        head: head(&rooms.ledger, &tenant).await?,
        range,
        list,
        spend: chart(&series, query.grain, Unit::Credits, charged),
        sums: sums(summary),
        rows: page.rows.into_iter().map(|row| names.row(row)).collect(),
    })
    .await
}

fn number<N: ToString>(number: Option<N>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

async fn limits_view(rooms: &Console, tenant: &Tenant) -> Result<TenantLimits, PageError> {
    let limits = &tenant.limits;
    let factor = Credits::from_micros(tenant.price_multiplier_ppm);
    let allowed = tenant.allowed_models.clone().unwrap_or_default();
    // Models that are gone since are shown too, so that keeping the form does not lose them unseen.
    let models = rooms.catalogue.models();
    let models = models.iter().map(|model| model.id.clone());
    let models: BTreeSet<String> = models.chain(allowed.iter().cloned()).collect();
    Ok(TenantLimits {
        head: head(&rooms.ledger, tenant).await?,
        limits: Form::of([
            (
                "requests_per_minute",
                number(limits.requests_per_minute).as_str(),
            ),
            (
                "tokens_per_minute",
                number(limits.tokens_per_minute).as_str(),
            ),
            ("concurrent", number(limits.concurrency).as_str()),
        ]),
        allowed: Form::of([
            (
                "only",
                if tenant.allowed_models.is_some() {
                    "on"
                } else {
                    ""
                },
            ),
            ("models", allowed.join(" ").as_str()),
        ]),
        models: models.into_iter().collect(),
        multiplier: Form::of([("factor", factor.to_string().as_str())]),
    })
}

/// `GET /admin/tenants/{id}/limits`
#[handler]
pub(super) async fn limits_page(
    who: Admin,
    Path(id): Path<String>,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let view = limits_view(&rooms, &tenant).await?;
    who.show(&view).await
}

fn read_limits(posted: &FormData) -> Result<LimitSettings, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let requests = errors.take(count(posted, "requests_per_minute"));
    let tokens = errors.take(count(posted, "tokens_per_minute"));
    let concurrency = errors.take(count(posted, "concurrent"));
    let limits = LimitSettings {
        requests_per_minute: requests.flatten(),
        tokens_per_minute: tokens.flatten(),
        concurrency: concurrency.flatten(),
    };
    errors.unless(Some(limits))
}

/// Keeps a change of the last tab, or shows it again.
async fn keep<K: Kind>(
    who: &Admin<K>,
    tenant: &Tenant,
    read: Result<TenantPatch, Vec<FieldProblem>>,
    accounts: &Accounts,
) -> Result<Option<Vec<FieldProblem>>, PageError> {
    let patch = match read {
        Ok(patch) => patch,
        Err(wrong) => return Ok(Some(wrong)),
    };
    let kept = accounts
        .update_tenant(&who.actor(), &tenant.id, patch)
        .await;
    match kept {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(vec![field_error(error)?])),
    }
}

/// `POST /admin/tenants/{id}/limits`
#[handler]
pub(super) async fn set_limits(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let read = read_limits(&posted).map(|limits| TenantPatch {
        limits: Some(limits),
        ..TenantPatch::default()
    });
    let Some(wrong) = keep(&who, &tenant, read, &rooms.accounts).await? else {
        return who.done(&path(&tenant, "/limits"), &Notice::Saved);
    };
    let names = ["requests_per_minute", "tokens_per_minute", "concurrent"];
    let mut view = limits_view(&rooms, &tenant).await?;
    view.limits = again(&posted, &names, wrong);
    who.show_again(&view).await
}

/// The models of the form; none ticked while only the ticked ones are allowed would shut all out.
fn read_models(posted: &FormData) -> Result<TenantPatch, Vec<FieldProblem>> {
    let models = posted.several("models").to_vec();
    let only = posted.is_ticked("only");
    if only && models.is_empty() {
        return Err(vec![("models", FieldError::Required)]);
    }
    Ok(TenantPatch {
        allowed_models: Some(Some(models).filter(|_| only)),
        ..TenantPatch::default()
    })
}

/// `POST /admin/tenants/{id}/models`
#[handler]
pub(super) async fn set_models(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let read = read_models(&posted);
    let Some(wrong) = keep(&who, &tenant, read, &rooms.accounts).await? else {
        return who.done(&path(&tenant, "/limits"), &Notice::Saved);
    };
    let mut view = limits_view(&rooms, &tenant).await?;
    view.allowed = again(&posted, &["only", "models"], wrong);
    who.show_again(&view).await
}

/// `POST /admin/tenants/{id}/multiplier`
#[handler]
pub(super) async fn set_multiplier(
    who: Confirmed<Admin<kind::SetPrices>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&Console>,
) -> PageResult {
    let tenant = found(&rooms, &id).await?;
    let factor: Result<Credits, _> = posted.text("factor").parse();
    let read = factor
        .map(|factor| TenantPatch {
            price_multiplier_ppm: Some(factor.micros()),
            ..TenantPatch::default()
        })
        .map_err(|_| vec![("factor", FieldError::NotAPrice)]);
    let Some(wrong) = keep(&who, &tenant, read, &rooms.accounts).await? else {
        return who.done(&path(&tenant, "/limits"), &Notice::Saved);
    };
    let mut view = limits_view(&rooms, &tenant).await?;
    let wrong = wrong.into_iter().map(|(_, error)| ("factor", error));
    view.multiplier = again(&posted, &["factor"], wrong.collect());
    who.show_again(&view).await
}
