//! Frames of Amazon's event streams (`application/vnd.amazon.eventstream`): a length, headers, a payload
//! and two sums of them, read in any split of the bytes; and a frame as the text event that the dialect
//! reads. Keeps at most one unfinished frame, bounded before it grows.

use bytes::{Buf, BytesMut};
use flate2::Crc;
use serde::{Deserialize, Serialize};

/// The two lengths and their sum.
const PRELUDE: usize = 12;
/// The sum behind all.
const SUM: usize = 4;
/// Amazon's own bounds: 16 MiB of payload and 128 KiB of headers.
const HEADERS_MAX: usize = 128 * 1024;
const FRAME_MAX: usize = 16 * 1024 * 1024 + HEADERS_MAX + PRELUDE + SUM;
/// A buffer that grew for one large frame is not kept for small ones.
const KEPT_FREE: usize = 64 * 1024;
/// Names of events and exceptions are short words.
const WORD_MAX: usize = 100;

/// What is wrong with a stream of frames; nothing behind it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    /// A length is beyond reason.
    #[error("a frame tells a length that none has")]
    Length,
    /// Bytes were lost or changed.
    #[error("a frame's sum does not fit its bytes")]
    Sum,
    /// The headers can't be read.
    #[error("a frame's headers can't be read")]
    Headers,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What it is.
    pub(crate) kind: FrameKind,
    /// The type of the event or of the exception, or the code of the error.
    pub(crate) name: &'a str,
    /// What an error says, which has no payload.
    pub(crate) message: &'a str,
    /// JSON, as a rule.
    pub(crate) payload: &'a [u8],
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A part of the answer.
    Event,
    /// An error that the service's model knows.
    Exception,
    /// Any other error.
    Error,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    kept: BytesMut,
    broken: Option<BadFrame>,
}

impl Frames {
    /// Adds `bytes` and gives every frame that is whole now to `each`. After an error there is none.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Frame<'_>),
    ) -> Result<(), BadFrame> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let read = if self.kept.is_empty() {
            // Most frames come whole, and are not copied.
            all(bytes, &mut each).map(|used| self.kept.extend_from_slice(&bytes[used..]))
        } else {
            self.kept.extend_from_slice(bytes);
            all(&self.kept, &mut each).map(|used| self.kept.advance(used))
        };
        if let Err(broken) = read {
            self.broken = Some(broken);
            self.kept = BytesMut::new();
        }
        if self.kept.is_empty() && self.kept.capacity() > KEPT_FREE {
            self.kept = BytesMut::new();
        }
        read
    }

    /// Whether the bytes so far end with a whole frame.
    pub(crate) fn is_between(&self) -> bool {
        self.kept.is_empty() && self.broken.is_none()
    }
}

/// Reads the whole frames that `bytes` begin with; answers how many bytes they are.
fn all(bytes: &[u8], each: &mut impl FnMut(Frame<'_>)) -> Result<usize, BadFrame> {
    let mut used = 0;
    while let Some(frame) = first(&bytes[used..])? {
        each(parse(frame)?);
        used += frame.len();
    }
    Ok(used)
}

fn number(bytes: &[u8]) -> Option<u32> {
    let four = bytes.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*four))
}

fn length(bytes: &[u8]) -> Option<usize> {
    usize::try_from(number(bytes)?).ok()
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// The first frame, when it is whole. Its lengths are checked as soon as they are there, so that nothing
/// is waited for that can't come.
fn first(bytes: &[u8]) -> Result<Option<&[u8]>, BadFrame> {
    let Some(prelude) = bytes.get(..PRELUDE) else {
        return Ok(None);
    };
    if number(&prelude[8..]) != Some(sum(&prelude[..8])) {
        return Err(BadFrame::Sum);
    }
    let (Some(total), Some(headers)) = (length(prelude), length(&prelude[4..])) else {
        return Err(BadFrame::Length);
    };
    if total > FRAME_MAX || headers > HEADERS_MAX || total < PRELUDE + headers + SUM {
        return Err(BadFrame::Length);
    }
    Ok(bytes.get(..total))
}

/// Reads one whole frame.
fn parse(frame: &[u8]) -> Result<Frame<'_>, BadFrame> {
    let (body, told) = frame
        .split_at_checked(frame.len() - SUM)
        .ok_or(BadFrame::Length)?;
    if number(told) != Some(sum(body)) {
        return Err(BadFrame::Sum);
    }
    let headers = length(&body[4..]).ok_or(BadFrame::Length)?;
    let (headers, payload) = body[PRELUDE..]
        .split_at_checked(headers)
        .ok_or(BadFrame::Length)?;
    let told = Headers::read(headers).ok_or(BadFrame::Headers)?;
    let (kind, name) = match told.message_type {
        "event" => (FrameKind::Event, told.event_type),
        "exception" => (FrameKind::Exception, told.exception_type),
        "error" => (FrameKind::Error, told.error_code),
        _ => return Err(BadFrame::Headers),
    };
    Ok(Frame {
        kind,
        name,
        message: told.error_message,
        payload,
    })
}

/// The headers that matter; empty where they are not there.
#[derive(Debug, Default)]
struct Headers<'a> {
    message_type: &'a str,
    event_type: &'a str,
    exception_type: &'a str,
    error_code: &'a str,
    error_message: &'a str,
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while let Some((length, rest)) = bytes.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (value, rest) = value(*kind, rest)?;
            bytes = rest;
            let place = match name {
                b":message-type" => &mut headers.message_type,
                b":event-type" => &mut headers.event_type,
                b":exception-type" => &mut headers.exception_type,
                b":error-code" => &mut headers.error_code,
                b":error-message" => &mut headers.error_message,
                _ => continue,
            };
            *place = value?;
        }
        Some(headers)
    }
}

/// A header's value, which is a text or of no interest, and what stands behind it.
fn value(kind: u8, bytes: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let size = match kind {
        // True and false.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A number of eight bytes, or a moment.
        5 | 8 => 8,
        9 => 16,
        // Bytes, or a text.
        6 | 7 => {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let text = (kind == 7).then(|| std::str::from_utf8(text)).transpose();
            return Some((text.ok()?, rest));
        }
        _ => return None,
    };
    let (_, rest) = bytes.split_at_checked(size)?;
    Some((None, rest))
}

/// An exception's payload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    message: Option<String>,
    #[serde(rename = "Message")]
    capital: Option<String>,
    /// What the model's own server said.
    #[serde(rename = "originalMessage")]
    original: Option<String>,
}

/// An exception as the dialect reads it.
#[derive(Debug, Serialize)]
struct Failure<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
}

/// Writes a frame down as a text event, behind `to`: `event: <type>` and its payload as `data`, or for an
/// exception `event: error` with its type and message.
pub(crate) fn write_event(frame: Frame<'_>, to: &mut Vec<u8>) {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_word = (1..=WORD_MAX).contains(&frame.name.len()) && frame.name.bytes().all(is_sign);
    let name = if is_word { frame.name } else { "unknown" };
    if frame.kind == FrameKind::Event {
        to.extend_from_slice(b"event: ");
        to.extend_from_slice(name.as_bytes());
        to.extend_from_slice(b"\ndata: ");
        let payload = match frame.payload.trim_ascii() {
            b"" => b"{}",
            payload => payload,
        };
        // Ends of lines stand between the parts of JSON alone, and would end the event here.
        let plain = |byte: &u8| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                *byte
            }
        };
        to.extend(payload.iter().map(plain));
        to.extend_from_slice(b"\n\n");
        return;
    }
    let told: Told = serde_json::from_slice(frame.payload).unwrap_or_default();
    let texts = [told.message, told.capital, told.original];
    let message = texts.into_iter().flatten().find(|text| !text.is_empty());
    let failure = Failure {
        kind: name,
        message: message.as_deref().unwrap_or(frame.message),
    };
    to.extend_from_slice(b"event: error\ndata: ");
    // Texts alone always can be written.
    to.extend_from_slice(&serde_json::to_vec(&failure).unwrap_or_default());
    to.extend_from_slice(b"\n\n");
}

#[cfg(test)]
pub(super) mod tests;
