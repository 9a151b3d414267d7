//! One answer over connections that may break or dawdle: when one is cut, the answer is attached to
//! again from the first byte that is missing; when it is late, a second attachment races it. Starts
//! no generation.

pub(super) mod passing;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use shared::id::{BootId, GenerationId};
use shared::link::trail::{CUTS_MAX, Cut};
use shared::link::{LinkError, wire};
use tracing::{debug, error, warn};

use super::attachment::{Attachment, Frame};
use super::hedge::{Cause, HedgePolicy};
use super::http::Inner;
use super::metrics::LinkEvent;
use super::nodes::Node;

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

    /// When patience is over.
    pub(super) fn until(&self) -> Instant {
        self.until
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

type Attaching = Pin<Box<dyn Future<Output = Result<Attachment, LinkError>> + Send>>;

/// What comes next of an answer.
pub(super) enum Next {
    Bytes(Bytes),
    /// Nothing follows; the trailers came with it.
    End(HeaderMap),
    /// There is no link now.
    Waiting,
}

/// An answer on its way: over one connection, over none for a moment, or over two of which the first
/// copy of each byte wins.
pub(super) struct ResumableBody {
    link: Arc<Inner>,
    node: Arc<Node>,
    generation: GenerationId,
    life: BootId,
    attachments: [Option<Attachment>; 2],
    /// An attachment that may come, while one is there.
    second: Option<Attaching>,
    /// An attachment that must come, while none is there.
    attaching: Option<Attaching>,
    /// Whether only trailers end it well.
    is_stream: bool,
    /// Absent where a second connection would bring nothing.
    hedge: Option<Box<HedgePolicy>>,
    position: u64,
    /// When the call was sent.
    begun: Instant,
    /// Where it was cut.
    cuts: Vec<Cut>,
}

enum Event {
    /// Of the attachment in this place.
    Frame(usize, Option<Result<Frame, String>>),
    Attached(Result<Attachment, LinkError>),
    Due(Cause),
}

impl ResumableBody {
    pub(super) fn new(
        link: &Arc<Inner>,
        node: &Arc<Node>,
        generation: &GenerationId,
        life: &BootId,
        (attachment, is_stream): (Attachment, bool),
        begun: Instant,
    ) -> Self {
        let hedge = (is_stream && node.hedges).then(|| Box::new(HedgePolicy::new(node)));
        Self {
            link: link.clone(),
            node: node.clone(),
            generation: generation.clone(),
            life: life.clone(),
            attachments: [Some(attachment), None],
            second: None,
            attaching: None,
            is_stream,
            hedge,
            position: 0,
            begun,
            cuts: Vec::new(),
        }
    }

    /// Where it was cut so far.
    pub(super) fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// The next part, over whatever connection brings it.
    pub(super) async fn next(&mut self) -> Result<Next, LinkError> {
        loop {
            if self.attachments.iter().all(Option::is_none) {
                match tokio::time::timeout(WAITING_EVERY, self.attaching()).await {
                    Ok(attached) => {
                        self.attaching = None;
                        self.attached_again(attached.is_ok());
                        self.attachments[0] = Some(attached?);
                        continue;
                    }
                    Err(_) => return Ok(Next::Waiting),
                }
            }
            match std::future::poll_fn(|cx| self.poll_event(cx)).await {
                Event::Frame(place, Some(Ok(Frame::Bytes(data)))) => {
                    if let Some(data) = self.take(place, data) {
                        return Ok(Next::Bytes(data));
                    }
                }
                Event::Frame(_, Some(Ok(Frame::Trailers(trailers)))) => {
                    if trailers.contains_key(wire::OUTCOME) {
                        self.node.saw(self.generation.clone());
                        self.check(&trailers);
                        return Ok(Next::End(trailers));
                    }
                }
                Event::Frame(_, None) if !self.is_stream => {
                    self.node.saw(self.generation.clone());
                    return Ok(Next::End(HeaderMap::new()));
                }
                Event::Frame(place, None) => self.broke(place, "it ended without an outcome"),
                Event::Frame(place, Some(Err(why))) => self.broke(place, &why),
                Event::Attached(attached) => {
                    self.second = None;
                    let free = self
                        .attachments
                        .iter_mut()
                        .find(|attachment| attachment.is_none());
                    if let (Some(free), Ok(attachment)) = (free, attached) {
                        *free = Some(attachment);
                    }
                }
                Event::Due(cause) => self.double(cause),
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        for (place, attachment) in self.attachments.iter_mut().enumerate() {
            if let Some(attachment) = attachment
                && let Poll::Ready(frame) = attachment.poll_next(cx)
            {
                return Poll::Ready(Event::Frame(place, frame));
            }
        }
        if let Some(second) = &mut self.second {
            return second.as_mut().poll(cx).map(Event::Attached);
        }
        match &mut self.hedge {
            Some(hedge) if self.attachments.iter().any(Option::is_none) => {
                hedge.poll_due(cx).map(Event::Due)
            }
            Some(_) | None => Poll::Pending,
        }
    }

    /// What of an attachment's bytes is new.
    fn take(&mut self, place: usize, data: Bytes) -> Option<Bytes> {
        let attachment = self.attachments[place].as_mut()?;
        let begin = attachment.at;
        attachment.at += u64::try_from(data.len()).unwrap_or(0);
        let end = attachment.at;
        if end <= self.position {
            if let Some(hedge) = &mut self.hedge {
                hedge.repeated(end);
            }
            return None;
        }
        // No attachment begins beyond what was passed on.
        let known = usize::try_from(self.position - begin).unwrap_or(0);
        self.position = end;
        self.advanced(place, end);
        Some(data.slice(known..))
    }

    fn advanced(&mut self, place: usize, end: u64) {
        let Some(hedge) = &mut self.hedge else {
            return;
        };
        let by_second = place == 1;
        if by_second && hedge.is_hedge() {
            let counters = &self.node.counters;
            self.link.metrics.count(counters, LinkEvent::HedgeWon);
        }
        let both = self.attachments.iter().all(Option::is_some);
        if hedge.advanced(end, by_second, both) {
            self.second = None;
            self.attachments[1] = None;
            hedge.alone();
        }
    }

    fn count(&self, what: LinkEvent) {
        self.link.metrics.count(&self.node.counters, what);
    }

    /// Asks for a second copy over another connection.
    fn double(&mut self, cause: Cause) {
        self.count(match cause {
            Cause::Late => LinkEvent::Hedged,
            Cause::BadPath => LinkEvent::Doubled,
        });
        let (link, node) = (self.link.clone(), self.node.clone());
        let (generation, life) = (self.generation.clone(), self.life.clone());
        let position = self.position;
        let beside = self
            .attachments
            .iter()
            .flatten()
            .map(Attachment::connection)
            .next();
        self.second = Some(Box::pin(async move {
            link.attach_once(&node, &generation, &life, position, beside)
                .await
        }));
    }

    fn broke(&mut self, place: usize, why: &str) {
        debug!(
            "generation `{}` is cut at byte {}: {why}",
            self.generation, self.position
        );
        self.attachments[place] = None;
        if self.cuts.len() < CUTS_MAX {
            self.cuts.push(Cut {
                at_ms: millis(self.begun.elapsed()),
                gap_ms: 0,
                byte: self.position,
                for_good: false,
            });
        }
        // The first place is the one that is never given up for nothing.
        if place == 0 {
            self.attachments.swap(0, 1);
            if self.attachments[0].is_some() {
                self.count(LinkEvent::Resumed);
            }
        }
        if let Some(hedge) = &mut self.hedge {
            hedge.alone();
        }
    }

    /// Nothing was attached since the last cut, until now or for good.
    fn attached_again(&mut self, is_there: bool) {
        let now = millis(self.begun.elapsed());
        // The last one that is noted may not be the last one that there was.
        if let Some(cut) = self.cuts.last_mut().filter(|cut| cut.gap_ms == 0) {
            cut.gap_ms = now.saturating_sub(cut.at_ms);
            cut.for_good = !is_there;
        }
    }

    /// Whether as many bytes were passed on as the gateway has of this answer.
    fn check(&self, trailers: &HeaderMap) {
        let length = trailers
            .get(wire::LENGTH)
            .and_then(|text| text.to_str().ok());
        let Some(length) = length.and_then(|text| text.parse::<u64>().ok()) else {
            return;
        };
        if length != self.position {
            let (id, passed) = (&self.generation, self.position);
            error!(
                "generation `{id}` has {length} bytes at its gateway, and {passed} were passed on"
            );
        }
        let counters = &self.node.counters;
        self.link.metrics.checked(counters, length, self.position);
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
            second,
            ..
        } = self;
        *second = None;
        attaching.get_or_insert_with(|| {
            let (link, node) = (link.clone(), node.clone());
            let (generation, life, position) = (generation.clone(), life.clone(), *position);
            Box::pin(async move {
                let attachment = link.reattach(&node, &generation, &life, position).await;
                match &attachment {
                    Ok(_) => link.metrics.count(&node.counters, LinkEvent::Resumed),
                    Err(error) => {
                        warn!(%error, "generation `{generation}` is lost: {error}");
                        link.metrics.count(&node.counters, LinkEvent::Lost);
                    }
                }
                attachment
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

/// Why a stream is given up whose events this process has no memory for.
const TOO_LARGE: &str = "an event is too large";

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
