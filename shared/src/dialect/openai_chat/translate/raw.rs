//! JSON looked into where it stands: a value is its bytes until something in it is asked for, and what is
//! not of the type that is asked for is not there. Bodies hold pictures, so nothing is copied before it is
//! wanted.

use std::borrow::Cow;

use crate::dialect::walk::{Walk, unescaped};

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    pub(super) fn new(json: &'a [u8]) -> Self {
        Self(json.trim_ascii())
    }

    /// As it is written; empty where it is no UTF-8.
    pub(super) fn json(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }

    fn begins(self, byte: u8) -> bool {
        self.0.first() == Some(&byte)
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == b"null"
    }

    pub(super) fn is_text(self) -> bool {
        self.begins(b'"')
    }

    pub(super) fn is_list(self) -> bool {
        self.begins(b'[')
    }

    pub(super) fn is_object(self) -> bool {
        self.begins(b'{')
    }

    /// Whether it says as much as a field that is not there.
    pub(super) fn is_nothing(self) -> bool {
        let is_empty = |open, close| {
            let inside = self.0.strip_prefix(open);
            let inside = inside.and_then(|rest| rest.strip_suffix(close));
            inside.is_some_and(|inside| inside.trim_ascii().is_empty())
        };
        matches!(self.0, b"null" | b"false" | b"0" | b"\"\"")
            || is_empty(b"[", b"]")
            || is_empty(b"{", b"}")
    }

    /// A text, where it is one.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let inside = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(match memchr::memchr(b'\\', inside) {
            None => String::from_utf8_lossy(inside),
            Some(at) => Cow::Owned(plain(inside, at)),
        })
    }

    /// A text that says something.
    pub(super) fn words(self) -> Option<Cow<'a, str>> {
        self.text().filter(|text| !text.is_empty())
    }

    pub(super) fn flag(self) -> Option<bool> {
        match self.0 {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// A number, as that type reads it.
    pub(super) fn number<T: std::str::FromStr>(self) -> Option<T> {
        let is_number = matches!(self.0.first(), Some(b'-' | b'0'..=b'9'));
        is_number.then(|| self.json().parse().ok()).flatten()
    }

    /// Each entry of a list until one is wrong; none where it is no list.
    pub(super) fn try_each<E>(
        self,
        mut each: impl FnMut(usize, Raw<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut at, mut wrong) = (0, None);
        if self.is_list() {
            Walk::new(self.0).array(|walk| {
                let entry = Raw(walk.value()?);
                wrong = each(at, entry).err();
                at += 1;
                wrong.is_none().then_some(())
            });
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Each entry of a list; none where it is no list.
    pub(super) fn each(self, mut each: impl FnMut(Raw<'a>)) {
        if self.is_list() {
            Walk::new(self.0).array(|walk| {
                each(Raw(walk.value()?));
                Some(())
            });
        }
    }

    /// The fields of these names; those that are null are not there, and of two of one name the last is.
    pub(super) fn pick<const N: usize>(self, names: [&str; N]) -> [Option<Raw<'a>>; N] {
        let mut found = [None; N];
        if self.is_object() {
            found_in(&mut Walk::new(self.0), &names, &mut found);
        }
        found
    }

    /// The field of this name.
    pub(super) fn get(self, name: &str) -> Option<Raw<'a>> {
        self.pick([name])[0]
    }
}

/// Puts the fields of the object that comes next into their places; `None` where it is no JSON, and then
/// what was found before is there.
fn found_in<'a>(walk: &mut Walk<'a>, names: &[&str], found: &mut [Option<Raw<'a>>]) -> Option<()> {
    walk.object(|walk, name| {
        let value = Raw(walk.value()?);
        let is = |name: &[u8]| names.iter().position(|known| known.as_bytes() == name);
        // A name with escapes is seldom; looking for them costs more than looking for the name.
        let place = is(name).or_else(|| {
            name.contains(&b'\\')
                .then(|| is(&unescaped(name)))
                .flatten()
        });
        if let Some(place) = place.and_then(|place| found.get_mut(place)) {
            *place = (!value.is_null()).then_some(value);
        }
        Some(())
    })
}

/// The same of each object of the list `name` in the object `json`, without a look at anything twice: for
/// what passes by often.
pub(super) fn pick_each<'a, const N: usize>(
    json: &'a [u8],
    name: &str,
    names: [&str; N],
    mut each: impl FnMut([Option<Raw<'a>>; N]),
) {
    Walk::new(json).object(|walk, known| {
        if known != name.as_bytes() || walk.peek()? != b'[' {
            return walk.value().map(drop);
        }
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                return walk.value().map(drop);
            }
            let mut found = [None; N];
            let read = found_in(walk, &names, &mut found);
            each(found);
            read
        })
    });
}

/// The text that `raw` stands for, whose first escape is at `first`. Halves of characters, which clients
/// make who cut texts, become the mark for what can't be read: the rest of the text is worth more.
fn plain(raw: &[u8], first: usize) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = first;
    bytes.extend_from_slice(&raw[..first]);
    while at < raw.len() {
        // At a backslash.
        let escape = raw.get(at + 1).copied();
        at += 2;
        match escape {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'b') => bytes.push(8),
            Some(b'f') => bytes.push(12),
            Some(b'u') => {
                let (char, length) = unicode(raw.get(at..).unwrap_or_default());
                at += length;
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(other) => bytes.push(other),
            None => {}
        }
        let rest = raw.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        bytes.extend_from_slice(&rest[..length]);
        at += length;
    }
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(wrong) => String::from_utf8_lossy(wrong.as_bytes()).into_owned(),
    }
}

/// The character behind `\u`, and how many bytes it takes.
fn unicode(rest: &[u8]) -> (char, usize) {
    let hex = |from: usize| {
        let digits = rest.get(from..from + 4)?;
        let digits = std::str::from_utf8(digits).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = hex(0) else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    if !(0xd800..0xdc00).contains(&first) {
        return (
            char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
            4,
        );
    }
    let second = hex(6).filter(|_| rest[4..].starts_with(b"\\u"));
    match second {
        Some(second) if (0xdc00..0xe000).contains(&second) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                10,
            )
        }
        _ => (char::REPLACEMENT_CHARACTER, 4),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(json: &str) -> Option<String> {
        Raw::new(json.as_bytes()).text().map(Cow::into_owned)
    }

    #[test]
    fn texts_are_read_with_every_escape_and_half_characters_do_no_harm() {
        for (json, plain) in [
            (r#""""#, ""),
            (r#""a\n\t\r\b\f\/\\\"z""#, "a\n\t\r\u{8}\u{c}/\\\"z"),
            (r#""\u6c49 \ud83d\ude00 \u0000""#, "汉 😀 \0"),
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ude00b\ud83d\n""#, "\u{fffd}b\u{fffd}\n"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\u12""#, "\u{fffd}12"),
        ] {
            assert_eq!(text(json).as_deref(), Some(plain), "{json}");
        }
        assert_eq!(text("7"), None);
        assert!(matches!(
            Raw::new(b"\"plain\"").text(),
            Some(Cow::Borrowed(_))
        ));
    }

    #[test]
    fn what_is_asked_for_is_found_and_what_is_of_another_type_is_not_there() {
        let json = Raw::new(br#" {"a":null,"b":[1,"x",{}],"\u0063":7.5,"d":-3,"d":4} "#);
        let [null, list, float, twice, none] = json.pick(["a", "b", "c", "d", "e"]);
        assert_eq!((null, none), (None, None));
        assert_eq!(float.and_then(Raw::number::<f64>), Some(7.5));
        assert_eq!(twice.and_then(Raw::number::<u64>), Some(4));
        assert_eq!(float.and_then(Raw::number::<u64>), None);
        let mut entries = Vec::new();
        list.expect("there")
            .each(|entry| entries.push(entry.json()));
        assert_eq!(entries, ["1", "\"x\"", "{}"]);
        let stopped = list
            .expect("there")
            .try_each(|at, _| if at == 1 { Err(at) } else { Ok(()) });
        assert_eq!(stopped, Err(1));
        assert_eq!(json.get("b").and_then(Raw::text), None);
        for nothing in ["null", "false", "0", "\"\"", "[ ]", "{ }"] {
            assert!(Raw::new(nothing.as_bytes()).is_nothing(), "{nothing}");
        }
        assert!(!Raw::new(b"1").is_nothing());
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_any_bytes_end(said in any::<String>(), noise in prop::collection::vec(any::<u8>(), 0..60)) {
            let json = serde_json::to_string(&said).expect("JSON");
            prop_assert_eq!(text(&json), Some(said));
            let raw = Raw::new(&noise);
            raw.text();
            raw.each(|_| ());
            raw.get("a");
            pick_each(&noise, "a", ["b"], |_| ());
            let quoted = [b"\"\\".as_slice(), &noise, b"\""].concat();
            Raw::new(&quoted).text();
        }
    }
}
