//! What is known of one key. A request never costs a key: what one caller's calls bring is remembered
//! for that caller alone, and counts for everybody only while the calls of two callers say the same.
//! Only the answer to a question of our own switches a key off, and then until it is asked again. How
//! many keys of a pool a caller reaches so is [`super::share`]'s to say.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::Moment;
use shared::fault::{Fault, FaultKind};

use super::ask::Size;
use super::effect::{self, Effect, FAILURES_MAX, FAILURES_REST};
use super::meters::Meters;
use super::pace::KeyPace;

/// Rests that are remembered of one key; the one that ends first makes room.
const RESTS_MAX: usize = 64;
/// What the same body brought at two keys is the body's; that another caller says the same is waited
/// for this long.
const SUSPICION: Duration = Duration::from_secs(60);
/// A key that was switched off is asked again after this, then after twice as long, and so on.
const PROBE_FIRST: Duration = Duration::from_secs(60);
const PROBE_MAX: Duration = Duration::from_secs(6 * 3_600);
/// A key is not asked about more often, however many answers name it.
const CHECK_PAUSE: Duration = Duration::from_secs(10);
/// A key that failed often in a row is tried by one call at a time, which has this long.
const TRIAL: Duration = Duration::from_secs(10);

/// Who wants to use a key, and for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// Calls of one number belong together.
    pub(crate) caller: u64,
    /// The model's name at the provider.
    pub(crate) model: &'a str,
    /// Nothing else is left: what rests only to spare time is used.
    pub(crate) is_last_resort: bool,
    /// How large the call is.
    pub(crate) size: Size,
    /// Calls of one number are the better for being together.
    pub(crate) affinity: Option<u64>,
}

/// Why a key is not used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// It is switched off, or not for such calls.
    Off,
    /// Its host does not answer.
    Down,
    /// Its limits are used up.
    Full {
        /// How long.
        until: Moment,
    },
    /// It rests.
    Rests {
        /// How long.
        until: Moment,
        /// For what.
        kind: FaultKind,
        /// Whoever asks; else for this caller.
        for_all: bool,
    },
}

/// A key that is switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Off {
    /// Why.
    pub(crate) reason: Option<String>,
    /// When it is asked again; never where an operator switched it off.
    pub(crate) probe_at: Option<Moment>,
}

/// A pause of a key.
#[derive(Debug, Clone)]
struct Rest {
    /// Whose calls brought it; everybody's where nobody is named.
    caller: Option<u64>,
    model: Option<Box<str>>,
    kind: FaultKind,
    since: Moment,
    until: Moment,
    /// Rests for the same before it, without a success between them.
    streak: u32,
    /// A guess of ours: used all the same where nothing else is left, and refuted by any success. A
    /// wait that the provider asked for is none.
    is_soft: bool,
    /// Counts for the caller itself, and not only as what a second caller confirms.
    is_own: bool,
    /// Within the caller's share of the pool: an operator sees it.
    is_shown: bool,
}

#[derive(Debug, Default)]
struct State {
    off: Option<Off>,
    /// Probes in a row that did not switch it on.
    probes: u32,
    rests: Vec<Rest>,
    /// Faults of the provider in a row.
    failures: u32,
    /// Whose the first of them was, and whether others had some too.
    failed_first: u64,
    failed_for_others: bool,
    /// Until when a call tries whether it still fails.
    trial_until: Moment,
    checked_at: Option<Moment>,
    /// That it rests was told.
    is_told: bool,
    /// Switches of this process, on and off, that are not in the database yet.
    unwritten: u32,
}

/// What is known of a key's health; survives a reload of the list.
#[derive(Debug, Default)]
pub(crate) struct KeyHealth {
    pub(super) meters: Meters,
    pub(super) pace: KeyPace,
    state: Mutex<State>,
    /// Until when its account counts as empty, in unix milliseconds; zero where it does not.
    parked_until: AtomicI64,
}

/// A fault and whose call it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report<'a> {
    pub(super) fault: &'a Fault,
    pub(super) caller: u64,
    pub(super) model: &'a str,
    /// The caller's calls may still show a key of this pool as cooling.
    pub(super) is_within_share: bool,
}

/// A key as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In use.
    Active,
    /// Rests for those whose calls brought it, or for everybody.
    Cooling { until: Moment, reason: &'static str },
    /// Its account is at or below its floor.
    Parked,
    /// Switched off.
    Off(Off),
}

impl KeyHealth {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.meters.running()
    }

    /// What counts in this minute: requests and tokens.
    #[cfg(test)]
    pub(crate) fn minute(&self, now: Moment) -> (u64, u64) {
        self.meters.minute(now)
    }

    /// A call goes there.
    pub(super) fn enter(&self, now: Moment) {
        self.pace.used(now);
        let mut state = self.lock();
        if state.failures >= FAILURES_MAX {
            state.trial_until = now.after(TRIAL);
        }
    }

    /// Sets what the database says; none is on. While it does not know yet how this process switched
    /// the key, that stays; but an operator's word counts at once.
    pub(crate) fn set_off(&self, off: Option<Off>) {
        let mut state = self.lock();
        let is_operators = off.as_ref().is_some_and(|off| off.probe_at.is_none());
        if is_operators {
            state.unwritten = 0;
        } else if state.unwritten > 0 {
            return;
        }
        if state.off.is_some() == off.is_some() {
            state.off = off;
            return;
        }
        *state = State {
            off,
            unwritten: state.unwritten,
            ..State::default()
        };
    }

    /// Its account is empty, until it is read again or that moment, or it is not.
    pub(crate) fn set_parked(&self, until: Option<Moment>) {
        let until = until.map_or(0, Moment::unix_ms);
        self.parked_until.store(until, Ordering::Release);
    }

    /// Whether its account is empty, by a reading that still counts.
    pub(super) fn is_parked(&self, now: Moment) -> bool {
        self.parked_until.load(Ordering::Acquire) > now.unix_ms()
    }

    /// One of the switches is in the database, or nobody will write it any more.
    pub(super) fn written(&self) {
        let mut state = self.lock();
        state.unwritten = state.unwritten.saturating_sub(1);
    }

    /// An operator says how it is: what was not written before counts no more.
    pub(crate) fn overruled(&self) {
        self.lock().unwritten = 0;
    }

    /// The provider accepts it again; answers whether that switched it on, which is to be written. An
    /// operator's word stays, also one that came while the provider was asked.
    pub(super) fn switch_on(&self) -> bool {
        let mut state = self.lock();
        let is_asked_about = |off: &Off| off.probe_at.is_some();
        let is_on_again = state.off.as_ref().is_some_and(is_asked_about);
        if is_on_again {
            *state = State {
                unwritten: state.unwritten.saturating_add(1),
                ..State::default()
            };
        }
        is_on_again
    }

    pub(crate) fn shown(&self, now: Moment) -> Shown {
        let state = self.lock();
        if let Some(off) = &state.off {
            return Shown::Off(off.clone());
        }
        if self.is_parked(now) {
            return Shown::Parked;
        }
        state
            .shown(now)
            .map_or(Shown::Active, |rest| Shown::Cooling {
                until: rest.until,
                reason: rest.kind.word(),
            })
    }

    /// Why `asker` may not use it now, if so.
    pub(super) fn block(&self, asker: Asker<'_>, now: Moment) -> Option<Block> {
        if self.is_parked(now) {
            return Some(Block::Off);
        }
        let state = self.lock();
        if state.off.is_some() {
            return Some(Block::Off);
        }
        let concerns = |rest: &&Rest| {
            let model = rest.model.as_deref();
            rest.until > now
                && model.is_none_or(|model| model == asker.model)
                && !(rest.is_soft && asker.is_last_resort)
        };
        let is_theirs = |rest: &&Rest| rest.is_own && rest.caller == Some(asker.caller);
        let concerning = state.rests.iter().filter(concerns);
        let everybodys = for_everybody(concerning.clone());
        let longest = concerning
            .filter(is_theirs)
            .chain(everybodys)
            .max_by_key(|rest| rest.until);
        let rest = longest.map(|rest| Block::Rests {
            until: rest.until,
            kind: rest.kind,
            for_all: everybodys.is_some(),
        });
        rest.or_else(|| {
            Some(Block::Rests {
                until: state.trial(asker, now)?,
                kind: FaultKind::Overloaded,
                for_all: state.failed_for_others,
            })
        })
    }

    /// Whether this caller's calls rest it as far as an operator sees.
    pub(super) fn rests_for(&self, caller: u64, now: Moment) -> bool {
        let state = self.lock();
        let by = |rest: &Rest| rest.caller == Some(caller) && rest.is_shown && rest.until > now;
        state.rests.iter().any(by)
    }

    /// A call failed; answers whether that it rests is to be told.
    pub(super) fn failed(&self, report: Report<'_>, now: Moment) -> bool {
        let mut state = self.lock();
        let Report { fault, caller, .. } = report;
        let streak = state.streak(&report);
        let rest = match effect::effect(fault, streak) {
            Effect::Nothing => return false,
            Effect::Count => {
                if state.failures == 0 {
                    state.failed_first = caller;
                    state.failed_for_others = false;
                }
                state.failed_for_others |= state.failed_first != caller;
                state.failures = state.failures.saturating_add(1);
                if state.failures < FAILURES_MAX {
                    return false;
                }
                Rest {
                    caller: (!state.failed_for_others).then_some(caller),
                    model: None,
                    kind: fault.kind,
                    since: now,
                    until: now.after(FAILURES_REST),
                    streak: 0,
                    is_soft: true,
                    is_own: true,
                    is_shown: report.is_within_share || state.failed_for_others,
                }
            }
            Effect::Rest(rest) => Rest {
                caller: Some(caller),
                model: rest.of_model.then(|| report.model.into()),
                kind: fault.kind,
                since: now,
                until: now.after(rest.span),
                streak: streak.saturating_add(1),
                is_soft: rest.is_soft,
                is_own: true,
                is_shown: report.is_within_share,
            },
        };
        let is_of_model = rest.model.is_some();
        state.put(rest);
        let tells = !is_of_model && !state.is_told && state.shown(now).is_some();
        state.is_told |= tells;
        tells
    }

    /// The same body brought the same at another key: it is the body's, unless others say it too.
    pub(super) fn suspected(&self, report: Report<'_>, now: Moment) {
        self.lock().put(Rest {
            caller: Some(report.caller),
            model: None,
            kind: report.fault.kind,
            since: now,
            until: now.after(SUSPICION),
            streak: 0,
            is_soft: true,
            is_own: false,
            is_shown: false,
        });
    }

    /// A call that began at `began` ended well; answers whether that it is well again is to be told.
    pub(super) fn succeeded(&self, asker: Asker<'_>, began: Moment, now: Moment) -> bool {
        let mut state = self.lock();
        state.failures = 0;
        // A long call from before it was switched off does not switch it on.
        if state.off.is_some() || state.rests.is_empty() {
            return false;
        }
        state.rests.retain(|rest| {
            // A call from before the fault says nothing about the key now. A wait that the provider
            // asked this caller for is over when it is over, whoever else is served meanwhile.
            let is_refuted = rest.is_soft
                && rest.since < began
                && rest
                    .model
                    .as_deref()
                    .is_none_or(|model| model == asker.model);
            let is_over = rest.until <= now && rest.caller.is_none_or(|by| by == asker.caller);
            !(is_refuted || is_over)
        });
        let is_well = state.is_told && state.shown(now).is_none();
        state.is_told &= !is_well;
        is_well
    }

    /// Whether to ask the provider about it now; whoever is told so must ask.
    pub(crate) fn begin_check(&self, now: Moment) -> bool {
        let mut state = self.lock();
        let is_early = |at: Moment| now.since(at) < CHECK_PAUSE && at <= now;
        if state.off.is_some() || state.checked_at.is_some_and(is_early) {
            return false;
        }
        state.checked_at = Some(now);
        true
    }

    /// The provider itself says that the key is not good; answers when it is asked again, which is to
    /// be written, unless that was known.
    pub(crate) fn switch_off(&self, reason: &str, now: Moment) -> Option<Moment> {
        let mut state = self.lock();
        if state.off.is_some() {
            return None;
        }
        let probe_at = now.after(PROBE_FIRST);
        state.off = Some(Off {
            reason: Some(reason.to_owned()),
            probe_at: Some(probe_at),
        });
        state.rests.clear();
        state.is_told = false;
        state.unwritten = state.unwritten.saturating_add(1);
        Some(probe_at)
    }

    /// When a key that is switched off has to be asked now: the time that was set, and the next one.
    pub(crate) fn due(&self, now: Moment) -> Option<(Moment, Moment)> {
        let state = self.lock();
        let at = state.off.as_ref()?.probe_at.filter(|at| *at <= now)?;
        let pause = PROBE_FIRST
            .saturating_mul(1 << state.probes.saturating_add(1).min(20))
            .min(PROBE_MAX);
        Some((at, now.after(pause)))
    }

    /// It was asked and stays off until `next`.
    pub(crate) fn stays_off(&self, next: Moment) {
        let mut state = self.lock();
        state.probes = state.probes.saturating_add(1);
        if let Some(off) = &mut state.off {
            off.probe_at = Some(next);
        }
    }
}

/// What keeps everybody away: a rest that is everybody's, or what two callers say, for as long as both
/// do.
fn for_everybody<'a>(rests: impl Iterator<Item = &'a Rest>) -> Option<&'a Rest> {
    let later = |a: &Rest, b: Option<&Rest>| b.is_none_or(|b| a.until > b.until);
    // The two callers that wait longest.
    let (mut first, mut second): (Option<&Rest>, Option<&Rest>) = (None, None);
    let mut shared: Option<&Rest> = None;
    for rest in rests {
        if rest.caller.is_none() && later(rest, shared) {
            shared = Some(rest);
        }
        if first.is_some_and(|first| first.caller == rest.caller) {
            if later(rest, first) {
                first = Some(rest);
            }
        } else if later(rest, first) {
            second = first;
            first = Some(rest);
        } else if later(rest, second) {
            second = Some(rest);
        }
    }
    shared
        .into_iter()
        .chain(second)
        .max_by_key(|rest| rest.until)
}

impl State {
    /// The longest rest that an operator sees: everybody's, and what a caller's share is.
    fn shown(&self, now: Moment) -> Option<&Rest> {
        let concerns = |rest: &&Rest| rest.until > now && rest.model.is_none();
        let concerning = self.rests.iter().filter(concerns);
        concerning
            .clone()
            .filter(|rest| rest.is_shown)
            .chain(for_everybody(concerning))
            .max_by_key(|rest| rest.until)
    }

    /// Until when `asker` waits for the one call that tries a key that failed often in a row.
    fn trial(&self, asker: Asker<'_>, now: Moment) -> Option<Moment> {
        let is_theirs = self.failed_for_others || self.failed_first == asker.caller;
        let is_tried = self.failures >= FAILURES_MAX && self.trial_until > now;
        (is_tried && is_theirs && !asker.is_last_resort).then_some(self.trial_until)
    }

    /// Rests in a row for what is reported.
    fn streak(&self, report: &Report<'_>) -> u32 {
        let same = |rest: &&Rest| {
            rest.is_own && rest.caller == Some(report.caller) && rest.kind == report.fault.kind
        };
        let found = self.rests.iter().filter(same);
        found.map(|rest| rest.streak).max().unwrap_or(0)
    }

    /// Keeps a rest in the place of the one before for the same.
    fn put(&mut self, rest: Rest) {
        let same = |other: &Rest| {
            other.caller == rest.caller
                && other.kind == rest.kind
                && other.model == rest.model
                && other.is_own == rest.is_own
        };
        self.rests.retain(|other| !same(other));
        if self.rests.len() >= RESTS_MAX {
            let ends_first = (0..self.rests.len()).min_by_key(|at| self.rests[*at].until);
            if let Some(at) = ends_first {
                self.rests.swap_remove(at);
            }
        }
        self.rests.push(rest);
    }
}
