//! The name that an answer gives its model, where an operator wants it to be the public one: official
//! clients compare it with what they asked for. Pure; changes the span of the name and nothing else.

use bytes::Bytes;

use crate::json::{self, Edit};

/// Where a name stands in answers, one level down: Anthropic's first event, and OpenAI's responses.
const HOLDERS: [&str; 2] = ["message", "response"];
const FIELD: &str = "model";

/// A whole JSON answer with `name` as its model's; unchanged where it names none.
pub fn in_answer(answer: &Bytes, name: &str) -> Bytes {
    renamed(answer, name).unwrap_or_else(|| answer.clone())
}

/// One whole event of a stream, likewise. Events that are no JSON pass as they are.
pub fn in_event(event: &Bytes, name: &str) -> Bytes {
    if memchr::memmem::find(event, b"\"model\"").is_none() {
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
    let [own, message, response] = json::fields(text, [FIELD, HOLDERS[0], HOLDERS[1]]).ok()?;
    let json = serde_json::to_string(name).ok()?;
    let is_text = |old: &&serde_json::value::RawValue| old.get().starts_with('"');
    if let Some(old) = own.filter(is_text) {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(text: &str) -> String {
        let changed = in_event(&Bytes::copy_from_slice(text.as_bytes()), "our/name");
        String::from_utf8(changed.to_vec()).expect("UTF-8")
    }

    #[test]
    fn each_event_names_the_public_model_and_keeps_every_other_byte() {
        for (from, to) in [
            (
                "data: {\"id\":\"x\",\"model\": \"gpt-4o-2024\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"model\\\"\"}}]}\n\n",
                "data: {\"id\":\"x\",\"model\": \"our/name\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"model\\\"\"}}]}\n\n",
            ),
            (
                "data:{\"model\":\"a\"}\r\n\r\n",
                "data:{\"model\":\"our/name\"}\r\n\r\n",
            ),
            (
                ": note\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\"}}\n\n",
                ": note\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"our/name\"}}\n\n",
            ),
            (
                "data: {\"response\":{\"model\":\"c\"},\"a\":1}\n\n",
                "data: {\"response\":{\"model\":\"our/name\"},\"a\":1}\n\n",
            ),
            (
                "id: 1\ndata: {\"a\":1,\ndata: \"model\":\ndata:\"x\"}\nretry: 3\n\n",
                "id: 1\ndata: {\"a\":1,\ndata: \"model\":\ndata: \"our/name\"}\nretry: 3\n\n",
            ),
        ] {
            assert_eq!(event(from), to);
        }
    }

    #[test]
    fn what_names_no_model_passes_as_it_is() {
        for text in [
            "data: [DONE]\n\n",
            ": keep-alive \"model\"\n\n",
            "data: {\"model\":null}\n\n",
            "data: {\"model\":7}\n\n",
            "data: {\"message\":\"model\"}\n\n",
            "data: {\"message\":{\"model\":{}}}\n\n",
            "data: {\"model\":\"cut",
            "data: {\"choices\":[{\"model\":\"inner\"}]}\n\n",
            "",
        ] {
            assert_eq!(event(text), text);
        }
        let shared = Bytes::from_static(b"data: {\"a\":1}\n\n");
        assert_eq!(
            in_event(&shared, "n").as_ptr(),
            shared.as_ptr(),
            "nothing is copied"
        );
    }

    #[test]
    fn a_whole_answer_names_the_public_model() {
        let answer = Bytes::from_static(
            b"\n\n{\"object\":\"list\",\"data\":[],\"model\":\"text-embedding-3-small\"}",
        );
        let expected: &[u8] = b"\n\n{\"object\":\"list\",\"data\":[],\"model\":\"a\\\"b\"}";
        assert_eq!(in_answer(&answer, "a\"b"), expected);
        let images = Bytes::from_static(b"{\"created\":1,\"data\":[]}");
        assert_eq!(in_answer(&images, "n"), images);
    }

    proptest! {
        #[test]
        fn any_bytes_pass_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = Bytes::from(bytes);
            in_event(&bytes, "n");
            let with = Bytes::from([b"data: {\"model\":\"m\",".as_slice(), &bytes].concat());
            in_event(&with, "n");
            in_answer(&with, "n");
        }
    }
}
