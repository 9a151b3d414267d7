//! Names as readers that ignore case see them: Go's JSON takes `"Model"`, and even `"ſtream"`, for the
//! field in small letters.

use super::walk::unescaped;

/// No field that matters has a longer name.
const NAME_MAX: usize = 40;

/// A name in small letters; empty where it is longer than any that matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folded {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Folded {
    /// Of a name as it is written between its quotes.
    pub(crate) fn of(raw: &[u8]) -> Self {
        Self::of_name(&unescaped(raw))
    }

    /// Of a name as it is meant.
    pub(crate) fn of_name(name: &[u8]) -> Self {
        let mut folded = Self {
            bytes: [0; NAME_MAX],
            len: 0,
        };
        let mut rest = name;
        while let Some(byte) = rest.first() {
            // The two letters beyond ASCII that fold into it: long s and the kelvin sign.
            let (small, length) = match rest {
                [0xc5, 0xbf, ..] => (b's', 2),
                [0xe2, 0x84, 0xaa, ..] => (b'k', 3),
                _ => (byte.to_ascii_lowercase(), 1),
            };
            let Some(place) = folded.bytes.get_mut(folded.len) else {
                folded.len = 0;
                return folded;
            };
            *place = small;
            folded.len += 1;
            rest = &rest[length..];
        }
        folded
    }

    pub(crate) fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_name_is_the_same_name() {
        for raw in [
            "tasks",
            "Tasks",
            "TASK\u{17f}",
            "ta\u{17f}\u{212a}s",
            r"t\u0061sks",
            r"TASK\u017f",
        ] {
            assert_eq!(Folded::of(raw.as_bytes()).get(), b"tasks", "{raw}");
        }
        assert_eq!(Folded::of(&[b'a'; 41]).get(), b"");
        assert_eq!(Folded::of("模型".as_bytes()).get(), "模型".as_bytes());
    }
}
