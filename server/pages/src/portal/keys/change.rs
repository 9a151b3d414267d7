//! What is done to a key that is there: changing its terms, rotating its secret, taking it back.

use admin_templates::form::Form;
use admin_templates::page::Notice;
use admin_templates::portal::KeyForm;
use poem::web::{Data, Path};
use poem::{Request, handler};
use server_rooms::accounts::{Accounts, ApiKey};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::{Ledger, Spender};
use server_rooms::money::corrections::Corrections;
use server_rooms::reports::Reports;
use shared::id::ApiKeyId;

use super::super::super::api_keys;
use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FormData, field_error};
use super::super::money;
use super::super::rows::Asked;
use super::{Editor, PATH, Shelves, draft, listed, models, once, place, route};

/// A key of the tenant that was not revoked.
pub(super) async fn open_key(
    who: &Editor,
    accounts: &Accounts,
    id: &str,
) -> Result<ApiKey, PageError> {
    let key = accounts.key(&who.tenant.id, &parsed(id)?).await?;
    if key.revoked {
        return Err(PageError::NotFound);
    }
    Ok(key)
}

/// The page of a key with its terms and where its calls go. Models it may use stay on offer when they are
/// not enabled any more.
pub(super) fn key_form(catalogue: &Catalogue, key: ApiKey, (form, route): (Form, Form)) -> KeyForm {
    let mut models = models(catalogue);
    models.extend(key.allowed_models.unwrap_or_default());
    models.sort();
    models.dedup();
    KeyForm {
        id: Some(key.id.into_string()),
        name: key.name,
        form,
        route,
        models,
    }
}

/// `GET /portal/keys/{id}`
#[handler]
pub(in super::super) async fn key_page(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let key = open_key(&who, &accounts, &id).await?;
    let spender = Spender::Key(key.id.clone());
    let budget = money::budget_now(&ledger, &who.tenant.id, &spender).await?;
    let route = route::of_key(&who, &accounts, &key).await?;
    let forms = (draft::filled(&key, budget, who.here().zone), route);
    who.show(&key_form(&catalogue, key, forms)).await
}

/// `POST /portal/keys/{id}`
#[handler]
#[expect(
    clippy::too_many_arguments,
    reason = "a handler has one argument for each room it asks"
)]
pub(in super::super) async fn change_key(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    corrections: Data<&Corrections>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let key = open_key(&who, &accounts, &id).await?;
    let read = draft::patch(&posted, &key, who.here().zone);
    let read = read.and_then(|patch| Ok((patch, money::budget(&posted)?)));
    let changed = match read {
        Ok((patch, budget)) => {
            let changed = accounts.update_key(&actor, place(&who, &key.id), patch);
            match changed.await {
                Ok(_) => Ok(budget),
                Err(error) => Err(draft::placed(field_error(error)?)),
            }
        }
        Err(wrong) => Err(wrong),
    };
    match changed {
        Ok(budget) => {
            let spender = Spender::Key(key.id);
            let before = money::budget_now(&ledger, tenant, &spender).await?;
            let limits = (before.map(|(period, _)| period), budget);
            money::set_budget(&corrections, &actor, (tenant, &spender), limits).await?;
            who.done(PATH, &Notice::Saved)
        }
        Err((name, error)) => {
            let form = posted.again(&draft::FIELDS).wrong(name, error);
            let route = route::of_key(&who, &accounts, &key).await?;
            who.show_again(&key_form(&catalogue, key, (form, route)))
                .await
        }
    }
}

/// `POST /portal/keys/{id}/rotate`; the new secret is shown this once.
#[handler]
#[expect(
    clippy::too_many_arguments,
    reason = "a handler has one argument for each room it asks"
)]
pub(in super::super) async fn rotate_key(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    request: &Request,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    reports: Data<&Reports>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let (actor, id): (_, ApiKeyId) = (who.actor(), parsed(&id)?);
    let rotated = api_keys::rotate(&accounts, &actor, place(&who, &id), &posted).await?;
    let error = match rotated {
        Ok(made) => {
            let view = once(made, &catalogue, who.base_url(request));
            return who.show(&view).await;
        }
        Err(error) => error,
    };
    let rooms = Shelves {
        accounts: &accounts,
        reports: &reports,
        ledger: &ledger,
    };
    let rotate = Form {
        error: Some(error),
        ..Form::default()
    };
    let view = listed(&who, rooms, &Asked::default(), rotate).await?;
    who.show_again(&view).await
}

/// `POST /portal/keys/{id}/revoke`
#[handler]
pub(in super::super) async fn revoke_key(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let id: ApiKeyId = parsed(&id)?;
    accounts.revoke_key(&who.actor(), place(&who, &id)).await?;
    who.done(PATH, &Notice::Disabled)
}
