//! Which of several keys: the less loaded of two drawn at random by weight. Pure.

use std::sync::Arc;

use rand::{Rng, RngExt};

use super::PoolKey;

/// The less loaded of two draws among `keys`; a key's load is its running calls by its weight.
pub(super) fn choose<'a>(
    keys: impl Iterator<Item = &'a Arc<PoolKey>> + Clone,
    rng: &mut impl Rng,
) -> Option<&'a Arc<PoolKey>> {
    let total: u64 = keys.clone().map(|key| u64::from(key.weight)).sum();
    if total == 0 {
        return None;
    }
    let mut draw = || {
        let mut at = rng.random_range(0..total);
        keys.clone()
            .find(|key| match at.checked_sub(u64::from(key.weight)) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            })
    };
    let (one, two) = (draw()?, draw()?);
    let load = |key: &PoolKey, other: &PoolKey| {
        u64::from(key.health.in_flight()) * u64::from(other.weight)
    };
    Some(if load(one, two) <= load(two, one) {
        one
    } else {
        two
    })
}
