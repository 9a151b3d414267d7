//! The name that an answer gives its model, where an operator wants it to be the public one: official
//! clients compare it with what they asked for. Pure; changes the span of the name and nothing else.

use bytes::Bytes;

use crate::json::{self, Edit};

/// Where a name stands in answers, one level down: Anthropic's first event, and OpenAI's responses.
const HOLDERS: [&str; 2] = ["message", "response"];
const FIELD: &str = "model";
/// Google's name for it.
const GOOGLES: &str = "modelVersion";

/// A whole JSON answer with `name` as its model's; unchanged where it names none.
pub fn in_answer(answer: &Bytes, name: &str) -> Bytes {
    renamed(answer, name).unwrap_or_else(|| answer.clone())
}

/// One whole event of a stream, likewise. Events that are no JSON pass as they are.
pub fn in_event(event: &Bytes, name: &str) -> Bytes {
    if memchr::memmem::find(event, b"\"model").is_none() {
        return event.clone();
    }
    event_renamed(event, name).unwrap_or_else(|| event.clone())
}

fn event_renamed(event: &Bytes, name: &str) -> Option<Bytes> {
    let mut lines = data_lines(event);
    let (from, until) = lines.next()?;
    if lines.next().is_none() {
        let changed = renamed(&event.slice(from..until), name)?;
        return Some([&event[..from], &changed, &event[until..]].concat().into());
    }
    // JSON over several lines: its breaks are blanks of JSON, so they may become lines again.
    let whole: Vec<&[u8]> = data_lines(event)
        .map(|(from, until)| &event[from..until])
        .collect();
    let changed = renamed(&whole.join(&b'\n').into(), name)?;
    let (first, _) = data_lines(event).next()?;
    let (_, last) = data_lines(event).last()?;
    let mut out = event[..first].to_vec();
    for (at, line) in changed.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\ndata: ");
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(&event[last..]);
    Some(out.into())
}

/// Where the values of an event's `data:` lines stand.
fn data_lines(event: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < event.len() {
            let rest = &event[at..];
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest[..length]
                .strip_suffix(b"\r")
                .unwrap_or(&rest[..length]);
            let begin = at;
            at += length + 1;
            if let Some(value) = line.strip_prefix(b"data:") {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                let until = begin + line.len();
                return Some((until - value.len(), until));
            }
        }
        None
    })
}

/// JSON with the name changed at its top or in one of [`HOLDERS`]; `None` where there is none.
fn renamed(text: &Bytes, name: &str) -> Option<Bytes> {
    let names = [FIELD, GOOGLES, HOLDERS[0], HOLDERS[1]];
    let [own, googles, message, response] = json::fields(text, names).ok()?;
    let json = serde_json::to_string(name).ok()?;
    let is_text = |old: &&serde_json::value::RawValue| old.get().starts_with('"');
    if let Some(old) = own.filter(is_text).or(googles.filter(is_text)) {
        let edit = Edit::replace(json::span(text, old), json);
        return Some(json::apply(text, vec![edit]));
    }
    let holders = [message, response].into_iter().flatten();
    let inner = holders
        .filter(|holder| holder.get().starts_with('{'))
        .find_map(|holder| {
            let [inner] = json::fields(holder.get().as_bytes(), [FIELD]).ok()?;
            inner.filter(is_text)
        });
    inner.map(|old| {
        let edit = Edit::replace(json::span(text, old), json);
        json::apply(text, vec![edit])
    })
}

#[cfg(test)]
mod tests;
