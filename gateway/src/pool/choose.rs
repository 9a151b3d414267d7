//! Which of several keys: of the best tier that has room, the one that keeps a prompt's cache, else the
//! better of two draws by weight. A pick of a thousand keys looks at a few of them; at all of them only
//! where the few can't take the call. Allocates nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use shared::clock::Moment;
use shared::fault::FaultKind;
use shared::id::ProviderKeyId;

use super::dice::{Dice, fold, inverse, lot, lot_at_least, number_of};
use super::health::{Asker, Block};
use super::meters::{Need, Ticket};
use super::provider::HostHealth;
use super::queue::WAIT_MAX;
use super::{Idle, PoolKey, PoolProvider, wait_ms};

/// A tier of so few keys is looked at whole.
const FEW: usize = 4;
/// Draws for the first of two that can take the call, and for the second.
const DRAWS: usize = 8;
const DRAWS_SECOND: usize = 4;
/// Times that somebody else may take what was chosen.
const TAKES: usize = 3;
/// A key that is more than so many times as slow as another one is slower; less is chance.
const SLOWER: u64 = 2;
/// The same where a prompt's cache is lost: reading it again costs time and money.
const SLOWER_STICKY: u64 = 4;
/// One pick of so many looks whether a slow key still is.
const EXPLORES: u64 = 100;
/// Keys that keep a prompt's cache, one after the other.
const STICKY: usize = 3;
/// Calls that such a key may have beyond a quarter above the mean: where few run, one more is chance.
const STICKY_SLACK: u64 = 2;

/// Keys of one priority, with what draws need of them.
#[derive(Debug, Default)]
pub(super) struct Tier {
    /// The place of the first one among all keys.
    from: usize,
    /// For each key the sum of the weights up to it.
    ends: Vec<u64>,
    /// A number of its own for each key, and the inverse of its weight.
    lots: Vec<(u64, u32)>,
}

/// The tiers of `keys`, which are in the order of their priorities.
pub(super) fn tiers(keys: &[Arc<PoolKey>]) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let is_next = at == 0 || keys[at - 1].terms.priority != key.terms.priority;
        if is_next {
            tiers.push(Tier {
                from: at,
                ..Tier::default()
            });
        }
        if let Some(tier) = tiers.last_mut() {
            let before = tier.ends.last().copied().unwrap_or(0);
            tier.ends.push(before + u64::from(key.weight.max(1)));
            (tier.lots).push((number_of(key.id.as_str()), inverse(key.weight)));
        }
    }
    tiers
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct KeyQuery<'a> {
    pub(super) provider: &'a PoolProvider,
    pub(super) asker: Asker<'a>,
    /// A number for the model.
    pub(super) model: u64,
    pub(super) need: Need,
    pub(super) tried: &'a [ProviderKeyId],
    pub(super) now: Moment,
    pub(super) dice: &'a Dice,
}

/// A key of which a call has taken its part.
pub(super) struct Picked<'a> {
    pub(super) key: &'a Arc<PoolKey>,
    pub(super) ticket: Ticket,
}

impl<'a> KeyQuery<'a> {
    /// The key, or why there is none now.
    pub(super) fn pick(&self) -> Result<Picked<'a>, Idle> {
        let mut tiers = self.provider.tiers.iter();
        tiers
            .find_map(|tier| self.of_tier(tier))
            .ok_or_else(|| self.idle())
    }

    /// The key that would be taken, or why there is none now; takes nothing. What a prompt's beginning or
    /// a look at a slow key would change of it is left out.
    pub(super) fn would_pick(&self) -> Result<&'a Arc<PoolKey>, Idle> {
        let best = |tier: &'a Tier| {
            let (one, two) = self.race(tier)?;
            Some(two.filter(|two| self.is_better(two, one)).unwrap_or(one))
        };
        let picked = self.provider.tiers.iter().find_map(best);
        picked.ok_or_else(|| self.idle())
    }

    fn of_tier(&self, tier: &'a Tier) -> Option<Picked<'a>> {
        if let Some(picked) = self.sticky(tier) {
            return Some(picked);
        }
        for _ in 0..TAKES {
            let one = if tier.ends.len() > FEW {
                self.draw(tier, DRAWS, None)
            } else {
                None
            };
            let (one, two) = match one {
                Some(one) => (one, self.draw(tier, DRAWS_SECOND, Some(one))),
                None => self.race(tier)?,
            };
            let key = self.explored(tier, one).unwrap_or_else(|| {
                let other = two.filter(|two| self.is_better(two, one));
                other.unwrap_or(one)
            });
            if let Some(picked) = self.take(key) {
                return Some(picked);
            }
        }
        None
    }

    fn take(&self, key: &'a Arc<PoolKey>) -> Option<Picked<'a>> {
        let meters = &key.health.meters;
        let ticket = meters.take(&key.terms, self.model, self.need, self.now);
        ticket.ok().map(|ticket| Picked { key, ticket })
    }

    fn keys(&self, tier: &Tier) -> &'a [Arc<PoolKey>] {
        let keys = self.provider.keys.get(tier.from..).unwrap_or_default();
        &keys[..tier.ends.len().min(keys.len())]
    }

    /// A draw by weight of those that can take the call, and not `but`.
    fn draw(
        &self,
        tier: &Tier,
        times: usize,
        but: Option<&Arc<PoolKey>>,
    ) -> Option<&'a Arc<PoolKey>> {
        let keys = self.keys(tier);
        let total = *tier.ends.last()?;
        (0..times).find_map(|_| {
            let drawn = self.dice.below(total);
            let key = keys.get(tier.ends.partition_point(|end| *end <= drawn))?;
            let is_other = but.is_none_or(|but| !Arc::ptr_eq(but, key));
            (is_other && self.block(key).is_none()).then_some(key)
        })
    }

    /// The first and the second of all that can take the call, by weight.
    fn race(&self, tier: &Tier) -> Option<(&'a Arc<PoolKey>, Option<&'a Arc<PoolKey>>)> {
        let salt = self.dice.roll();
        let mut first: Option<(u64, &'a Arc<PoolKey>)> = None;
        let mut second: Option<(u64, &'a Arc<PoolKey>)> = None;
        for (key, (number, inverse)) in self.keys(tier).iter().zip(&tier.lots) {
            let lot = lot(fold(salt, *number), *inverse);
            let is_before = |of: Option<(u64, _)>| of.is_none_or(|(other, _)| lot < other);
            if !is_before(second) || self.block(key).is_some() {
                continue;
            }
            if is_before(first) {
                (first, second) = (Some((lot, key)), first);
            } else {
                second = Some((lot, key));
            }
        }
        first.map(|(_, key)| (key, second.map(|(_, key)| key)))
    }

    /// The key at which a prompt's beginning was read before, unless it is loaded by more than a quarter
    /// above the mean (bounded loads: Mirrokni, Thorup and Zadimoghaddam, 2018) or slow.
    fn sticky(&self, tier: &'a Tier) -> Option<Picked<'a>> {
        let affinity = self.asker.affinity?;
        let keys = self.keys(tier);
        if keys.len() < 2 {
            return None;
        }
        let mut best = [(u64::MAX, 0_usize); STICKY];
        for (at, (number, inverse)) in tier.lots.iter().enumerate() {
            let draw = fold(affinity, *number);
            if lot_at_least(draw, *inverse) >= best[STICKY - 1].0 {
                continue;
            }
            let lot = lot(draw, *inverse);
            if lot < best[STICKY - 1].0 {
                best[STICKY - 1] = (lot, at);
                best.sort_unstable();
            }
        }
        let running = u64::from(self.provider.health.running());
        let total = *tier.ends.last()?;
        let other = self.draw(tier, 1, None);
        best.into_iter().find_map(|(lot, at)| {
            let key = keys.get(at).filter(|_| lot != u64::MAX)?;
            let weight = u64::from(key.weight);
            let own = u64::from(key.health.meters.running());
            let is_within = own * total * 4 <= running * weight * 5 + total * 4 * STICKY_SLACK;
            let is_slow = other.is_some_and(|other| self.is_slower(key, other, SLOWER_STICKY));
            if !is_within || is_slow || self.block(key).is_some() {
                return None;
            }
            self.take(key)
        })
    }

    /// Once in a while a key that is slower than `one`, to see whether it still is: the one that was not
    /// used for the longest of a few.
    fn explored(&self, tier: &Tier, one: &Arc<PoolKey>) -> Option<&'a Arc<PoolKey>> {
        if self.dice.below(EXPLORES) != 0 {
            return None;
        }
        let keys = self.keys(tier);
        let most = u64::try_from(keys.len()).unwrap_or(1);
        let drawn = (0..DRAWS).filter_map(|_| {
            let at = usize::try_from(self.dice.below(most)).unwrap_or(0);
            keys.get(at)
        });
        drawn
            .filter(|key| key.health.meters.running() == 0 && self.is_slower(key, one, SLOWER))
            .filter(|key| self.block(key).is_none())
            .min_by_key(|key| key.health.pace.used_at())
    }

    fn slowness(&self, key: &PoolKey) -> Option<u64> {
        key.health.pace.slowness(self.model, self.now)
    }

    fn is_slower(&self, key: &PoolKey, other: &PoolKey, times: u64) -> bool {
        match (self.slowness(key), self.slowness(other)) {
            (Some(own), Some(other)) => own > other.saturating_mul(times),
            _ => false,
        }
    }

    /// Whether `two` is to be used and not `one`, which was drawn first. Draws follow the weights, and so
    /// do calls as long as nothing speaks against it: a load that is more than a quarter and two calls
    /// above the other's, or answers that take more than twice as long.
    fn is_better(&self, two: &PoolKey, one: &PoolKey) -> bool {
        let load = |key: &PoolKey| u64::from(key.health.meters.running());
        let (one_runs, two_runs) = (load(one), load(two));
        let (one_weighs, two_weighs) = (u64::from(one.weight), u64::from(two.weight));
        if let (Some(first), Some(second)) = (self.slowness(one), self.slowness(two))
            && (first > second.saturating_mul(SLOWER) || second > first.saturating_mul(SLOWER))
        {
            let cost = |slowness: u64, runs: u64, other_weighs: u64| {
                u128::from(slowness) * u128::from((runs + 1) * other_weighs)
            };
            let costs = (
                cost(second, two_runs, one_weighs),
                cost(first, one_runs, two_weighs),
            );
            return costs.0.cmp(&costs.1) == Ordering::Less;
        }
        4 * one_runs * two_weighs > 8 * two_weighs + 5 * (two_runs + 1) * one_weighs
    }

    /// Where calls with `key` go.
    fn host(&self, key: &'a PoolKey) -> &'a HostHealth {
        self.provider.host(key)
    }

    /// Why `key` can't take the call now, if so.
    pub(super) fn block(&self, key: &'a PoolKey) -> Option<Block> {
        if !key.serves(self.asker.model) || self.tried.contains(&key.id) {
            return Some(Block::Off);
        }
        if let Some(block) = key.health.block(self.asker, self.now) {
            return Some(block);
        }
        let meters = &key.health.meters;
        if let Some(until) = meters.full(&key.terms, self.model, self.need, self.now) {
            return Some(Block::Full { until });
        }
        let is_down = !self.asker.is_last_resort && self.host(key).is_down(self.now);
        is_down.then_some(Block::Down)
    }

    /// What the key that is ready first waits for.
    fn idle(&self) -> Idle {
        let mut first: Option<(Moment, FaultKind)> = None;
        let mut first_room: Option<Moment> = None;
        let (mut is_down, mut is_for_all) = (false, true);
        let sooner = |of: Option<Moment>, until: Moment| of.is_none_or(|earliest| until < earliest);
        for key in &self.provider.keys {
            let (until, kind) = match self.block(key) {
                Some(Block::Off) => continue,
                Some(Block::Down) => {
                    is_down = true;
                    continue;
                }
                Some(Block::Rests {
                    until,
                    kind,
                    for_all,
                }) => {
                    is_for_all &= for_all;
                    (until, kind)
                }
                Some(Block::Full { until }) => {
                    if sooner(first_room, until) {
                        first_room = Some(until);
                    }
                    (until, FaultKind::RateLimited)
                }
                // Others took it while this call looked.
                None => {
                    first_room = Some(self.now);
                    (self.now, FaultKind::RateLimited)
                }
            };
            if sooner(first.map(|(earliest, _)| earliest), until) {
                first = Some((until, kind));
            }
        }
        if let Some(until) = first_room.filter(|until| *until <= self.now.after(WAIT_MAX)) {
            let wait_ms = wait_ms(until, self.now);
            return Idle::Full {
                wait_ms,
                for_all: is_for_all,
            };
        }
        match first {
            _ if is_down => Idle::Down,
            None => Idle::NoKey,
            Some((until, kind)) => Idle::until(until, kind, self.now),
        }
    }
}
