//! A key in use for one attempt: what the attempt brings is told here, once, and goes on to all that is
//! known of the key and its provider. Decides nothing.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use shared::clock::Moment;
use shared::fault::{Fault, FaultKind, Retry};
use shared::link::events::{GatewayEvent, KeyEvent};
use shared::units::Usage;

use super::ask::Size;
use super::choose::{KeyQuery, Picked};
use super::circuit::{CallEnd, Gate};
use super::health::{Asker, Report};
use super::joint::{JointMeters, JointPlace};
use super::meters::{Need, Ticket};
use super::pace::Took;
use super::{PoolKey, PoolProvider, Tools, budget, news, share, tell};
use crate::providers::Route;
use crate::providers::limits::LimitsHeard;

/// A key in use for one attempt; gives its place back when dropped.
pub(crate) struct Lease {
    provider: Arc<PoolProvider>,
    key: Arc<PoolKey>,
    caller: u64,
    model: String,
    /// A number for the model.
    number: u64,
    size: Size,
    began: Moment,
    tools: Tools,
    ticket: Ticket,
    /// Tokens that count for it now.
    counted: Mutex<Need>,
    heard: LimitsHeard,
    /// It tries whether its provider is well again.
    is_trial: AtomicBool,
    /// Its provider does the work, or did.
    is_accepted: AtomicBool,
    /// What it paid to be a try again.
    paid: AtomicU32,
    /// Its end makes room that was not there before.
    makes_room: AtomicBool,
    was_sent: AtomicBool,
    /// Its part of what gateways count together.
    joint: OnceLock<JointPlace>,
}

impl Lease {
    pub(super) fn new(
        tools: &Tools,
        query: &KeyQuery<'_>,
        picked: Picked<'_>,
        provider: Arc<PoolProvider>,
    ) -> Self {
        provider.health.running.fetch_add(1, Ordering::Relaxed);
        provider.health.leased.fetch_add(1, Ordering::Relaxed);
        Self {
            provider,
            key: picked.key.clone(),
            caller: query.asker.caller,
            model: query.asker.model.to_owned(),
            number: query.model,
            size: query.asker.size,
            began: query.now,
            tools: tools.clone(),
            ticket: picked.ticket,
            counted: Mutex::new(picked.ticket.need),
            heard: LimitsHeard::default(),
            is_trial: AtomicBool::new(false),
            is_accepted: AtomicBool::new(false),
            paid: AtomicU32::new(0),
            makes_room: AtomicBool::new(true),
            was_sent: AtomicBool::new(true),
            joint: OnceLock::new(),
        }
    }

    /// Whether it is the one call that tries, where only one may.
    pub(super) fn may_go(&self, gate: Gate) -> bool {
        if !self.provider.host(&self.key).may_try(self.began) {
            return false;
        }
        if gate != Gate::Trial {
            return true;
        }
        let circuits = &self.provider.health.circuits;
        let is_trial = circuits.begin_trial(self.number, self.began);
        self.is_trial.store(is_trial, Ordering::Relaxed);
        is_trial
    }

    /// A call goes there now.
    pub(super) fn enter(&self) {
        self.key.health.enter(self.began);
    }

    pub(crate) fn provider(&self) -> &Arc<PoolProvider> {
        &self.provider
    }

    pub(crate) fn key(&self) -> &Arc<PoolKey> {
        &self.key
    }

    /// About how many tokens it reads.
    pub(crate) fn input(&self) -> u64 {
        self.size.input
    }

    /// Where its attempt goes.
    pub(crate) fn route(&self) -> Route<'_> {
        Route {
            heard: Some(&self.heard),
            ..self.provider.route(&self.key, &self.model)
        }
    }

    /// Whether its provider's budget has room for a try again, which it is; `is_answered` says whether
    /// the try before was.
    pub(crate) fn pay_again(&self, is_answered: bool) -> bool {
        let cost = budget::cost(is_answered);
        let is_paid = self.provider.health.budget.take(self.caller, cost);
        if is_paid {
            self.paid.store(cost, Ordering::Relaxed);
        }
        is_paid
    }

    /// Nothing was or will be sent.
    pub(crate) fn never_sent(&self) {
        self.was_sent.store(false, Ordering::Relaxed);
        self.count(Need::default());
        self.key.health.meters.never_sent(&self.ticket);
    }

    /// Whether its key has room among all gateways too. Where it has none that is remembered, so that
    /// another key is chosen until it probably has.
    pub(super) async fn has_room_in(&self, meters: &Arc<JointMeters>) -> bool {
        let (key, need) = (&self.key, self.ticket.need.all());
        let Some(place) = JointPlace::of(meters, (&key.id, &key.terms), need) else {
            return true;
        };
        // Kept first: one that is dropped while it waits for the answer is told to be over.
        let place = self.joint.get_or_init(|| place);
        let Err(full) = place.take(&key.terms).await else {
            return true;
        };
        let now = self.tools.clock.now();
        let least = if full.is_for_tokens { need } else { 0 };
        let meters = &key.health.meters;
        meters.full_elsewhere((now.after(full.wait), now), least);
        false
    }

    /// What it took is given back before anybody could miss it: nobody who waits needs to look again.
    pub(super) fn changed_nothing(&self) {
        self.never_sent();
        self.makes_room.store(false, Ordering::Relaxed);
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            caller: self.caller,
            model: &self.model,
            is_last_resort: false,
            size: self.size,
            affinity: None,
        }
    }

    /// The provider answered, whatever it was.
    pub(crate) fn answered(&self) {
        self.provider.host(&self.key).answered();
        if let Some(told) = self.heard.take() {
            let meters = &self.key.health.meters;
            meters.hear(&self.ticket, &told, self.tools.clock.now());
        }
    }

    /// The provider does the work.
    pub(crate) fn accepted(&self, took: Took) {
        self.answered();
        self.is_accepted.store(true, Ordering::Relaxed);
        let now = self.tools.clock.now();
        self.key.health.pace.answered(self.number, took, now);
        self.tell_circuits(true, now);
        let paid = self.paid.swap(0, Ordering::Relaxed);
        self.provider.health.budget.ended_well(self.caller, paid);
    }

    fn tell_circuits(&self, is_well: bool, now: Moment) {
        self.is_trial.store(false, Ordering::Relaxed);
        let ended = CallEnd {
            caller: self.caller,
            model: self.number,
            began: self.began,
            is_well,
        };
        self.provider.health.circuits.ended(ended, now);
    }

    /// The attempt ended well: past faults are forgotten.
    pub(crate) fn succeeded(&self) {
        let now = self.tools.clock.now();
        if !self.is_accepted.load(Ordering::Relaxed) {
            self.tell_circuits(true, now);
        }
        if self.key.health.succeeded(self.asker(), self.began, now) {
            self.tell(GatewayEvent::KeyRecovered, None);
        }
    }

    /// What the attempt consumed is known.
    pub(crate) fn used(&self, usage: &Usage) {
        if usage.is_nothing() {
            return;
        }
        let output = usage.output_total();
        self.count(Need {
            input: usage.input_total(),
            output,
        });
        self.provider.health.lengths.seen(self.number, output);
    }

    fn count(&self, actual: Need) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let meters = &self.key.health.meters;
        meters.correct(&self.ticket, *counted, actual);
        *counted = actual;
    }

    /// The attempt failed.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.give_back(fault);
        if self.provider.connector.fails_on_request() {
            return;
        }
        let now = self.tools.clock.now();
        if fault.kind == FaultKind::Unreachable {
            self.provider.host(&self.key).unreachable(now);
        }
        let is_providers = matches!(
            fault.kind,
            FaultKind::Overloaded | FaultKind::Timeout | FaultKind::InvalidAnswer
        );
        if is_providers {
            self.key.health.pace.failed(self.caller, now);
            self.tell_circuits(false, now);
        }
        if self.key.health.failed(self.report(fault, now), now) {
            self.tell(GatewayEvent::KeyCooling, Some(fault.word().to_owned()));
        }
    }

    /// What surely was not worked on does not count.
    fn give_back(&self, fault: &Fault) {
        if fault.kind == FaultKind::Unreachable {
            self.never_sent();
        } else if fault.retry == Retry::OtherKey && !self.is_accepted.load(Ordering::Relaxed) {
            self.count(Need::default());
        }
    }

    /// The attempt failed as another one with the same body at another key: it is the body's.
    pub(crate) fn suspected(&self, fault: &Fault) {
        self.give_back(fault);
        if !self.provider.connector.fails_on_request() {
            let now = self.tools.clock.now();
            self.key.health.suspected(self.report(fault, now), now);
        }
    }

    /// The model wrote more than it was asked for.
    pub(crate) fn ignored_maximum(&self) {
        let route = self.provider.route(&self.key, &self.model);
        self.provider.connector.ignored_maximum(route);
    }

    fn report<'a>(&'a self, fault: &'a Fault, now: Moment) -> Report<'a> {
        let keys = &self.provider.keys;
        let others = keys.iter().filter(|key| key.id != self.key.id);
        let resting = others.filter(|key| key.health.rests_for(self.caller, now));
        Report {
            fault,
            caller: self.caller,
            model: &self.model,
            is_within_share: resting.count() < share(keys.len()),
        }
    }

    fn tell(&self, kind: fn(KeyEvent) -> GatewayEvent, reason: Option<String>) {
        let news = kind(news(&self.provider, &self.key, reason));
        tell(&self.tools.events, &self.key, news);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(place) = self.joint.get() {
            let counted = self.counted.get_mut();
            let counted = *counted.unwrap_or_else(PoisonError::into_inner);
            place.ended(self.was_sent.load(Ordering::Relaxed), counted.all());
        }
        self.key.health.meters.leave();
        self.provider.health.running.fetch_sub(1, Ordering::Relaxed);
        if self.is_trial.load(Ordering::Relaxed) {
            self.provider.health.circuits.end_trial(self.number);
        }
        if self.makes_room.load(Ordering::Relaxed) {
            self.provider.health.queue.serve();
        }
    }
}
