//! The answer as pieces that are passed on as they come, with what its end says.

use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use shared::dialect::StreamMeter;
use shared::fault::{Fault, FaultKind};
use shared::link::trail::{CUTS_MAX, MadeBy, Way};
use shared::link::{Call, LinkError, Outcome, Piece, PieceStream, wire};
use shared::sse::{Events, Keep, Room};

use super::super::answers::outcome;
use super::{Next, ResumableBody, TOO_LARGE, millis};

/// A stream's pieces, with a count of what passed: it is what the tenant pays when the gateway can't
/// tell any more.
struct Passing {
    body: ResumableBody,
    events: Events,
    /// Whole events that are to be passed on.
    ready: Vec<Bytes>,
    /// For a large piece until the next one is asked for.
    room: Option<Room>,
    /// Why nothing more can be passed on.
    broken: Option<&'static str>,
    meter: Box<dyn StreamMeter>,
    provider: String,
    begun: Instant,
    first_byte_ms: u64,
    made_by: MadeBy,
    way: Way,
}

/// Pieces of a streamed answer; a lost link is an outcome like others.
pub(in super::super) fn pieces(
    body: ResumableBody,
    call: &Call,
    begun: Instant,
    (made_by, way): (MadeBy, Way),
) -> PieceStream {
    let passing = Passing {
        body,
        events: Events::default(),
        ready: Vec::new(),
        room: None,
        broken: None,
        meter: call
            .surface
            .dialect
            .meter(call.surface.dialect.metered(call)),
        provider: call
            .targets
            .first()
            .map(|target| target.provider.clone())
            .unwrap_or_default(),
        begun,
        first_byte_ms: 0,
        made_by,
        way,
    };
    Box::pin(stream::unfold(Some(passing), |state| async move {
        let mut passing = state?;
        let piece = passing.next().await;
        let state = matches!(piece, Ok(Piece::Bytes(_) | Piece::Waiting)).then_some(passing);
        Some((piece, state))
    }))
}

impl Passing {
    /// The next piece. Only whole events are passed on, so that whatever is told when the link is gone
    /// stands on a line of its own.
    pub(super) async fn next(&mut self) -> Result<Piece, LinkError> {
        self.room = None;
        loop {
            if let Some(why) = self.broken {
                return Ok(Piece::Outcome(Box::new(self.lost(why))));
            }
            match self.body.next().await {
                Ok(Next::Bytes(bytes)) => {
                    if let Some(bytes) = self.take(bytes) {
                        return Ok(Piece::Bytes(bytes));
                    }
                }
                Ok(Next::Waiting) => return Ok(Piece::Waiting),
                Ok(Next::End(trailers)) => {
                    return match trailers.get(wire::OUTCOME) {
                        Some(value) => outcome(value, self.made_by()).map(Piece::Outcome),
                        None => Ok(Piece::Outcome(Box::new(self.lost("it has no outcome")))),
                    };
                }
                Err(error) => return Ok(Piece::Outcome(Box::new(self.lost(&error.to_string())))),
            }
        }
    }

    pub(super) fn take(&mut self, bytes: Bytes) -> Option<Bytes> {
        if self.first_byte_ms == 0 {
            self.first_byte_ms = millis(self.begun.elapsed()).max(1);
        }
        let meter = &mut self.meter;
        let cut = self.events.push(bytes, &mut self.ready, |event| {
            meter.event(event);
            Keep::All
        });
        if cut.is_err() {
            // The gateway bounds events at the same size, so it is this process that is short of memory.
            self.broken = Some(TOO_LARGE);
        }
        let piece: Bytes = match self.ready.len() {
            0 => return None,
            1 => self.ready.pop()?,
            _ => std::mem::take(&mut self.ready).concat().into(),
        };
        let Ok(room) = Room::of(piece.len()) else {
            self.broken = Some(TOO_LARGE);
            return None;
        };
        self.room = room;
        Some(piece)
    }

    /// With how the way was until now.
    fn made_by(&self) -> MadeBy {
        let mut way = self.way.clone();
        way.end_ms = millis(self.begun.elapsed());
        way.cuts.extend_from_slice(self.body.cuts());
        way.cuts.truncate(CUTS_MAX);
        MadeBy {
            way: Some(Box::new(way)),
            ..self.made_by.clone()
        }
    }

    /// What the tenant received, as the only thing that is known.
    fn lost(&self, why: &str) -> Outcome {
        Outcome {
            provider: self.provider.clone(),
            model: String::new(),
            key_last4: String::new(),
            attempts: 1,
            failed: Vec::new(),
            usage: self.meter.usage(),
            taken: None,
            fault: Some(Fault::new(FaultKind::Interrupted, why)),
            first_byte_ms: self.first_byte_ms,
            duration_ms: millis(self.begun.elapsed()),
            made_by: Some(Box::new(self.made_by())),
        }
    }
}
