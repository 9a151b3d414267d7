//! Texts between JSON's quotes, out and in.

use std::borrow::Cow;

/// The text that `raw` stands for. What JSON does not allow (half a character, a bare line end) is read all
/// the same: a provider's answer is not lost for it.
pub(super) fn read(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    let text: Result<String, _> = serde_json::from_slice(&quoted);
    Cow::Owned(text.unwrap_or_else(|_| lenient(&String::from_utf8_lossy(raw))))
}

/// A value that is a text; `None` where it is none.
pub(super) fn of_value(value: &[u8]) -> Option<Cow<'_, str>> {
    let raw = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(read(raw))
}

/// The code unit of `\uXXXX` at the beginning of a text.
fn unit(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(hex, 16).ok()
}

fn lenient(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut units = [unit(rest).unwrap_or(0), 0];
        if unit(rest).is_some() {
            let second = rest.get(6..).and_then(unit);
            let is_pair = (0xd800..0xdc00).contains(&units[0])
                && second.is_some_and(|low| (0xdc00..0xe000).contains(&low));
            units[1] = second.unwrap_or(0);
            let length = if is_pair { 2 } else { 1 };
            let found = char::decode_utf16(units.into_iter().take(length));
            out.extend(found.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)));
            rest = rest.get(6 * length..).unwrap_or_default();
            continue;
        }
        let mut chars = rest[1..].chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// Writes a text with its quotes.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    // Writing to a Vec can't fail, and texts always can be written.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_costs_itself_and_no_more() {
        for (raw, text) in [
            ("plain é", "plain é"),
            (r"a\n\u4f60\ud83d\ude00\/", "a\n你😀/"),
            (r"a\ud83d", "a\u{fffd}"),
            (r"a\ud83d\n", "a\u{fffd}\n"),
            (r"\ude00\ud83db", "\u{fffd}\u{fffd}b"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\ude00\ud83d", "😀\u{fffd}"),
            ("a\nb\\t", "a\nb\t"),
            (r"\u12", "u12"),
            ("\\", ""),
        ] {
            assert_eq!(read(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(read(b"\xff\\n"), "\u{fffd}\n");
        let mut out = Vec::new();
        write(&mut out, "a\"\n你");
        assert_eq!(out, "\"a\\\"\\n你\"".as_bytes());
    }
}
