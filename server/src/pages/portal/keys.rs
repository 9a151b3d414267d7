//! The tenant's API keys: the list, a new one whose secret is shown this once, and taking one back.

use admin_templates::account::SecretOnce;
use admin_templates::form::{FieldError, Form};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::parts::KeyRow;
use admin_templates::portal::{KeyForm, KeyList};
use admin_templates::words::{KeyKind, KeyStatus, Scope, Word};
use poem::http::header::HOST;
use poem::web::{Data, Path, Query};
use poem::{Request, handler};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{ApiKeyId, TenantId};

use super::super::error::{PageError, PageResult};
use super::super::form::{Posted, field_error};
use super::super::session::{Confirmed, Manager, Member};
use super::money::{self, Wrong};
use super::rows::{self, Asked, field};
use super::{unfigured, unread, usage};
use crate::accounts::{Accounts, NewKey};
use crate::api::date::Date;
use crate::auth::api_key;
use crate::catalogue::Catalogue;
use crate::corrections::Corrections;
use crate::figures::Figures;
use crate::figures::page::PageAsk;
use crate::ledger::{Budget, Ledger, Spender};
use crate::limits::LimitSettings;
use crate::store::accounts::{ApiKey, ApiKeyKind};
use crate::store::rollups::Top;
use crate::store::usage_log::UsageFilter;

const PATH: &str = "/portal/keys";
/// Keys read at once.
const BATCH: i64 = 200;
/// Lines of the ranking of keys.
const TOPS: usize = 10;
/// What every key may do.
const SCOPES: [Scope; 2] = [Scope::Inference, Scope::Usage];
/// Fields that are filled in again.
const FIELDS: [&str; 10] = [
    "name",
    "kind",
    "scopes",
    "models",
    "addresses",
    "requests_per_minute",
    "tokens_per_minute",
    "budget",
    "budget_period",
    "expires_at",
];

/// Somebody who runs the tenant and proved a short while ago to be the one who logged in.
type Editor = Confirmed<Member<Manager>>;

fn status(key: &ApiKey, now: Moment) -> KeyStatus {
    if key.revoked {
        KeyStatus::Revoked
    } else if key.expires_at.is_some_and(|at| at <= now) {
        KeyStatus::Expired
    } else {
        KeyStatus::Active
    }
}

/// What keys are shown with besides themselves.
struct Beside<'a> {
    figures: &'a Figures,
    tenant: &'a TenantId,
    tops: Vec<Top>,
    budgets: Vec<Budget>,
    now: Moment,
}

impl Beside<'_> {
    fn filter(&self, key: &ApiKeyId) -> UsageFilter {
        UsageFilter {
            tenant: Some(self.tenant.clone()),
            key: Some(key.clone()),
            ..UsageFilter::default()
        }
    }

    /// When it last called.
    async fn used_at(&self, key: &ApiKeyId) -> Result<Option<Moment>, PageError> {
        let last = PageAsk {
            from: None,
            rows: 1,
        };
        let page = self.figures.usage_log(&self.filter(key), &last).await;
        let page = page.map_err(unfigured)?;
        Ok(page.rows.first().map(|record| record.created_at))
    }

    /// Charged in the last 30 days. Who is not among the first of a full ranking is added up.
    async fn spent(&self, key: &ApiKeyId) -> Result<Credits, PageError> {
        let top = self.tops.iter().find(|top| top.name == key.as_str());
        match top {
            Some(top) => Ok(top.credits),
            None if self.tops.len() < TOPS => Ok(Credits::ZERO),
            None => usage::spent(self.figures, self.filter(key), self.now).await,
        }
    }

    async fn row(&self, key: ApiKey) -> Result<KeyRow, PageError> {
        let prefix = match key.kind {
            ApiKeyKind::Live => api_key::LIVE_PREFIX,
            ApiKeyKind::Test => "wk_test_",
        };
        Ok(KeyRow {
            used_at: self.used_at(&key.id).await?,
            status: status(&key, self.now),
            budget: rows::budget_of(&self.budgets, &Spender::Key(key.id.clone())),
            spent: self.spent(&key.id).await?,
            id: key.id.into_string(),
            name: key.name,
            kind: match key.kind {
                ApiKeyKind::Live => KeyKind::Live,
                ApiKeyKind::Test => KeyKind::Test,
            },
            prefix: prefix.to_owned(),
            last4: key.last4,
            scopes: SCOPES.into(),
            models: key.allowed_models.unwrap_or_default(),
            expires_at: key.expires_at,
            created_at: key.created_at,
        })
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
        text => Some(text.parse().map_err(|_| PageError::NotFound)?),
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

/// `GET /portal/keys`
#[handler]
pub(super) async fn key_list(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    accounts: Data<&Accounts>,
    figures: Data<&Figures>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let (keys, more) = found(&accounts, tenant, &asked).await?;
    let last = keys.last().map(|key| key.id.to_string());
    let beside = Beside {
        figures: &figures,
        tenant,
        tops: figures.overview(tenant).await.map_err(unfigured)?.keys,
        budgets: ledger.budgets(tenant).await.map_err(unread)?,
        now: who.now(),
    };
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        rows.push(beside.row(key).await?);
    }
    let list = ListState {
        filters: Form::of([("q", field(&asked, "q"))]),
        next: last.filter(|_| more),
        ..ListState::whole()
    };
    who.show(&KeyList { list, rows }).await
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
        models: models(catalogue),
    }
}

/// `GET /portal/keys/new`
#[handler]
pub(super) async fn new_key(who: Editor, catalogue: Data<&Catalogue>) -> PageResult {
    let scopes = SCOPES.map(Word::code).join(" ");
    let form = Form::of([
        ("kind", KeyKind::Live.code()),
        ("scopes", scopes.as_str()),
        ("budget_period", "month"),
    ]);
    who.show(&key_form(&catalogue, form)).await
}

fn number<N: std::str::FromStr>(posted: &Posted, name: &'static str) -> Result<Option<N>, Wrong> {
    let read = posted.optional(name).map(str::parse);
    let wrong = |_| (name, FieldError::NotANumber);
    read.transpose().map_err(wrong)
}

fn several(words: &[String]) -> Option<Vec<String>> {
    Some(words.to_vec()).filter(|words| !words.is_empty())
}

fn drafted(posted: &Posted) -> Result<NewKey, Wrong> {
    let name = posted.optional("name");
    let name = name.ok_or(("name", FieldError::Required))?;
    let kind = match KeyKind::from_code(posted.text("kind")) {
        Some(KeyKind::Live) => ApiKeyKind::Live,
        Some(KeyKind::Test) => ApiKeyKind::Test,
        None => return Err(("kind", FieldError::Unknown)),
    };
    // Keys are not narrowed by what they may do: what is asked for must be what every key may.
    let mut scopes: Vec<&str> = posted
        .several("scopes")
        .iter()
        .map(String::as_str)
        .collect();
    scopes.sort_unstable();
    if scopes != SCOPES.map(Word::code) {
        return Err(("scopes", FieldError::Unknown));
    }
    let expires_at = posted.optional("expires_at").map(str::parse::<Date>);
    let expires_at = expires_at.transpose();
    let expires_at = expires_at.map_err(|_| ("expires_at", FieldError::NotADate))?;
    let addresses = posted.text("addresses");
    let addresses = addresses.split([',', ' ']).filter(|text| !text.is_empty());
    let addresses: Vec<String> = addresses.map(str::to_owned).collect();
    Ok(NewKey {
        expires_at: expires_at.map(Date::start),
        allowed_models: several(posted.several("models")),
        allowed_addresses: several(&addresses),
        limits: LimitSettings {
            requests_per_minute: number(posted, "requests_per_minute")?,
            tokens_per_minute: number(posted, "tokens_per_minute")?,
            concurrency: None,
        },
        ..NewKey::plain(name, kind)
    })
}

/// The room's refusal beside the field of the form.
fn placed((name, error): Wrong) -> Wrong {
    match name {
        "allowed_models" => ("models", FieldError::Unknown),
        "allowed_addresses" => ("addresses", FieldError::NotAnAddress),
        "limits" => (
            "requests_per_minute",
            FieldError::OutOfRange(1, 4_294_967_295),
        ),
        "expires_at" => ("expires_at", FieldError::Past),
        _ => (name, error),
    }
}

/// What a client uses as base URL: where this browser found the page.
fn base_url(who: &Editor, request: &Request) -> String {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let authority = request
        .uri()
        .authority()
        .map(poem::http::uri::Authority::as_str);
    let scheme = if who.site().secure() { "https" } else { "http" };
    format!("{scheme}://{}", host.or(authority).unwrap_or("localhost"))
}

/// `POST /portal/keys/new`; the secret is shown this once.
#[handler]
pub(super) async fn make_key(
    who: Editor,
    posted: Posted,
    request: &Request,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let read = drafted(&posted).and_then(|new| Ok((new, money::budget(&posted)?)));
    let made = match read {
        Ok((new, budget)) => match accounts.create_key(&actor, tenant, new).await {
            Ok((key, secret)) => Ok((key, secret, budget)),
            Err(error) => Err(placed(field_error(error)?)),
        },
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok((key, secret, budget)) => {
            let spender = Spender::Key(key.id.clone());
            money::set_budget(&corrections, &actor, (tenant, &spender), (None, budget)).await?;
            let offered = models(&catalogue);
            let of_key = key.allowed_models.unwrap_or_default();
            let model = of_key.into_iter().chain(offered).next();
            who.show(&SecretOnce {
                name: key.name,
                secret,
                base_url: base_url(&who, request),
                model: model.unwrap_or_default(),
                tenant_id: None,
                old_until: None,
            })
            .await
        }
        Err((name, error)) => {
            let form = posted.again(&FIELDS).wrong(name, error);
            who.show_again(&key_form(&catalogue, form)).await
        }
    }
}

/// `POST /portal/keys/{id}/revoke`
#[handler]
pub(super) async fn revoke_key(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let id = id.parse().map_err(|_| PageError::NotFound)?;
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    accounts.revoke_key(&actor, tenant, &id).await?;
    who.done(PATH, &Notice::Disabled)
}
