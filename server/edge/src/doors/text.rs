//! Texts that no store keeps: NUL, which PostgreSQL refuses, and bytes that are no UTF-8 (single
//! surrogates and overlong forms among them). One rule for paths, queries, forms and JSON. Pure.

use http::Uri;

/// Whether path and query say nothing that can't be kept, once their escapes are read.
pub fn uri_is_plain(uri: &Uri) -> bool {
    let text = uri
        .path_and_query()
        .map_or(uri.path(), http::uri::PathAndQuery::as_str);
    // Nearly all have no escape at all.
    !text.as_bytes().contains(&b'%') || is_plain(&unescaped(text.as_bytes()))
}

/// A part of a path or a query as it is meant; what is no UTF-8 is replaced.
pub fn part(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text.as_bytes())).into_owned()
}

/// Whether bytes are a text without NUL.
fn is_plain(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// What is no escape stays as it is (WHATWG URL, "percent-decode").
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escape = match after {
            [high, low, after @ ..] if first == b'%' => digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| (high * 16 + low, after)),
            _ => None,
        };
        if let Some((byte, after)) = escape {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    bytes
}

/// Whether a form (`application/x-www-form-urlencoded`) says nothing that can't be kept.
pub fn form_is_plain(body: &[u8]) -> bool {
    is_plain(&unescaped(body))
}

/// Whether a body of JSON has no NUL in a text. What else is wrong with it, its parser says: it
/// refuses single surrogates and what is no UTF-8.
pub fn json_is_plain(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escaped = &rest[at + 1..];
        if escaped.starts_with(b"u0000") {
            return false;
        }
        rest = escaped.get(1..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_with_odd_texts_are_told() {
        for (uri, plain) in [
            ("/a?b=c", true),
            ("/a%20b?c=%E4%BD%A0", true),
            ("/a?b=%", true),
            ("/a?b=%2", true),
            ("/a?b=%zz", true),
            ("/a?b=%2500", true),
            ("/a?b=%00", false),
            ("/a%00b", false),
            ("/a?%00=b", false),
            ("/a?b=%ED%A0%80", false),
            ("/a?b=%C0%80", false),
            ("/a?b=%F8%88%80%80%80", false),
            ("/a?b=%ff", false),
        ] {
            assert_eq!(uri_is_plain(&Uri::from_static(uri)), plain, "{uri}");
        }
        assert!(form_is_plain(b"a=b+c&d=%E4%BD%A0") && !form_is_plain(b"a=%00"));
        assert!(!form_is_plain(b"a=\0") && !form_is_plain(b"a=\xff"));
    }

    #[test]
    fn a_nul_in_json_is_found_however_it_is_written() {
        for (body, plain) in [
            (r#"{"a":"b"}"#, true),
            (r#"{"a":"\u0041 \n"}"#, true),
            (r#"{"a":"\\u0000"}"#, true),
            (r#"{"a":"\u0000"}"#, false),
            (r#"{"a":"\\\u0000"}"#, false),
            (r#"{"\u0000":1}"#, false),
            ("\\", true),
        ] {
            assert_eq!(json_is_plain(body.as_bytes()), plain, "{body}");
        }
    }
}
