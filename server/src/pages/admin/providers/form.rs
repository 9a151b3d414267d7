//! Forms of providers and their keys as the gateway takes them, in the API's bounds. Pure.

use admin_templates::form::FieldError;
use shared::link::{NewProvider, NewProviderKey, ProviderPatch};

use super::super::super::form::Posted;
use super::super::Wrong;
use super::super::again::Faults;

/// Connectors that there are.
pub(super) const KINDS: [&str; 2] = ["openai", "sandbox"];
const NAME_BYTES_MAX: usize = 40;
const URL_BYTES_MAX: usize = 500;
const LABEL_BYTES_MAX: usize = 100;
const SECRET_BYTES_MAX: usize = 8_192;
const WEIGHT_MAX: u32 = 100;

fn too_long(most: usize) -> FieldError {
    FieldError::TooLong(u64::try_from(most).unwrap_or(u64::MAX))
}

fn address(posted: &Posted) -> Result<String, Wrong> {
    let url = posted.text("base_url");
    let web = url.is_empty() || url.starts_with("https://") || url.starts_with("http://");
    if url.len() > URL_BYTES_MAX {
        Err(("base_url", too_long(URL_BYTES_MAX)))
    } else if !web || !url.bytes().all(|b| b.is_ascii_graphic()) {
        Err(("base_url", FieldError::NotAnAddress))
    } else {
        Ok(url.to_owned())
    }
}

/// A new provider.
pub(super) fn drafted_provider(posted: &Posted) -> Result<NewProvider, Vec<Wrong>> {
    let mut faults = Faults::default();
    let name = faults.take(name(posted));
    let kind = KINDS.into_iter().find(|kind| *kind == posted.text("kind"));
    let kind = faults.take(kind.ok_or(("kind", FieldError::Unknown)));
    let base_url = faults.take(address(posted));
    let new = || {
        Some(NewProvider {
            name: name?,
            kind: kind?.to_owned(),
            base_url: base_url?,
        })
    };
    let new = new();
    faults.unless(new)
}

fn name(posted: &Posted) -> Result<String, Wrong> {
    let name = posted.text("name");
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() {
        Err(("name", FieldError::Required))
    } else if name.len() > NAME_BYTES_MAX {
        Err(("name", too_long(NAME_BYTES_MAX)))
    } else if name.bytes().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(("name", FieldError::Letters))
    }
}

/// A change of a provider.
pub(super) fn drafted_edit(posted: &Posted) -> Result<ProviderPatch, Wrong> {
    Ok(ProviderPatch {
        base_url: Some(address(posted)?),
        enabled: Some(posted.is_ticked("enabled")),
    })
}

/// A provider's secret.
pub(super) fn secret(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        Err(("secret", FieldError::Required))
    } else if text.len() > SECRET_BYTES_MAX {
        Err(("secret", too_long(SECRET_BYTES_MAX)))
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        Err(("secret", FieldError::Letters))
    } else {
        Ok(text.to_owned())
    }
}

/// A key's name.
pub(super) fn label(text: &str) -> Result<String, Wrong> {
    if text.len() > LABEL_BYTES_MAX {
        Err(("label", too_long(LABEL_BYTES_MAX)))
    } else if text.chars().any(char::is_control) {
        Err(("label", FieldError::Letters))
    } else {
        Ok(text.to_owned())
    }
}

/// A key's share; 1 where nothing was typed.
pub(super) fn weight(posted: &Posted) -> Result<u32, Wrong> {
    let Some(text) = posted.optional("weight") else {
        return Ok(1);
    };
    let weight: u32 = text
        .parse()
        .map_err(|_| ("weight", FieldError::NotANumber))?;
    if (1..=WEIGHT_MAX).contains(&weight) {
        Ok(weight)
    } else {
        Err(("weight", FieldError::OutOfRange(1, WEIGHT_MAX.into())))
    }
}

/// A new key.
pub(super) fn drafted_key(posted: &Posted) -> Result<NewProviderKey, Vec<Wrong>> {
    let mut faults = Faults::default();
    let label = faults.take(label(posted.text("label")));
    let secret = faults.take(secret(posted.secret("secret").expose()));
    let weight = faults.take(weight(posted));
    let new = || {
        Some(NewProviderKey {
            label: label?,
            secret: secret?,
            weight: weight?,
        })
    };
    let new = new();
    faults.unless(new)
}

/// How a secret ends; a short one is not told.
pub(super) fn last4(secret: &str) -> String {
    /// Of a shorter one, four characters would tell too much.
    const TELLING: usize = 12;
    let chars: Vec<char> = secret.chars().collect();
    if chars.len() < TELLING {
        return String::new();
    }
    chars.iter().skip(chars.len().saturating_sub(4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(body: &str) -> Posted {
        Posted::parse(body.as_bytes()).expect("a form")
    }

    #[test]
    fn odd_providers_and_keys_are_refused_beside_their_fields() {
        let wrong = |body: &str| {
            let wrong = drafted_provider(&posted(body)).err()?;
            wrong.first().map(|(field, _)| *field)
        };
        assert_eq!(wrong("name=a-1&kind=openai&base_url=https://x"), None);
        assert_eq!(wrong("name=A&kind=openai"), Some("name"));
        assert_eq!(wrong("name=a/b&kind=openai"), Some("name"));
        assert_eq!(wrong("name=a&kind=other"), Some("kind"));
        assert_eq!(
            wrong("name=a&kind=openai&base_url=javascript:x"),
            Some("base_url")
        );
        let wrong = |body: &str| drafted_key(&posted(body)).err().unwrap_or_default();
        assert_eq!(wrong("secret=sk-1&label=x&weight=100"), []);
        assert_eq!(wrong("label=x"), [("secret", FieldError::Required)]);
        let range = FieldError::OutOfRange(1, 100);
        assert_eq!(
            wrong("secret=a+b&weight=0"),
            [("secret", FieldError::Letters), ("weight", range)],
            "all at once"
        );
    }

    #[test]
    fn short_secrets_are_not_told_by_their_end() {
        assert_eq!(last4("sk-1234567890"), "7890");
        assert_eq!(last4("short"), "");
    }
}
