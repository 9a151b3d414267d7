//! How many tokens a text is about, where nobody tells. Knows no tokenizer: what it says is an estimate
//! within a factor of two for prose of any script, and grows with the text.

/// Quarters of a token in a text. Four bytes of English are about a token (OpenAI, "What are tokens");
/// a letter of two bytes (Cyrillic, Arabic, Greek) is about half of one, an ideograph or a kana one, and
/// a character beyond the basic plane (most emoji) two.
const ASCII: u8 = 1;
const TWO_BYTES: u8 = 2;
const THREE_BYTES: u8 = 4;
const FOUR_BYTES: u8 = 8;

/// The weight by the first byte of each character; bytes that follow in one weigh nothing.
const WEIGHTS: [u8; 256] = {
    let mut weights = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        weights[byte] = match byte {
            0x00..=0x7f => ASCII,
            0xc0..=0xdf => TWO_BYTES,
            0xe0..=0xef => THREE_BYTES,
            0xf0..=0xff => FOUR_BYTES,
            _ => 0,
        };
        byte += 1;
    }
    weights
};

fn plain(text: &[u8]) -> u64 {
    // Most texts are ASCII for long stretches, which is seen sixteen bytes at a time.
    let parts = text.chunks(64).map(|part| {
        if part.is_ascii() {
            return u64::try_from(part.len()).unwrap_or(0) * u64::from(ASCII);
        }
        let weights = part.iter().map(|byte| WEIGHTS[usize::from(*byte)]);
        weights.map(u64::from).sum()
    });
    parts.sum()
}

/// Quarters of a token in a text as JSON writes it between quotes: an escape weighs what it stands for.
pub(crate) fn quarters(raw: &[u8]) -> u64 {
    let mut rest = raw;
    let mut sum = 0;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        sum += plain(&rest[..at]);
        let (weight, length) = match rest.get(at + 1) {
            Some(b'u') => (coded(rest.get(at + 2..at + 6)), 6),
            _ => (ASCII, 2),
        };
        sum += u64::from(weight);
        rest = rest.get(at + length..).unwrap_or_default();
    }
    sum + plain(rest)
}

/// The weight of `\uXXXX`; each half of a pair weighs half of it.
fn coded(hex: Option<&[u8]>) -> u8 {
    let code = hex
        .and_then(|hex| std::str::from_utf8(hex).ok())
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match code {
        Some(0..=0x7f) | None => ASCII,
        Some(0x80..=0x7ff) => TWO_BYTES,
        Some(0xd800..=0xdfff) => FOUR_BYTES / 2,
        Some(_) => THREE_BYTES,
    }
}

/// Whole tokens of that many quarters.
pub(crate) fn tokens(quarters: u64) -> u64 {
    quarters.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn estimate(raw: &str) -> u64 {
        tokens(quarters(raw.as_bytes()))
    }

    #[test]
    fn a_text_weighs_what_it_says_and_not_how_it_is_written() {
        assert_eq!(estimate(&"abcd".repeat(1_000)), 1_000);
        assert_eq!(estimate("你好世界"), 4);
        assert_eq!(estimate(r"\u4f60\u597d\u4e16\u754c"), 4);
        assert_eq!(estimate("привет"), 3);
        assert_eq!(estimate(r"\n\n\n\n"), 1);
        assert_eq!((estimate("😀"), estimate(r"\ud83d\ude00")), (2, 2));
        // Half of a pair, cut off by an event's end, and an escape that is none.
        assert_eq!(
            (estimate(r"\ud83d"), estimate(r"\u12"), estimate("\\")),
            (1, 1, 1)
        );
    }

    proptest! {
        #[test]
        fn writing_a_text_as_escapes_changes_nothing(text in "\\PC{0,40}") {
            let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let escaped = units.concat();
            prop_assume!(!text.contains('\\'));
            prop_assert_eq!(quarters(text.as_bytes()), quarters(escaped.as_bytes()));
        }

        #[test]
        fn any_bytes_weigh_something_finite(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(quarters(&bytes) <= 8 * bytes.len() as u64);
        }
    }
}
