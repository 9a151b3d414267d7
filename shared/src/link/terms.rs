//! On what terms a provider's key is used: which calls it takes before others, how many, of which models, and
//! how they reach it. Everything that is absent means no limit, so that sides of different versions agree.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The terms of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyTerms {
    /// Keys of a lower number are used while one of them has room; 0 is the usual.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: u32,
    /// Calls in any sixty seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens in any sixty seconds, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Calls that run at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_at_once: Option<u32>,
    /// Calls in a day of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u32>,
    /// Tokens in a day of UTC, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// The models that it serves, by their names at the provider; a name that ends in `*` means all that
    /// begin so. Empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// An address of its own in place of the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Headers that are sent with it. Absent in what a gateway shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<KeyHeaders>,
    /// The operator's words for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl KeyTerms {
    /// The limits that are set, each with its field as a form or a file names it.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let limits = [
            (
                "terms.requests_per_minute",
                self.requests_per_minute.map(u64::from),
            ),
            ("terms.tokens_per_minute", self.tokens_per_minute),
            ("terms.calls_at_once", self.calls_at_once.map(u64::from)),
            (
                "terms.requests_per_day",
                self.requests_per_day.map(u64::from),
            ),
            ("terms.tokens_per_day", self.tokens_per_day),
        ];
        let set = limits.into_iter();
        set.filter_map(|(field, limit)| Some((field, limit?)))
    }

    /// Whether nothing is set.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A change of the terms of several keys: what is absent stays as each of them has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TermsChange {
    /// Another priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Another limit of calls in a minute; 0 takes it away, as with the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Another limit of tokens in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Another limit of calls at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_at_once: Option<u32>,
    /// Another limit of calls in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u32>,
    /// Another limit of tokens in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// Other models; none of them means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Words that each of them gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// Words that each of them loses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
}

impl TermsChange {
    /// Whether all stays.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Makes it. What comes of it may break a rule, which is for others to say.
    pub fn make(&self, terms: &mut KeyTerms) {
        fn set<N: Copy + PartialEq + Default>(limit: &mut Option<N>, change: Option<N>) {
            if let Some(other) = change {
                *limit = Some(other).filter(|other| *other != N::default());
            }
        }
        terms.priority = self.priority.unwrap_or(terms.priority);
        set(&mut terms.requests_per_minute, self.requests_per_minute);
        set(&mut terms.tokens_per_minute, self.tokens_per_minute);
        set(&mut terms.calls_at_once, self.calls_at_once);
        set(&mut terms.requests_per_day, self.requests_per_day);
        set(&mut terms.tokens_per_day, self.tokens_per_day);
        if let Some(models) = &self.models {
            terms.models.clone_from(models);
        }
        terms.tags.retain(|tag| !self.remove_tags.contains(tag));
        for tag in &self.add_tags {
            if !terms.tags.contains(tag) {
                terms.tags.push(tag.clone());
            }
        }
    }
}

/// Headers by name. Their values may be secrets: they cross the link once, are sealed at the gateway, and
/// are shown nowhere.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyHeaders(pub BTreeMap<String, String>);

impl fmt::Debug for KeyHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_what_it_does_not_name_and_0_takes_a_limit_away() {
        let before = KeyTerms {
            priority: 2,
            requests_per_minute: Some(60),
            tokens_per_day: Some(9_000),
            models: vec!["m".to_owned()],
            tags: vec!["eu".to_owned(), "old".to_owned()],
            ..KeyTerms::default()
        };
        let mut terms = before.clone();
        TermsChange::default().make(&mut terms);
        assert_eq!(terms, before);
        let change: TermsChange = serde_json::from_str(
            r#"{"requests_per_minute":0,"calls_at_once":4,"models":[],"add_tags":["eu","new"],"remove_tags":["old"]}"#,
        )
        .expect("a change");
        change.make(&mut terms);
        let after = KeyTerms {
            requests_per_minute: None,
            calls_at_once: Some(4),
            models: Vec::new(),
            tags: vec!["eu".to_owned(), "new".to_owned()],
            ..before
        };
        assert_eq!(terms, after);
    }

    #[test]
    fn what_is_usual_is_not_written_and_values_are_not_shown() {
        let usual = KeyTerms::default();
        assert_eq!(serde_json::to_string(&usual).expect("JSON"), "{}");
        assert_eq!(
            serde_json::from_str::<KeyTerms>("{}").expect("terms"),
            usual
        );
        let terms = KeyTerms {
            calls_at_once: Some(3),
            headers: Some(KeyHeaders(
                [("x-team".to_owned(), "hidden".to_owned())].into(),
            )),
            ..KeyTerms::default()
        };
        let text = serde_json::to_string(&terms).expect("JSON");
        assert_eq!(text, r#"{"calls_at_once":3,"headers":{"x-team":"hidden"}}"#);
        assert_eq!(
            serde_json::from_str::<KeyTerms>(&text).expect("terms"),
            terms
        );
        assert!(!format!("{terms:?}").contains("hidden"));
    }
}
