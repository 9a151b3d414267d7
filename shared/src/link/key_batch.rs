//! Many keys of a provider at once: added with one answer for each, or changed alike. Names no transport.

use serde::{Deserialize, Serialize};

use super::admin::{InvalidField, NewProviderKey, ProviderKeyView};
use super::terms::TermsChange;
use crate::id::ProviderKeyId;

/// Keys of one request at most; a pool has no more.
pub const KEYS_AT_ONCE_MAX: usize = 1_000;

/// Keys to be added together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProviderKeys {
    /// At most [`KEYS_AT_ONCE_MAX`].
    pub keys: Vec<NewProviderKey>,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// What comes of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum KeyLineVerdict {
    /// It is new and as it must be.
    Good {
        /// Its id, where it was added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<ProviderKeyId>,
    },
    /// A key of the pool has its secret: it is left out.
    Known {
        /// That key.
        key: ProviderKeyId,
        /// The operator's name for that one.
        label: String,
    },
    /// Another one before it has its secret: it is left out.
    Repeated {
        /// Which one, from 0.
        first: usize,
    },
    /// It breaks a rule: nothing is added.
    Wrong(InvalidField),
}

impl KeyLineVerdict {
    /// Stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Good { .. } => "good",
            Self::Known { .. } => "known",
            Self::Repeated { .. } => "repeated",
            Self::Wrong(_) => "wrong",
        }
    }
}

/// One of them, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// How its secret ends.
    pub last4: String,
    /// What comes of it.
    #[serde(flatten)]
    pub verdict: KeyLineVerdict,
}

/// What comes of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysAdded {
    /// Whether the good ones were added: not where one breaks a rule, nor where it was only asked.
    pub added: bool,
    /// One each, in their order.
    pub lines: Vec<KeyLine>,
}

/// What is done with several keys: all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysChange {
    /// These, at most [`KEYS_AT_ONCE_MAX`]; one that is not there stops it all.
    pub keys: Vec<ProviderKeyId>,
    /// Or, where none is named, all that have this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether they are removed; nothing else is done then.
    pub delete: bool,
    /// `active` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A new share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Other terms.
    #[serde(skip_serializing_if = "TermsChange::is_nothing")]
    pub terms: TermsChange,
}

/// The keys that were changed, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysChanged {
    /// As they were.
    pub before: Vec<ProviderKeyView>,
    /// As they are; none where they were removed.
    pub after: Vec<ProviderKeyView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_cross_the_link_with_their_words() {
        let line = |verdict| KeyLine {
            last4: "89ab".to_owned(),
            verdict,
        };
        let wrong = InvalidField {
            field: "secret".to_owned(),
            rule: "given".to_owned(),
        };
        let told = KeysAdded {
            added: false,
            lines: vec![
                line(KeyLineVerdict::Good { key: None }),
                line(KeyLineVerdict::Repeated { first: 0 }),
                line(KeyLineVerdict::Wrong(wrong)),
            ],
        };
        let text = serde_json::to_string(&told).expect("JSON");
        assert_eq!(
            text,
            r#"{"added":false,"lines":[{"last4":"89ab","verdict":"good"},{"last4":"89ab","verdict":"repeated","first":0},{"last4":"89ab","verdict":"wrong","field":"secret","rule":"given"}]}"#
        );
        assert_eq!(
            serde_json::from_str::<KeysAdded>(&text).expect("read"),
            told
        );
    }
}
