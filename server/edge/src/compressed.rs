//! Answers as gzip, for those that say they may be and browsers that take it. Nothing is sent so that
//! does not say so: where a secret stands beside what a stranger chose, the length tells of it (BREACH, 2013).
//! Knows no route.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderValue, VARY,
};
use poem::Response;

/// On an answer that may be sent compressed: its text is public, or nothing in it was chosen by whoever
/// made the request.
#[derive(Debug, Clone, Copy)]
pub struct Compressible;

/// Below this the head is longer than what is won; also the payload of one packet.
const BYTES_MIN: usize = 1_400;
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Whether a client takes gzip (RFC 9110, 12.5.3): named, or any, and not with a weight of zero.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT_ENCODING).iter();
    let codings = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    let mut any = false;
    for coding in codings {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty())
        });
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return !refused;
        }
        any |= name == "*" && !refused;
    }
    any
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// The answer as the client gets it; the same where it says nothing of this.
pub async fn sent(mut response: Response, takes_gzip: bool) -> Response {
    if response.extensions_mut().remove::<Compressible>().is_none()
        || response.headers().contains_key(CONTENT_ENCODING)
    {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if !takes_gzip {
        return response;
    }
    let Ok(bytes) = response.take_body().into_bytes().await else {
        return Response::builder()
            .status(http::StatusCode::INTERNAL_SERVER_ERROR)
            .finish();
    };
    if bytes.len() < BYTES_MIN {
        response.set_body(bytes);
        return response;
    }
    // A page of a megabyte takes tens of milliseconds, in which this core has streams to carry.
    let whole = bytes.clone();
    let packed = tokio::task::spawn_blocking(move || gzip(&whole)).await;
    let Some(packed) = packed.ok().flatten() else {
        response.set_body(bytes);
        return response;
    };
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, GZIP);
    // Other bytes of the same content (RFC 9110, 8.8.1).
    let weak = headers.get(ETAG).and_then(|tag| {
        let text = tag.to_str().ok()?;
        let strong = text.starts_with('"');
        strong.then(|| HeaderValue::try_from(format!("W/{text}")).ok())?
    });
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
    response.set_body(packed);
    response
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn accepting(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))])
    }

    #[test]
    fn what_a_client_takes_is_read_with_its_weights() {
        for (text, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("*;q=0", false),
            ("identity, br", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(&accepting(text)), takes, "{text}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    fn answer(marked: bool, body: &str) -> Response {
        let mut response = Response::builder()
            .header(ETAG, "\"a\"")
            .body(body.to_owned());
        if marked {
            response.extensions_mut().insert(Compressible);
        }
        response
    }

    #[tokio::test]
    async fn only_what_says_so_is_compressed() {
        let long = "a route of the API. ".repeat(400);
        for (marked, takes, body, packs) in [
            (true, true, long.as_str(), true),
            (false, true, &long, false),
            (true, false, &long, false),
            (true, true, "short", false),
        ] {
            let mut sent = sent(answer(marked, body), takes).await;
            let encoding = sent.headers().get(CONTENT_ENCODING).cloned();
            assert_eq!(encoding.is_some(), packs, "{marked} {takes} {}", body.len());
            assert_eq!(sent.headers().contains_key(VARY), marked);
            let bytes = sent.take_body().into_bytes().await.expect("a body");
            let mut text = String::new();
            if packs {
                assert_eq!(sent.headers()[ETAG], "W/\"a\"");
                assert!(bytes.len() < body.len() / 4);
                let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
                decoder.read_to_string(&mut text).expect("gzip");
            } else {
                text = String::from_utf8(bytes.to_vec()).expect("text");
            }
            assert_eq!(text, body);
        }
    }
}
