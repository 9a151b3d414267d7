//! What a tenant's calls are held to: limits, models it may use, and what prices are multiplied by.

use std::collections::BTreeSet;

use admin_templates::admin::tenants::TenantLimits;
use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, RouteSubject, Tenant, TenantPatch};
use server_rooms::auth::roles::{Kind, kind};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::Ledger;
use server_rooms::limits::LimitSettings;
use shared::credits::Credits;

use super::super::super::data_policy;
use super::super::super::error::{PageError, PageResult};
use super::super::super::form::{FieldProblem, FormData, number, ticked};
use super::super::super::session::{Admin, Confirmed};
use super::super::count;
use super::super::form_errors::{FormErrors, again};
use super::{found, head, keep, path};

/// What a tenant's limits are shown and set with.
#[derive(Debug, Clone)]
pub(in super::super) struct LimitRooms {
    pub(in super::super) accounts: Accounts,
    pub(in super::super) catalogue: Catalogue,
    pub(in super::super) ledger: Ledger,
}

async fn view(rooms: &LimitRooms, tenant: &Tenant) -> Result<TenantLimits, PageError> {
    let limits = &tenant.limits;
    let rule = rooms
        .accounts
        .route(RouteSubject::Tenant(&tenant.id))
        .await?;
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
            ("only", ticked(tenant.allowed_models.is_some())),
            ("models", allowed.join(" ").as_str()),
        ]),
        models: models.into_iter().collect(),
        multiplier: Form::of([("factor", factor.to_string().as_str())]),
        data: data_policy::filled(&rule.demand),
    })
}

/// `GET /admin/tenants/{id}/limits`
#[handler]
pub(in super::super) async fn limits_page(
    who: Admin,
    Path(id): Path<String>,
    rooms: Data<&LimitRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    who.show(&view(&rooms, &tenant).await?).await
}

/// Keeps a change, or shows the page again, where `fill` puts the form with what is wrong.
async fn keep_or_show<K: Kind>(
    who: &Admin<K>,
    rooms: &LimitRooms,
    tenant: &Tenant,
    read: Result<TenantPatch, Vec<FieldProblem>>,
    fill: impl FnOnce(&mut TenantLimits, Vec<FieldProblem>),
) -> PageResult {
    let Some(wrong) = keep(who, tenant, read, &rooms.accounts).await? else {
        return who.done(&path(tenant, "/limits"), &Notice::Saved);
    };
    let mut view = view(rooms, tenant).await?;
    fill(&mut view, wrong);
    who.show_again(&view).await
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

/// `POST /admin/tenants/{id}/limits`
#[handler]
pub(in super::super) async fn set_limits(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&LimitRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let read = read_limits(&posted).map(|limits| TenantPatch {
        limits: Some(limits),
        ..TenantPatch::default()
    });
    let names = ["requests_per_minute", "tokens_per_minute", "concurrent"];
    keep_or_show(&who, &rooms, &tenant, read, |view, wrong| {
        view.limits = again(&posted, &names, wrong);
    })
    .await
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
pub(in super::super) async fn set_models(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&LimitRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let read = read_models(&posted);
    keep_or_show(&who, &rooms, &tenant, read, |view, wrong| {
        view.allowed = again(&posted, &["only", "models"], wrong);
    })
    .await
}

/// `POST /admin/tenants/{id}/multiplier`
#[handler]
pub(in super::super) async fn set_multiplier(
    who: Confirmed<Admin<kind::SetPrices>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&LimitRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let factor: Result<Credits, _> = posted.text("factor").parse();
    let read = factor
        .map(|factor| TenantPatch {
            price_multiplier_ppm: Some(factor.micros()),
            ..TenantPatch::default()
        })
        .map_err(|_| vec![("factor", FieldError::NotAPrice)]);
    keep_or_show(&who, &rooms, &tenant, read, |view, wrong| {
        let wrong = wrong.into_iter().map(|(_, error)| ("factor", error));
        view.multiplier = again(&posted, &["factor"], wrong.collect());
    })
    .await
}

/// `POST /admin/tenants/{id}/data`
#[handler]
pub(in super::super) async fn set_data(
    who: Admin<kind::EditTenants>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&LimitRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let of = RouteSubject::Tenant(&tenant.id);
    let known = rooms.accounts.route(of).await?;
    match data_policy::read(&posted, known) {
        Ok(rule) => {
            let actor = who.actor();
            let put = rooms.accounts.put_tenant_route(&actor, &tenant.id, &rule);
            put.await?;
            who.done(&path(&tenant, "/limits"), &Notice::Saved)
        }
        Err((field, error)) => {
            let mut view = view(&rooms, &tenant).await?;
            view.data = posted.again(&data_policy::POLICY).wrong(field, error);
            who.show_again(&view).await
        }
    }
}
