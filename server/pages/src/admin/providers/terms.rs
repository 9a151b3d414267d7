//! On what terms a key is used: out of a form, into a form, and as it is read. What headers say goes in and
//! never comes out. Pure; what may be kept, the shared rules say.

use std::collections::BTreeMap;

use admin_templates::admin::provider_keys::KeyTermsShown;
use admin_templates::form::FieldError;
use shared::link::rules::{self, Broken};
use shared::link::{KeyHeaders, KeyTerms, TermsChange};

use super::super::super::form::{FieldProblem, FormData, number};
use super::super::form_errors::FormErrors;
use super::super::length;
use super::form::wrong;

/// The fields of a form that hold them and are filled in again.
pub(super) const NAMES: [&str; 9] = [
    "priority",
    "requests_per_minute",
    "tokens_per_minute",
    "calls_at_once",
    "requests_per_day",
    "tokens_per_day",
    "models",
    "key_url",
    "tags",
];
/// The field that is not.
pub(super) const HEADERS: &str = "key_headers";
/// The fields of a change of several.
pub(super) const CHANGES: [&str; 9] = [
    "priority",
    "requests_per_minute",
    "tokens_per_minute",
    "calls_at_once",
    "requests_per_day",
    "tokens_per_day",
    "models",
    "add_tags",
    "remove_tags",
];

/// The field of a form for the one that a gateway blames.
pub(super) fn field(blamed: &str) -> Option<&'static str> {
    match blamed.strip_prefix("terms.")? {
        "base_url" => Some("key_url"),
        "headers" => Some(HEADERS),
        name => NAMES.into_iter().find(|known| *known == name),
    }
}

/// A number that may be left out; `least` to the rule's most.
fn limit(posted: &FormData, name: &'static str, least: u64) -> Result<Option<u64>, FieldProblem> {
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let count: u64 = text.parse().map_err(|_| (name, FieldError::NotANumber))?;
    if count < least || count > u64::from(rules::LIMIT_MAX) {
        let most = u64::from(rules::LIMIT_MAX);
        return Err((name, FieldError::OutOfRange(least, most)));
    }
    Ok(Some(count))
}

fn small(posted: &FormData, name: &'static str, least: u64) -> Result<Option<u32>, FieldProblem> {
    let count = limit(posted, name, least)?;
    Ok(count.and_then(|count| u32::try_from(count).ok()))
}

fn priority(posted: &FormData) -> Result<Option<u32>, FieldProblem> {
    let Some(text) = posted.optional("priority") else {
        return Ok(None);
    };
    let priority: u32 = text
        .parse()
        .map_err(|_| ("priority", FieldError::NotANumber))?;
    rules::priority(priority).map_err(|broken| wrong("priority", broken))?;
    Ok(Some(priority))
}

/// Words between commas or on lines of their own.
pub(super) fn words(text: &str) -> Vec<String> {
    let words = text.split([',', '，', '\n', '\r']).map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

type Rule = fn(&[String]) -> Result<(), Broken>;

fn list(posted: &FormData, name: &'static str, rule: Rule) -> Result<Vec<String>, FieldProblem> {
    let list = words(posted.text(name));
    rule(&list).map_err(|broken| wrong(name, broken))?;
    Ok(list)
}

fn address(posted: &FormData) -> Result<Option<String>, FieldProblem> {
    let Some(pasted) = posted.optional("key_url") else {
        return Ok(None);
    };
    match rules::base_url(pasted) {
        Ok(url) => Ok(Some(url.to_owned())),
        Err(broken) => Err(wrong("key_url", broken)),
    }
}

/// A name and a value on each line; none where nothing was typed.
fn headers(posted: &FormData) -> Result<Option<KeyHeaders>, FieldProblem> {
    let typed = posted.secret(HEADERS);
    let mut headers = BTreeMap::new();
    for (at, line) in typed.expose().lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err((HEADERS, FieldError::Line(length(at).saturating_add(1))));
        };
        headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    if headers.is_empty() {
        return Ok(None);
    }
    let headers = KeyHeaders(headers);
    match rules::headers(&headers) {
        Ok(()) => Ok(Some(headers)),
        Err(broken) => Err(wrong(HEADERS, broken)),
    }
}

/// Out of a form, or all that is wrong with it. Headers that were left out stay, unless they are taken away.
pub(super) fn drafted(posted: &FormData) -> Result<KeyTerms, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let mut terms = KeyTerms {
        priority: errors.take(priority(posted)).flatten().unwrap_or(0),
        requests_per_minute: errors
            .take(small(posted, "requests_per_minute", 1))
            .flatten(),
        tokens_per_minute: errors.take(limit(posted, "tokens_per_minute", 1)).flatten(),
        calls_at_once: errors.take(small(posted, "calls_at_once", 1)).flatten(),
        requests_per_day: errors.take(small(posted, "requests_per_day", 1)).flatten(),
        tokens_per_day: errors.take(limit(posted, "tokens_per_day", 1)).flatten(),
        models: errors
            .take(list(posted, "models", rules::models))
            .unwrap_or_default(),
        base_url: errors.take(address(posted)).flatten(),
        headers: errors.take(headers(posted)).flatten(),
        tags: errors
            .take(list(posted, "tags", rules::tags))
            .unwrap_or_default(),
    };
    if posted.is_ticked("drop_headers") && terms.headers.is_none() {
        terms.headers = Some(KeyHeaders::default());
    }
    errors.unless(Some(terms))
}

/// A change of several, or all that is wrong with it. What was left empty stays, and `*` means all models.
pub(super) fn change(posted: &FormData) -> Result<TermsChange, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let models = errors.take(list(posted, "models", rules::models));
    let models = models.filter(|models| !models.is_empty());
    let change = TermsChange {
        priority: errors.take(priority(posted)).flatten(),
        requests_per_minute: errors
            .take(small(posted, "requests_per_minute", 0))
            .flatten(),
        tokens_per_minute: errors.take(limit(posted, "tokens_per_minute", 0)).flatten(),
        calls_at_once: errors.take(small(posted, "calls_at_once", 0)).flatten(),
        requests_per_day: errors.take(small(posted, "requests_per_day", 0)).flatten(),
        tokens_per_day: errors.take(limit(posted, "tokens_per_day", 0)).flatten(),
        models: models.map(|models| if models == ["*"] { Vec::new() } else { models }),
        add_tags: errors
            .take(list(posted, "add_tags", rules::tags))
            .unwrap_or_default(),
        remove_tags: errors
            .take(list(posted, "remove_tags", rules::tags))
            .unwrap_or_default(),
    };
    errors.unless(Some(change))
}

/// As a form's values.
pub(super) fn values(terms: &KeyTerms) -> [(&'static str, String); 9] {
    let priority = Some(terms.priority).filter(|priority| *priority > 0);
    [
        ("priority", number(priority)),
        ("requests_per_minute", number(terms.requests_per_minute)),
        ("tokens_per_minute", number(terms.tokens_per_minute)),
        ("calls_at_once", number(terms.calls_at_once)),
        ("requests_per_day", number(terms.requests_per_day)),
        ("tokens_per_day", number(terms.tokens_per_day)),
        ("models", terms.models.join("\n")),
        ("key_url", terms.base_url.clone().unwrap_or_default()),
        ("tags", terms.tags.join(", ")),
    ]
}

/// As they are read.
pub(super) fn shown(terms: KeyTerms, header_names: Vec<String>) -> KeyTermsShown {
    KeyTermsShown {
        priority: terms.priority.into(),
        requests_per_minute: terms.requests_per_minute.unwrap_or(0).into(),
        tokens_per_minute: terms.tokens_per_minute.unwrap_or(0),
        calls_at_once: terms.calls_at_once.unwrap_or(0).into(),
        requests_per_day: terms.requests_per_day.unwrap_or(0).into(),
        tokens_per_day: terms.tokens_per_day.unwrap_or(0),
        models: terms.models,
        base_url: terms.base_url.unwrap_or_default(),
        header_names,
        tags: terms.tags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(body: &str) -> FormData {
        FormData::parse(body.as_bytes()).expect("a form")
    }

    fn blamed<T: std::fmt::Debug>(read: Result<T, Vec<FieldProblem>>) -> Vec<&'static str> {
        let wrong = read.expect_err("wrong");
        wrong.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_is_typed_is_read_and_fills_the_form_again() {
        let read = drafted(&posted(
            "priority=2&requests_per_minute=60&tokens_per_day=9000&models=a*%0D%0Ab,c&tags=eu,+new\
             &key_url=https://eu.example.com/v1/&key_headers=X-Team:+one%0D%0Ax-b:2",
        ))
        .expect("terms");
        assert_eq!(read.models, ["a*", "b", "c"]);
        assert_eq!(read.tags, ["eu", "new"]);
        assert_eq!(read.base_url.as_deref(), Some("https://eu.example.com/v1"));
        let headers = read.headers.clone().expect("headers").0;
        assert_eq!(headers["x-team"], "one");
        assert_eq!(headers["x-b"], "2");
        let filled: BTreeMap<_, _> = values(&read).into_iter().collect();
        assert_eq!(filled["requests_per_minute"], "60");
        assert_eq!(filled["calls_at_once"], "");
        assert!(
            !format!("{filled:?}").contains("one"),
            "headers are secrets"
        );
        // Nothing typed is no limit at all, and headers stay.
        assert_eq!(drafted(&posted("weight=1")), Ok(KeyTerms::default()));
        let dropped = drafted(&posted("drop_headers=on")).expect("terms");
        assert_eq!(dropped.headers, Some(KeyHeaders::default()));
    }

    #[test]
    fn everything_that_is_wrong_is_told_beside_its_field() {
        let wrong = blamed(drafted(&posted(
            "priority=101&requests_per_minute=0&tokens_per_minute=many&calls_at_once=-1\
             &requests_per_day=9999999999&key_url=file:///etc/passwd&key_headers=Authorization:+x",
        )));
        assert_eq!(
            wrong,
            [
                "priority",
                "requests_per_minute",
                "tokens_per_minute",
                "calls_at_once",
                "requests_per_day",
                "key_url",
                "key_headers"
            ]
        );
        for headers in [
            "host:+x",
            "no+colon",
            "x:+%01",
            "content-length:+1",
            "x+y:+1",
        ] {
            let form = posted(&format!("key_headers={headers}"));
            assert_eq!(blamed(drafted(&form)), ["key_headers"], "{headers}");
        }
    }

    #[test]
    fn a_change_keeps_what_is_empty_and_takes_limits_away_with_0() {
        let none = change(&posted("weight=&models=")).expect("a change");
        assert!(none.is_nothing());
        let read = change(&posted("requests_per_minute=0&models=*&add_tags=a,b"));
        let read = read.expect("a change");
        assert_eq!(read.requests_per_minute, Some(0));
        assert_eq!(read.models, Some(Vec::new()));
        assert_eq!(read.add_tags, ["a", "b"]);
        assert_eq!(blamed(change(&posted("priority=x"))), ["priority"]);
    }

    #[test]
    fn what_a_gateway_blames_stands_at_its_field() {
        assert_eq!(field("terms.base_url"), Some("key_url"));
        assert_eq!(field("terms.headers"), Some("key_headers"));
        assert_eq!(field("terms.tokens_per_day"), Some("tokens_per_day"));
        assert_eq!(field("weight"), None);
    }
}
