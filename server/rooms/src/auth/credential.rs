//! Which header of a request carries its credential; two that differ are none.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// A credential as it came.
pub(super) enum Credential<'a> {
    Key(&'a str),
    Token(&'a str),
}

/// Anthropic's; its clients send another credential beside it where they are set up twice, and mean this
/// one.
const FIRST_HEADER: &str = "x-api-key";
/// Where keys stand besides that and `Authorization`: Azure's and Google's. The edge puts Google's `?key=`
/// into the second.
const KEY_HEADERS: [&str; 2] = ["api-key", "x-goog-api-key"];

/// `x-api-key`, `Authorization: Bearer`, or the bare key there, or one of [`KEY_HEADERS`]; the first that
/// holds a credential.
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    let text = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?.trim();
        Some(text).filter(|text| !text.is_empty())
    };
    let bearer = || text(AUTHORIZATION.as_str()).and_then(bearer);
    let text = text(FIRST_HEADER)
        .or_else(bearer)
        .or_else(|| KEY_HEADERS.into_iter().find_map(text))?;
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

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// What is found among these headers.
    fn found(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect();
        match credential(&headers)? {
            Credential::Key(text) => Some(text.to_owned()),
            Credential::Token(text) => Some(format!("token {text}")),
        }
    }

    #[test]
    fn a_credential_is_found_where_each_vendors_clients_put_it() {
        let (bearer, key) = (("authorization", "Bearer wk_a"), ("x-api-key", "wk_b"));
        let (azure, google) = (("api-key", "wk_c"), ("x-goog-api-key", "wk_d"));
        for (headers, expected) in [
            (vec![bearer], "wk_a"),
            (vec![("authorization", "wk_a")], "wk_a"),
            (vec![("authorization", "bearer  eyJ")], "token eyJ"),
            (vec![key], "wk_b"),
            (vec![bearer, key], "wk_b"),
            (vec![bearer, ("x-api-key", " ")], "wk_a"),
            (vec![azure], "wk_c"),
            (vec![bearer, azure], "wk_a"),
            (vec![google], "wk_d"),
            (vec![google, bearer], "wk_a"),
            (vec![google, azure], "wk_c"),
            (vec![("authorization", "Basic dTpw"), google], "wk_d"),
        ] {
            assert_eq!(found(&headers).as_deref(), Some(expected), "{headers:?}");
        }
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("authorization", "Bearer ")]), None);
    }
}
