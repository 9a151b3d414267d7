//! Which header of a request carries its credential; two that differ are none.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// A credential as it came.
pub(super) enum Credential<'a> {
    Key(&'a str),
    Token(&'a str),
}

/// Where keys stand besides `Authorization`; the second is Azure's.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "api-key"];

/// `Authorization: Bearer`, or the bare key there, or one of [`KEY_HEADERS`]; the first that holds a
/// credential.
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    let text = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?.trim();
        Some(text).filter(|text| !text.is_empty())
    };
    let found = text(AUTHORIZATION.as_str()).and_then(bearer);
    let text = found.or_else(|| KEY_HEADERS.into_iter().find_map(text))?;
    Some(if text.starts_with("wk_") {
        Credential::Key(text)
    } else {
        Credential::Token(text)
    })
}

/// What `Authorization` carries; another scheme is a proxy's and not ours.
fn bearer(value: &str) -> Option<&str> {
    match value.split_once([' ', '\t']) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => Some(rest.trim()),
        None if value.starts_with("wk_") => Some(value),
        Some(_) | None => None,
    }
}

/// The models that a tenant and its key may both use; all when neither is narrowed.
pub(super) fn both(tenant: Option<Vec<String>>, key: Option<Vec<String>>) -> Option<Vec<String>> {
    match (tenant, key) {
        (Some(tenant), Some(mut key)) => {
            key.retain(|model| tenant.iter().any(|name| name.eq_ignore_ascii_case(model)));
            Some(key)
        }
        (tenant, key) => tenant.or(key),
    }
}
