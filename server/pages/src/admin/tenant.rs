//! One tenant: information, usage, and suspending it. Its limits, people, keys and money are below.

pub(super) mod keys;
pub(super) mod limits;
pub(super) mod money;
pub(super) mod people;
pub(super) mod usage;

use admin_templates::admin::tenants::{TenantHead, TenantInfo};
use admin_templates::chart::Unit;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::Measure;
use admin_templates::page::Notice;
use admin_templates::parts::Balance as BalanceView;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, Tenant, TenantPatch, TenantStatus};
use server_rooms::auth::roles::{Kind, kind};
use server_rooms::ledger::{Balance, Ledger};
use server_rooms::reports::dashboard::Range;
use server_rooms::reports::span::Span;
use server_rooms::reports::{ReportScope, Reports, UsageFilter};
use server_rooms::settings::{Retention, Settings};
use shared::clock::Moment;
use shared::zone::Zone;

use super::super::bills::known_cost;
use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData, field_error};
use super::super::portal::settings::{keeping, keeping_form, studio, studio_form};
use super::super::session::{Admin, Confirmed};
use super::super::spending::last_call;
use super::dashboard::Row;
use super::form_errors::{FormErrors, again};
use super::tenants::status_word;
use super::{ROWS, booked, chart, length, reason, reports_failed, success};

/// Rows that are read for a page.
const ROWS_READ: i64 = ROWS as i64 + 1;
/// More people or keys than this are not counted.
const COUNTED: i64 = 1_000;

/// What a tenant's information and usage are filled from.
#[derive(Debug, Clone)]
pub(super) struct TenantRooms {
    pub(super) accounts: Accounts,
    pub(super) ledger: Ledger,
    pub(super) reports: Reports,
    pub(super) settings: Settings,
}

/// One tenant's path.
fn path(tenant: &Tenant, tab: &str) -> String {
    format!("/admin/tenants/{}{tab}", tenant.id)
}

/// The tenant of a path.
async fn found(accounts: &Accounts, id: &str) -> Result<Tenant, PageError> {
    Ok(accounts.tenant(&parsed(id)?).await?)
}

/// Cuts rows, of which one more than a page has was read; where more follow, the last one's id.
fn cut<T>(rows: &mut Vec<T>, id: impl Fn(&T) -> String) -> Option<String> {
    let page = usize::try_from(ROWS).unwrap_or(usize::MAX);
    if rows.len() <= page {
        return None;
    }
    rows.truncate(page);
    rows.last().map(id)
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
async fn info_view(
    rooms: &TenantRooms,
    tenant: &Tenant,
    now: Moment,
) -> Result<TenantInfo, PageError> {
    let id = &tenant.id;
    let balance = rooms.ledger.balance(id).await.map_err(booked)?;
    let scope = ReportScope::Tenant(id.clone());
    let month = Range::Last(Span::Month);
    let month = rooms.reports.dashboard(&scope, month).await?;
    let of = UsageFilter {
        tenant: Some(id.clone()),
        ..UsageFilter::default()
    };
    let called_at = last_call(&rooms.reports, &of).await;
    let keys = rooms.accounts.keys(id, None, COUNTED).await?;
    let works = |at: Option<Moment>| at.is_none_or(|at| at > now);
    let keys = keys
        .iter()
        .filter(|key| !key.revoked && works(key.expires_at));
    let members = rooms.accounts.users(id, None, COUNTED).await?.len();
    let retention: Retention = rooms.settings.get().await?;
    let own = rooms.accounts.tenant_settings(id).await?;
    let charged: [Row; 1] = [(Measure::Charged, |sums| Some(sums.credits.micros()))];
    Ok(TenantInfo {
        head: head_of(tenant, &balance),
        created_at: tenant.created_at,
        called_at: called_at.map_err(reports_failed)?,
        balance: balance_view(&balance),
        members: length(members),
        keys: length(keys.count()),
        calls: month.totals.calls,
        success: success(&month.totals),
        cost: known_cost(&month.totals.cost, month.totals.calls),
        spend: chart(&month.series, month.grain, Unit::Credits, charged)
            .leading_to("usage", &[("tenant", id.as_str())]),
        rename: Form::of([("name", tenant.name.as_str())]),
        zone: Form::of([("time_zone", tenant.zone.as_ref().map_or("", Zone::name))]),
        keeping: keeping_form(own.keep_days),
        studio: studio_form(own.studio_days),
        suspend: Form::default(),
        delete: Form::default(),
        grace_days: u64::from(retention.delete_grace_days),
    })
}

/// Keeps a change of a tenant, or tells what is wrong with it.
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

/// Makes a change that nothing can be wrong with.
async fn change(
    who: &Admin<kind::EditTenants>,
    accounts: &Accounts,
    tenant: &Tenant,
    patch: TenantPatch,
    notice: &Notice,
) -> PageResult {
    let (actor, id) = (who.actor(), &tenant.id);
    accounts.update_tenant(&actor, id, patch).await?;
    who.done(&path(tenant, ""), notice)
}

/// `GET /admin/tenants/{id}`
#[handler]
pub(super) async fn info(
    who: Admin,
    Path(id): Path<String>,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    who.show(&info_view(&rooms, &tenant, who.now()).await?)
        .await
}

/// `POST /admin/tenants/{id}/rename`
#[handler]
pub(super) async fn rename(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let patch = TenantPatch {
        name: Some(posted.text("name").to_owned()),
        ..TenantPatch::default()
    };
    let Some(wrong) = keep(&who, &tenant, Ok(patch), &rooms.accounts).await? else {
        return who.done(&path(&tenant, ""), &Notice::Saved);
    };
    let mut view = info_view(&rooms, &tenant, who.now()).await?;
    view.rename = again(&posted, &["name"], wrong);
    who.show_again(&view).await
}

/// `POST /admin/tenants/{id}/zone`
#[handler]
pub(super) async fn set_zone(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
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
    change(&who, &rooms.accounts, &tenant, patch, &Notice::Saved).await
}

/// `POST /admin/tenants/{id}/keeping`
#[handler]
pub(super) async fn set_keeping(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let patch = match keeping(&posted) {
        Ok(patch) => patch,
        Err((field, error)) => {
            let mut view = info_view(&rooms, &tenant, who.now()).await?;
            view.keeping = posted.again(&["keep_days"]).wrong(field, error);
            return who.show_again(&view).await;
        }
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    accounts
        .put_tenant_settings(&actor, &tenant.id, patch)
        .await?;
    who.done(&path(&tenant, ""), &Notice::Saved)
}

/// `POST /admin/tenants/{id}/studio`
#[handler]
pub(super) async fn set_studio(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let patch = match studio(&posted) {
        Ok(patch) => patch,
        Err((field, error)) => {
            let mut view = info_view(&rooms, &tenant, who.now()).await?;
            let form = posted.again(&["keep_studio", "studio_days"]);
            view.studio = form.wrong(field, error);
            return who.show_again(&view).await;
        }
    };
    let (accounts, actor) = (&rooms.accounts, who.actor());
    let put = accounts.put_tenant_settings(&actor, &tenant.id, patch);
    put.await?;
    who.done(&path(&tenant, ""), &Notice::Saved)
}

/// `POST /admin/tenants/{id}/suspend`
#[handler]
pub(super) async fn suspend(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
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
    change(&who, &rooms.accounts, &tenant, patch, &Notice::Saved).await
}

/// `POST /admin/tenants/{id}/resume`
#[handler]
pub(super) async fn resume(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    if tenant.delete_at.is_some() {
        // Its page was older than its deletion: that is taken back by its own form.
        return who.go_saying(&path(&tenant, ""), false, &Notice::Stale);
    }
    let patch = TenantPatch {
        status: Some(TenantStatus::Active),
        ..TenantPatch::default()
    };
    change(&who, &accounts, &tenant, patch, &Notice::Enabled).await
}

/// `POST /admin/tenants/{id}/delete`
#[handler]
pub(super) async fn delete(
    who: Confirmed<Admin<kind::EditTenants>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TenantRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
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
    accounts: Data<&Accounts>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let (actor, patch) = (who.actor(), TenantPatch::default());
    accounts.restore_tenant(&actor, &tenant.id, patch).await?;
    who.done(&path(&tenant, ""), &Notice::Enabled)
}
