//! What an answer says of its model's end, in headers: since when the model is deprecated (RFC 9745), when it
//! ends (RFC 8594), what follows it (RFC 5829), and which model served where that is another one.

use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue};
use server_calls::Lifecycle;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// What was asked for and what served: `old -> new`.
const REDIRECTED: HeaderName = HeaderName::from_static("x-waule-model-redirected");

/// Adds them; none for most models.
pub(super) fn tell(lifecycle: &Lifecycle, headers: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if let Some(words) = &lifecycle.words {
        add(DEPRECATION, &words.deprecation);
        add(SUNSET, &words.sunset);
        if let Some(link) = words.link.as_ref().filter(|_| lifecycle.shows_successor) {
            add(LINK, link);
        }
    }
    if let Some(redirected) = &lifecycle.redirected {
        add(REDIRECTED, &redirected.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use server_calls::RedirectedModel;
    use server_rooms::catalogue::retirement::RetirementWords;

    use super::*;

    #[test]
    fn an_end_is_told_and_its_successor_only_to_who_may_use_it() {
        let words = RetirementWords {
            deprecation: "@1".to_owned(),
            sunset: "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
            link: Some("</api/v1/models/b>; rel=\"successor-version\"".to_owned()),
        };
        let told = |lifecycle: &Lifecycle| {
            let mut headers = HeaderMap::new();
            tell(lifecycle, &mut headers);
            let shown = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()));
            let mut shown: Vec<String> = shown.collect();
            shown.sort();
            shown.join("\n")
        };
        assert_eq!(told(&Lifecycle::default()), "");
        let mut lifecycle = Lifecycle {
            words: Some(Arc::new(words)),
            ..Lifecycle::default()
        };
        let end = "deprecation: @1\nsunset: Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(told(&lifecycle), end);
        lifecycle.shows_successor = true;
        let link = "link: </api/v1/models/b>; rel=\"successor-version\"";
        assert_eq!(
            told(&lifecycle),
            end.replace("\nsunset", &format!("\n{link}\nsunset"))
        );
        let redirected = Lifecycle {
            redirected: Some(RedirectedModel {
                from: "a".to_owned(),
                to: "b".to_owned(),
            }),
            ..Lifecycle::default()
        };
        assert_eq!(told(&redirected), "x-waule-model-redirected: a -> b");
    }
}
