//! Writes JSON straight into bytes: commas are put where they are due, and texts are escaped.

use std::fmt::Display;
use std::io::Write;

use crate::dialect::neutral::CacheMark;

/// JSON that is being written at the end of bytes. What is written in a wrong order is no JSON: whoever
/// writes knows the order.
pub(super) trait JsonOut {
    /// The bytes.
    fn bytes(&mut self) -> &mut Vec<u8>;

    /// The name of a field, which needs no escaping; its value comes next.
    fn key(&mut self, name: &str) -> &mut Self {
        self.apart();
        let bytes = self.bytes();
        bytes.push(b'"');
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b"\":");
        self
    }

    /// Puts a comma behind what stands before, where there is something.
    fn apart(&mut self) {
        if !matches!(self.bytes().last(), Some(b'{' | b'[' | b':') | None) {
            self.bytes().push(b',');
        }
    }

    /// `{` or `[`.
    fn open(&mut self, bracket: u8) -> &mut Self {
        self.apart();
        self.bytes().push(bracket);
        self
    }

    /// `}` or `]`.
    fn close(&mut self, bracket: u8) -> &mut Self {
        self.bytes().push(bracket);
        self
    }

    /// A text.
    fn text(&mut self, text: &str) -> &mut Self {
        self.apart();
        // Writing to bytes can't fail.
        let _ = serde_json::to_writer(self.bytes(), text);
        self
    }

    /// One text of these pieces, which are long and seldom hold what must be escaped.
    fn joined(&mut self, pieces: &[&str]) -> &mut Self {
        self.apart();
        self.bytes().push(b'"');
        for piece in pieces {
            let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
            if piece.as_bytes().iter().all(is_plain) {
                self.bytes().extend_from_slice(piece.as_bytes());
                continue;
            }
            let quoted = serde_json::to_string(piece).unwrap_or_default();
            let inside = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
            let inside = inside.unwrap_or_default();
            self.bytes().extend_from_slice(inside.as_bytes());
        }
        self.bytes().push(b'"');
        self
    }

    /// JSON as it is.
    fn raw(&mut self, json: &str) -> &mut Self {
        self.apart();
        self.bytes().extend_from_slice(json.as_bytes());
        self
    }

    /// A number or a flag.
    fn plain(&mut self, value: impl Display) -> &mut Self {
        self.apart();
        // Writing to bytes can't fail.
        let _ = write!(self.bytes(), "{value}");
        self
    }

    /// Where a provider's cache should end, as Anthropic writes it and OpenRouter takes it.
    fn cache(&mut self, mark: Option<CacheMark>) -> &mut Self {
        match mark {
            None => self,
            Some(CacheMark::Short) => self.key("cache_control").raw(r#"{"type":"ephemeral"}"#),
            Some(CacheMark::Long) => self
                .key("cache_control")
                .raw(r#"{"type":"ephemeral","ttl":"1h"}"#),
        }
    }
}

impl JsonOut for Vec<u8> {
    fn bytes(&mut self) -> &mut Vec<u8> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut out = Vec::new();
        out.open(b'{').key("a").text("x\n\"").key("b").open(b'[');
        out.plain(7).plain(true).text("").open(b'{').close(b'}');
        out.joined(&["data:", "a\"b\\", "\u{1}汉"]).close(b']');
        out.key("c").raw("null").cache(Some(CacheMark::Long));
        out.close(b'}');
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let expected = serde_json::json!({
            "a": "x\n\"", "b": [7, true, "", {}, "data:a\"b\\\u{1}汉"], "c": null,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        });
        assert_eq!(value, expected);
    }
}
