//! One generation as a state machine: opening, streaming, closing, ended. It is driven by whoever waits
//! for it, so the usual call, one reader from first to last byte, costs no task; when the last reader
//! of a call over the border is cut off, `care` drives it for a while, and when its tenant left,
//! `parting` does. Knows no HTTP.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use shared::answer_model;
use shared::dialect::neutral::AnswerShown;
use shared::dialect::{Dialect, Metered};
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, RequestId};
use shared::link::Call;
use shared::surface::Surface;
use shared::units::Usage;
use tokio::sync::Notify;
use tracing::warn;

use super::attempt::{self, Accepted};
use super::context::GenerationContext;
use super::ending::{late, left};
use super::flow::{Flow, Flowed};
use super::log::{Gone, Log};
use super::register::Ended;
use super::state::{Closing, Phase, State, Streaming, Subscriber};
use super::taken::{Progress, Taking};
use super::translation::{self, StreamTranslation};
use super::{AttemptTrail, failure};
use crate::providers::{Answer, AnswerBody, ByteStream, ContentType};

/// What of a call is needed after it was sent to a provider.
pub(super) struct About {
    pub(super) id: GenerationId,
    pub(super) request: RequestId,
    pub(super) surface: &'static Surface,
    pub(super) fingerprint: u64,
    metered: Metered,
    pub(super) caller: u64,
    /// Whether its server said whose question it is.
    pub(super) names_person: bool,
    /// Whether somebody may come again for it: what it puts out is kept, and its end written down.
    pub(super) keeps: bool,
    pub(super) deadline: Instant,
}

/// An answer in another dialect than the tenant's.
struct Foreign {
    /// Which.
    dialect: &'static dyn Dialect,
    /// How the tenant sees it.
    shown: AnswerShown,
    /// How many vectors must be there.
    texts: Option<usize>,
}

/// One generation.
pub(crate) struct Generation {
    pub(super) about: About,
    pub(super) context: Arc<GenerationContext>,
    state: Mutex<State>,
    pub(super) over: Notify,
}

/// What driving brought.
pub(super) enum Driven {
    /// A provider accepted.
    Opened,
    /// Bytes, kept already where they are kept.
    Piece(Bytes),
    /// It is over.
    Ended,
}

/// What became of the wish to read on.
pub(super) enum Parted {
    /// Whoever asked reads on.
    First,
    /// Somebody does already.
    Before,
    /// It is over.
    Ended,
}

/// Why a generation ends before its provider says so.
pub(super) fn canceled(why: &'static str) -> Fault {
    Fault::new(FaultKind::Canceled, why)
}

impl Generation {
    /// Of `call`, not yet sent; `keeps` what it puts out for readers that come again.
    pub(super) fn new(
        context: &Arc<GenerationContext>,
        call: Call,
        fingerprint: u64,
        keeps: bool,
    ) -> Arc<Self> {
        let begun = Instant::now();
        let about = About {
            id: call.generation.clone(),
            request: call.request.clone(),
            surface: call.surface,
            fingerprint,
            metered: call.surface.dialect.metered(&call),
            caller: call.caller,
            names_person: call.end_user.is_some(),
            keeps,
            deadline: begun + call.deadline,
        };
        let timer = Box::pin(tokio::time::sleep_until(about.deadline.into()));
        if keeps {
            context.outcomes.begun(&about.id);
        }
        let opening = {
            let context = context.clone();
            async move { attempt::attempts(context.means(), &call, begun).await }
        };
        let state = State {
            phase: Phase::Opening(Box::pin(opening)),
            timer,
            log: keeps.then(|| Log::new(context.register.budget().clone())),
            length: 0,
            taking: Taking::default(),
            progress: Progress::new(begun),
            subscribers: Vec::new(),
            driver: None,
            left: 0,
            patience: None,
            parted: None,
            content_type: ContentType::default(),
            dropped: Arc::default(),
        };
        Arc::new(Self {
            about,
            context: context.clone(),
            state: Mutex::new(state),
            over: Notify::new(),
        })
    }

    /// Of the request it belongs to.
    pub(super) fn fingerprint(&self) -> u64 {
        self.about.fingerprint
    }

    pub(super) fn id(&self) -> &GenerationId {
        &self.about.id
    }

    /// Calls of one caller share bounds.
    pub(super) fn caller(&self) -> u64 {
        self.about.caller
    }

    pub(super) fn context(&self) -> &Arc<GenerationContext> {
        &self.context
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new reader that has all before `position` its place, and remembers how long its server
    /// would try to come again.
    pub(super) fn attach(&self, position: u64, patience: Option<Duration>) -> usize {
        let mut state = self.lock();
        state.patience = patience.or(state.patience);
        if !state.is_read() {
            state.taking.fell_back(position);
        }
        let free = state
            .subscribers
            .iter()
            .position(|subscriber| !subscriber.taken);
        let at = free.unwrap_or_else(|| {
            state.subscribers.push(Subscriber::default());
            state.subscribers.len() - 1
        });
        state.subscribers[at].taken = true;
        at
    }

    /// Frees a reader's place. The number tells a driver that nobody reads any more; nothing is to be done
    /// where somebody does or it is over.
    pub(super) fn detach(&self, subscriber: usize) -> Option<u64> {
        let mut state = self.lock();
        state.subscribers[subscriber] = Subscriber::default();
        if matches!(state.phase, Phase::Ended(_)) {
            return None;
        }
        if state.is_read() {
            // Whoever left may have been the one that its provider would wake.
            state.wake_all();
            return None;
        }
        state.left += 1;
        Some(state.left)
    }

    /// How long it runs on while nobody reads it.
    pub(super) fn grace(&self) -> Duration {
        self.context.detached(self.lock().patience)
    }

    /// How it ended, for a reader that saw that it did.
    pub(super) fn ended(&self) -> Option<Ended> {
        match &self.lock().phase {
            Phase::Ended(ended) => Some(ended.clone()),
            Phase::Opening(_) | Phase::Streaming(_) | Phase::Closing(_) => None,
        }
    }

    /// Waits until it is over.
    pub(super) async fn until_over(&self) -> Ended {
        loop {
            let mut over = std::pin::pin!(self.over.notified());
            // Heard of from before the look on.
            over.as_mut().enable();
            if let Some(ended) = self.ended() {
                return ended;
            }
            over.await;
        }
    }

    /// The tenant left: nobody reads any more, and whoever is told [`Parted::First`] drives it to its
    /// provider's count.
    pub(super) fn part(&self) -> Parted {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ended(_)) {
            return Parted::Ended;
        }
        if state.parted.is_some() {
            return Parted::Before;
        }
        state.parted = Some(state.taking.output());
        state.log = None;
        state.wake_all();
        Parted::First
    }

    /// Drives it after its tenant left; ready when it is over. What comes is thrown away; what passes the
    /// maximum ends it as any other stream.
    pub(super) fn poll_on(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.drive_unread(&mut self.lock(), cx, |_| true)
    }

    /// What comes next for the reader in `subscriber`, who has read up to `position`.
    pub(super) fn poll_for(
        &self,
        subscriber: usize,
        position: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Driven, Gone>> {
        let mut state = self.lock();
        if state.parted.is_some() && !matches!(state.phase, Phase::Ended(_)) {
            return Poll::Ready(Err(Gone));
        }
        if let Some(log) = &state.log
            && let Some(bytes) = log.read(position)?
        {
            state.took(position, &bytes);
            return Poll::Ready(Ok(Driven::Piece(bytes)));
        }
        if position > 0 && matches!(state.phase, Phase::Opening(_)) {
            return Poll::Ready(Err(Gone));
        }
        let driven = self.drive(&mut state, cx);
        if driven.is_pending() {
            let waker = &mut state.subscribers[subscriber].waker;
            if !waker.as_ref().is_some_and(|old| old.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        } else {
            state.subscribers[subscriber].waker = None;
            state.wake_all();
        }
        if let Poll::Ready(Driven::Piece(bytes)) = &driven {
            state.took(position, bytes);
        }
        driven.map(Ok)
    }

    /// What it answers is, as the provider that accepted it says; empty before.
    pub(super) fn content_type(&self) -> ContentType {
        self.lock().content_type.clone()
    }

    /// What of the request could not be said to the provider that accepted it.
    pub(super) fn dropped(&self) -> Arc<[String]> {
        self.lock().dropped.clone()
    }

    /// Whether a provider has accepted, for a reader that comes later.
    pub(super) fn is_streaming(&self) -> bool {
        match &self.lock().phase {
            Phase::Streaming(_) => true,
            Phase::Closing(closing) => closing.whole.is_none(),
            Phase::Opening(_) | Phase::Ended(_) => false,
        }
    }

    /// Drives it for its driver of number `left`; ready when the driver is not needed any more.
    pub(super) fn poll_care(&self, left: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let over = matches!(state.phase, Phase::Ended(_));
        if over || state.parted.is_some() || state.left != left || state.is_read() {
            return Poll::Ready(());
        }
        // Beyond its share nothing could be read again: the provider waits instead.
        self.drive_unread(&mut state, cx, |state| {
            state.log.as_ref().is_some_and(Log::has_room)
                || matches!(state.phase, Phase::Closing(_))
        })
    }

    /// As far as it comes while `goes_on`, for whoever drives it and reads nothing; ready when it is over.
    fn drive_unread(
        &self,
        state: &mut State,
        cx: &mut Context<'_>,
        goes_on: impl Fn(&State) -> bool,
    ) -> Poll<()> {
        while goes_on(state) {
            match self.drive(state, cx) {
                Poll::Ready(Driven::Ended) => return Poll::Ready(()),
                Poll::Ready(Driven::Opened | Driven::Piece(_)) => {}
                Poll::Pending => break,
            }
        }
        state.wait_as_driver(cx.waker());
        Poll::Pending
    }

    /// One step further.
    fn drive(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<Driven> {
        loop {
            let driven = match &mut state.phase {
                Phase::Ended(_) => return Poll::Ready(Driven::Ended),
                Phase::Closing(closing) => {
                    let is_kept = Pin::new(&mut closing.kept).poll(cx).is_ready();
                    if !is_kept && state.timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    let passed = closing.passed;
                    if let Some(last) = closing.last.take() {
                        return Poll::Ready(Driven::Piece(state.put_out(last, passed)));
                    }
                    self.close(state);
                    continue;
                }
                Phase::Opening(opening) => opening.as_mut().poll(cx).map(Ok),
                Phase::Streaming(streaming) => streaming.flow.poll(cx).map(Err),
            };
            match driven {
                Poll::Ready(Ok(Ok(accepted))) => {
                    if self.accept(state, accepted) {
                        return Poll::Ready(Driven::Opened);
                    }
                }
                Poll::Ready(Ok(Err(failure))) => drop(self.fail(state, failure)),
                Poll::Ready(Err(Flowed::Piece(bytes))) => {
                    if let Some(bytes) = self.hold_back(state, bytes) {
                        let passed = state.passed();
                        return Poll::Ready(Driven::Piece(state.put_out(bytes, passed)));
                    }
                }
                Poll::Ready(Err(Flowed::End(fault))) => self.finish(state, fault),
                Poll::Pending => {
                    std::task::ready!(state.timer.as_mut().poll(cx));
                    match state.phase {
                        Phase::Streaming(_) => self.finish(state, Some(late())),
                        Phase::Opening(_) | Phase::Closing(_) | Phase::Ended(_) => {
                            drop(self.fail(state, failure(late(), 0)));
                        }
                    }
                }
            }
        }
    }

    /// Keeps the last event of a stream where its end is written down first.
    fn hold_back(&self, state: &mut State, bytes: Bytes) -> Option<Bytes> {
        let Phase::Streaming(streaming) = &mut state.phase else {
            return Some(bytes);
        };
        if !self.about.keeps || !streaming.flow.is_done() {
            return Some(bytes);
        }
        streaming.last = Some(match streaming.last.take() {
            None => bytes,
            Some(before) => [before, bytes].concat().into(),
        });
        None
    }

    /// What a provider answered; whether that is the beginning of a stream.
    fn accept(&self, state: &mut State, accepted: Accepted) -> bool {
        let Accepted {
            answer,
            trail,
            lease,
        } = accepted;
        let Answer {
            content_type,
            dialect,
            dropped,
            repeated,
            texts,
            body,
        } = answer;
        state.content_type = content_type;
        state.dropped = dropped.into();
        let spoken = dialect.unwrap_or(self.about.surface.dialect);
        let from = dialect.map(|dialect| Foreign {
            dialect,
            shown: self.as_shown(&trail, repeated),
            texts,
        });
        let bytes = match body {
            AnswerBody::Stream(bytes) => {
                let flow = match self.flow(bytes, from, &trail) {
                    Ok(flow) => flow,
                    Err(fault) => {
                        drop(self.fail(state, failure(fault, trail.attempts)));
                        return false;
                    }
                };
                state.phase = Phase::Streaming(Box::new(Streaming {
                    flow,
                    trail,
                    lease,
                    last: None,
                }));
                return true;
            }
            AnswerBody::Whole(bytes) => bytes,
        };
        let counted = spoken.usage(self.metered_in(dialect), &bytes);
        match counted.and_then(|usage| Ok((self.shown(bytes, from, &usage, &trail)?, usage))) {
            Ok((bytes, usage)) => {
                lease.succeeded();
                Self::watch_maximum(&lease, &usage);
                state.length = u64::try_from(bytes.len()).unwrap_or(0);
                let fault = state.parted.is_some().then(left);
                let outcome = trail.outcome(usage, fault);
                let closing = Closing {
                    whole: Some(bytes),
                    ..Closing::new(outcome)
                };
                self.write_down(state, closing);
            }
            Err(fault) => {
                warn!(request.id = %self.about.request, "generation `{}`: {fault}", self.about.id);
                drop(self.fail(state, failure(fault, trail.attempts)));
            }
        }
        false
    }

    /// What must be known to count an answer in the dialect of its provider. Of a translated one the tenant
    /// sees what its own dialect tells.
    fn metered_in(&self, dialect: Option<&dyn Dialect>) -> Metered {
        let own = self.about.metered;
        match dialect {
            None => own,
            Some(_) => Metered {
                show_usage: false,
                ..own
            },
        }
    }

    /// How a translated answer is shown.
    fn as_shown(&self, trail: &AttemptTrail, repeated: Bytes) -> AnswerShown {
        let model = trail.answers.as_deref();
        let bounds = self.about.metered.bounds;
        AnswerShown {
            model: model.unwrap_or(&trail.model).to_owned(),
            id: self.about.id.as_str().to_owned(),
            created: u64::try_from(self.context.pools.now().unix_ms() / 1_000).unwrap_or(0),
            shows_usage: self.about.metered.show_usage,
            input_estimate: bounds.map_or(0, |bounds| bounds.input_estimate),
            repeated,
        }
    }

    /// A provider's stream on its way, translated where it is in another dialect.
    fn flow(
        &self,
        bytes: ByteStream,
        from: Option<Foreign>,
        trail: &AttemptTrail,
    ) -> Result<Flow, Fault> {
        let own = self.about.surface.dialect;
        let Some(Foreign { dialect, shown, .. }) = from else {
            let meter = own.meter(self.about.metered);
            return Ok(Flow::new(bytes, meter, trail.answers.clone()));
        };
        let translation = StreamTranslation::new(dialect, own, shown)?;
        let meter = dialect.meter(self.metered_in(Some(dialect)));
        Ok(Flow::new(bytes, meter, None).translated(translation))
    }

    /// A whole answer as the tenant sees it.
    fn shown(
        &self,
        bytes: Bytes,
        from: Option<Foreign>,
        usage: &Usage,
        trail: &AttemptTrail,
    ) -> Result<Bytes, Fault> {
        match (from, &trail.answers) {
            (Some(foreign), _) => {
                let own = self.about.surface.dialect;
                let between = (foreign.dialect, own);
                translation::whole(between, &bytes, usage, &foreign.shown, foreign.texts)
            }
            (None, Some(name)) => Ok(answer_model::in_answer(&bytes, name)),
            (None, None) => Ok(bytes),
        }
    }
}
