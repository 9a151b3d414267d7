//! Whose question a call is, where the tenant says it in a header: for bodies that have no field for it. Makes no
//! name of it; the room `end_users` does.

use http::{HeaderMap, HeaderName};
use server_rooms::end_users::WORD_BYTES_MAX;

use crate::error::ApiError;

/// The header; it counts before the body's own field.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-waule-end-user");

/// The tenant's word; `None` where it says none.
pub(super) fn told(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let word = value.to_str().map_err(|_| wrong())?.trim();
    if word.len() > WORD_BYTES_MAX {
        return Err(wrong());
    }
    Ok(Some(word.to_owned()).filter(|word| !word.is_empty()))
}

fn wrong() -> ApiError {
    let message =
        format!("The header `{HEADER}` must be text of at most {WORD_BYTES_MAX} ASCII characters.");
    ApiError::bad_field(HEADER.as_str(), message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_word_is_taken_as_it_is_and_what_is_none_is_refused() {
        let long = "x".repeat(WORD_BYTES_MAX + 1);
        for (value, expected) in [
            (None, Some(None)),
            (Some("ada"), Some(Some("ada"))),
            (Some(" ada "), Some(Some("ada"))),
            (Some(""), Some(None)),
            (Some("d\u{e9}"), None),
            (Some(long.as_str()), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                let bytes = value.as_bytes();
                headers.insert(HEADER, HeaderValue::from_bytes(bytes).expect("a value"));
            }
            let told = told(&headers).ok();
            let expected = expected.map(|word| word.map(str::to_owned));
            assert_eq!(told, expected, "{value:?}");
        }
    }
}
