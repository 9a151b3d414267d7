//! `wk_` keys: making, recognising and hashing them. Looks nothing up.

use server_store::accounts::ApiKeyKind;
use sha2::{Digest, Sha256};
use shared::id::random_text;
use shared::secret::Secret;

/// Before the random part of a key that reaches real providers.
pub const LIVE_PREFIX: &str = "wk_live_";
/// Before the random part of a key that reaches the sandbox only.
pub const TEST_PREFIX: &str = "wk_test_";
/// Characters of `[a-z0-9]` behind the prefix: 165 bits.
pub const RANDOM_CHARS: usize = 32;

/// A fresh key.
pub fn make(kind: ApiKeyKind) -> Secret<String> {
    let prefix = match kind {
        ApiKeyKind::Live => LIVE_PREFIX,
        ApiKeyKind::Test => TEST_PREFIX,
    };
    Secret::new(format!("{prefix}{}", random_text(RANDOM_CHARS)))
}

/// What a text is a key of, if it has the form of one.
pub fn kind_of(text: &str) -> Option<ApiKeyKind> {
    let (kind, rest) = match text.strip_prefix(LIVE_PREFIX) {
        Some(rest) => (ApiKeyKind::Live, rest),
        None => (ApiKeyKind::Test, text.strip_prefix(TEST_PREFIX)?),
    };
    let well_formed = rest.len() == RANDOM_CHARS
        && rest
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    well_formed.then_some(kind)
}

/// SHA-256 in hex: with this much randomness a slow hash buys nothing.
pub fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The last four characters.
pub fn last4(text: &str) -> String {
    text.get(text.len().saturating_sub(4)..)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_has_the_form_of_its_kind() {
        assert_eq!(
            kind_of(make(ApiKeyKind::Live).expose()),
            Some(ApiKeyKind::Live)
        );
        assert_eq!(
            kind_of(make(ApiKeyKind::Test).expose()),
            Some(ApiKeyKind::Test)
        );
    }

    #[test]
    fn what_is_not_of_the_form_is_no_key() {
        let long = format!("wk_live_{}", "a".repeat(33));
        let upper = format!("wk_live_{}", "A".repeat(32));
        for text in [
            "",
            "wk_live_",
            "sk-123",
            "wk_live_' OR 1=1 --",
            &long,
            &upper,
            "wk_live_\0",
        ] {
            assert_eq!(kind_of(text), None, "{text}");
        }
    }
}
