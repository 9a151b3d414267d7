//! What runs on one key and what was used of its limits: those that its operator set, and those that its
//! provider told. What a call may bring is taken before it is sent, corrected when it is known, and its
//! place is given back when it is over.
//!
//! These counters live in the process. What several gateways on one database use of a key together is
//! counted in `joint` besides, and its word is kept here for as long as it is good; what was used of a day
//! is in the database too, see `days`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::Moment;
use shared::link::KeyTerms;

use super::bucket::Bucket;
use super::days::{Day, DayCount};
use super::window::Minute;
use crate::providers::limits::{ToldLimit, ToldLimits};

/// Models of one key whose limits are known; the one that was not used for the longest makes room.
const MODELS_MAX: usize = 16;
/// Kinds of limits that providers tell.
const KINDS: usize = 4;
/// Other gateways are asked again after this, whatever they said.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A call that ends makes room in this time, as likely as not.
const PLACE_WAIT: Duration = Duration::from_millis(500);

/// Tokens that a call may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Need {
    pub(super) input: u64,
    pub(super) output: u64,
}

impl Need {
    pub(super) fn all(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// In the order of [`kinds`].
    fn by_kind(self) -> [u64; KINDS] {
        [1, self.all(), self.input, self.output]
    }
}

fn kinds(told: &ToldLimits) -> [Option<ToldLimit>; KINDS] {
    [
        told.requests,
        told.tokens,
        told.input_tokens,
        told.output_tokens,
    ]
}

/// What a call took, to be corrected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// Under which seconds its request and its tokens are kept.
    second: i64,
    day: i64,
    model: u64,
    pub(super) need: Need,
    /// What was sent of its model up to and with it.
    sent: [u64; KINDS],
}

/// What a provider told of one model with this key.
#[derive(Debug, Default)]
struct ModelMeter {
    model: u64,
    used: Moment,
    /// In all, since it is known.
    sent: [u64; KINDS],
    /// Up to which call answers were heard.
    heard: u64,
    told: [Option<Bucket>; KINDS],
}

#[derive(Debug, Default)]
struct State {
    requests: Minute,
    tokens: Minute,
    today: Day,
    models: Vec<ModelMeter>,
    elsewhere: Elsewhere,
}

/// What other gateways said that they have.
#[derive(Debug, Default)]
struct Elsewhere {
    /// All there is until then.
    until: Moment,
    /// When it is worth asking again: what was taken may be given back earlier.
    ask_at: Moment,
    /// For calls of so many tokens and more.
    least: u64,
}

/// Of one key; survives a reload of the list.
#[derive(Debug, Default)]
pub(super) struct Meters {
    running: AtomicU32,
    state: Mutex<State>,
}

impl Meters {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// Until when a call of `model` has to wait; nothing when there is room.
    pub(super) fn full(
        &self,
        terms: &KeyTerms,
        model: u64,
        need: Need,
        now: Moment,
    ) -> Option<Moment> {
        self.lock().full(self.running(), terms, model, need, now)
    }

    /// Takes room for a call, or says until when there is none.
    pub(super) fn take(
        &self,
        terms: &KeyTerms,
        model: u64,
        need: Need,
        now: Moment,
    ) -> Result<Ticket, Moment> {
        let mut state = self.lock();
        if let Some(until) = state.full(self.running(), terms, model, need, now) {
            return Err(until);
        }
        self.running.fetch_add(1, Ordering::Relaxed);
        let second = state.requests.add(now.unix_seconds(), 1);
        state.tokens.add(second, need.all());
        let day = state.today.take(need.all());
        let meter = state.model(model, now);
        for (sent, count) in meter.sent.iter_mut().zip(need.by_kind()) {
            *sent = sent.saturating_add(count);
        }
        for (bucket, count) in meter.told.iter_mut().zip(need.by_kind()) {
            if let Some(bucket) = bucket {
                bucket.spend(now, count);
            }
        }
        Ok(Ticket {
            second,
            day,
            model,
            need,
            sent: meter.sent,
        })
    }

    /// A call is over.
    pub(super) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// A call brought `actual` instead of what was thought.
    pub(super) fn correct(&self, ticket: &Ticket, before: Need, actual: Need) {
        let mut state = self.lock();
        (state.tokens).change(ticket.second, before.all(), actual.all());
        let (before, actual) = (before.all(), actual.all());
        state.today.change_tokens(ticket.day, before, actual);
    }

    /// Until then other gateways have what there is for calls of at least so many tokens.
    pub(super) fn full_elsewhere(&self, (until, now): (Moment, Moment), least: u64) {
        self.lock().elsewhere = Elsewhere {
            until,
            ask_at: until.min(now.after(ASK_AGAIN)),
            least,
        };
    }

    /// What was used of the day that `now` is in and is not in the database.
    pub(super) fn unsaved(&self, now: Moment) -> DayCount {
        let mut state = self.lock();
        state.today.pass(now);
        state.today.unsaved()
    }

    /// `written` is in the database, which has `total` in all.
    pub(super) fn saved(&self, written: DayCount, total: DayCount) {
        self.lock().today.saved(written, total);
    }

    /// It never reached its provider: its request does not count either.
    pub(super) fn never_sent(&self, ticket: &Ticket) {
        let mut state = self.lock();
        state.requests.change(ticket.second, 1, 0);
        state.today.never_sent(ticket.day);
    }

    /// The answer to the call of `ticket` told of its model's limits.
    pub(super) fn hear(&self, ticket: &Ticket, told: &ToldLimits, now: Moment) {
        let mut state = self.lock();
        let meter = state.model(ticket.model, now);
        // An answer to an earlier call was counted before the one that was heard last. A meter that made
        // room and came again counts from the beginning.
        if ticket.sent[0] < meter.heard || ticket.sent[0] > meter.sent[0] {
            return;
        }
        meter.heard = ticket.sent[0];
        for (kind, told) in kinds(told).into_iter().enumerate() {
            if let Some(told) = told {
                let since = meter.sent[kind].saturating_sub(ticket.sent[kind]);
                meter.told[kind] = Some(Bucket::of(told, since, now));
            }
        }
    }

    /// What counts in this minute: requests and tokens.
    #[cfg(test)]
    pub(super) fn minute(&self, now: Moment) -> (u64, u64) {
        let mut state = self.lock();
        let second = now.unix_seconds();
        (state.requests.total(second), state.tokens.total(second))
    }
}

impl State {
    fn full(
        &mut self,
        running: u32,
        terms: &KeyTerms,
        model: u64,
        need: Need,
        now: Moment,
    ) -> Option<Moment> {
        let second = now.unix_seconds();
        let at = |wait: i64| {
            let ms = second.saturating_add(wait).saturating_mul(1_000);
            Moment::from_unix_ms(ms)
        };
        let mut until: Option<Moment> = None;
        let mut waits = |moment: Option<Moment>| until = until.max(moment);
        if terms.calls_at_once.is_some_and(|most| running >= most) {
            waits(Some(now.after(PLACE_WAIT)));
        }
        if let Some(limit) = terms.requests_per_minute {
            waits(self.requests.wait(second, 1, limit.into()).map(at));
        }
        if let Some(limit) = terms.tokens_per_minute {
            waits(self.tokens.wait(second, need.all(), limit).map(at));
        }
        let elsewhere = &self.elsewhere;
        let is_elsewhere = elsewhere.ask_at > now && need.all() >= elsewhere.least;
        waits(is_elsewhere.then_some(elsewhere.until));
        self.today.pass(now);
        waits(self.today.wait(terms, need.all()));
        if let Some(meter) = self.models.iter_mut().find(|meter| meter.model == model) {
            for (bucket, count) in meter.told.iter_mut().zip(need.by_kind()) {
                waits(bucket.as_mut().and_then(|bucket| bucket.wait(now, count)));
            }
        }
        until
    }

    fn model(&mut self, model: u64, now: Moment) -> &mut ModelMeter {
        let known = self.models.iter().position(|meter| meter.model == model);
        let at = known.unwrap_or_else(|| {
            if self.models.len() >= MODELS_MAX {
                let oldest = (0..self.models.len()).min_by_key(|at| self.models[*at].used);
                self.models.swap_remove(oldest.unwrap_or(0));
            }
            self.models.push(ModelMeter {
                model,
                ..ModelMeter::default()
            });
            self.models.len() - 1
        });
        self.models[at].used = now;
        &mut self.models[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need {
        input: 70,
        output: 30,
    };

    fn at(ms: i64) -> Moment {
        Moment::from_unix_ms(1_000_000_000_000 + ms)
    }

    fn take(meters: &Meters, terms: &KeyTerms, now: Moment) -> Result<Ticket, i64> {
        let taken = meters.take(terms, 1, NEED, now);
        taken.map_err(|until| until.unix_ms() - at(0).unix_ms())
    }

    #[test]
    fn each_limit_holds_and_says_until_when() {
        let meters = Meters::default();
        let once = KeyTerms {
            calls_at_once: Some(1),
            ..KeyTerms::default()
        };
        take(&meters, &once, at(0)).expect("room");
        assert_eq!(take(&meters, &once, at(0)).err(), Some(500));
        meters.leave();
        take(&meters, &once, at(0)).expect("room again");
        let requests = KeyTerms {
            requests_per_minute: Some(2),
            ..KeyTerms::default()
        };
        assert_eq!(take(&meters, &requests, at(0)).err(), Some(61_000));
        let tokens = KeyTerms {
            tokens_per_minute: Some(250),
            ..KeyTerms::default()
        };
        assert_eq!(take(&meters, &tokens, at(0)).err(), Some(61_000));
        let daily = KeyTerms {
            requests_per_day: Some(2),
            ..KeyTerms::default()
        };
        // 2001-09-09T01:46:40Z
        let until = (22 * 3_600 + 13 * 60 + 20) * 1_000;
        assert_eq!(take(&meters, &daily, at(0)).err(), Some(until));
        take(&meters, &daily, at(until)).expect("tomorrow");
        let tokens = KeyTerms {
            tokens_per_day: Some(250),
            ..KeyTerms::default()
        };
        take(&meters, &tokens, at(until)).expect("200 of 250");
        let next = until + 86_400_000;
        assert_eq!(take(&meters, &tokens, at(until)).err(), Some(next));
    }

    #[test]
    fn what_is_in_the_database_of_a_day_counts_and_is_written_once() {
        let (meters, daily) = (
            Meters::default(),
            KeyTerms {
                requests_per_day: Some(10),
                ..KeyTerms::default()
            },
        );
        let ticket = take(&meters, &daily, at(0)).expect("room");
        let unsaved = meters.unsaved(at(0));
        assert_eq!((unsaved.requests, unsaved.tokens), (1, 100));
        // It is corrected while it is written, and others wrote eight.
        meters.correct(&ticket, NEED, Need::default());
        let total = DayCount {
            requests: 9,
            tokens: 900,
            ..unsaved
        };
        meters.saved(unsaved, total);
        let left = meters.unsaved(at(0));
        assert_eq!((left.requests, left.tokens), (0, -100));
        take(&meters, &daily, at(0)).expect("the tenth");
        assert!(take(&meters, &daily, at(0)).is_err());
        // Another day has nothing of it.
        let tomorrow = at(86_400_000);
        let begun = meters.unsaved(tomorrow);
        assert_eq!((begun.requests, begun.tokens), (0, 0));
        meters.saved(unsaved, total);
        take(&meters, &daily, tomorrow).expect("tomorrow");
    }

    #[test]
    fn what_was_thought_is_corrected_and_what_was_not_sent_is_not_counted() {
        let (meters, terms) = (Meters::default(), KeyTerms::default());
        let ticket = take(&meters, &terms, at(0)).expect("room");
        assert_eq!(meters.minute(at(0)), (1, 100));
        let actual = Need {
            input: 70,
            output: 2,
        };
        meters.correct(&ticket, NEED, actual);
        assert_eq!(meters.minute(at(0)), (1, 72));
        meters.correct(&ticket, actual, Need::default());
        meters.never_sent(&ticket);
        assert_eq!(meters.minute(at(0)), (0, 0));
    }

    #[test]
    fn what_a_provider_told_counts_with_what_was_sent_since() {
        let (meters, terms) = (Meters::default(), KeyTerms::default());
        let first = take(&meters, &terms, at(0)).expect("room");
        let second = take(&meters, &terms, at(10)).expect("room");
        let told = |remaining| ToldLimits {
            requests: Some(ToldLimit {
                limit: Some(3),
                remaining,
                reset: Some(Duration::from_secs(60)),
                refills: false,
            }),
            ..ToldLimits::default()
        };
        meters.hear(&second, &told(1), at(100));
        // It comes late, and speaks of what was before.
        meters.hear(&first, &told(2), at(110));
        take(&meters, &terms, at(120)).expect("the last one");
        assert_eq!(take(&meters, &terms, at(130)).err(), Some(60_100));
        assert!(
            meters.take(&terms, 2, NEED, at(130)).is_ok(),
            "another model"
        );
        take(&meters, &terms, at(60_100)).expect("all is there again");
    }

    #[test]
    fn models_beyond_the_most_make_room() {
        let (meters, terms) = (Meters::default(), KeyTerms::default());
        for model in 0..100 {
            let ms = i64::try_from(model).expect("small");
            let ticket = meters.take(&terms, model, NEED, at(ms)).expect("room");
            meters.hear(&ticket, &ToldLimits::default(), at(ms));
        }
        assert_eq!(meters.lock().models.len(), MODELS_MAX);
    }
}
