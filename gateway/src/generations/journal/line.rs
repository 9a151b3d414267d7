//! One line of the journal: a checksum, the generation, a word and what belongs to it as JSON. A line
//! that was torn or spoiled is passed over, and the next one is found. Opens no file.

use serde::{Deserialize, Serialize};
use shared::id::GenerationId;
use shared::link::{Failure, Outcome};

use super::super::register::End;

/// Bytes of a line at most: what a provider told of a fault is left out of longer ones.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// Digits of the checksum and the blank behind them.
const HEAD_BYTES: usize = 9;

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It was taken up.
    Begun,
    /// It runs; what had been taken of it by then, as the end it has if this life ends now.
    Came,
    /// It ended.
    Ended,
    /// A reader took the last byte of it.
    Took,
}

impl What {
    const ALL: [Self; 4] = [Self::Begun, Self::Came, Self::Ended, Self::Took];

    fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Came => "came",
            Self::Ended => "ended",
            Self::Took => "took",
        }
    }
}

/// How a generation ended, as it is written. The outcome says what of it was taken by then.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndNote {
    // As versions before wrote it.
    #[serde(rename = "print")]
    pub(super) fingerprint: u64,
    pub(super) whole: bool,
    pub(super) length: u64,
    #[serde(flatten)]
    pub(super) end: EndText,
}

/// As [`End`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndText {
    Outcome(Box<Outcome>),
    Failure(Failure),
}

impl EndText {
    /// Without the sentences that somebody else chose the length of.
    fn shorten(&mut self) {
        let fault = match self {
            Self::Outcome(outcome) => {
                outcome.failed.clear();
                outcome.fault.as_mut()
            }
            Self::Failure(failure) => {
                failure.failed.clear();
                failure.caller = None;
                Some(&mut failure.fault)
            }
        };
        if let Some(fault) = fault {
            fault.detail.clear();
        }
    }
}

impl From<&End> for EndText {
    fn from(end: &End) -> Self {
        match end {
            End::Outcome(outcome) => Self::Outcome(Box::new(outcome.as_ref().clone())),
            End::Failure(failure) => Self::Failure(failure.as_ref().clone()),
        }
    }
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let (mut crc, mut bit) = (byte, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}

/// CRC-32C (RFC 9260, appendix A).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ CRC_TABLE[usize::from(low ^ byte)]
    })
}

/// A checksum as it stands in front of a line.
fn digits(sum: u32) -> [u8; 8] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; 8];
    let mut rest = sum;
    for digit in digits.iter_mut().rev() {
        *digit = HEX[(rest & 15) as usize];
        rest >>= 4;
    }
    digits
}

/// A line without anything behind its word, or with JSON.
fn line(id: &GenerationId, what: What, json: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(HEAD_BYTES + id.as_str().len() + json.len() + 16);
    line.resize(HEAD_BYTES, b' ');
    line.extend_from_slice(id.as_str().as_bytes());
    line.push(b' ');
    line.extend_from_slice(what.word().as_bytes());
    if !json.is_empty() {
        line.push(b' ');
        line.extend_from_slice(json);
    }
    let sum = digits(checksum(&line[HEAD_BYTES..]));
    line[..sum.len()].copy_from_slice(&sum);
    line.push(b'\n');
    line
}

/// The line that says that a generation was taken up, or that all of it was taken.
pub(super) fn bare(id: &GenerationId, what: What) -> Vec<u8> {
    line(id, what, &[])
}

/// The line that says how a generation ended, or would if this life ended now.
pub(super) fn ended(id: &GenerationId, what: What, mut note: EndNote) -> Vec<u8> {
    let mut json = serde_json::to_vec(&note).unwrap_or_default();
    if json.len() > LINE_BYTES_MAX {
        note.end.shorten();
        json = serde_json::to_vec(&note).unwrap_or_default();
    }
    line(id, what, &json)
}

/// A line that is whole.
pub(super) struct Line<'a> {
    pub(super) id: &'a str,
    pub(super) what: What,
    json: &'a [u8],
}

impl Line<'_> {
    /// What an ending says; nothing when a later version wrote it.
    pub(super) fn end(&self) -> Option<EndNote> {
        serde_json::from_slice(self.json).ok()
    }
}

/// Reads a line without its line feed; nothing where it is not whole.
pub(super) fn read(line: &[u8]) -> Option<Line<'_>> {
    let (head, rest) = line.split_at_checked(HEAD_BYTES)?;
    if head.strip_suffix(b" ")? != digits(checksum(rest)) {
        return None;
    }
    let mut parts = rest.splitn(3, |byte| *byte == b' ');
    let id = std::str::from_utf8(parts.next()?).ok()?;
    let word = parts.next()?;
    let what = What::ALL
        .into_iter()
        .find(|what| what.word().as_bytes() == word)?;
    Some(Line {
        id,
        what,
        json: parts.next().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use shared::fault::{Fault, FaultKind};

    use super::super::super::failure;
    use super::*;

    fn note(detail: String) -> EndNote {
        let failed = failure(Fault::new(FaultKind::Overloaded, detail), 1);
        EndNote {
            fingerprint: u64::MAX,
            whole: true,
            length: 7,
            end: EndText::from(&End::Failure(Arc::new(failed))),
        }
    }

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn what_somebody_else_wrote_at_length_is_left_out() {
        let id = GenerationId::random();
        let long = ended(&id, What::Ended, note("x".repeat(LINE_BYTES_MAX)));
        assert!(long.len() < 1_000, "{}", long.len());
        let read = read(&long[..long.len() - 1]).expect("whole");
        assert_eq!((read.id, read.what), (id.as_str(), What::Ended));
        let end = read.end().expect("an end");
        assert_eq!((end.fingerprint, end.length), (u64::MAX, 7));
        assert!(matches!(end.end, EndText::Failure(failure) if failure.fault.detail.is_empty()));
    }

    #[test]
    fn the_fingerprint_stands_under_the_word_that_versions_before_wrote() {
        let written = serde_json::to_value(note(String::new())).expect("JSON");
        assert_eq!(written["print"], u64::MAX);
        assert_eq!(written.get("fingerprint"), None);
    }

    proptest! {
        #[test]
        fn a_line_that_was_spoiled_anywhere_is_not_read(
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
            cut in any::<prop::sample::Index>(),
        ) {
            let id = GenerationId::random();
            for whole in [bare(&id, What::Begun), bare(&id, What::Took), ended(&id, What::Came, note("why \" \n".to_owned()))] {
                let whole = &whole[..whole.len() - 1];
                prop_assert!(!whole.contains(&b'\n'), "one line");
                prop_assert!(read(whole).is_some_and(|line| line.id == id.as_str()));
                let mut spoiled = whole.to_vec();
                spoiled[at.index(whole.len())] ^= flip;
                prop_assert!(read(&spoiled).is_none(), "spoiled");
                prop_assert!(read(&whole[..cut.index(whole.len())]).is_none(), "torn");
            }
        }
    }
}
