//! What the fields of tenants, users and keys must look like. Pure; names the field and the rule.

use std::time::Duration;

use server_store::accounts::{ApiKeyKind, Scope, Scopes};
use shared::clock::Moment;
use shared::secret::Secret;
use shared::zone::Zone;

use super::AccountError;
use super::keys::GRACE_MAX;
use crate::auth::Network;
use crate::auth::password::{CHARS_MAX, CHARS_MIN};
use crate::limits::LimitSettings;
use crate::settings::TIME_ZONE_RULE;

const NAME_CHARS_MAX: usize = 100;
const USERNAME_CHARS_MAX: usize = 64;
/// More is a mistake; each call looks through them.
const LIST_ITEMS_MAX: usize = 100;
/// The catalogue's bound of a model's name.
const MODEL_BYTES_MAX: usize = 100;
/// A thousand times the list price is a mistake.
const MULTIPLIER_PPM_MAX: i64 = 1_000_000_000;

type Checked = Result<(), AccountError>;

fn rule(holds: bool, field: &'static str, rule: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(AccountError::Invalid {
            field,
            rule: rule(),
        })
    }
}

/// One line of text for people, without the blanks around it.
pub(super) fn name(field: &'static str, name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    let fits =
        (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    rule(fits, field, || {
        format!("one line of 1 to {NAME_CHARS_MAX} characters")
    })?;
    Ok(name.to_owned())
}

/// A name to log in with. Without blanks, which deleted users' names have.
pub(super) fn username(name: &str) -> Result<String, AccountError> {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+');
    let fits = (1..=USERNAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(allowed);
    rule(fits, "username", || {
        format!("1 to {USERNAME_CHARS_MAX} of a-z, A-Z, 0-9 and ._-@+")
    })?;
    Ok(name.to_owned())
}

/// A new password; no rule but its length (ASVS 5.0, 6.2).
pub(super) fn password(password: &Secret<String>) -> Checked {
    let fits = (CHARS_MIN..=CHARS_MAX).contains(&password.expose().chars().count());
    rule(fits, "password", || {
        format!("{CHARS_MIN} to {CHARS_MAX} characters long")
    })
}

/// What tenants are searched by. PostgreSQL takes no NUL in a text.
pub(super) fn search(text: &str) -> Checked {
    let fits = text.chars().count() <= NAME_CHARS_MAX && !text.chars().any(char::is_control);
    rule(fits, "search", || {
        format!("one line of at most {NAME_CHARS_MAX} characters")
    })
}

/// A tenant's multiplier of prices.
pub(super) fn multiplier(ppm: i64) -> Checked {
    let fits = (0..=MULTIPLIER_PPM_MAX).contains(&ppm);
    rule(fits, "price_multiplier_ppm", || {
        format!("from 0 to {MULTIPLIER_PPM_MAX}")
    })
}

/// The time zone of a name; none for the platform's.
pub(super) fn zone(name: &str) -> Result<Option<Zone>, AccountError> {
    if name.trim().is_empty() {
        return Ok(None);
    }
    let zone = Zone::named(name.trim());
    rule(zone.is_some(), "time_zone", || TIME_ZONE_RULE.to_owned())?;
    Ok(zone)
}

/// Limits that let something through.
pub(super) fn limits(limits: &LimitSettings) -> Checked {
    let zero = limits.requests_per_minute == Some(0)
        || limits.tokens_per_minute == Some(0)
        || limits.concurrency == Some(0);
    rule(!zero, "limits", || "above 0, or absent for none".to_owned())
}

/// When a key ends.
pub(super) fn expiry(expires_at: Option<Moment>, now: Moment) -> Checked {
    rule(expires_at.is_none_or(|at| at > now), "expires_at", || {
        "in the future".to_owned()
    })
}

/// What a key may do. One for the sandbox must not make keys that spend credits.
pub(super) fn scopes(scopes: Scopes, kind: ApiKeyKind) -> Checked {
    rule(!scopes.is_empty(), "scopes", || {
        "one of inference, usage and keys at least".to_owned()
    })?;
    let tame = kind == ApiKeyKind::Live || !scopes.has(Scope::Keys);
    rule(tame, "scopes", || {
        "without `keys` for a test key".to_owned()
    })
}

/// How long a rotated key's old secret goes on to work.
pub(super) fn grace(grace: Duration) -> Checked {
    rule(grace <= GRACE_MAX, "grace", || {
        format!("at most {} hours", GRACE_MAX.as_secs() / 3_600)
    })
}

/// The models of a key.
pub(super) fn models(list: Option<&[String]>) -> Checked {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    entries("allowed_models", list, |id| {
        (1..=MODEL_BYTES_MAX).contains(&id.len()) && id.bytes().all(allowed)
    })
}

/// The networks of a key.
pub(super) fn addresses(list: Option<&[String]>) -> Checked {
    entries("allowed_addresses", list, |text| {
        Network::parse(text).is_some()
    })
}

/// An empty list would close the key to everything; nobody means that.
fn entries(
    field: &'static str,
    list: Option<&[String]>,
    well_formed: impl Fn(&str) -> bool,
) -> Checked {
    let fits = list.is_none_or(|list| {
        (1..=LIST_ITEMS_MAX).contains(&list.len()) && list.iter().all(|entry| well_formed(entry))
    });
    rule(fits, field, || {
        format!("1 to {LIST_ITEMS_MAX} valid entries, or absent")
    })
}

#[cfg(test)]
mod tests;
