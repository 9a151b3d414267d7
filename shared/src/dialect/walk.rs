//! Walks over JSON text in one pass without making values of it: what is not asked for is stepped over.
//! Bounded in depth; says `None` where the text is no JSON, and checks no more than it must.

use std::borrow::Cow;

/// Deeper than any provider nests; what lies below is stepped over and not looked into.
const DEPTH_MAX: u32 = 32;
/// Bytes of a text that are looked at one by one.
const NEAR_BYTES: usize = 16;
/// Bytes that end a number or a word.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let signs = b",:}]{[\" \t\n\r";
    let mut at = 0;
    while at < signs.len() {
        ends[signs[at] as usize] = true;
        at += 1;
    }
    ends
};

/// A place in a JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
        }
    }

    /// The first byte of what comes next.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// The place of what comes next.
    pub(crate) fn place(&mut self) -> usize {
        self.peek();
        self.at
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// A text as it is written between its quotes.
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        self.eat(b'"')?;
        let from = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let is_sign = |byte: &u8| matches!(byte, b'"' | b'\\');
            // Names and most texts are shorter than what a search of many bytes at once takes to begin.
            let near = rest.iter().take(NEAR_BYTES).position(is_sign);
            self.at += if let Some(place) = near {
                place
            } else {
                let far = rest.get(NEAR_BYTES..)?;
                NEAR_BYTES + memchr::memchr2(b'"', b'\\', far)?
            };
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return self.bytes.get(from..self.at - 1);
            }
            self.at += 2;
        }
    }

    /// Any value as it is written.
    pub(crate) fn value(&mut self) -> Option<&'a [u8]> {
        let from = self.place();
        let mut open = 0_u32;
        loop {
            match self.peek()? {
                b'"' => drop(self.text()?),
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if open > 0 => self.at += 1,
                b',' | b':' => return None,
                _ => self.word(),
            }
            if open == 0 {
                return self.bytes.get(from..self.at);
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| ENDS[usize::from(*byte)]);
        self.at += end.unwrap_or(rest.len());
    }

    /// Steps into an object: `each` is given every key as it is written and must step over its value.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        if self.depth >= DEPTH_MAX {
            return self.value().map(drop);
        }
        self.depth += 1;
        self.eat(b'{')?;
        if self.peek()? != b'}' {
            loop {
                let key = self.text()?;
                self.eat(b':')?;
                self.peek()?;
                each(self, key)?;
                match self.peek()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.depth -= 1;
        self.eat(b'}')
    }

    /// Steps into an array: `each` must step over one value.
    pub(crate) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.depth >= DEPTH_MAX {
            return self.value().map(drop);
        }
        self.depth += 1;
        self.eat(b'[')?;
        if self.peek()? != b']' {
            loop {
                each(self)?;
                match self.peek()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return None,
                }
                self.peek()?;
            }
        }
        self.depth -= 1;
        self.eat(b']')
    }
}

/// The text that `raw`, written between quotes, stands for; what can't be read stays as it is written.
pub(crate) fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    match serde_json::from_slice::<String>(&quoted) {
        Ok(text) => Cow::Owned(text.into_bytes()),
        Err(_) => Cow::Borrowed(raw),
    }
}

/// The same as a text; what is no UTF-8 is shown as such.
pub(crate) fn text_of(raw: &[u8]) -> Cow<'_, str> {
    match unescaped(raw) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

/// A count as providers write them: `12`, `12.0`, `1.2e1`, `"12"`. Fractions count up; what is below
/// nothing or is no number is nothing.
pub(crate) fn count(raw: &[u8]) -> u64 {
    let raw = raw.strip_prefix(b"\"").unwrap_or(raw);
    let raw = raw.strip_suffix(b"\"").unwrap_or(raw);
    let Ok(text) = std::str::from_utf8(raw.trim_ascii()) else {
        return 0;
    };
    text.parse().unwrap_or_else(|_| match text.parse::<f64>() {
        Ok(number) if number.is_finite() => rounded_up(number),
        Ok(_) | Err(_) => 0,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts from floats saturate, and what is below nothing becomes nothing"
)]
fn rounded_up(number: f64) -> u64 {
    number.ceil() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_are_read_in_every_form_and_round_up() {
        for (raw, counted) in [
            ("12", 12),
            ("12.0", 12),
            ("14417.92", 14_418),
            ("1.2e1", 12),
            ("\"12\"", 12),
            ("\" 7.5 \"", 8),
            ("-5", 0),
            ("-0.5", 0),
            ("null", 0),
            ("true", 0),
            ("{}", 0),
            ("\"NaN\"", 0),
            ("1e999", 0),
            ("99999999999999999999999", u64::MAX),
        ] {
            assert_eq!(count(raw.as_bytes()), counted, "{raw}");
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[\\PC\"\\\\]{0,8}".prop_map(Into::into),
            Just(serde_json::Value::Null),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map("[a-z\"\\\\]{0,3}", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn leaves(walk: &mut Walk<'_>) -> Option<usize> {
        let mut found = 0;
        match walk.peek()? {
            b'{' => walk.object(|walk, _| {
                found += leaves(walk)?;
                Some(())
            })?,
            b'[' => walk.array(|walk| {
                found += leaves(walk)?;
                Some(())
            })?,
            _ => {
                walk.value()?;
                found = 1;
            }
        }
        Some(found)
    }

    fn known(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Object(map) => map.values().map(known).sum(),
            serde_json::Value::Array(list) => list.iter().map(known).sum(),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => 1,
        }
    }

    proptest! {
        #[test]
        fn every_value_is_found_and_any_bytes_end(value in json(), noise in prop::collection::vec(any::<u8>(), 0..60)) {
            let text = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(leaves(&mut Walk::new(text.as_bytes())), Some(known(&value)));
            prop_assert_eq!(Walk::new(text.as_bytes()).value().map(<[u8]>::len), Some(text.len()));
            leaves(&mut Walk::new(&noise));
            Walk::new(&noise).value();
        }
    }

    #[test]
    fn what_is_nested_beyond_reason_is_stepped_over() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(leaves(&mut Walk::new(deep.as_bytes())), Some(0));
    }
}
