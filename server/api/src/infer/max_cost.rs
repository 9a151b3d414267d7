//! What a tenant lets a call cost at most: a header of any call, a field of any JSON body. Holds nothing;
//! `calls` does.

use http::{HeaderMap, HeaderName};
use poem_openapi::types::ParseFromJSON;
use serde_json::Value;
use shared::credits::Credits;
use shared::dialect::BadBody;
use shared::dialect::body::Body;
use shared::json;

use crate::error::ApiError;
use crate::manage::Amount;

/// The header, in credits.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-waule-max-cost");
/// The field, which no provider sees.
const FIELD: &str = "max_cost";

/// The lower of both, and the body without the field.
pub(super) fn take(headers: &HeaderMap, body: Body) -> Result<(Body, Option<Credits>), ApiError> {
    let told = of_header(headers)?;
    let Body::Json(bytes) = body else {
        return Ok((body, told));
    };
    let taken = json::take(&bytes, FIELD)
        .map_err(|error| ApiError::from(BadBody::whole(error.to_string())))?;
    let Some((value, rest)) = taken else {
        return Ok((Body::Json(bytes), told));
    };
    let value: Value = serde_json::from_str(&value).map_err(|_| wrong(FIELD))?;
    let field = if value.is_null() {
        None
    } else {
        Some(credits(FIELD, value)?)
    };
    let least = told.into_iter().chain(field).min();
    Ok((Body::Json(rest), least))
}

/// What the header says.
pub(super) fn of_header(headers: &HeaderMap) -> Result<Option<Credits>, ApiError> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| wrong(HEADER.as_str()))?.trim();
    credits(HEADER.as_str(), Value::from(text)).map(Some)
}

fn credits(name: &str, value: Value) -> Result<Credits, ApiError> {
    let amount = Amount::parse_from_json(Some(value));
    amount.map(Credits::from).map_err(|_| wrong(name))
}

fn wrong(name: &str) -> ApiError {
    let message =
        format!("`{name}` must be credits, as 0.05: at least 0, with six decimals at most.");
    ApiError::bad_field(name, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn taken(header: &[&'static str], body: &str) -> Option<(String, Option<i64>)> {
        let mut headers = HeaderMap::new();
        for value in header {
            headers.insert(HEADER, HeaderValue::from_static(value));
        }
        let (body, most) = take(&headers, Body::of_json(body)).ok()?;
        let left = String::from_utf8(body.bytes().to_vec()).expect("text");
        Some((left, most.map(Credits::micros)))
    }

    #[test]
    fn the_lower_of_header_and_field_counts_and_the_field_is_gone() {
        for (header, body, left, most) in [
            (&[][..], r#"{"a":1}"#, r#"{"a":1}"#, None),
            (&["0.05"], r#"{"a":1}"#, r#"{"a":1}"#, Some(50_000)),
            (&[], r#"{"max_cost":0.000001,"a":1}"#, r#"{"a":1}"#, Some(1)),
            (
                &[],
                r#"{"a":1,"max_cost":"2"}"#,
                r#"{"a":1}"#,
                Some(2_000_000),
            ),
            (&[], r#"{"max_cost":1e-3}"#, "{}", Some(1_000)),
            (&[], r#"{"max_cost":null}"#, "{}", None),
            (&["3"], r#"{"max_cost":2}"#, "{}", Some(2_000_000)),
            (&["1"], r#"{"max_cost":2}"#, "{}", Some(1_000_000)),
            (
                &[],
                r#"{"a":{"max_cost":2}}"#,
                r#"{"a":{"max_cost":2}}"#,
                None,
            ),
        ] {
            let expected = Some((left.to_owned(), most));
            assert_eq!(taken(header, body), expected, "{header:?} {body}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_and_never_passed_over() {
        for (header, body) in [
            (&[][..], r#"{"max_cost":-1}"#),
            (&[], r#"{"max_cost":0.0000001}"#),
            (&[], r#"{"max_cost":"much"}"#),
            (&[], r#"{"max_cost":{}}"#),
            (&[], r#"{"max_cost":1,"max_cost":2}"#),
            (&[], r#"{"max_cost":1"#),
            (&[""], "{}"),
            (&["1 credit"], "{}"),
            (&["NaN"], "{}"),
        ] {
            assert_eq!(taken(header, body), None, "{header:?} {body}");
        }
    }
}
