//! Which browsers of other places may call the tenants' API. Off until `CORS_ORIGINS` names origins;
//! never with cookies, so a page can send only a key that it has. Pure.

use poem::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN,
    VARY,
};
use poem::http::{HeaderMap, HeaderValue, Uri};

use crate::{BETA_PREFIX, PREFIX};

/// Origins in the setting at most.
const ORIGINS_MAX: usize = 100;
/// What the official clients send besides the headers that browsers allow anyway.
const ALLOWED: [&str; 15] = [
    "accept",
    "accept-language",
    "api-key",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-type",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-api-key",
    "x-goog-api-key",
    "x-request-id",
];
/// Families of such headers.
const ALLOWED_FAMILIES: [&str; 5] = [
    "anthropic-",
    "openai-",
    "x-goog-api-client",
    "x-stainless-",
    "x-waule-",
];
/// Names asked for that are looked at; clients send about 20.
const ASKED_MAX: usize = 64;
/// What a page may read of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, x-request-id, request-id, x-should-retry, x-waule-generation, x-waule-max-tokens, \
     x-waule-dropped, x-waule-model-redirected, deprecation, sunset, link, \
     x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, \
     x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, \
     content-disposition",
);
/// Two hours, the most that Chromium keeps a preflight's answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The origins that are let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    any: bool,
    origins: Vec<String>,
}

/// What the answer to one request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted(HeaderValue);

impl Cors {
    /// From `CORS_ORIGINS`: `*`, or origins as browsers send them. On failure the one that is wrong.
    pub fn parse<'s>(texts: impl IntoIterator<Item = &'s str>) -> Result<Self, String> {
        let mut this = Self::default();
        for text in texts
            .into_iter()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if text == "*" {
                this.any = true;
            } else {
                this.origins
                    .push(origin(text).ok_or_else(|| text.to_owned())?);
            }
            if this.origins.len() > ORIGINS_MAX {
                return Err(text.to_owned());
            }
        }
        Ok(this)
    }

    /// Whether a path is one that other places may call.
    fn covers(path: &str) -> bool {
        [PREFIX, BETA_PREFIX].iter().any(|prefix| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// What a request for `path` is granted.
    pub fn granted(&self, path: &str, headers: &HeaderMap) -> Option<Granted> {
        let asked = headers.get(ORIGIN)?;
        if !Self::covers(path) {
            return None;
        }
        if self.any {
            return Some(Granted(ANY));
        }
        let text = asked.to_str().ok()?;
        let known = self.origins.iter().any(|origin| origin == text);
        known.then(|| Granted(asked.clone()))
    }

    /// Tells caches that another origin gets another answer.
    pub fn vary(&self, path: &str, headers: &mut HeaderMap) {
        if !self.origins.is_empty() && !self.any && Self::covers(path) {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}

/// An origin as browsers write it: in lower case, without a path and without the scheme's own port.
fn origin(text: &str) -> Option<String> {
    let uri: Uri = text.trim_end_matches('/').parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
    let plain = uri.path() == "/" && uri.query().is_none() && !authority.contains(['@', '*']);
    if !plain || uri.host().is_none_or(str::is_empty) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let own = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let authority = authority
        .strip_suffix(own)
        .filter(|_| !own.is_empty())
        .unwrap_or(&authority);
    Some(format!("{}://{authority}", scheme.to_ascii_lowercase()))
}

fn is_allowed(name: &str) -> bool {
    ALLOWED.contains(&name)
        || ALLOWED_FAMILIES
            .iter()
            .any(|family| name.starts_with(family))
}

/// Those of the asked names that may be sent; all that clients send when none was asked for.
fn allowed(headers: &HeaderMap) -> String {
    let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
    let Some(asked) = asked.and_then(|value| value.to_str().ok()) else {
        return ALLOWED.join(", ");
    };
    let names = asked.split(',').take(ASKED_MAX);
    let names = names.map(|name| name.trim().to_ascii_lowercase());
    names
        .filter(|name| is_allowed(name))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Granted {
    /// Marks an answer, a refusal included.
    pub fn mark(self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    /// Answers the question before a request.
    pub fn preflight(self, asked: &HeaderMap, methods: HeaderValue, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Ok(names) = HeaderValue::try_from(allowed(asked)) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.append(
            VARY,
            HeaderValue::from_static("access-control-request-headers"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        headers
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let cors =
            Cors::parse(["https://App.Example:443/", " http://localhost:5173 ", ""]).expect("read");
        assert_eq!(
            cors.origins,
            ["https://app.example", "http://localhost:5173"]
        );
        for wrong in [
            "app.example",
            "https://app.example/path",
            "https://app.example?x",
            "https://*.example",
            "https://me@app.example",
            "https://",
            "null",
        ] {
            assert_eq!(Cors::parse([wrong]), Err(wrong.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn only_the_tenants_api_and_only_known_origins_are_granted() {
        let cors = Cors::parse(["https://app.example"]).expect("read");
        let path = "/api/v1/models";
        assert!(cors.granted(path, &from("https://app.example")).is_some());
        let beta = "/api/v1beta/models";
        assert!(cors.granted(beta, &from("https://app.example")).is_some());
        assert!(cors.granted(path, &HeaderMap::new()).is_none());
        for other in [
            "https://app.example.evil",
            "https://evil",
            "null",
            "https://APP.example",
        ] {
            assert!(cors.granted(path, &from(other)).is_none(), "{other}");
        }
        for path in ["/admin/api/tenants", "/portal", "/", "/api/v1x", "/admin"] {
            assert!(
                cors.granted(path, &from("https://app.example")).is_none(),
                "{path}"
            );
        }
        let any = Cors::parse(["*"]).expect("read");
        assert_eq!(any.granted(path, &from("https://evil")), Some(Granted(ANY)));
        assert!(
            any.granted("/admin/api/tenants", &from("https://evil"))
                .is_none()
        );
        assert!(
            Cors::default()
                .granted(path, &from("https://app.example"))
                .is_none()
        );
    }

    #[test]
    fn only_headers_of_clients_may_be_sent() {
        let mut asked = HeaderMap::new();
        asked.insert(
            ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static(
                "Authorization,x-stainless-os, OpenAI-Beta,cookie, x-forwarded-for,anthropic-version",
            ),
        );
        assert_eq!(
            allowed(&asked),
            "authorization, x-stainless-os, openai-beta, anthropic-version"
        );
    }
}
