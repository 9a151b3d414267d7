//! What a request says of where it goes: the fields `provider` and `models` of any JSON body, as OpenRouter's
//! clients send them, and a header with the same for those that can't send fields. No provider sees them.
//! Chooses nothing; `calls` does.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;
use server_calls::RouteWish;
use server_rooms::routing::{MODELS_MAX, NAME_CHARS_MAX, RouteRule};
use shared::dialect::BadBody;
use shared::dialect::body::Body;
use shared::json;

use crate::error::ApiError;

/// The header: JSON of a `provider` object, which may hold `models` too.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-waule-route");
/// Longer than any list that is taken.
const HEADER_BYTES_MAX: usize = 8 * 1024;
const PROVIDER: &str = "provider";
const MODELS: &str = "models";
/// OpenRouter's old word for what `models` says alone.
const ROUTE: &str = "route";
/// Bytes of a field that is read at all: those of the longest lists.
const FIELD_BYTES_MAX: usize = 64 * 1024;

/// Both together, and the body without the fields. Where the body `names_model` and does not, the first of
/// `models` is meant.
pub(super) fn take(
    headers: &HeaderMap,
    body: Body,
    names_model: bool,
) -> Result<(Body, RouteWish), ApiError> {
    let mut wish = of_header(headers)?;
    let mut bytes = match body {
        Body::Json(bytes) => bytes,
        Body::Form(form) => {
            // It may forbid something, so that it is not passed over.
            let said = [PROVIDER, MODELS]
                .into_iter()
                .find(|name| form.part(name).is_some());
            return match said {
                None => Ok((Body::Form(form), wish)),
                Some(name) => Err(wrong(
                    name,
                    "can't be said in a form; send the header x-waule-route",
                )),
            };
        }
        Body::Empty => return Ok((Body::Empty, wish)),
    };
    if let Some(provider) = taken(&mut bytes, PROVIDER)? {
        let rule = rule(PROVIDER, &provider)?;
        wish.rule = Some(match wish.rule.take() {
            Some(header) => header.narrowed(&rule),
            None => rule,
        });
    }
    if let Some(models) = taken(&mut bytes, MODELS)? {
        wish.models = self::models(MODELS, &models)?;
    }
    taken(&mut bytes, ROUTE)?;
    let body = Body::Json(bytes);
    let Some(first) = wish.models.first().filter(|_| names_model) else {
        return Ok((body, wish));
    };
    let first = serde_json::to_string(first).unwrap_or_default();
    let body = body.having("model", &first).map_err(ApiError::from)?;
    Ok((body, wish))
}

/// A field that is there and says something, taken out of the body.
fn taken(bytes: &mut Bytes, name: &str) -> Result<Option<String>, ApiError> {
    // One search of the bytes tells for nearly all: the words themselves stand in many texts.
    let mut found = memchr::memmem::find_iter(bytes, name);
    let is_quoted = |at: usize| {
        let end = bytes.get(at.saturating_add(name.len()));
        at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'"') && end == Some(&b'"')
    };
    if !found.any(is_quoted) && !json::may_hide(bytes) {
        return Ok(None);
    }
    let taken = json::take(bytes, name)
        .map_err(|error| ApiError::from(BadBody::whole(error.to_string())))?;
    let Some((value, rest)) = taken else {
        return Ok(None);
    };
    *bytes = rest;
    Ok(Some(value).filter(|value| value != "null"))
}

/// What the header says.
pub(super) fn of_header(headers: &HeaderMap) -> Result<RouteWish, ApiError> {
    let header = HEADER;
    let name = header.as_str();
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(RouteWish::default());
    };
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= HEADER_BYTES_MAX);
    let (Some(text), None) = (text, values.next()) else {
        return Err(wrong(
            name,
            "it must be given once, as JSON of 8192 bytes at most",
        ));
    };
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let [models] =
        json::fields(&bytes, [MODELS]).map_err(|error| wrong(name, &error.to_string()))?;
    let models = models.map(RawValue::get).filter(|models| *models != "null");
    let models = models
        .map(|models| self::models(name, models))
        .transpose()?;
    let mut rest = bytes.clone();
    taken(&mut rest, MODELS)?;
    let rest = String::from_utf8_lossy(&rest).into_owned();
    Ok(RouteWish {
        rule: Some(rule(name, &rest)?).filter(|rule| !rule.is_nothing()),
        models: models.unwrap_or_default(),
    })
}

fn rule(name: &str, json: &str) -> Result<RouteRule, ApiError> {
    if json.len() > FIELD_BYTES_MAX {
        return Err(wrong(name, "it is too long"));
    }
    RouteRule::read(json).map_err(|why| wrong(name, &why))
}

fn models(name: &str, json: &str) -> Result<Vec<String>, ApiError> {
    let list: Option<Vec<String>> = Some(json)
        .filter(|json| json.len() <= FIELD_BYTES_MAX)
        .and_then(|json| serde_json::from_str(json).ok());
    let is_name = |model: &String| (1..=NAME_CHARS_MAX).contains(&model.chars().count());
    let list = list.filter(|list| list.len() <= MODELS_MAX && list.iter().all(is_name));
    list.ok_or_else(|| {
        let why = format!(
            "`models` must be a list of {MODELS_MAX} names of models at most, each of 1 to {NAME_CHARS_MAX} characters"
        );
        wrong(name, &why)
    })
}

fn wrong(name: &str, why: &str) -> ApiError {
    let why: String = why.chars().take(300).collect();
    ApiError::bad_field(name, format!("`{name}` can't be taken: {why}."))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wish(header: Option<&str>, body: &str) -> Option<(String, String, Vec<String>)> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(HEADER, HeaderValue::from_str(value).expect("a value"));
        }
        let (body, wish) = take(&headers, Body::of_json(body), true).ok()?;
        let left = String::from_utf8(body.bytes().to_vec()).expect("text");
        let rule = wish.rule.map(|rule| rule.json()).unwrap_or_default();
        Some((left, rule, wish.models))
    }

    #[test]
    fn fields_and_header_are_read_and_the_fields_are_gone() {
        for (header, body, left, rule, models) in [
            (None, r#"{"model":"a"}"#, r#"{"model":"a"}"#, "", &[][..]),
            (
                None,
                r#"{"provider":{"zdr":true},"models":["b"],"route":"fallback","model":"a"}"#,
                r#"{"model":"a"}"#,
                r#"{"zdr":true}"#,
                &["b"],
            ),
            (
                None,
                r#"{"messages":[],"models":["b","c"]}"#,
                r#"{"model":"b","messages":[]}"#,
                "",
                &["b", "c"],
            ),
            (
                Some(r#"{"only":["x","y"],"models":["b"]}"#),
                r#"{"model":"a","provider":{"only":["Y"]}}"#,
                r#"{"model":"a"}"#,
                r#"{"only":["y"]}"#,
                &["b"],
            ),
            // Hidden from a search, and read by whoever parses.
            (
                None,
                r#"{"model":"a","\u006dodels":["b"],"pro\u0076ider":{"zdr":true}}"#,
                r#"{"model":"a"}"#,
                r#"{"zdr":true}"#,
                &["b"],
            ),
            (
                None,
                r#"{"model":"a","provider":null,"models":null}"#,
                r#"{"model":"a"}"#,
                "",
                &[],
            ),
            (
                None,
                r#"{"model":"a","tools":[{"provider":1,"models":2}]}"#,
                r#"{"model":"a","tools":[{"provider":1,"models":2}]}"#,
                "",
                &[],
            ),
        ] {
            let models: Vec<String> = models.iter().map(|name| (*name).to_owned()).collect();
            let expected = Some((left.to_owned(), rule.to_owned(), models));
            assert_eq!(wish(header, body), expected, "{header:?} {body}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_and_never_passed_over() {
        let many = format!(r#"{{"models":{:?}}}"#, vec!["x"; 1_000]);
        for (header, body) in [
            (None, r#"{"provider":[]}"#),
            (None, r#"{"provider":"openai"}"#),
            (None, r#"{"provider":{"only":["a"]},"provider":{}}"#),
            (None, r#"{"models":"a"}"#),
            (None, r#"{"models":[1]}"#),
            (None, r#"{"models":[""]}"#),
            (None, r#"{"models":["a"],"models":["b"]}"#),
            (None, many.as_str()),
            (Some("order=a"), "{}"),
            (Some("{"), "{}"),
            (Some(r#"{"models":{}}"#), "{}"),
            (Some(r#"{"sort":"no"}"#), "{}"),
        ] {
            assert_eq!(wish(header, body), None, "{header:?}");
        }
    }
}
