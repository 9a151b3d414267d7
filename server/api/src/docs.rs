//! The page of the API's document: made by poem-openapi, with everything inline, and served under a
//! policy that names its scripts by their digests. What else gets into the page does not run.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use poem::web::Data;
use poem::{IntoResponse, Response, handler};
use sha2::{Digest, Sha256};

const CROSS_ORIGIN_OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The page and its policy; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Docs {
    page: Arc<str>,
    policy: HeaderValue,
}

impl Docs {
    /// Of a page whose scripts are all inside it.
    pub(super) fn new(page: String) -> Self {
        let mut digests = String::new();
        for script in scripts(&page) {
            let digest = STANDARD.encode(Sha256::digest(script));
            digests.extend([" 'sha256-", &digest, "'"]);
        }
        // The page sets styles by attribute and draws icons as data; its tries go to this server.
        let policy = format!(
            "default-src 'none'; script-src{digests}; style-src 'unsafe-inline'; img-src 'self' data:; \
             font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        Self {
            page: page.into(),
            // Base64 is ASCII.
            policy: HeaderValue::try_from(policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }
}

/// The texts between `<script …>` and `</script>`, as a browser takes them.
fn scripts(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let (_, opened) = rest.split_once("<script")?;
        let (_, inside) = opened.split_once('>')?;
        // A script may speak of other scripts; the first end is its own.
        let (script, after) = inside.split_once("</script>")?;
        rest = after;
        Some(script)
    })
}

/// `GET /api/docs`
#[handler]
pub(super) fn docs_page(docs: Data<&Docs>) -> Response {
    let mut response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .body(docs.page.to_string())
        .into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, docs.policy.clone());
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (CROSS_ORIGIN_OPENER, "same-origin"),
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_each_script_and_no_other() {
        let docs = Docs::new(
            "<p><script charset=\"UTF-8\">one('<script>')</script><script>\ntwo()</script>"
                .to_owned(),
        );
        let policy = docs.policy.to_str().expect("text");
        for script in ["one('<script>')", "\ntwo()"] {
            let digest = STANDARD.encode(Sha256::digest(script));
            assert!(policy.contains(&format!("'sha256-{digest}'")), "{policy}");
        }
        assert_eq!(policy.matches("'sha256-").count(), 2);
        let scripts = policy
            .split("script-src")
            .nth(1)
            .and_then(|rest| rest.split(';').next());
        assert!(scripts.is_some_and(|scripts| !scripts.contains("unsafe")));
    }
}
