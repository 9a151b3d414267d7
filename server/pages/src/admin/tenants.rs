//! The list of tenants, and founding one: its first key is shown this once.

use super::super::page_context::Here;
use admin_templates::account::SecretOnce;
use admin_templates::admin::tenants::{TenantList, TenantNew, TenantRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{TenantStatus as StatusWord, Word as _};
use admin_templates::list::Sort;
use poem::web::Data;
use poem::{Request, handler};
use server_rooms::accounts::{Accounts, DirectoryOrder, DirectoryStatus, NewUser, Role, Tenant};
use server_rooms::auth::roles::{Action, kind};
use server_rooms::catalogue::Catalogue;
use server_rooms::money::recharge::{Recharge, Recharges};
use server_rooms::reports::Reports;
use server_rooms::reports::directory::{Listing, TenantLine};
use server_rooms::settings::{Settings, TenantDefaults};
use shared::clock::Moment;
use shared::credits::Credits;

use super::super::error::PageResult;
use super::super::form::{FieldProblem, FormData, field_error};
use super::super::session::{Admin, Confirmed};
use super::form_errors::{FormErrors, again};
use super::{
    Asked, ROWS, amount, filters, future, list_state, page_request, reports_failed, wanted,
};
use super::{word, words};

const NAMES: [&str; 6] = [
    "name",
    "username",
    "password",
    "credits",
    "expires_at",
    "note",
];

/// What a tenant is founded with.
#[derive(Debug, Clone)]
pub(super) struct FoundingRooms {
    pub(super) accounts: Accounts,
    pub(super) catalogue: Catalogue,
    pub(super) recharges: Recharges,
    pub(super) settings: Settings,
}

/// How a tenant stands: one that was deleted is more than suspended.
pub(super) fn status_word(tenant: &Tenant) -> StatusWord {
    if tenant.delete_at.is_some() {
        StatusWord::Deleting
    } else {
        word(tenant.status.word(), StatusWord::Active)
    }
}

fn row(line: TenantLine) -> TenantRow {
    let tenant = line.tenant;
    TenantRow {
        status: status_word(&tenant),
        id: tenant.id.into_string(),
        name: tenant.name,
        available: line.balance.available,
        spent: line.spent_30d,
        calls: line.calls_30d,
        multiplier_ppm: tenant.price_multiplier_ppm,
        called_at: line.called_at,
        created_at: tenant.created_at,
    }
}

/// The order that was asked for, where there is such a one.
fn order(word: &str) -> Option<(DirectoryOrder, Sort)> {
    let (key, descending) = match word.strip_prefix('-') {
        Some(key) => (key, true),
        None => (word, false),
    };
    let order = match key {
        "name" => DirectoryOrder::Name,
        "created" => DirectoryOrder::Created,
        _ => return None,
    };
    let key = key.to_owned();
    Some((order, Sort { key, descending }))
}

/// `GET /admin/tenants`. Without a wish the order is by name where something is searched for, else the
/// newest first.
#[handler]
pub(super) async fn tenant_list(who: Admin, asked: Asked, reports: Data<&Reports>) -> PageResult {
    let search = wanted(&asked, "q").unwrap_or_default();
    let request = page_request(&asked, ROWS)?;
    let sort = wanted(&asked, "sort").and_then(order);
    let status = wanted(&asked, "status").and_then(StatusWord::from_code);
    let listing = Listing {
        order: sort.as_ref().map(|(order, sort)| (*order, sort.descending)),
        status: status.map(|word| match word {
            StatusWord::Active => DirectoryStatus::Active,
            StatusWord::Suspended => DirectoryStatus::Suspended,
            StatusWord::Deleting => DirectoryStatus::Deleting,
        }),
    };
    let page = reports.tenants_listed(search, listing, &request).await;
    let page = page.map_err(reports_failed)?;
    let mut list = list_state(filters(&asked, &["q", "status"]), &page);
    list.sort = sort.map(|(_, sort)| sort);
    let rows = page.rows.into_iter().map(row).collect();
    who.show(&TenantList { list, rows }).await
}

/// `GET /admin/tenants/new`
#[handler]
pub(super) async fn new_tenant(
    who: Admin<kind::EditTenants>,
    settings: Data<&Settings>,
) -> PageResult {
    let defaults: TenantDefaults = settings.get().await?;
    let credits = Credits::from_micros(defaults.credits_micros);
    let gives = credits > Credits::ZERO && who.must_be_able_to(Action::MoveCredits).is_ok();
    let credits = if gives {
        credits.to_string()
    } else {
        String::new()
    };
    let form = Form::of([("credits", credits.as_str())]);
    who.show(&TenantNew { form }).await
}

/// A tenant to be founded.
struct Draft {
    owner: Option<NewUser>,
    credits: Option<Credits>,
    expires_at: Option<Moment>,
    note: String,
}

fn drafted(posted: &FormData, here: Here<'_>) -> Result<Draft, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    if posted.text("name").is_empty() {
        errors.add("name", FieldError::Required);
    }
    let has_password = !posted.secret("password").expose().is_empty();
    let owner = posted.optional("username").map(|username| NewUser {
        username: username.to_owned(),
        password: posted.secret("password"),
        role: Role::Owner,
    });
    match (&owner, has_password) {
        (None, true) => errors.add("username", FieldError::Required),
        (Some(_), false) => errors.add("password", FieldError::Required),
        (None, false) | (Some(_), true) => {}
    }
    let credits = errors.take(amount(posted, "credits"));
    let expires_at = errors.take(future(posted, "expires_at", here));
    let note = errors.take(words(posted, "note"));
    let draft = || {
        Some(Draft {
            owner,
            credits: credits?,
            expires_at: expires_at?,
            note: note?,
        })
    };
    let draft = draft();
    errors.unless(draft)
}

/// A model for the example beside a new key.
pub(super) fn example(catalogue: &Catalogue) -> String {
    let models = catalogue.models();
    let mut offered = models.iter().filter(|model| model.enabled);
    offered
        .next()
        .map_or_else(String::new, |model| model.id.clone())
}

/// `POST /admin/tenants/new`. First credits are money: whoever types some must be allowed to. Those
/// the platform gives to everybody are given also by others.
#[handler]
pub(super) async fn found_tenant(
    who: Confirmed<Admin<kind::EditTenants>>,
    posted: FormData,
    request: &Request,
    rooms: Data<&FoundingRooms>,
) -> PageResult {
    let once_more = |wrong: Vec<FieldProblem>| TenantNew {
        form: again(&posted, &NAMES, wrong),
    };
    let draft = match drafted(&posted, who.here()) {
        Ok(draft) => draft,
        Err(wrong) => return who.show_again(&once_more(wrong)).await,
    };
    let pays = who.must_be_able_to(Action::MoveCredits);
    let credits = match draft.credits {
        Some(credits) => {
            pays?;
            Some(credits)
        }
        None if pays.is_ok() => None,
        None => {
            let defaults: TenantDefaults = rooms.settings.get().await?;
            Some(Credits::from_micros(defaults.credits_micros))
        }
    };
    let (actor, name) = (who.actor(), posted.text("name"));
    let (tenant, secret) = match rooms.accounts.found_tenant(&actor, name, draft.owner).await {
        Ok(founded) => founded,
        Err(error) => return who.show_again(&once_more(vec![field_error(error)?])).await,
    };
    if let Some(amount) = credits.filter(|credits| *credits > Credits::ZERO) {
        let wish = Recharge {
            tenant: tenant.id.clone(),
            amount,
            key: format!("first:{}", tenant.id),
            expires_at: draft.expires_at,
            note: draft.note,
        };
        // The tenant is there and its key can be shown only now; the balance tells what is missing.
        if let Err(error) = rooms.recharges.recharge(&actor, wish).await {
            tracing::error!(%error, tenant.id = %tenant.id, "the first credits of `{}` were not given: {error}", tenant.id);
        }
    }
    who.show(&SecretOnce {
        name: tenant.name,
        secret,
        base_url: who.base_url(request),
        model: example(&rooms.catalogue),
        tenant_id: Some(tenant.id.into_string()),
        old_until: None,
    })
    .await
}
