//! Draws that need no secrecy: cheap, without a lock, and the same again from the same seed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// The golden ratio, as in `SplitMix64` (Steele, Lea and Flood, 2014).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers.
#[derive(Debug)]
pub(super) struct Dice(AtomicU64);

impl Dice {
    /// From this seed on.
    pub(super) fn of(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub(super) fn roll(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }

    /// One below `most`, each as likely.
    pub(super) fn below(&self, most: u64) -> u64 {
        let scaled = u128::from(self.roll()) * u128::from(most);
        u64::try_from(scaled >> 64).unwrap_or(0)
    }
}

/// Spreads the bits of a number over all of it.
pub(super) fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Of two well spread numbers one that says nothing of either: both halves of a product, as in wyhash.
pub(super) fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ other) * u128::from(STEP);
    let half = |half: u128| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0);
    half(product) ^ half(product >> 64)
}

/// A number for what has none.
pub(super) fn number_of(thing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// Thousandths of the largest inverse of a weight.
const INVERSE: u32 = 1 << 16;

/// What [`lot`] takes of a weight.
pub(super) fn inverse(weight: u32) -> u32 {
    INVERSE / weight.max(1)
}

/// No more than [`lot`] of the same, and cheaper: -log2(u) is at least 1 - u.
pub(super) fn lot_at_least(draw: u64, inverse: u32) -> u64 {
    ((!draw >> 32) * u64::from(inverse)) >> 16
}

/// A draw's time in a race: of several with different weights each is the first as often as its weight
/// says, and so is each of the others the next. That is -log2(u) / weight for a u between 0 and 1, the
/// logarithm to a thousandth.
pub(super) fn lot(draw: u64, inverse: u32) -> u64 {
    const ONE: u64 = 1 << 32;
    let zeros = u64::from(draw.leading_zeros().min(63));
    // Behind the leading one, in 32 bits.
    let part = (draw << zeros << 1) >> 32;
    // log2(1 + x) is x + x (1 - x) (0.4427 - 0.1640 x), nearly; both ends rise as it does.
    let bend = 1_813 - ((672 * part) >> 32);
    let curve = (((part * (ONE - part)) >> 32) * bend) >> 12;
    let log = part + curve;
    (((zeros + 1) * ONE - log.min(ONE)) * u64::from(inverse)) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_fall_as_their_weights_say() {
        let dice = Dice::of(7);
        let weights = [1, 3, 6, 100];
        let mut firsts = [0_u32; 4];
        for _ in 0..110_000 {
            let lots = weights.map(|weight| lot(dice.roll(), inverse(weight)));
            let first = (0..4).min_by_key(|at| lots[*at]).expect("one");
            firsts[first] += 1;
        }
        for (first, weight) in firsts.into_iter().zip(weights) {
            let expected = weight * 1_000;
            let slack = expected / 33 + 100;
            assert!(first.abs_diff(expected) < slack, "{first} of {expected}");
        }
    }

    #[test]
    fn a_lot_is_no_less_than_its_bound_and_falls_with_its_draw() {
        let dice = Dice::of(3);
        for _ in 0..100_000 {
            let (draw, inverse) = (
                dice.roll(),
                inverse(1 + u32::from(dice.roll().is_multiple_of(2))),
            );
            assert!(lot_at_least(draw, inverse) <= lot(draw, inverse), "{draw}");
            let more = draw.saturating_add(1 << 50);
            assert!(lot(more, inverse) <= lot(draw, inverse), "{draw}");
        }
    }

    #[test]
    fn draws_are_within_their_bounds_and_come_again() {
        let (one, other) = (Dice::of(1), Dice::of(1));
        for most in [1, 2, 3, 1_000, u64::MAX] {
            let drawn = one.below(most);
            assert!(drawn < most);
            assert_eq!(drawn, other.below(most));
        }
        for draw in [0, 1, u64::MAX] {
            assert!(lot(draw, inverse(1)) <= 64 << 32);
        }
    }
}
