//! Judges an accepted answer before it is believed: an error that came as a success is a refusal, JSON
//! where a stream was asked for is no stream, and a page is no answer.

use serde_json::value::RawValue;

use crate::dialect::{Judged, Look, Told, told};
use crate::json;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Looks at the first event with data; whatever a provider's content type says, the bytes say more.
pub(crate) fn look(seen: &[u8]) -> Look {
    look_for(seen, |_| None)
}

/// The same, where `refusal` finds in its data what else is no answer to its dialect.
pub(crate) fn look_for(seen: &[u8], refusal: fn(&[u8]) -> Option<Told>) -> Look {
    let seen = seen.strip_prefix(BYTE_ORDER_MARK).unwrap_or(seen);
    match seen.trim_ascii_start().first() {
        None => return Look::More,
        Some(b'{' | b'[') => return Look::Whole,
        Some(b'<') => return Look::Page,
        Some(_) => {}
    }
    let mut data: Vec<u8> = Vec::new();
    let mut says_error = false;
    let mut rest = seen;
    // The last line has no end yet.
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        let line = &rest[..end];
        let is_two = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + 1 + usize::from(is_two)..];
        if let Some(text) = line.strip_prefix(b"data:") {
            let text = text.trim_ascii();
            if data.is_empty() && is_whole(text) {
                return verdict(text, says_error, refusal);
            }
            data.extend_from_slice(text);
            data.push(b'\n');
        } else if let Some(name) = line.strip_prefix(b"event:") {
            says_error = name.trim_ascii() == b"error";
        } else if line.is_empty() {
            let text = data.trim_ascii();
            if !text.is_empty() {
                return verdict(text, says_error, refusal);
            }
            data.clear();
            says_error = false;
        }
    }
    Look::More
}

/// Whether one line of data is all of its event; several lines are seldom used.
fn is_whole(text: &[u8]) -> bool {
    text == b"[DONE]"
        || (text.first() == Some(&b'{')
            && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok())
}

fn verdict(data: &[u8], says_error: bool, refusal: fn(&[u8]) -> Option<Told>) -> Look {
    let told: Option<Told> = if says_error {
        Some(told::refusal(data))
    } else {
        told::error_in(data).or_else(|| refusal(data))
    };
    told.map_or(Look::Event, |told| Look::Error(Box::new(told)))
}

/// Whether JSON is the answer that was asked for: an object with a `list` that is not empty.
pub(crate) fn judge(answer: &[u8], list: &str) -> Judged {
    if let Some(told) = told::error_in(answer) {
        return Judged::Error(Box::new(told));
    }
    let found = match json::fields(answer, [list]) {
        Ok([found]) => found,
        Err(error) => return Judged::Nonsense(format!("not the JSON that was expected: {error}")),
    };
    let is_list = |raw: &RawValue| {
        let inside = raw.get().strip_prefix('[');
        inside.is_some_and(|inside| !inside.trim_start().starts_with(']'))
    };
    if found.is_some_and(is_list) {
        Judged::Answer
    } else {
        Judged::Nonsense("the JSON holds no answer".to_owned())
    }
}

#[cfg(test)]
mod tests;
