//! A provider's stream on its way through: bytes are cut into events, the meter sees each, and those
//! for the tenant come out as pieces of whole events. Keeps nothing that was passed on.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use shared::answer_model;
use shared::dialect::{StreamError, StreamMeter, Told, Verdict};
use shared::fault::{Fault, FaultKind};
use shared::sse::{Events, Keep, Room};
use shared::units::Usage;
use tokio::time::Sleep;

use super::translation::StreamTranslation;
use crate::providers::ByteStream;

/// After the event that ends a stream: whoever counts behind it does so at once, and a connection that
/// ends with it can be used again. Longer is waited for nobody.
const AFTER_DONE: Duration = Duration::from_millis(300);
/// The link carries pieces of some megabytes (`shared::link::codec`); a larger event goes in several.
const PIECE_BYTES_MAX: usize = 1024 * 1024;

/// What comes out of a flow.
#[derive(Debug)]
pub(super) enum Flowed {
    /// Whole events for the tenant, or a part of a large one.
    Piece(Bytes),
    /// The end, and what was wrong with it.
    End(Option<Fault>),
}

/// A stream that is read.
pub(super) struct Flow {
    bytes: Option<ByteStream>,
    events: Events,
    meter: Box<dyn StreamMeter>,
    /// In order; what is to be passed on.
    ready: Vec<Bytes>,
    /// Of a large piece, what follows.
    rest: Bytes,
    /// For a large piece while a reader takes it.
    room: Option<Room>,
    fault: Option<Fault>,
    /// What the provider told of it, where the fault is the provider's word.
    told: Option<Box<Told>>,
    /// Named in answers instead of the provider's name.
    answer_model: Option<Arc<str>>,
    /// Where the tenant speaks another dialect than the provider.
    translation: Option<StreamTranslation>,
    /// Whether the event that ends a stream well came, or was added.
    is_well: bool,
    /// Runs from the end of the stream to the end of its bytes.
    after_done: Option<Pin<Box<Sleep>>>,
}

impl Flow {
    /// Of a provider's bytes; answers name `answer_model` where it is given.
    pub(super) fn new(
        bytes: ByteStream,
        meter: Box<dyn StreamMeter>,
        answer_model: Option<Arc<str>>,
    ) -> Self {
        Self {
            bytes: Some(bytes),
            events: Events::default(),
            meter,
            ready: Vec::new(),
            rest: Bytes::new(),
            room: None,
            fault: None,
            told: None,
            answer_model,
            translation: None,
            is_well: false,
            after_done: None,
        }
    }

    /// The same for a tenant that speaks another dialect.
    #[must_use]
    pub(super) fn translated(mut self, translation: StreamTranslation) -> Self {
        self.translation = Some(translation);
        self
    }

    /// What was consumed so far.
    pub(super) fn usage(&self) -> Usage {
        self.meter.usage()
    }

    /// Output tokens in what was passed on so far, by estimate.
    pub(super) fn passed(&self) -> u64 {
        self.meter.passed()
    }

    /// What the provider told of the error that ended the stream; once.
    pub(super) fn told(&mut self) -> Option<Box<Told>> {
        self.told.take()
    }

    /// Whether the event that ends a stream well was seen.
    pub(super) fn is_done(&self) -> bool {
        self.is_well
    }

    /// The next piece or the end; pending while the provider has nothing. Not to be asked again
    /// after the end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Flowed> {
        loop {
            if let Some(piece) = self.piece() {
                return Poll::Ready(Flowed::Piece(piece));
            }
            if let Some(fault) = self.fault.take() {
                self.bytes = None;
                return Poll::Ready(Flowed::End(Some(fault)));
            }
            let Some(bytes) = &mut self.bytes else {
                return Poll::Ready(Flowed::End(None));
            };
            match bytes.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => self.take(bytes),
                // What breaks behind the end breaks nothing.
                Poll::Ready(Some(Err(_))) if self.meter.is_done() => self.end(),
                Poll::Ready(Some(Err(fault))) => self.fault = Some(fault),
                Poll::Ready(None) => self.end(),
                Poll::Pending => {
                    ready!(self.poll_after_done(cx));
                    self.end();
                }
            }
        }
    }

    /// Ready when nothing more is waited for.
    fn poll_after_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.meter.is_done() {
            return Poll::Pending;
        }
        let sleep = self
            .after_done
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(AFTER_DONE)));
        sleep.as_mut().poll(cx)
    }

    /// Looks at the events that became whole and keeps what is to be passed on.
    fn take(&mut self, bytes: Bytes) {
        let (fault, broken, meter) = (&mut self.fault, &mut self.told, &mut self.meter);
        let name = self.answer_model.as_deref();
        let translation = &mut self.translation;
        let mut is_over = false;
        let pushed = self.events.push(bytes, &mut self.ready, |event| {
            if fault.is_some() || is_over {
                return Keep::Nothing;
            }
            match (meter.event(event), translation.as_mut()) {
                (Verdict::Pass | Verdict::Without(_), Some(translation)) => {
                    translation.event(event);
                    Keep::Nothing
                }
                (Verdict::Pass, None) => named(event, 0..0, name),
                (Verdict::Without(cut), None) => named(event, cut, name),
                (Verdict::Hide, _) => Keep::Nothing,
                (Verdict::Enough(end), Some(translation)) => {
                    is_over = true;
                    translation.events(end);
                    Keep::Nothing
                }
                (Verdict::Enough(end), None) => {
                    is_over = true;
                    Keep::Instead(all_named(end, name))
                }
                (Verdict::Broken(StreamError { fault: error, told }), _) => {
                    (*fault, *broken) = (Some(error), told);
                    Keep::Nothing
                }
            }
        });
        if let Some(end) = self.meter.ended_by(self.events.unfinished()) {
            // Whoever leaves the connection open may leave the blank line out too.
            self.events.rest();
            return self.take(Bytes::from_static(end));
        }
        if pushed.is_err() && !is_over && self.fault.is_none() {
            self.fault = Some(too_large());
        }
        if is_over {
            // The provider works for nobody any more.
            self.bytes = None;
            self.is_well = true;
        } else if let (None, true) = (&self.fault, self.meter.is_done()) {
            self.fault = self.meter.missing();
            self.is_well = self.fault.is_none();
            if self.fault.is_some() {
                self.ready.clear();
            }
        }
        if self.is_well {
            self.end_translation();
        }
        let written = self.translation.as_mut().and_then(StreamTranslation::take);
        self.ready.extend(written.filter(|_| !self.has_no_answer()));
    }

    /// Whether the provider's stream ended and holds nothing that may be passed on.
    fn has_no_answer(&self) -> bool {
        self.fault.is_some() && self.meter.is_done()
    }

    fn end_translation(&mut self) {
        if let Some(translation) = &mut self.translation {
            translation.end(&self.meter.usage());
        }
    }

    /// The provider's bytes are over: what is missing is added, or said.
    fn end(&mut self) {
        self.bytes = None;
        if self.meter.is_done() {
            return;
        }
        self.last();
        self.fault = self.fault.take().or_else(|| self.meter.missing());
        if self.fault.is_some() || self.meter.is_done() {
            return;
        }
        self.is_well = true;
        if self.translation.is_some() {
            self.end_translation();
            let written = self.translation.as_mut().and_then(StreamTranslation::take);
            self.ready.extend(written);
        } else if !self.meter.end().is_empty() {
            self.ready.push(Bytes::from_static(self.meter.end()));
        }
    }

    /// Passes on an event that lacks only the blank line behind it; what is cut off in the middle is
    /// not.
    fn last(&mut self) {
        let rest = self.events.rest();
        let line = rest.trim_ascii_end();
        if line.is_empty() {
            return;
        }
        let whole: Bytes = [line, b"\n\n"].concat().into();
        if !self.meter.is_complete(&whole) {
            return;
        }
        self.take(whole);
    }

    /// Everything that may be passed on, as one piece.
    fn piece(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            self.room = None;
            let whole = match self.ready.len() {
                0 => return None,
                1 => owned(self.ready.pop()?),
                _ => {
                    let piece = self.ready.concat().into();
                    self.ready.clear();
                    piece
                }
            };
            let Ok(room) = Room::of(whole.len()) else {
                self.fault = Some(too_large());
                return None;
            };
            (self.room, self.rest) = (room, whole);
        }
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        Some(self.rest.split_to(length))
    }
}

/// A piece of several events as a copy: a slice would keep the buffer alive that it was read into, which
/// may be many times larger, while a slow reader takes it.
fn owned(piece: Bytes) -> Bytes {
    const EVENT_USUAL: usize = 2 * 1024;
    const BUFFER_USUAL: usize = 64 * 1024;
    if (EVENT_USUAL..BUFFER_USUAL).contains(&piece.len()) {
        Bytes::copy_from_slice(&piece)
    } else {
        piece
    }
}

fn too_large() -> Fault {
    Fault::new(FaultKind::InvalidAnswer, "an event is too large")
}

/// A tenant's event without a part of it, which names the public model where that is wanted.
fn named(event: &[u8], cut: Range<usize>, name: Option<&str>) -> Keep {
    match name {
        None if cut.is_empty() => Keep::All,
        None => Keep::Without(cut),
        Some(name) => {
            let event: Bytes = [&event[..cut.start], &event[cut.end..]].concat().into();
            Keep::Instead(answer_model::in_event(&event, name))
        }
    }
}

/// Several events, likewise.
fn all_named(events: Bytes, name: Option<&str>) -> Bytes {
    if name.is_none() {
        return events;
    }
    let mut out = Vec::new();
    let named = Events::default().push(events.clone(), &mut out, |event| named(event, 0..0, name));
    named.map_or(events, |()| out.concat().into())
}

#[cfg(test)]
mod tests;
