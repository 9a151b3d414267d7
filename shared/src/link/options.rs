//! How one provider differs from what its kind says: which dialects it speaks, which header opens it, what
//! else it wants to be told, which fields it does not take. Data that an operator writes; gateways check it
//! when it is saved and obey it with every call.

use serde::{Deserialize, Serialize};

use super::rules::Broken;
use crate::dialect::{self, Maximum, Quirks};

/// Entries of each list at most.
const ENTRIES_MAX: usize = 20;
/// A header's value: far below what servers take for all headers.
const VALUE_CHARS_MAX: usize = 1_000;
/// Names of headers and of fields.
const NAME_CHARS_MAX: usize = 100;

/// Headers that say how a request is framed, where it goes, or what it is: ours to write.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept",
    "accept-encoding",
    "proxy-authorization",
];

/// Fields without which a call is another one, or its bill is not bounded.
const NEEDED: [&str; 10] = [
    "model",
    "messages",
    "input",
    "contents",
    "prompt",
    "stream",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "generationConfig",
];

/// How a provider differs from its kind. Empty is as the kind says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderOptions {
    /// The dialects in which it is asked, by their names, the preferred one first; those that are usual for
    /// its kind where it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dialects: Vec<String>,
    /// The header that holds its key, where it is not its kind's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_header: Option<KeyHeader>,
    /// Sent with every request. Not for secrets: operators read them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Pair>,
    /// The version of the interface, for kinds that have dated ones (Azure OpenAI).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The region that its address is in, for kinds whose signatures name one (Amazon Bedrock) and addresses
    /// that don't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Fields of a request that it does not take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
    /// Fields that have another name there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rename: Vec<Pair>,
    /// Whether it refuses to be asked for the usage of a stream.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_usage_option: bool,
    /// The field in which it takes the maximum of output tokens, where it obeys one of OpenAI's alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<MaximumField>,
}

/// A name and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// A header, or a field as tenants write it.
    pub name: String,
    /// Its value, or the field's name there.
    pub value: String,
}

/// The header that holds a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHeader {
    /// In small letters.
    pub name: String,
    /// What stands before the key, with its blank: `Bearer `.
    #[serde(default)]
    pub prefix: String,
}

/// One of OpenAI's fields for the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaximumField {
    /// The older one.
    MaxTokens,
    /// The one of reasoning models.
    MaxCompletionTokens,
}

impl ProviderOptions {
    /// Whether the kind says everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same as it may be kept, with what is wrong about a field by its name.
    pub fn checked(&self) -> Result<(), (&'static str, Broken)> {
        let lists = [
            ("dialects", self.dialects.len()),
            ("headers", self.headers.len()),
            ("leave_out", self.leave_out.len()),
            ("rename", self.rename.len()),
        ];
        if let Some((name, _)) = lists.into_iter().find(|(_, length)| *length > ENTRIES_MAX) {
            return Err((name, Broken::TooMany(ENTRIES_MAX)));
        }
        if self
            .dialects
            .iter()
            .any(|name| dialect::named(name).is_none())
        {
            return Err(("dialects", Broken::UnknownWord));
        }
        if let Some(header) = &self.key_header {
            let is_fine = is_header(&header.name) && is_value(&header.prefix);
            is_fine
                .then_some(())
                .ok_or(("key_header", Broken::NotAHeader))?;
        }
        let is_plain = |pair: &Pair| is_header(&pair.name) && is_value(&pair.value);
        if !self.headers.iter().all(is_plain) {
            return Err(("headers", Broken::NotAHeader));
        }
        let is_version = |text: &String| {
            (1..=40).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        };
        if !self.api_version.iter().all(is_version) {
            return Err(("api_version", Broken::NotAWord));
        }
        let is_region = |text: &String| {
            let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=40).contains(&text.len()) && text.bytes().all(is_sign)
        };
        if !self.region.iter().all(is_region) {
            return Err(("region", Broken::NotAWord));
        }
        let may_go = |name: &String| is_field(name) && !NEEDED.contains(&name.as_str());
        if !self.leave_out.iter().all(may_go) {
            return Err(("leave_out", Broken::NeededField));
        }
        if !self
            .rename
            .iter()
            .all(|pair| is_field(&pair.name) && is_field(&pair.value))
        {
            return Err(("rename", Broken::NotAField));
        }
        Ok(())
    }

    /// What of it says how a model differs from its dialect, over what is known of it.
    #[must_use]
    pub fn quirks(&self, known: Quirks) -> Quirks {
        Quirks {
            end_user: known.end_user,
            no_usage_option: known.no_usage_option || self.no_usage_option,
            no_response_format: known.no_response_format,
            maximum: match self.maximum {
                None => known.maximum,
                Some(MaximumField::MaxTokens) => Maximum::MaxTokens,
                Some(MaximumField::MaxCompletionTokens) => Maximum::MaxCompletionTokens,
            },
        }
    }
}

fn is_header(name: &str) -> bool {
    let is_small = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    (1..=NAME_CHARS_MAX).contains(&name.len()) && is_small && !OURS.contains(&name)
}

fn is_value(text: &str) -> bool {
    text.len() <= VALUE_CHARS_MAX && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

fn is_field(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<(), (&'static str, Broken)> {
        let options: ProviderOptions = serde_json::from_str(json).expect(json);
        options.checked()
    }

    #[test]
    fn what_is_sound_is_kept_and_comes_back() {
        let json = r#"{"dialects":["openai_chat"],"key_header":{"name":"api-key","prefix":""},"headers":[{"name":"x-title","value":"Waule"}],"api_version":"2024-10-21","region":"eu-west-1","leave_out":["seed"],"rename":[{"name":"max_tokens","value":"max_new_tokens"}],"no_usage_option":true,"maximum":"max_tokens"}"#;
        assert_eq!(checked(json), Ok(()));
        let options: ProviderOptions = serde_json::from_str(json).expect("JSON");
        let again = serde_json::to_string(&options).expect("JSON");
        assert_eq!(serde_json::from_str(&again).ok(), Some(options));
        assert!(ProviderOptions::default().is_empty());
        assert_eq!(
            serde_json::to_string(&ProviderOptions::default())
                .ok()
                .as_deref(),
            Some("{}")
        );
    }

    #[test]
    fn what_moves_a_request_or_unbounds_its_bill_is_refused_by_its_field() {
        for (json, field) in [
            (r#"{"dialects":["klingon"]}"#, "dialects"),
            (r#"{"key_header":{"name":"Host"}}"#, "key_header"),
            (r#"{"key_header":{"name":"host"}}"#, "key_header"),
            (
                r#"{"headers":[{"name":"content-length","value":"1"}]}"#,
                "headers",
            ),
            (
                r#"{"headers":[{"name":"x-a","value":"a\r\nb: c"}]}"#,
                "headers",
            ),
            (r#"{"headers":[{"name":"x a","value":"a"}]}"#, "headers"),
            (r#"{"api_version":"2024&x=1"}"#, "api_version"),
            (r#"{"region":"eu-west-1/x"}"#, "region"),
            (r#"{"region":"EU"}"#, "region"),
            (r#"{"leave_out":["max_tokens"]}"#, "leave_out"),
            (r#"{"leave_out":["a\"b"]}"#, "leave_out"),
            (r#"{"rename":[{"name":"a","value":""}]}"#, "rename"),
        ] {
            assert_eq!(
                checked(json).map_err(|(name, _)| name),
                Err(field),
                "{json}"
            );
        }
        let many = vec!["seed".to_owned(); ENTRIES_MAX + 1];
        let options = ProviderOptions {
            leave_out: many,
            ..ProviderOptions::default()
        };
        assert_eq!(
            options.checked(),
            Err(("leave_out", Broken::TooMany(ENTRIES_MAX)))
        );
    }
}
