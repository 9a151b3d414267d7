//! Circuits of a provider: one for all of it and one for each of its models. One opens when most calls
//! fail, whoever makes them; then one call at a time tries whether it is over, and a success closes it.
//! One caller's faults alone open none, as they cost nobody a key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::Moment;

/// What is counted: so many spans of so many seconds.
const SLOTS: usize = 6;
const SLOTS_I64: i64 = 6;
const SLOT_SECONDS: i64 = 5;
/// Of fewer calls nothing can be told.
const CALLS_MIN: u32 = 10;
/// Callers of whom the last call failed.
const CALLERS_MIN: u32 = 2;
/// Models of which the last call failed, for the circuit of the whole provider.
const MODELS_MIN: u32 = 2;
/// Open for so long, then twice as long and so on, at most.
const OPEN: Duration = Duration::from_secs(5);
const OPEN_MAX: Duration = Duration::from_secs(30);
/// A call that tries whether it is over has this long; then another one does.
const TRIAL: Duration = Duration::from_secs(10);
/// Models that are told apart; what is beyond has no circuit of its own.
const MODELS_MAX: usize = 64;

/// Whether a call may go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It may, and is the one that tries.
    Trial,
    /// Not before then.
    Shut(Moment),
}

/// How one call ended, as far as its provider is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallEnd {
    pub(super) caller: u64,
    pub(super) model: u64,
    pub(super) began: Moment,
    pub(super) is_well: bool,
}

#[derive(Debug, Default)]
struct Circuit {
    calls: [u32; SLOTS],
    failures: [u32; SLOTS],
    /// The span that is counted now.
    slot: i64,
    /// Failures since the last success.
    in_a_row: u32,
    /// Whose last call failed or was served, a bit for each.
    failing: u64,
    served: u64,
    /// The same of models.
    failing_models: u64,
    served_models: u64,
    /// Since when and until when it is open.
    open: Option<(Moment, Moment)>,
    openings: u32,
    trial_until: Moment,
}

fn bit(of: u64) -> u64 {
    1 << (of % 64)
}

fn place(slot: i64) -> usize {
    usize::try_from(slot.rem_euclid(SLOTS_I64)).unwrap_or(0)
}

impl Circuit {
    fn pass(&mut self, now: Moment) {
        let slot = now.unix_seconds().div_euclid(SLOT_SECONDS);
        let passed = slot.saturating_sub(self.slot);
        for over in 1..=passed.min(SLOTS_I64) {
            let at = place(slot.saturating_sub(passed.min(SLOTS_I64) - over));
            (self.calls[at], self.failures[at]) = (0, 0);
        }
        if passed >= SLOTS_I64 {
            (self.failing, self.served) = (0, 0);
            (self.failing_models, self.served_models) = (0, 0);
            self.in_a_row = 0;
        }
        self.slot = self.slot.max(slot);
    }

    fn gate(&mut self, now: Moment) -> Gate {
        match self.open {
            None => Gate::Open,
            Some((_, until)) if until > now => Gate::Shut(until),
            Some(_) if self.trial_until > now => Gate::Shut(self.trial_until),
            Some(_) => Gate::Trial,
        }
    }

    fn open_at(&mut self, now: Moment) {
        let span = OPEN.saturating_mul(1 << self.openings.min(6)).min(OPEN_MAX);
        self.open = Some((now, now.after(span)));
        self.openings = self.openings.saturating_add(1);
        self.trial_until = Moment::default();
    }

    /// Counts a call; `of_models` are told apart in the circuit of all of them.
    fn ended(&mut self, call: CallEnd, of_models: bool, now: Moment) {
        if let Some((since, until)) = self.open {
            // What began before says nothing about now.
            if call.began >= since && call.is_well {
                *self = Self::default();
            } else if call.began >= until {
                self.open_at(now);
            }
            return;
        }
        self.pass(now);
        let at = place(self.slot);
        let (caller, model) = (bit(call.caller), bit(call.model));
        self.calls[at] = self.calls[at].saturating_add(1);
        if call.is_well {
            self.in_a_row = 0;
            (self.served, self.failing) = (self.served | caller, self.failing & !caller);
            self.served_models |= model;
            self.failing_models &= !model;
            return;
        }
        self.failures[at] = self.failures[at].saturating_add(1);
        self.in_a_row = self.in_a_row.saturating_add(1);
        (self.failing, self.served) = (self.failing | caller, self.served & !caller);
        self.failing_models |= model;
        self.served_models &= !model;
        if self.is_broken(of_models) {
            self.open_at(now);
        }
    }

    fn is_broken(&self, of_models: bool) -> bool {
        let (calls, failures) = (sum(&self.calls), sum(&self.failures));
        let is_most = failures.saturating_mul(2) > calls || self.in_a_row >= CALLS_MIN;
        let outweigh = |failing: u64, served: u64, least: u32| {
            failing.count_ones() >= least && failing.count_ones() > served.count_ones()
        };
        failures >= CALLS_MIN
            && is_most
            && outweigh(self.failing, self.served, CALLERS_MIN)
            && (!of_models || outweigh(self.failing_models, self.served_models, MODELS_MIN))
    }
}

fn sum(counts: &[u32; SLOTS]) -> u32 {
    counts
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
}

#[derive(Debug, Default)]
struct State {
    whole: Circuit,
    models: Vec<(u64, Circuit)>,
}

/// Of one provider.
#[derive(Debug, Default)]
pub(super) struct Circuits {
    /// Whether any is open: nearly never.
    any_open: AtomicBool,
    state: Mutex<State>,
}

impl Circuits {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call of `model` may go there.
    pub(super) fn gate(&self, model: u64, now: Moment) -> Gate {
        if !self.any_open.load(Ordering::Acquire) {
            return Gate::Open;
        }
        let mut state = self.lock();
        let of_model = state.models.iter_mut().find(|(known, _)| *known == model);
        let of_model = of_model.map_or(Gate::Open, |(_, circuit)| circuit.gate(now));
        match (state.whole.gate(now), of_model) {
            (Gate::Shut(one), Gate::Shut(other)) => Gate::Shut(one.max(other)),
            (Gate::Shut(until), _) | (_, Gate::Shut(until)) => Gate::Shut(until),
            (Gate::Open, Gate::Open) => Gate::Open,
            (Gate::Trial, _) | (_, Gate::Trial) => Gate::Trial,
        }
    }

    /// A call that may try does; false when another one was faster.
    pub(super) fn begin_trial(&self, model: u64, now: Moment) -> bool {
        let mut state = self.lock();
        let State { whole, models } = &mut *state;
        let of_model = models.iter_mut().find(|(known, _)| *known == model);
        let of_model = of_model.map(|(_, circuit)| circuit);
        for circuit in [Some(whole), of_model].into_iter().flatten() {
            match circuit.gate(now) {
                Gate::Open => {}
                Gate::Trial => circuit.trial_until = now.after(TRIAL),
                Gate::Shut(_) => return false,
            }
        }
        true
    }

    /// A call that tried is over without a word about its provider.
    pub(super) fn end_trial(&self, model: u64) {
        let mut state = self.lock();
        state.whole.trial_until = Moment::default();
        if let Some((_, circuit)) = state.models.iter_mut().find(|(known, _)| *known == model) {
            circuit.trial_until = Moment::default();
        }
    }

    /// A call ended.
    pub(super) fn ended(&self, call: CallEnd, now: Moment) {
        let mut state = self.lock();
        let known = state
            .models
            .iter()
            .position(|(known, _)| *known == call.model);
        let at = known.or_else(|| {
            (state.models.len() < MODELS_MAX).then(|| {
                state.models.push((call.model, Circuit::default()));
                state.models.len() - 1
            })
        });
        state.whole.ended(call, true, now);
        if let Some(at) = at {
            state.models[at].1.ended(call, false, now);
        }
        let is_open = |circuit: &Circuit| circuit.open.is_some();
        let any = is_open(&state.whole) || state.models.iter().any(|(_, of)| is_open(of));
        self.any_open.store(any, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_unix_ms(1_000_000_000 + seconds * 1_000)
    }

    fn call(caller: u64, model: u64, is_well: bool, began: Moment) -> CallEnd {
        CallEnd {
            caller,
            model,
            began,
            is_well,
        }
    }

    #[test]
    fn a_model_that_fails_for_several_is_shut_and_others_are_not() {
        let circuits = Circuits::default();
        for n in 0..20 {
            circuits.ended(call(n % 3, 1, false, at(0)), at(0));
            circuits.ended(call(n % 3, 2, true, at(0)), at(0));
        }
        assert_eq!(circuits.gate(1, at(0)), Gate::Shut(at(5)));
        assert_eq!(circuits.gate(2, at(0)), Gate::Open);
        // Half open: one at a time.
        assert_eq!(circuits.gate(1, at(5)), Gate::Trial);
        assert!(circuits.begin_trial(1, at(5)));
        assert!(!circuits.begin_trial(1, at(5)));
        assert_eq!(circuits.gate(1, at(5)), Gate::Shut(at(15)));
        circuits.end_trial(1);
        assert!(
            circuits.begin_trial(1, at(6)),
            "the one before said nothing"
        );
        circuits.ended(call(1, 1, false, at(6)), at(7));
        assert_eq!(circuits.gate(1, at(7)), Gate::Shut(at(17)), "twice as long");
        circuits.ended(call(1, 1, true, at(1)), at(8));
        assert_eq!(
            circuits.gate(1, at(8)),
            Gate::Shut(at(17)),
            "it began before"
        );
        assert!(circuits.begin_trial(1, at(17)));
        circuits.ended(call(1, 1, true, at(17)), at(18));
        assert_eq!(circuits.gate(1, at(18)), Gate::Open);
    }

    #[test]
    fn a_provider_of_which_several_models_fail_is_shut_for_all() {
        let circuits = Circuits::default();
        for n in 0..100 {
            circuits.ended(call(n % 7, n % 3, true, at(0)), at(0));
        }
        for n in 0..12 {
            circuits.ended(call(n % 7, n % 3, false, at(1)), at(1));
        }
        assert!(
            matches!(circuits.gate(99, at(1)), Gate::Shut(_)),
            "unseen models too"
        );
    }

    proptest! {
        #[test]
        fn one_callers_faults_open_nothing(
            script in prop::collection::vec((0_u64..5, prop::bool::weighted(0.1), 0_i64..20), 1..300),
            others in prop::bool::ANY,
        ) {
            let (circuits, mut seconds) = (Circuits::default(), 0);
            for (model, is_well, passes) in script {
                seconds += passes;
                circuits.ended(call(1, model, is_well, at(seconds)), at(seconds));
                if others {
                    circuits.ended(call(2, model, true, at(seconds)), at(seconds));
                }
                prop_assert_eq!(circuits.gate(model, at(seconds)), Gate::Open);
            }
        }
    }
}
