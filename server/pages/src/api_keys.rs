//! A tenant's API keys as console and portal show them alike, and the fields their forms share.

use std::time::Duration;

use admin_templates::form::FieldError;
use admin_templates::labels::{KeyKind, KeyStatus, Scope as ScopeWord, Word as _};
use admin_templates::parts::{BudgetView, KeyRow};
use server_rooms::accounts::{
    AccountError, Accounts, Actor, ApiKey, ApiKeyKind, GRACE_MAX, KeyPlace, Scope, Scopes,
};
use server_rooms::auth::api_key::{LIVE_PREFIX, TEST_PREFIX};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::secret::Secret;

use super::error::PageError;
use super::form::{FieldProblem, FormData};

const SECONDS_PER_HOUR: u64 = 3_600;

/// A key and its secret, which is shown this once.
pub(super) type NewSecret = (ApiKey, Secret<String>);

/// What a key is shown with besides itself.
#[derive(Debug)]
pub(super) struct KeyUse {
    pub(super) budget: Option<BudgetView>,
    /// In the last 30 days.
    pub(super) spent: Credits,
    pub(super) used_at: Option<Moment>,
}

fn status(key: &ApiKey, now: Moment) -> KeyStatus {
    if key.revoked {
        KeyStatus::Revoked
    } else if key.expires_at.is_some_and(|at| at <= now) {
        KeyStatus::Expired
    } else if grace(key, now).is_some() {
        KeyStatus::Rotating
    } else {
        KeyStatus::Active
    }
}

/// When the secret of before ends, while it works.
fn grace(key: &ApiKey, now: Moment) -> Option<Moment> {
    let until = key.previous.as_ref().map(|old| old.until);
    until.filter(|until| *until > now)
}

/// A key as a row of a list.
pub(super) fn row(key: ApiKey, of: KeyUse, now: Moment) -> KeyRow {
    let (kind, prefix) = match key.kind {
        ApiKeyKind::Live => (KeyKind::Live, LIVE_PREFIX),
        ApiKeyKind::Test => (KeyKind::Test, TEST_PREFIX),
    };
    let scopes = key.scopes.words().into_iter();
    KeyRow {
        status: status(&key, now),
        old_until: grace(&key, now),
        kind,
        prefix: prefix.to_owned(),
        scopes: scopes.filter_map(ScopeWord::from_code).collect(),
        budget: of.budget,
        spent: of.spent,
        used_at: of.used_at,
        id: key.id.into_string(),
        name: key.name,
        last4: key.last4,
        models: key.allowed_models.unwrap_or_default(),
        expires_at: key.expires_at,
        created_at: key.created_at,
    }
}

/// What a key may do, as its form tells.
pub(super) fn scopes(posted: &FormData, kind: Option<ApiKeyKind>) -> Result<Scopes, FieldProblem> {
    let words = posted.several("scopes").iter().map(String::as_str);
    let scopes = Scopes::from_words(words).ok_or(("scopes", FieldError::Unknown))?;
    if scopes.is_empty() {
        return Err(("scopes", FieldError::Required));
    }
    if kind == Some(ApiKeyKind::Test) && scopes.has(Scope::Keys) {
        return Err(("scopes", FieldError::NotForTest));
    }
    Ok(scopes)
}

/// The field `grace_hours`, within its bounds.
fn grace_hours(posted: &FormData) -> Result<Duration, FieldError> {
    let most = GRACE_MAX.as_secs() / SECONDS_PER_HOUR;
    let hours: Option<u64> = posted.text("grace_hours").parse().ok();
    let hours = hours.filter(|hours| *hours <= most);
    let hours = hours.ok_or(FieldError::OutOfRange(0, most))?;
    Ok(Duration::from_secs(hours.saturating_mul(SECONDS_PER_HOUR)))
}

/// Gives a key another secret by its form, or tells what stands above that form.
pub(super) async fn rotate(
    accounts: &Accounts,
    actor: &Actor,
    place: KeyPlace<'_>,
    posted: &FormData,
) -> Result<Result<NewSecret, FieldError>, PageError> {
    let grace = match grace_hours(posted) {
        Ok(grace) => grace,
        Err(error) => return Ok(Err(error)),
    };
    match accounts.rotate_key(actor, place, grace).await {
        Ok(made) => Ok(Ok(made)),
        // It was revoked or has expired since the list was shown.
        Err(AccountError::Ended(_)) => Ok(Err(FieldError::Stale)),
        Err(error) => Err(error.into()),
    }
}
