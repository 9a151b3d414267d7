//! The last touch of our own JSON answers: amounts stand in plain decimals, never as `1e-6`, and the text
//! ends with a newline, as terminals and files like it. Answers of surfaces, whose bytes are promised to
//! official clients, and streams are left alone.

use std::borrow::Cow;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::combinators::BoxBody;
use poem::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use poem::{Body, Response};

/// A list's longest page is far smaller; what is larger is a file and goes as it comes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A number without its exponent; `None` where it is too small or large for an amount.
fn plain(number: &str) -> Option<String> {
    let (digits, exponent) = number.split_once(['e', 'E'])?;
    let exponent: i32 = exponent
        .parse()
        .ok()
        .filter(|size: &i32| size.abs() <= 30)?;
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let text = if point <= 0 {
        let zeros = usize::try_from(point.unsigned_abs()).ok()?;
        format!("0.{}{all}", "0".repeat(zeros))
    } else {
        let place = usize::try_from(point).ok()?;
        match all.split_at_checked(place) {
            Some((whole, "")) => whole.to_owned(),
            Some((whole, part)) => format!("{whole}.{part}"),
            None => format!("{all}{}", "0".repeat(place.checked_sub(all.len())?)),
        }
    };
    Some(format!("{sign}{text}"))
}

/// JSON with its numbers in plain decimals; what stands between quotes stays.
pub(super) fn decimals(json: &str) -> Cow<'_, str> {
    if !json.contains("e-") && !json.contains("E-") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut is_text) = (json, false);
    while let Some(letter) = rest.chars().next() {
        let length = if is_text {
            // Up to what ends the text, or over what is escaped.
            match rest.find(['"', '\\']) {
                Some(0) if letter == '"' => {
                    is_text = false;
                    1
                }
                Some(0) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                Some(end) => end,
                None => rest.len(),
            }
        } else if letter == '"' {
            is_text = true;
            1
        } else if letter == '-' || letter.is_ascii_digit() {
            let is_of = |sign: char| sign.is_ascii_digit() || "+-.eE".contains(sign);
            let end = rest.find(|sign| !is_of(sign)).unwrap_or(rest.len());
            let number = &rest[..end];
            out.push_str(&plain(number).unwrap_or_else(|| number.to_owned()));
            rest = &rest[end..];
            continue;
        } else {
            letter.len_utf8()
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

fn is_ours(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
        && !headers.contains_key(CONTENT_ENCODING)
        && response
            .extensions()
            .get::<crate::error::InDialect>()
            .is_none()
}

/// An answer of a management route as it is sent.
pub async fn finished(mut response: Response) -> Response {
    if !is_ours(&response) {
        return response;
    }
    let body: BoxBody<Bytes, std::io::Error> = response.take_body().into();
    let length = body.size_hint().exact();
    if length.is_none_or(|length| length == 0 || length > BYTES_MAX) {
        response.set_body(body);
        return response;
    }
    let Ok(bytes) = Body::from(body).into_bytes().await else {
        return response;
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        response.set_body(bytes);
        return response;
    };
    let mut text = decimals(text).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    response.headers_mut().remove(CONTENT_LENGTH);
    response.set_body(Body::from(text));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_their_exponents_and_texts_keep_theirs() {
        for (json, expected) in [
            (r#"{"a":1e-6}"#, r#"{"a":0.000001}"#),
            (r"[1.5e-6,-2e-6,12e-1,3]", "[0.0000015,-0.000002,1.2,3]"),
            (r#"{"1e-6":"1e-6 \" 2e-6"}"#, r#"{"1e-6":"1e-6 \" 2e-6"}"#),
            (r#"{"é":2e-6,"b":"\\"}"#, r#"{"é":0.000002,"b":"\\"}"#),
            ("1e-400", "1e-400"),
        ] {
            assert_eq!(decimals(json), expected);
        }
    }
}
