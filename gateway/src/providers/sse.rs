//! Server-sent events, read as they pass: finds the end of each event in any split of the bytes.
//! Keeps at most one unfinished event, bounded; changes no byte.

use bytes::{Buf, Bytes, BytesMut};

/// No provider sends an event near this; a larger one is a fault, not a reason to grow.
pub(crate) const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// An event was larger than [`EVENT_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventTooLarge;

/// Cuts a stream of bytes into whole events, each with its closing blank line.
#[derive(Debug, Default)]
pub(crate) struct Events {
    kept: BytesMut,
}

/// The place behind the first blank line: `\n\n`, `\r\n\r\n` or `\r\r` (WHATWG HTML, 9.2.5).
fn event_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &bytes[from..]).map(|at| at + from) {
        let next = line_end(bytes, at)?;
        match bytes.get(next)? {
            b'\n' | b'\r' => return line_end(bytes, next),
            _ => from = next,
        }
    }
    None
}

/// The place behind the line ending at `at`; `None` while a `\r` may still become `\r\n`.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\n', _) => Some(at + 1),
        (_, Some(b'\n')) => Some(at + 2),
        (_, Some(_)) => Some(at + 1),
        (_, None) => None,
    }
}

impl Events {
    /// Adds `bytes` and hands every event that is whole now to `each`.
    pub(crate) fn push(
        &mut self,
        mut bytes: Bytes,
        mut each: impl FnMut(Bytes),
    ) -> Result<(), EventTooLarge> {
        if !self.kept.is_empty() {
            self.kept.extend_from_slice(&bytes);
            bytes = self.kept.split().freeze();
        }
        while let Some(end) = event_end(&bytes) {
            each(bytes.split_to(end));
        }
        if bytes.remaining() > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        self.kept.extend_from_slice(&bytes);
        Ok(())
    }

    /// What is left when the stream has ended.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.kept.split().freeze()
    }
}
