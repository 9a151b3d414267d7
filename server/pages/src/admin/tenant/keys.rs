//! A tenant's keys: making one, whose secret is shown this once, and revoking one.

use super::super::super::page_context::Here;
use std::collections::{BTreeMap, HashMap};

use admin_templates::account::SecretOnce;
use admin_templates::admin::tenants::TenantKeys;
use admin_templates::form::{FieldError, Form};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::parts::KeyRow;
use poem::web::{Data, Path};
use poem::{Request, handler};
use server_rooms::accounts::{Accounts, ApiKey, ApiKeyKind, KeyPlace, NewKey, Scopes, Tenant};
use server_rooms::auth::roles::{Action, kind};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::{BudgetPeriod, BudgetRequest, Ledger, Spender};
use server_rooms::limits::LimitSettings;
use server_rooms::money::corrections::Corrections;
use server_rooms::reports::{Reports, UsageFilter};
use shared::credits::Credits;
use shared::id::ApiKeyId;

use super::super::super::api_keys::{self, KeyUse, NewSecret};
use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData, field_error};
use super::super::super::session::{Admin, Confirmed};
use super::super::super::spending::{last_call, spent};
use super::super::form_errors::{FormErrors, again};
use super::super::tenants::example;
use super::super::{Asked, amount, count, filters, future, reports_failed, wanted};
use super::people::{budget, budgets, fits};
use super::{ROWS_READ, cut, found, head, path};

/// Looked through for a search.
const SEARCHED: i64 = 500;
/// Fewer than this stand on top when there are no more.
const TOPS: usize = 10;

/// What a tenant's keys are shown and made with.
#[derive(Debug, Clone)]
pub(in super::super) struct KeyRooms {
    pub(in super::super) accounts: Accounts,
    pub(in super::super) catalogue: Catalogue,
    pub(in super::super) corrections: Corrections,
    pub(in super::super) ledger: Ledger,
    pub(in super::super) reports: Reports,
}

/// Whoever makes secrets proved a short while ago to be themselves.
type Editor = Confirmed<Admin<kind::EditKeys>>;

async fn rows(
    rooms: &KeyRooms,
    tenant: &Tenant,
    keys: Vec<ApiKey>,
    here: Here<'_>,
) -> Result<Vec<KeyRow>, PageError> {
    let budgets = budgets(&rooms.corrections, tenant).await?;
    let overview = rooms
        .reports
        .overview_in(&tenant.id, here.zone)
        .await
        .map_err(reports_failed)?;
    let all_told = overview.keys.len() < TOPS;
    let told = overview.keys.into_iter().map(|top| (top.name, top.credits));
    let told: HashMap<String, Credits> = told.collect();
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        let own = UsageFilter {
            tenant: Some(tenant.id.clone()),
            key: Some(key.id.clone()),
            ..UsageFilter::default()
        };
        let used_at = last_call(&rooms.reports, &own).await;
        let spent = match told.get(key.id.as_str()) {
            Some(credits) => *credits,
            None if all_told => Credits::ZERO,
            None => spent(&rooms.reports, own, here).await?,
        };
        let of = KeyUse {
            budget: budget(&budgets, &Spender::Key(key.id.clone())),
            spent,
            used_at: used_at.map_err(reports_failed)?,
        };
        rows.push(api_keys::row(key, of, here.now));
    }
    Ok(rows)
}

async fn view(
    rooms: &KeyRooms,
    tenant: &Tenant,
    asked: &BTreeMap<String, String>,
    here: Here<'_>,
) -> Result<TenantKeys, PageError> {
    let mut list = ListState {
        filters: filters(asked, &["q"]),
        ..ListState::whole()
    };
    let keys = if let Some(search) = wanted(asked, "q") {
        let mut keys = rooms.accounts.keys(&tenant.id, None, SEARCHED).await?;
        keys.retain(|key| fits(&key.name, search) || key.last4 == search);
        keys
    } else {
        let after = wanted(asked, "after").map(parsed).transpose()?;
        let found = rooms.accounts.keys(&tenant.id, after.as_ref(), ROWS_READ);
        let mut keys = found.await?;
        list.next = cut(&mut keys, |key| key.id.to_string());
        keys
    };
    let models = rooms.catalogue.models();
    Ok(TenantKeys {
        rotate: Form::default(),
        head: head(&rooms.ledger, tenant).await?,
        list,
        rows: self::rows(rooms, tenant, keys, here).await?,
        add: Form::of([("scopes", Scopes::PLAIN.words().join(" ").as_str())]),
        models: models.iter().map(|model| model.id.clone()).collect(),
    })
}

/// `GET /admin/tenants/{id}/keys`
#[handler]
pub(in super::super) async fn key_list(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&KeyRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let view = view(&rooms, &tenant, &asked, who.here()).await?;
    who.show(&view).await
}

/// A key, and what it may spend in which period.
type Draft = (NewKey, Option<(BudgetPeriod, Credits)>);

fn drafted(posted: &FormData, here: Here<'_>) -> Result<Draft, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    if posted.text("name").is_empty() {
        errors.add("name", FieldError::Required);
    }
    let kind = ApiKeyKind::from_word(posted.text("kind"));
    let kind = errors.take(kind.ok_or(("kind", FieldError::Unknown)));
    let addresses = posted.text("addresses").split([',', ' ']).map(str::trim);
    let addresses = addresses.filter(|address| !address.is_empty());
    let addresses: Vec<String> = addresses.map(str::to_owned).collect();
    let models = posted.several("models").to_vec();
    let period = posted.optional("budget_period").unwrap_or("month");
    let scopes = errors.take(api_keys::scopes(posted, kind));
    let period = BudgetPeriod::from_word(period).ok_or(("budget_period", FieldError::Unknown));
    let period = errors.take(period);
    let expires_at = errors.take(future(posted, "expires_at", here));
    let limits = LimitSettings {
        requests_per_minute: errors.take(count(posted, "requests_per_minute")).flatten(),
        tokens_per_minute: errors.take(count(posted, "tokens_per_minute")).flatten(),
        concurrency: None,
    };
    let budget = errors.take(amount(posted, "budget"));
    let draft = || {
        let new = NewKey {
            name: posted.text("name").to_owned(),
            kind: kind?,
            scopes: scopes?,
            expires_at: expires_at?,
            allowed_models: Some(models).filter(|list| !list.is_empty()),
            allowed_addresses: Some(addresses).filter(|list| !list.is_empty()),
            limits,
            parent: None,
        };
        let period = period?;
        Some((new, budget?.map(|limit| (period, limit))))
    };
    let draft = draft();
    errors.unless(draft)
}

/// The form's name of a field of the room.
fn field(name: &'static str) -> &'static str {
    match name {
        "allowed_models" => "models",
        "allowed_addresses" => "addresses",
        other => other,
    }
}

/// `POST /admin/tenants/{id}/keys`. Budgets are money: whoever types one must be allowed to.
#[handler]
pub(in super::super) async fn make_key(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    request: &Request,
    rooms: Data<&KeyRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let (actor, here) = (who.actor(), who.here());
    let made = match drafted(&posted, here) {
        Ok((new, budget)) => {
            if budget.is_some() {
                who.must_be_able_to(Action::MoveCredits)?;
            }
            match rooms.accounts.create_key(&actor, &tenant.id, new).await {
                Ok(made) => Ok((made, budget)),
                Err(error) => {
                    let (name, error) = field_error(error)?;
                    Err(vec![(field(name), error)])
                }
            }
        }
        Err(wrong) => Err(wrong),
    };
    let ((key, secret), budget) = match made {
        Ok(made) => made,
        Err(wrong) => {
            let mut view = view(&rooms, &tenant, &BTreeMap::new(), here).await?;
            view.add = again(&posted, &NAMES, wrong);
            return who.show_again(&view).await;
        }
    };
    if let Some((period, limit)) = budget {
        let request = BudgetRequest {
            tenant: tenant.id.clone(),
            spender: Spender::Key(key.id.clone()),
            period,
            limit: Some(limit),
        };
        if let Err(error) = rooms.corrections.set_budget(&actor, request).await {
            // A key that may spend without its bound must not be handed out.
            tracing::error!(%error, "a new key's budget was not set: {error}");
            let place = place(&tenant, &key.id);
            rooms.accounts.revoke_key(&actor, place).await?;
            return Err(PageError::Unavailable);
        }
    }
    let made = (key, secret);
    let view = once(&rooms.catalogue, &tenant, made, who.base_url(request));
    who.show(&view).await
}

const NAMES: [&str; 10] = [
    "name",
    "kind",
    "scopes",
    "models",
    "addresses",
    "expires_at",
    "requests_per_minute",
    "tokens_per_minute",
    "budget",
    "budget_period",
];

/// Superadmins reach every key.
fn place<'a>(tenant: &'a Tenant, id: &'a ApiKeyId) -> KeyPlace<'a> {
    KeyPlace {
        tenant: &tenant.id,
        id,
        reach: Scopes::ALL,
        within: None,
    }
}

/// `POST /admin/tenants/{id}/keys/{key}/rotate`; the new secret is shown this once.
#[handler]
pub(in super::super) async fn rotate(
    who: Editor,
    Path((id, key)): Path<(String, String)>,
    posted: FormData,
    request: &Request,
    rooms: Data<&KeyRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let (actor, key) = (who.actor(), parsed(&key)?);
    let place = place(&tenant, &key);
    let rotated = api_keys::rotate(&rooms.accounts, &actor, place, &posted).await?;
    let error = match rotated {
        Ok(made) => {
            let view = once(&rooms.catalogue, &tenant, made, who.base_url(request));
            return who.show(&view).await;
        }
        Err(error) => error,
    };
    let mut view = view(&rooms, &tenant, &BTreeMap::new(), who.here()).await?;
    view.rotate.error = Some(error);
    who.show_again(&view).await
}

/// The page that shows a secret.
fn once(
    catalogue: &Catalogue,
    tenant: &Tenant,
    (key, secret): NewSecret,
    base_url: String,
) -> SecretOnce {
    SecretOnce {
        name: key.name,
        secret,
        base_url,
        model: example(catalogue),
        tenant_id: Some(tenant.id.to_string()),
        old_until: key.previous.map(|old| old.until),
    }
}

/// `POST /admin/tenants/{id}/keys/{key}/revoke`
#[handler]
pub(in super::super) async fn revoke(
    who: Admin<kind::EditKeys>,
    Path((id, key)): Path<(String, String)>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let (actor, key) = (who.actor(), parsed(&key)?);
    let revoked = accounts.revoke_key(&actor, place(&tenant, &key));
    revoked.await?;
    who.done(&path(&tenant, "/keys"), &Notice::Disabled)
}
