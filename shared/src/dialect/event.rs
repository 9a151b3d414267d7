//! What one server-sent event says (WHATWG HTML, 9.2.6). Knows nothing of what its data mean.

use std::borrow::Cow;

/// The mark that some put before their first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    /// What stands behind `data:`; several lines are one text.
    pub(crate) data: Cow<'a, [u8]>,
    /// Where the data begin in the event, unless they stand on several lines.
    pub(crate) at: Option<usize>,
    /// Whether `event:` says `error`.
    pub(crate) is_error: bool,
    /// Bytes of a mark before the first line, which clients would take for a part of it.
    pub(crate) marked: usize,
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Reads one whole event.
pub(crate) fn said(event: &[u8]) -> Said<'_> {
    let marked = if event.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut said = Said {
        data: Cow::Borrowed(&[]),
        at: None,
        is_error: false,
        marked,
    };
    let mut lines = 0_u32;
    let mut at = marked;
    while let Some(rest) = event.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        if let Some(value) = line.strip_prefix(b"data:") {
            lines += 1;
            if lines == 1 {
                let text = value.trim_ascii();
                said.at = Some(at + line.len() - value.trim_ascii_start().len());
                said.data = Cow::Borrowed(text);
            } else {
                let joined = said.data.to_mut();
                joined.push(b'\n');
                joined.extend_from_slice(value.trim_ascii());
                said.at = None;
            }
        } else if let Some(name) = line.strip_prefix(b"event:") {
            said.is_error = name.trim_ascii() == b"error";
        }
        let next = rest[end..].iter().position(|byte| !is_end(*byte));
        at += end + next.unwrap_or(rest.len() - end);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_in_every_form_of_lines() {
        for (event, data, is_error) in [
            ("data: {\"a\":1}\n\n", "{\"a\":1}", false),
            ("data:x\r\n\r\n", "x", false),
            ("data:  x  \r\r", "x", false),
            ("event: message\ndata: x\nid: 7\n\n", "x", false),
            ("event: error\r\ndata: x\r\n\r\n", "x", true),
            ("data: x\nevent:error\n\n", "x", true),
            (
                "data: {\ndata: \"a\":1\ndata: }\n\n",
                "{\n\"a\":1\n}",
                false,
            ),
            (": comment\n\n", "", false),
            ("\n\n", "", false),
            ("\u{feff}data: x\n\n", "x", false),
            ("data", "", false),
        ] {
            let said = said(event.as_bytes());
            assert_eq!(&*said.data, data.as_bytes(), "{event:?}");
            assert_eq!(said.is_error, is_error, "{event:?}");
            if let Some(at) = said.at {
                assert!(event.as_bytes()[at..].starts_with(&said.data), "{event:?}");
            }
        }
        assert_eq!(said("\u{feff}data: x\n\n".as_bytes()).marked, 3);
    }
}
