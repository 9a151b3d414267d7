//! A stream whose answer is kept: its bytes pass as they come, with the id under which it is kept, and its
//! end waits until it is. One event at a time is looked at, in bounded memory.

use std::collections::VecDeque;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use shared::dialect::kept::chat::{self, Assembled};
use shared::dialect::kept::responses::ResponseEvent;

use super::keep::{KeptCall, What};

type Pieces = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The last event of a stream.
enum Last {
    Response(Box<ResponseEvent>),
    /// As it came.
    Chat(Bytes),
}

struct Passing {
    pieces: Pieces,
    kept: KeptCall,
    buffer: BytesMut,
    out: VecDeque<Bytes>,
    last: Option<Last>,
    chunks: Assembled,
    /// Bytes of chunks that were put together.
    assembled: usize,
    /// Events are looked at no more: too large to be kept, or over.
    is_open: bool,
}

/// The place behind the first blank line, looked for from `from`.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().enumerate().find_map(|(at, byte)| {
        let end = from.checked_add(at)?.checked_add(1)?;
        match (byte, bytes.get(end..)?) {
            (b'\n', [b'\n', ..]) => end.checked_add(1),
            (b'\n', [b'\r', b'\n', ..]) => end.checked_add(2),
            _ => None,
        }
    })
}

/// The same stream, kept on its way.
pub(super) fn passing(pieces: Pieces, kept: KeptCall) -> Pieces {
    let passing = Passing {
        pieces,
        kept,
        buffer: BytesMut::new(),
        out: VecDeque::new(),
        last: None,
        chunks: Assembled::default(),
        assembled: 0,
        is_open: false,
    };
    Box::pin(futures_util::stream::unfold(passing, |mut passing| async {
        let next = passing.next().await?;
        Some((next, passing))
    }))
}

impl Passing {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.out.pop_front() {
                return Some(bytes);
            }
            if let Some(last) = self.last.take() {
                return Some(self.end(last).await);
            }
            let Some(bytes) = self.pieces.next().await else {
                let rest = self.buffer.split().freeze();
                return (!rest.is_empty()).then_some(rest);
            };
            if self.is_open {
                return Some(bytes);
            }
            self.push(&bytes);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // What is there was looked through, up to what may become a blank line.
        let mut from = self.buffer.len().saturating_sub(2);
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = event_end(&self.buffer, from) {
            let event = self.buffer.split_to(end).freeze();
            self.see(event);
            from = 0;
            if self.last.is_some() {
                // Nothing follows the last event but what belongs to no event.
                self.is_open = true;
                return;
            }
        }
        if self.buffer.len() > self.bytes_max() {
            self.is_open = true;
            self.out.push_back(self.buffer.split().freeze());
        }
    }

    fn bytes_max(&self) -> usize {
        // An answer and its words around it.
        self.kept
            .keeping
            .bounds()
            .item_bytes
            .saturating_add(64 * 1024)
    }

    fn see(&mut self, event: Bytes) {
        match &self.kept.what {
            What::Response { mark, .. } => match ResponseEvent::read(&event) {
                None => self.out.push_back(event),
                Some(told) if told.is_last() => self.last = Some(Last::Response(Box::new(told))),
                Some(mut told) => {
                    if let Some(response) = told.response() {
                        mark.mark(response);
                    }
                    self.out.push_back(told.bytes());
                }
            },
            What::Completion { id, .. } => {
                if chat::is_end(&event) {
                    self.last = Some(Last::Chat(event));
                    return;
                }
                self.assembled = self.assembled.saturating_add(event.len());
                // Chunks are several times as long as what they say.
                if self.assembled <= self.bytes_max().saturating_mul(16) {
                    self.chunks.add(&event);
                } else {
                    self.chunks = Assembled::default();
                }
                let own = chat::with_id(&event, id);
                self.out.push_back(own.unwrap_or(event));
            }
        }
    }

    /// Keeps the answer, and gives the end that waited for it.
    async fn end(&mut self, last: Last) -> Bytes {
        let rest = self.buffer.split().freeze();
        if !rest.is_empty() {
            self.out.push_back(rest);
        }
        match last {
            Last::Response(mut told) => {
                if let Some(answer) = told.response() {
                    // Where it is not kept, the answer itself says so.
                    drop(self.kept.keep(answer).await);
                }
                told.bytes()
            }
            Last::Chat(event) => {
                if let Some(mut answer) = std::mem::take(&mut self.chunks).answer() {
                    drop(self.kept.keep(&mut answer).await);
                }
                event
            }
        }
    }
}

impl KeptCall {
    /// Keeps a stream on its way.
    pub(in super::super) fn keep_stream(self, pieces: Pieces) -> Pieces {
        passing(pieces, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_with_a_blank_line_of_either_kind() {
        for (bytes, end) in [
            (&b"data: x\n\nrest"[..], Some(9)),
            (b"data: x\r\n\r\nrest", Some(11)),
            (b"data: x\n", None),
            (b"", None),
            (b"a\nb\n\n", Some(5)),
        ] {
            assert_eq!(event_end(bytes, 0), end, "{bytes:?}");
        }
        assert_eq!(event_end(b"data: x\n\n", 7), Some(9));
    }
}
