//! The tenant's API keys: the list, and a new one whose secret is shown this once. `draft` reads the
//! forms, `change` does what is done to a key that is there.

pub(super) mod change;
mod draft;
pub(super) mod route;

use super::super::page_context::Here;
use admin_templates::account::SecretOnce;
use admin_templates::form::Form;
use admin_templates::labels::{KeyKind, Word};
use admin_templates::list::ListState;
use admin_templates::parts::KeyRow;
use admin_templates::portal::{KeyForm, KeyList};
use poem::web::{Data, Query};
use poem::{Request, handler};
use server_rooms::accounts::{Accounts, ApiKey, KeyPlace, Scopes};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::{Budget, Ledger, Spender};
use server_rooms::money::corrections::Corrections;
use server_rooms::reports::{Reports, Top, UsageFilter};
use shared::credits::Credits;
use shared::id::{ApiKeyId, TenantId};

use super::super::api_keys::{self, KeyUse, NewSecret};
use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FormData, field_error};
use super::super::session::{Confirmed, Manager, Member};
use super::super::spending;
use super::money;
use super::rows::{self, Asked, field};
use super::{reports_failed, unread};

const PATH: &str = "/portal/keys";
/// Keys read at once.
const BATCH: i64 = 200;
/// Lines of the ranking of keys.
const TOPS: usize = 10;
/// Somebody who runs the tenant and proved a short while ago to be the one who logged in.
type Editor = Confirmed<Member<Manager>>;

/// What keys are shown with besides themselves.
struct Beside<'a> {
    reports: &'a Reports,
    tenant: &'a TenantId,
    tops: Vec<Top>,
    budgets: Vec<Budget>,
    here: Here<'a>,
}

impl Beside<'_> {
    fn filter(&self, key: &ApiKeyId) -> UsageFilter {
        UsageFilter {
            tenant: Some(self.tenant.clone()),
            key: Some(key.clone()),
            ..UsageFilter::default()
        }
    }

    /// Charged in the last 30 days. Who is not among the first of a full ranking is added up.
    async fn spent(&self, key: &ApiKeyId) -> Result<Credits, PageError> {
        let top = self.tops.iter().find(|top| top.name == key.as_str());
        match top {
            Some(top) => Ok(top.credits),
            None if self.tops.len() < TOPS => Ok(Credits::ZERO),
            None => spending::spent(self.reports, self.filter(key), self.here).await,
        }
    }

    async fn row(&self, key: ApiKey) -> Result<KeyRow, PageError> {
        let used_at = spending::last_call(self.reports, &self.filter(&key.id)).await;
        let of = KeyUse {
            used_at: used_at.map_err(reports_failed)?,
            budget: rows::budget_of(&self.budgets, &Spender::Key(key.id.clone())),
            spent: self.spent(&key.id).await?,
        };
        Ok(api_keys::row(key, of, self.here.now))
    }
}

/// A page of keys whose name or last characters fit, and whether more follow.
async fn found(
    accounts: &Accounts,
    tenant: &TenantId,
    asked: &Asked,
) -> Result<(Vec<ApiKey>, bool), PageError> {
    let wanted = field(asked, "q").to_lowercase();
    let wanted_rows = usize::try_from(rows::ROWS).unwrap_or(usize::MAX);
    let after = field(asked, "after");
    let mut after: Option<ApiKeyId> = match after {
        "" => None,
        text => Some(parsed(text)?),
    };
    let mut found = Vec::new();
    loop {
        let batch = accounts.keys(tenant, after.as_ref(), BATCH).await?;
        after = batch.last().map(|key| key.id.clone());
        if after.is_none() {
            return Ok((found, false));
        }
        for key in batch {
            if key.name.to_lowercase().contains(&wanted) || key.last4 == wanted {
                if found.len() == wanted_rows {
                    return Ok((found, true));
                }
                found.push(key);
            }
        }
    }
}

/// The rooms that a list of keys is filled from.
#[derive(Clone, Copy)]
struct Shelves<'a> {
    accounts: &'a Accounts,
    reports: &'a Reports,
    ledger: &'a Ledger,
}

async fn listed(
    who: &Member<Manager>,
    rooms: Shelves<'_>,
    asked: &Asked,
    rotate: Form,
) -> Result<KeyList, PageError> {
    let tenant = &who.tenant.id;
    let Shelves {
        accounts,
        reports,
        ledger,
    } = rooms;
    let (keys, more) = found(accounts, tenant, asked).await?;
    let last = keys.last().map(|key| key.id.to_string());
    let beside = Beside {
        reports,
        tenant,
        tops: reports.overview(tenant).await.map_err(reports_failed)?.keys,
        budgets: ledger.budgets(tenant).await.map_err(unread)?,
        here: who.here(),
    };
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        rows.push(beside.row(key).await?);
    }
    let list = ListState {
        filters: Form::of([("q", field(asked, "q"))]),
        next: last.filter(|_| more),
        ..ListState::whole()
    };
    Ok(KeyList { rotate, list, rows })
}

/// `GET /portal/keys`
#[handler]
pub(super) async fn key_list(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    accounts: Data<&Accounts>,
    reports: Data<&Reports>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let rooms = Shelves {
        accounts: &accounts,
        reports: &reports,
        ledger: &ledger,
    };
    let view = listed(&who, rooms, &asked, Form::default()).await?;
    who.show(&view).await
}

fn models(catalogue: &Catalogue) -> Vec<String> {
    let all = catalogue.models();
    let enabled = all.iter().filter(|model| model.enabled);
    let mut names: Vec<String> = enabled.map(|model| model.id.clone()).collect();
    names.sort();
    names
}

fn key_form(catalogue: &Catalogue, form: Form) -> KeyForm {
    KeyForm {
        id: None,
        name: String::new(),
        form,
        route: Form::default(),
        models: models(catalogue),
    }
}

/// `GET /portal/keys/new`
#[handler]
pub(super) async fn new_key(who: Editor, catalogue: Data<&Catalogue>) -> PageResult {
    let scopes = Scopes::PLAIN.words().join(" ");
    let form = Form::of([
        ("kind", KeyKind::Live.code()),
        ("scopes", scopes.as_str()),
        ("budget_period", "month"),
    ]);
    who.show(&key_form(&catalogue, form)).await
}

/// Owners and admins reach every key of their tenant.
fn place<'a>(who: &'a Editor, id: &'a ApiKeyId) -> KeyPlace<'a> {
    KeyPlace {
        tenant: &who.tenant.id,
        id,
        reach: Scopes::ALL,
        within: None,
    }
}

/// The page that shows a secret.
fn once((key, secret): NewSecret, catalogue: &Catalogue, base_url: String) -> SecretOnce {
    let of_key = key.allowed_models.unwrap_or_default();
    let model = of_key.into_iter().chain(models(catalogue)).next();
    SecretOnce {
        name: key.name,
        secret,
        base_url,
        model: model.unwrap_or_default(),
        tenant_id: None,
        old_until: key.previous.map(|old| old.until),
    }
}

/// `POST /portal/keys/new`; the secret is shown this once.
#[handler]
pub(super) async fn make_key(
    who: Editor,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let read =
        draft::new_key(&posted, who.here().zone).and_then(|new| Ok((new, money::budget(&posted)?)));
    let made = match read {
        Ok((new, budget)) => match accounts.create_key(&actor, tenant, new).await {
            Ok((key, secret)) => Ok((key, secret, budget)),
            Err(error) => Err(draft::placed(field_error(error)?)),
        },
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok((key, secret, budget)) => {
            let spender = Spender::Key(key.id.clone());
            let limits = (None, budget);
            let set = money::set_budget(&corrections, &actor, (tenant, &spender), limits).await;
            if let Err(error) = set {
                // A key that may spend without its bound must not be handed out.
                accounts.revoke_key(&actor, place(&who, &key.id)).await?;
                return Err(error);
            }
            let view = once((key, secret), &catalogue, who.base_url(request));
            who.show(&view).await
        }
        Err((name, error)) => {
            let form = posted.again(&draft::FIELDS).wrong(name, error);
            who.show_again(&key_form(&catalogue, form)).await
        }
    }
}
