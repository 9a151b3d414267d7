//! What a provider and its keys must be like, written once: gateways refuse by these rules, and forms
//! check by them before they ask. What differs from connector to connector stands in its facts.

use std::borrow::Cow;

use super::connectors::SecretRule;
use super::terms::KeyHeaders;

/// Names stand in targets, paths and metric labels.
pub const NAME_CHARS_MAX: usize = 40;
/// Longer ones are no addresses.
pub const URL_CHARS_MAX: usize = 300;
/// A line on a page.
pub const LABEL_CHARS_MAX: usize = 100;
/// Shares of the calls are told apart well enough by it.
pub const WEIGHT_MAX: u32 = 100;
/// The name of a model at a provider.
pub const MODEL_CHARS_MAX: usize = 200;

/// Keys of so many priorities are told apart.
pub const PRIORITY_MAX: u32 = 100;
/// A larger limit is none.
pub const LIMIT_MAX: u32 = 2_000_000_000;
/// Models that one key is for; a name that ends in `*` means many.
pub const MODELS_MAX: usize = 200;
/// Headers of one key, and the length of one's value.
pub const HEADERS_MAX: usize = 16;
pub const HEADER_CHARS_MAX: usize = 1_000;
/// Words of an operator for one key, and the length of one.
pub const TAGS_MAX: usize = 16;
pub const TAG_CHARS_MAX: usize = 40;
/// Headers that are the connector's, the client's or the way's to say, by name or beginning.
const HEADERS_TAKEN: [&str; 18] = [
    "accept",
    "anthropic-version",
    "api-key",
    "authorization",
    "connection",
    "content-",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-api-key",
    "x-goog-api-key",
];

/// What something must be and is not; as text what follows "must be".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is empty.
    #[error("given")]
    Missing,
    /// It has more characters than so many.
    #[error("at most {0} characters")]
    TooLong(usize),
    /// Something else than small letters, digits and `-`.
    #[error("of a-z, 0-9 and -")]
    NotAWord,
    /// Blanks, control characters or letters that are not ASCII.
    #[error("visible ASCII characters without spaces")]
    NotVisible,
    /// Neither that nor a JSON object.
    #[error("visible ASCII characters without spaces, or a JSON object")]
    NotJson,
    /// Control characters.
    #[error("one line without control characters")]
    NotOneLine,
    /// No http(s) address, or one with a user, a password or a query.
    #[error("like https://api.example.com/v1, without user, password or query")]
    NotAnAddress,
    /// More than so many.
    #[error("at most {0}")]
    TooMany(usize),
    /// A word that nobody knows here.
    #[error("one of the allowed values")]
    UnknownWord,
    /// No header, or one that is not for operators.
    #[error("lowercase header names with plain values, other than those that control the request")]
    NotAHeader,
    /// No field of a request.
    #[error("field names of letters, digits, _ and -")]
    NotAField,
    /// A field that is needed.
    #[error("fields that a request can do without")]
    NeededField,
    /// What looks like a secret, where names are shown and kept as they are.
    #[error("a name, not a secret")]
    ASecret,
    /// Something else than a number between these, both included.
    #[error("a number from {0} to {1}")]
    OutOfRange(u32, u32),
}

/// Of a provider.
pub fn name(text: &str) -> Result<(), Broken> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    within(text, NAME_CHARS_MAX)?;
    keep(text.bytes().all(allowed), Broken::NotAWord)
}

/// The address of a provider as it is used, up to and with the version, out of what was pasted.
pub fn base_url(pasted: &str) -> Result<&str, Broken> {
    let url = super::address::base(pasted);
    within(url, URL_CHARS_MAX)?;
    let parsed: http::Uri = url.parse().map_err(|_| Broken::NotAnAddress)?;
    let is_web = matches!(parsed.scheme_str(), Some("http" | "https"));
    let authority = parsed.authority().map(http::uri::Authority::as_str);
    let has_host = authority.is_some_and(|authority| !authority.contains('@'));
    keep(
        is_web && has_host && parsed.query().is_none(),
        Broken::NotAnAddress,
    )?;
    Ok(url)
}

/// An address out of the database: earlier versions kept what was pasted.
pub fn kept_url(kept: &str) -> &str {
    super::address::base(kept)
}

/// Of a provider's key, as its connector has it.
pub fn secret(text: &str, rule: SecretRule) -> Result<(), Broken> {
    within(text, usize::try_from(rule.chars_max).unwrap_or(usize::MAX))?;
    let is_visible = text.bytes().all(|b| b.is_ascii_graphic());
    if rule.is_json {
        let is_plain = is_visible && !is_file(text);
        return keep(is_plain || object(text).is_some(), Broken::NotJson);
    }
    keep(is_visible, Broken::NotVisible)
}

/// A secret that is as it must be, as it is kept.
pub fn kept_secret(text: &str, rule: SecretRule) -> Cow<'_, str> {
    let object = (rule.is_json && is_file(text))
        .then(|| object(text))
        .flatten();
    object.map_or(Cow::Borrowed(text), |object| {
        Cow::Owned(serde_json::Value::Object(object).to_string())
    })
}

/// The secret that a line begins with, and what stands behind it.
pub fn first_secret(line: &str, rule: SecretRule) -> (&str, &str) {
    let line = line.trim();
    let mut object = serde_json::Deserializer::from_str(line).into_iter::<serde::de::IgnoredAny>();
    let is_whole = rule.is_json && is_file(line) && matches!(object.next(), Some(Ok(_)));
    if is_whole {
        let (secret, rest) = line.split_at(object.byte_offset());
        return (secret, rest.trim());
    }
    let (secret, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (secret, rest.trim())
}

/// Whether a secret is JSON, and nothing that goes into a header.
pub fn is_file(secret: &str) -> bool {
    secret.trim_start().starts_with('{')
}

fn object(text: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text).ok()
}

/// An operator's name for a key; may be empty.
pub fn label(text: &str) -> Result<(), Broken> {
    keep(
        text.chars().count() <= LABEL_CHARS_MAX,
        Broken::TooLong(LABEL_CHARS_MAX),
    )?;
    keep(!text.chars().any(char::is_control), Broken::NotOneLine)?;
    let mut words = text.split_whitespace();
    keep(!words.any(begins_as_secret), Broken::ASecret)
}

/// How vendors begin their keys.
const SECRETS_BEGIN: [&str; 4] = ["sk-", "AIza", "gsk_", "xai-"];
/// A name has fewer characters in one word; keys have some twenty at least.
const SECRET_CHARS_MIN: usize = 16;

/// Whether a word begins as keys of vendors do, and is as long as one with a digit somewhere.
fn begins_as_secret(word: &str) -> bool {
    SECRETS_BEGIN.iter().any(|begin| word.starts_with(begin)) && may_be_secret(word)
}

/// Whether a word may be a secret for all that can be seen of it.
pub fn may_be_secret(word: &str) -> bool {
    word.len() >= SECRET_CHARS_MIN
        && word.bytes().all(|b| b.is_ascii_graphic())
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A key's share of the calls.
pub fn weight(weight: u32) -> Result<(), Broken> {
    keep(
        (1..=WEIGHT_MAX).contains(&weight),
        Broken::OutOfRange(1, WEIGHT_MAX),
    )
}

/// The name of a model at a provider.
pub fn model(text: &str) -> Result<(), Broken> {
    within(text, MODEL_CHARS_MAX)?;
    keep(!text.chars().any(char::is_control), Broken::NotOneLine)
}

/// Which keys come first.
pub fn priority(priority: u32) -> Result<(), Broken> {
    keep(
        priority <= PRIORITY_MAX,
        Broken::OutOfRange(0, PRIORITY_MAX),
    )
}

/// Of calls or tokens.
pub fn limit(limit: u64) -> Result<(), Broken> {
    keep(
        (1..=u64::from(LIMIT_MAX)).contains(&limit),
        Broken::OutOfRange(1, LIMIT_MAX),
    )
}

/// The models that a key is for.
pub fn models(models: &[String]) -> Result<(), Broken> {
    keep(models.len() <= MODELS_MAX, Broken::TooMany(MODELS_MAX))?;
    models.iter().try_for_each(|name| model(name))
}

/// An operator's words for a key.
pub fn tags(tags: &[String]) -> Result<(), Broken> {
    keep(tags.len() <= TAGS_MAX, Broken::TooMany(TAGS_MAX))?;
    tags.iter().try_for_each(|tag| {
        within(tag, TAG_CHARS_MAX)?;
        keep(!tag.chars().any(char::is_control), Broken::NotOneLine)
    })
}

/// Headers that are sent with a key.
pub fn headers(headers: &KeyHeaders) -> Result<(), Broken> {
    keep(headers.0.len() <= HEADERS_MAX, Broken::TooMany(HEADERS_MAX))?;
    headers.0.iter().try_for_each(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        let is_taken = HEADERS_TAKEN
            .iter()
            .any(|taken| lower == *taken || (taken.ends_with('-') && lower.starts_with(taken)));
        within(name, NAME_CHARS_MAX)?;
        keep(
            !is_taken && http::HeaderName::from_bytes(lower.as_bytes()).is_ok(),
            Broken::NotAHeader,
        )?;
        within(value, HEADER_CHARS_MAX)?;
        let is_visible = |b: u8| b.is_ascii_graphic() || b == b' ';
        keep(value.bytes().all(is_visible), Broken::NotOneLine)
    })
}

fn within(text: &str, most: usize) -> Result<(), Broken> {
    keep(!text.is_empty(), Broken::Missing)?;
    keep(text.chars().count() <= most, Broken::TooLong(most))
}

fn keep(holds: bool, broken: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_what_is_wrong_at_its_bounds() {
        let long = "a".repeat(NAME_CHARS_MAX + 1);
        assert_eq!(name("a-1"), Ok(()));
        assert_eq!(name(&long[1..]), Ok(()));
        assert_eq!(name(&long), Err(Broken::TooLong(NAME_CHARS_MAX)));
        assert_eq!(name(""), Err(Broken::Missing));
        for odd in ["A", "a/b", "a b", "ä", "a@b"] {
            assert_eq!(name(odd), Err(Broken::NotAWord), "{odd}");
        }
        let rule = SecretRule {
            is_needed: true,
            chars_max: 4,
            is_json: false,
        };
        assert_eq!(secret("sk-1", rule), Ok(()));
        assert_eq!(secret("sk-12", rule), Err(Broken::TooLong(4)));
        assert_eq!(secret("s 1", rule), Err(Broken::NotVisible));
        assert_eq!(label(&"中".repeat(LABEL_CHARS_MAX)), Ok(()));
        assert_eq!(label("a\nb"), Err(Broken::NotOneLine));
        assert_eq!(label("the sk-team of prod-1"), Ok(()));
        let shown = "it is gsk_0123456789abcdef";
        assert_eq!(label(shown), Err(Broken::ASecret));
        assert_eq!(weight(0), Err(Broken::OutOfRange(1, 100)));
        assert_eq!(priority(100), Ok(()));
        assert_eq!(priority(101), Err(Broken::OutOfRange(0, 100)));
        assert_eq!(limit(0), Err(Broken::OutOfRange(1, LIMIT_MAX)));
        assert_eq!(limit(LIMIT_MAX.into()), Ok(()));
        let names = |count: usize| vec!["m-*".to_owned(); count];
        assert_eq!(models(&names(MODELS_MAX)), Ok(()));
        let many = Err(Broken::TooMany(MODELS_MAX));
        assert_eq!(models(&names(MODELS_MAX + 1)), many);
        assert_eq!(models(&[String::new()]), Err(Broken::Missing));
        assert_eq!(
            tags(&["eu".to_owned(), "a\tb".to_owned()]),
            Err(Broken::NotOneLine)
        );
        let header = |name: &str, value: &str| {
            headers(&KeyHeaders([(name.to_owned(), value.to_owned())].into()))
        };
        assert_eq!(header("X-Team", "a b"), Ok(()));
        assert_eq!(header("x-team", "a\r\nb"), Err(Broken::NotOneLine));
        for taken in [
            "Authorization",
            "host",
            "Content-Length",
            "x y",
            "proxy-x",
            "x-api-key",
        ] {
            assert_eq!(header(taken, "a"), Err(Broken::NotAHeader), "{taken}");
        }
        assert_eq!(weight(100), Ok(()));
        assert_eq!(model(""), Err(Broken::Missing));
    }

    #[test]
    fn a_secret_may_be_a_file_where_its_rule_says_so() {
        let rule = SecretRule {
            is_needed: true,
            chars_max: 20,
            is_json: false,
        };
        let file = SecretRule {
            is_json: true,
            ..rule
        };
        for (text, kept) in [
            ("ya29.a", "ya29.a"),
            ("{\"a\":\"b c\"}", "{\"a\":\"b c\"}"),
            (" {\n\"a\" : [1, 2]\n}\n", "{\"a\":[1,2]}"),
        ] {
            assert_eq!(secret(text, file), Ok(()), "{text}");
            assert_eq!(kept_secret(text, file), kept);
        }
        for odd in ["ya29 a", "{\"a\":", "{}x", "[1]\n", "ä"] {
            assert_eq!(secret(odd, file), Err(Broken::NotJson), "{odd}");
        }
        for (line, expected) in [
            (
                "{\"a\": \"b c\"} the label",
                ("{\"a\": \"b c\"}", "the label"),
            ),
            ("{\"a\": \"b", ("{\"a\":", "\"b")),
            (" sk-1  one two ", ("sk-1", "one two")),
            ("sk-1", ("sk-1", "")),
            ("", ("", "")),
        ] {
            assert_eq!(first_secret(line, file), expected, "{line}");
        }
        assert_eq!(first_secret("{\"a\": 1}", rule), ("{\"a\":", "1}"));
        assert_eq!(secret("{ }", rule), Err(Broken::NotVisible));
        assert_eq!(kept_secret("{ }", rule), "{ }");
    }

    #[test]
    fn an_address_is_http_and_names_nobody() {
        assert_eq!(
            base_url(" https://api.example.com/v1/chat/completions "),
            Ok("https://api.example.com/v1")
        );
        assert_eq!(base_url(""), Err(Broken::Missing));
        for odd in [
            "javascript:x",
            "ftp://x",
            "api.example.com",
            "https://user:word@api.example.com",
            "https://api.example.com/v1?key=1",
            "https://",
        ] {
            assert_eq!(base_url(odd), Err(Broken::NotAnAddress), "{odd}");
        }
    }
}
