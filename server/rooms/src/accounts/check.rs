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
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_and_not_empty() {
        assert_eq!(
            name("name", "  Émile & Söhne ").expect("fits"),
            "Émile & Söhne"
        );
        for odd in ["", "   ", "a\nb", "a\0b", &"x".repeat(101)] {
            assert!(name("name", odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn usernames_have_no_blank_and_no_odd_character() {
        assert!(username("ada.l+test@example.org").is_ok());
        for odd in ["", "a b", "a\0", "é", "a'b", &"x".repeat(65)] {
            assert!(username(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        let is_taken = |text: String| password(&Secret::new(text)).is_ok();
        assert!(!is_taken("é".repeat(7)) && is_taken("é".repeat(8)));
        assert!(is_taken("é".repeat(128)) && !is_taken("é".repeat(129)));
    }

    #[test]
    fn lists_are_absent_or_have_valid_entries() {
        let list = |entries: &[&str]| {
            entries
                .iter()
                .map(|&entry| entry.to_owned())
                .collect::<Vec<_>>()
        };
        assert!(models(None).is_ok() && models(Some(&list(&["meta/m:70b"]))).is_ok());
        assert!(models(Some(&[])).is_err() && models(Some(&list(&["a b"]))).is_err());
        assert!(addresses(Some(&list(&["192.0.2.0/24", "::1"]))).is_ok());
        assert!(addresses(Some(&list(&["192.0.2.0/24", "everywhere"]))).is_err());
        assert!(addresses(Some(&vec!["::1".to_owned(); 101])).is_err());
    }

    #[test]
    fn scopes_and_graces_have_bounds() {
        assert!(scopes(Scopes::ALL, ApiKeyKind::Live).is_ok());
        assert!(scopes(Scopes::PLAIN, ApiKeyKind::Test).is_ok());
        assert!(scopes(Scopes::ALL, ApiKeyKind::Test).is_err());
        assert!(scopes(Scopes::of([]), ApiKeyKind::Live).is_err());
        assert!(grace(Duration::ZERO).is_ok() && grace(GRACE_MAX).is_ok());
        assert!(grace(GRACE_MAX + Duration::from_millis(1)).is_err());
    }

    #[test]
    fn a_limit_of_nothing_and_an_expiry_in_the_past_are_refused() {
        let none = LimitSettings {
            concurrency: Some(0),
            ..LimitSettings::default()
        };
        assert!(limits(&LimitSettings::default()).is_ok() && limits(&none).is_err());
        let now = Moment::from_unix_ms(5);
        assert!(expiry(None, now).is_ok() && expiry(Some(now), now).is_err());
        assert!(multiplier(0).is_ok() && multiplier(-1).is_err() && multiplier(i64::MAX).is_err());
    }
}
