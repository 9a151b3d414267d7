//! One answer over legs that may break: when a connection is cut, the answer is attached to again
//! from the first byte that is missing. Starts no generation.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::HeaderMap;
use http_body_util::BodyExt;
use shared::fault::{Fault, FaultKind};
use shared::id::{BootId, GenerationId};
use shared::link::codec::{Decoder, PIECE_BYTES_MAX};
use shared::link::wire;
use shared::link::{Call, LinkError, Outcome, Piece, PieceStream};
use shared::meter::Meter;
use shared::sse::Events;
use tracing::{debug, warn};

use super::http::{Inner, outcome};
use super::nodes::Node;
use super::transport::{Body, describe};

/// One frame of the wire makes at most this of the tenant's bytes.
const DECODED_MAX: usize = PIECE_BYTES_MAX * 2;
/// Between attempts to attach again; the first comes at once.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(1_000);
/// How often somebody who waits for a link is told that it is still waited for.
const WAITING_EVERY: Duration = Duration::from_secs(1);

/// Pauses between attempts, until patience is over.
pub(super) struct Pauses {
    next: Duration,
    until: Instant,
}

impl Pauses {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            next: Duration::ZERO,
            until: Instant::now() + patience,
        }
    }

    /// Waits for the next attempt; false when there is none.
    pub(super) async fn again(&mut self) -> bool {
        if Instant::now() + self.next > self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).clamp(PAUSE_MIN, PAUSE_MAX);
        true
    }
}

type Attaching = Pin<Box<dyn Future<Output = Result<Leg, LinkError>> + Send>>;

/// One connection's part of an answer.
pub(super) struct Leg {
    body: Body,
    decoder: Option<Box<Decoder>>,
}

impl Leg {
    /// From an answer's head and body.
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Result<Self, LinkError> {
        let decoder = if headers.contains_key(wire::CODEC) {
            let decoder = Decoder::new(DECODED_MAX);
            Some(Box::new(
                decoder.map_err(|e| LinkError::Lost(e.to_string()))?,
            ))
        } else {
            None
        };
        Ok(Self { body, decoder })
    }

    /// The next of the tenant's bytes or the trailers.
    async fn next(&mut self) -> Option<Result<Frame, String>> {
        let frame = match self.body.frame().await? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(describe(&error))),
        };
        Some(match (frame.into_data(), &mut self.decoder) {
            (Ok(data), None) => Ok(Frame::Bytes(data)),
            (Ok(data), Some(decoder)) => decoder
                .decode(&data)
                .map(Frame::Bytes)
                .map_err(|error| error.to_string()),
            (Err(frame), _) => Ok(Frame::Trailers(frame.into_trailers().unwrap_or_default())),
        })
    }
}

enum Frame {
    Bytes(Bytes),
    Trailers(HeaderMap),
}

/// What comes next of an answer.
pub(super) enum Next {
    Bytes(Bytes),
    /// Nothing follows; the trailers came with it.
    End(HeaderMap),
    /// There is no link now.
    Waiting,
}

/// An answer on its way.
pub(super) struct Legs {
    link: Arc<Inner>,
    node: Arc<Node>,
    generation: GenerationId,
    life: BootId,
    leg: Option<Leg>,
    attaching: Option<Attaching>,
    /// Whether only trailers end it well.
    is_stream: bool,
    position: u64,
}

impl Legs {
    pub(super) fn new(
        link: &Arc<Inner>,
        node: &Arc<Node>,
        generation: &GenerationId,
        life: &BootId,
        leg: Leg,
        is_stream: bool,
    ) -> Self {
        Self {
            link: link.clone(),
            node: node.clone(),
            generation: generation.clone(),
            life: life.clone(),
            leg: Some(leg),
            attaching: None,
            is_stream,
            position: 0,
        }
    }

    /// The next part, over whatever connection brings it.
    pub(super) async fn next(&mut self) -> Result<Next, LinkError> {
        loop {
            let Some(leg) = &mut self.leg else {
                match tokio::time::timeout(WAITING_EVERY, self.attaching()).await {
                    Ok(attached) => {
                        self.attaching = None;
                        self.leg = Some(attached?);
                        continue;
                    }
                    Err(_) => return Ok(Next::Waiting),
                }
            };
            match leg.next().await {
                Some(Ok(Frame::Bytes(data))) => {
                    self.position += u64::try_from(data.len()).unwrap_or(0);
                    return Ok(Next::Bytes(data));
                }
                Some(Ok(Frame::Trailers(trailers))) => {
                    if trailers.contains_key(wire::OUTCOME) {
                        self.node.saw(self.generation.clone());
                        return Ok(Next::End(trailers));
                    }
                }
                None if !self.is_stream => {
                    self.node.saw(self.generation.clone());
                    return Ok(Next::End(HeaderMap::new()));
                }
                None => self.broke("the stream ended without an outcome"),
                Some(Err(why)) => self.broke(&why),
            }
        }
    }

    fn broke(&mut self, why: &str) {
        debug!(
            "generation `{}` is cut at byte {}: {why}",
            self.generation, self.position
        );
        self.leg = None;
    }

    /// The attempt under way, or a new one.
    fn attaching(&mut self) -> &mut Attaching {
        let Self {
            link,
            node,
            generation,
            life,
            position,
            attaching,
            ..
        } = self;
        attaching.get_or_insert_with(|| {
            let (link, node) = (link.clone(), node.clone());
            let (generation, life, position) = (generation.clone(), life.clone(), *position);
            Box::pin(async move {
                let leg = link.reattach(&node, &generation, &life, position).await;
                match &leg {
                    Ok(_) => link.metrics.resumed.inc(),
                    Err(error) => {
                        warn!(%error, "generation `{generation}` is lost: {error}");
                        link.metrics.lost.inc()
                    }
                };
                leg
            })
        })
    }

    /// The whole answer, at most `bytes_max`.
    pub(super) async fn collect(mut self, bytes_max: usize) -> Result<Bytes, LinkError> {
        // Most answers are one frame, which is passed on without a copy.
        let mut first = Bytes::new();
        let mut rest: Option<BytesMut> = None;
        loop {
            match self.next().await? {
                Next::Waiting => {}
                Next::End(_) => return Ok(rest.map_or(first, BytesMut::freeze)),
                Next::Bytes(bytes) if first.is_empty() => first = bytes,
                Next::Bytes(bytes) => {
                    let all = rest.get_or_insert_with(|| BytesMut::from(&first[..]));
                    if all.len() + bytes.len() > bytes_max {
                        return Err(LinkError::Lost("the answer is too large".to_owned()));
                    }
                    all.extend_from_slice(&bytes);
                }
            }
        }
    }
}

/// A stream's pieces, with a count of what passed: it is what the tenant pays when the gateway can't
/// tell any more.
struct Passing {
    legs: Legs,
    events: Events,
    meter: Meter,
    provider: String,
    begun: Instant,
    first_byte_ms: u64,
}

/// Pieces of a streamed answer; a lost link is an outcome like others.
pub(super) fn pieces(legs: Legs, call: &Call, begun: Instant) -> PieceStream {
    let passing = Passing {
        legs,
        events: Events::default(),
        meter: Meter::new(call.show_usage, call.body.len()),
        provider: call
            .targets
            .first()
            .map(|target| target.provider.clone())
            .unwrap_or_default(),
        begun,
        first_byte_ms: 0,
    };
    Box::pin(stream::unfold(Some(passing), |state| async move {
        let mut passing = state?;
        let piece = passing.next().await;
        let state = matches!(piece, Ok(Piece::Bytes(_) | Piece::Waiting)).then_some(passing);
        Some((piece, state))
    }))
}

impl Passing {
    async fn next(&mut self) -> Result<Piece, LinkError> {
        loop {
            match self.legs.next().await {
                Ok(Next::Bytes(bytes)) if bytes.is_empty() => {}
                Ok(Next::Bytes(bytes)) => {
                    self.count(&bytes);
                    return Ok(Piece::Bytes(bytes));
                }
                Ok(Next::Waiting) if self.events.is_between() => return Ok(Piece::Waiting),
                Ok(Next::Waiting) => {}
                Ok(Next::End(trailers)) => {
                    return match trailers.get(wire::OUTCOME) {
                        Some(value) => outcome(value).map(Piece::Outcome),
                        None => Ok(Piece::Outcome(Box::new(self.lost("it has no outcome")))),
                    };
                }
                Err(error) => return Ok(Piece::Outcome(Box::new(self.lost(&error.to_string())))),
            }
        }
    }

    fn count(&mut self, bytes: &Bytes) {
        if self.first_byte_ms == 0 {
            self.first_byte_ms = millis(self.begun.elapsed()).max(1);
        }
        let meter = &mut self.meter;
        let counted = self.events.push(bytes.clone(), |event| {
            meter.event(&event);
        });
        if counted.is_err() {
            // The gateway bounds events at the same size.
            warn!("an event of `{}` is too large", self.legs.generation);
        }
    }

    /// What the tenant received, as the only thing that is known.
    fn lost(&self, why: &str) -> Outcome {
        Outcome {
            provider: self.provider.clone(),
            model: String::new(),
            key_last4: String::new(),
            attempts: 1,
            usage: self.meter.usage(),
            fault: Some(Fault::new(FaultKind::Interrupted, why)),
            first_byte_ms: self.first_byte_ms,
            duration_ms: millis(self.begun.elapsed()),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
