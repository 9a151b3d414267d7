//! How often a duration fell where: counts in fixed buckets that grow with the duration, so that
//! percentiles of any span come from sums. Pure: knows no call and no database.

use std::collections::BTreeMap;

/// Below, each millisecond has a bucket of its own.
const EXACT_BELOW: u64 = 16;
/// Parts of each doubling above: a bucket is at most an eighth as wide as what lies in it.
const PARTS: u64 = 8;
/// Longer durations (49 days) count as this long.
const LONGEST_MS: u64 = u32::MAX as u64;

/// Counts of durations in milliseconds, by bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buckets(BTreeMap<u16, u64>);

/// A text that is not what [`Buckets::to_text`] writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no text of buckets")]
pub struct BucketsError(String);

/// The bucket a duration falls into.
fn place(ms: u64) -> u16 {
    let ms = ms.min(LONGEST_MS);
    if ms < EXACT_BELOW {
        return u16::try_from(ms).unwrap_or(u16::MAX);
    }
    // The highest four bits: a one and the part of the doubling.
    let bits = u64::from(u64::BITS - ms.leading_zeros());
    let part = (ms >> (bits - 4)) - PARTS;
    u16::try_from(EXACT_BELOW + (bits - 5) * PARTS + part).unwrap_or(u16::MAX)
}

/// The first duration of a bucket, and how many milliseconds wide it is.
fn span(place: u16) -> (u64, u64) {
    let place = u64::from(place);
    let Some(above) = place.checked_sub(EXACT_BELOW) else {
        return (place, 1);
    };
    let shift = (above / PARTS + 1).min(60);
    ((above % PARTS + PARTS) << shift, 1 << shift)
}

impl Buckets {
    /// Counts one duration.
    pub fn add(&mut self, ms: u64) {
        let count = self.0.entry(place(ms)).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts what another counted.
    pub fn merge(&mut self, other: &Self) {
        for (place, more) in &other.0 {
            let count = self.0.entry(*place).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.0
            .values()
            .fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// The duration that `permille` of a thousand do not exceed, in milliseconds; `None` when
    /// nothing was counted. At most an eighth away from the exact one (nearest rank).
    pub fn percentile(&self, permille: u64) -> Option<u64> {
        let wanted = u128::from(self.count()) * u128::from(permille.min(1_000));
        let rank = u64::try_from(wanted.div_ceil(1_000)).ok()?.max(1);
        let mut before = 0_u64;
        for (place, count) in &self.0 {
            let through = before.saturating_add(*count);
            if rank <= through {
                let (low, width) = span(*place);
                // Durations are taken to lie evenly: the middle of the wanted one's share.
                let share = u128::from(rank - before) * 2 - 1;
                let inside = u128::from(width) * share / (u128::from(*count) * 2);
                return Some(low.saturating_add(u64::try_from(inside).unwrap_or(0)));
            }
            before = through;
        }
        None
    }

    /// As a database holds them: `bucket:count`, separated by spaces.
    pub fn to_text(&self) -> String {
        let texts = self
            .0
            .iter()
            .map(|(place, count)| format!("{place}:{count}"));
        texts.collect::<Vec<_>>().join(" ")
    }

    /// From what a database holds.
    pub fn from_text(text: &str) -> Result<Self, BucketsError> {
        let one = |pair: &str| {
            let (place, count) = pair.split_once(':')?;
            Some((place.parse().ok()?, count.parse().ok()?))
        };
        let pairs = text.split_ascii_whitespace().map(one);
        let counts: Option<BTreeMap<u16, u64>> = pairs.collect();
        counts
            .map(Self)
            .ok_or_else(|| BucketsError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
