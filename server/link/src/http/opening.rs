//! Opening a call: one gateway after the other until one takes it, and what its answer says.

use std::sync::Arc;
use std::time::Instant;

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use shared::clock::Moment;
use shared::id::BootId;
use shared::link::trail::{CUTS_MAX, Cut, MadeBy, NotTaken, PassedBy, Way};
use shared::link::wire::{self, Joining};
use shared::link::{Call, LinkError, Reply, ReplyBody};
use tracing::debug;

use super::super::answers::{
    Missed, Missing, WHOLE_BYTES_MAX, accept, collect, lane, outcome, refusal, request, text,
};
use super::super::attachment::Attachment;
use super::super::encoded_body::EncodedBody;
use super::super::fleet::part_for;
use super::super::metrics::LinkEvent;
use super::super::nodes::Node;
use super::super::resumable_body::passing::pieces;
use super::super::resumable_body::{Pauses, ResumableBody, millis};
use super::super::transport::{Body, SendError};
use super::Inner;

/// When a call was sent, who was asked for it before, and what broke since.
struct OpeningCall<'a> {
    at: Instant,
    sent_at: Moment,
    passed: &'a [PassedBy],
    cuts: &'a [Cut],
}

impl OpeningCall<'_> {
    /// With that the tries are this node's.
    fn made_by(&self, node: &Node) -> MadeBy {
        MadeBy {
            gateway: node.place.shown().to_owned(),
            passed: self.passed.to_vec(),
            way: None,
        }
    }

    /// How the way was until now, when the head of an answer is here.
    fn way(&self) -> Way {
        let head_ms = millis(self.at.elapsed());
        Way {
            sent_at: self.sent_at.unix_ms(),
            head_ms,
            end_ms: head_ms,
            cuts: self.cuts.to_vec(),
        }
    }
}

/// A gateway did not take the call; of one that is asked several times the last answer stands.
fn pass(passed: &mut Vec<PassedBy>, node: &Node, why: NotTaken) {
    let gateway = node.place.shown();
    passed.retain(|one| one.gateway != gateway);
    passed.push(PassedBy {
        gateway: gateway.to_owned(),
        why: why.word().to_owned(),
    });
}

/// Notes that a call was cut before its answer, and joined again later.
fn cut_before_answer(cuts: &mut Vec<Cut>, (at_ms, again_ms): (u64, u64)) {
    if cuts.len() < CUTS_MAX {
        cuts.push(Cut {
            at_ms,
            gap_ms: again_ms.saturating_sub(at_ms),
            byte: 0,
            for_good: false,
        });
    }
}

impl Inner {
    /// Starts a call at the first node that takes it; while there is no way to any, waits for one.
    pub(super) async fn open(self: &Arc<Self>, call: &Call) -> Result<Reply, LinkError> {
        let mut pauses = Pauses::new(self.fleet.patience());
        let mut place = None;
        // Stays empty, and costs nothing, when the first gateway takes it.
        let mut passed = Vec::new();
        loop {
            let opening = self.open_somewhere(call, pauses.until(), &mut passed);
            let missing = match opening.await {
                Ok(opened) => return opened,
                Err(missing) => missing,
            };
            if place.is_none() && missing.may_come {
                place = self.waiting.try_acquire().ok();
                self.metrics.waited();
            }
            if !missing.may_come || place.is_none() || !pauses.again().await {
                return Err(LinkError::NotSent(missing.why));
            }
        }
    }

    /// One attempt at every node through which a target is reached; all of them share the time there
    /// is, or one that only takes connections would use it up.
    async fn open_somewhere(
        self: &Arc<Self>,
        call: &Call,
        until: Instant,
        passed: &mut Vec<PassedBy>,
    ) -> Result<Result<Reply, LinkError>, Missing> {
        let mut missing = Missing {
            why: "there is no gateway for it".to_owned(),
            may_come: false,
        };
        let mut before: Option<Arc<Node>> = None;
        let nodes = self.fleet.for_call(call);
        let mut left = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        for node in nodes {
            let now = Instant::now();
            let until = now + until.saturating_duration_since(now) / left.max(1);
            left = left.saturating_sub(1);
            if let Some(before) = before {
                self.metrics.count(&before.counters, LinkEvent::PassedOn);
            }
            let part = part_for(&node.place, call);
            let opened = self.open_at(&node, part.as_ref().unwrap_or(call), until, passed);
            match opened.await {
                Err(Missed::NotStarted(why)) => {
                    pass(passed, &node, NotTaken::Away);
                    missing = Missing {
                        why,
                        may_come: true,
                    }
                }
                Err(Missed::Full(why)) => {
                    pass(passed, &node, NotTaken::Full);
                    missing.why = why;
                }
                Err(Missed::Told(error)) => return Ok(Err(error)),
                Err(Missed::Cut { why, .. }) => return Ok(Err(LinkError::Lost(why))),
                Ok(reply) => return Ok(Ok(reply)),
            }
            before = Some(node);
        }
        Err(missing)
    }

    /// Starts a call at one node, if there is a way to it before `until`. Once it may have arrived
    /// there it is only joined there, for as long as patience lasts after each sign of the node.
    async fn open_at(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        until: Instant,
        passed: &[PassedBy],
    ) -> Result<Reply, Missed> {
        let (at, sent_at) = (Instant::now(), self.fleet.clock().now());
        // Stays empty, and costs nothing, while the way holds.
        let mut cuts: Vec<Cut> = Vec::new();
        let mut life: Option<BootId> = None;
        let mut pauses: Option<Pauses> = None;
        loop {
            let until = pauses.as_ref().map_or(until, Pauses::until);
            let heard_ms = node.pool.last_heard_ms();
            let joining = Joining {
                offset: 0,
                life: life.clone(),
                seen: node.take_seen(),
            };
            let begun = OpeningCall {
                at,
                sent_at,
                passed,
                cuts: &cuts,
            };
            let trying = self.try_open(node, call, &joining, (&begun, until));
            let tried = trying.await;
            let cut_ms = millis(at.elapsed());
            let why = match tried {
                Ok(reply) => return Ok(reply),
                Err(Missed::Told(error)) => {
                    if matches!(error, LinkError::Lost(_)) {
                        self.metrics.count(&node.counters, LinkEvent::Lost);
                    }
                    return Err(Missed::Told(error));
                }
                // An earlier copy may still be on its way to it, once there was one.
                Err(missed @ (Missed::NotStarted(_) | Missed::Full(_))) if life.is_none() => {
                    return Err(missed);
                }
                Err(Missed::NotStarted(why) | Missed::Full(why)) => why,
                Err(Missed::Cut { why, boot }) => {
                    life = life.or(boot);
                    if life.is_none() {
                        return Err(Missed::Cut { why, boot: None });
                    }
                    why
                }
            };
            debug!("generation `{}` is joined: {why}", call.generation);
            if node.pool.last_heard_ms() != heard_ms {
                pauses = None;
            }
            let pauses = pauses.get_or_insert_with(|| Pauses::new(self.fleet.patience()));
            if node.pool.is_given_up() || !pauses.again().await {
                self.metrics.count(&node.counters, LinkEvent::Lost);
                return Err(Missed::Told(LinkError::Lost(why)));
            }
            cut_before_answer(&mut cuts, (cut_ms, millis(at.elapsed())));
            self.metrics.count(&node.counters, LinkEvent::Joined);
        }
    }

    async fn try_open(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        joining: &Joining,
        (begun, until): (&OpeningCall<'_>, Instant),
    ) -> Result<Reply, Missed> {
        let mut whole = false;
        loop {
            let encoded = match &node.encoder {
                None => EncodedBody::plain(call.body.clone()),
                Some(encoder) => {
                    encoder
                        .encode(&call.body, call.tenant.as_ref(), whole)
                        .await
                }
            };
            let path = call.surface.path;
            let body = Full::new(encoded.body.clone());
            let mut request = request(Method::POST, &node.place.base, wire::PREFIX, path, body)
                .map_err(Missed::Told)?;
            wire::write_call(call, request.headers_mut());
            joining.write(request.headers_mut());
            self.tell_patience(request.headers_mut());
            encoded.write(request.headers_mut());
            accept(node, request.headers_mut());
            let way = (lane(call), until);
            let response = match self.send_on(node, request, way).await {
                Ok(response) => response,
                Err(SendError::Unsent(why)) => return Err(Missed::NotStarted(why)),
                Err(SendError::Unknown { why, boot }) => return Err(Missed::Cut { why, boot }),
            };
            if let Some(encoder) = &node.encoder {
                if response.status() == StatusCode::PRECONDITION_REQUIRED && !whole {
                    encoder.missing(&encoded);
                    whole = true;
                    continue;
                }
                encoder.arrived(&encoded);
            }
            return self.reply(node, call, response, begun).await;
        }
    }

    /// What a gateway answered to a call.
    async fn reply(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        response: Response<Body>,
        begun: &OpeningCall<'_>,
    ) -> Result<Reply, Missed> {
        let (head, body) = response.into_parts();
        let boot = BootId::from_stored(text(&head.headers, &wire::BOOT).to_owned());
        let refused = !head.status.is_success();
        if refused && head.headers.contains_key(wire::NOT_STARTED) {
            node.health.closed(self.fleet.clock());
            let why = collect(body).await.unwrap_or_default();
            return Err(if why.ends_with(wire::DRAINING.as_bytes()) {
                Missed::NotStarted("the gateway is stopping".to_owned())
            } else {
                Missed::Full("the gateway takes no more calls".to_owned())
            });
        }
        if refused {
            let cut = |why| Missed::Cut {
                why,
                boot: Some(boot),
            };
            let bytes = collect(body).await.map_err(|e| cut(e.to_string()))?;
            let made_by = begun.made_by(node);
            let refusal = refusal(&head.headers, head.status, &bytes, made_by);
            return Err(Missed::Told(refusal));
        }
        let content_type = text(&head.headers, &CONTENT_TYPE).to_owned();
        let dropped = wire::read_dropped(&head.headers);
        let ended = head.headers.get(wire::OUTCOME);
        let is_stream = ended.is_none();
        let attachment = Attachment::new(&head.headers, body, 0).map_err(Missed::Told)?;
        let (made_by, way) = (begun.made_by(node), begun.way());
        let attached = (attachment, is_stream);
        let body = ResumableBody::new(self, node, &call.generation, &boot, attached, begun.at);
        let body = match ended {
            Some(value) => {
                let mut outcome = outcome(value, made_by).map_err(Missed::Told)?;
                let bytes = body.collect(WHOLE_BYTES_MAX).await.map_err(Missed::Told)?;
                if let Some(made_by) = &mut outcome.made_by {
                    let end_ms = millis(begun.at.elapsed());
                    made_by.way = Some(Box::new(Way { end_ms, ..way }));
                }
                ReplyBody::Whole { bytes, outcome }
            }
            None => ReplyBody::Stream(pieces(body, call, begun.at, (made_by, way))),
        };
        Ok(Reply {
            boot,
            content_type,
            dropped,
            body,
        })
    }
}
