//! Which gateway a generation goes to: rendezvous hashing, so that a later question about it finds
//! the same node; nodes that fail are left out for a while. Opens no connection.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use shared::clock::{Clock, Moment};

/// A node that could not be reached is asked again after this.
const REST: Duration = Duration::from_secs(2);

/// When a node may be used again; zero while it is well.
#[derive(Debug, Default)]
pub(super) struct Health(AtomicI64);

impl Health {
    pub(super) fn failed(&self, clock: &Clock) {
        self.0
            .store(clock.now().after(REST).unix_ms(), Ordering::Relaxed);
    }

    pub(super) fn succeeded(&self) {
        // A plain read first: the line stays shared between cores while all is well.
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    fn resting(&self, now: Moment) -> bool {
        self.0.load(Ordering::Relaxed) > now.unix_ms()
    }
}

/// Places of `nodes` in the order they should be tried for `key`: the healthy ones by rendezvous
/// hash, then the resting ones, because trying beats refusing.
pub(super) fn order<'a>(
    key: &str,
    nodes: impl Iterator<Item = (&'a str, &'a Health)>,
    now: Moment,
) -> Vec<usize> {
    let mut ranked: Vec<(bool, u64, usize)> = nodes
        .enumerate()
        .map(|(place, (name, health))| {
            let mut hasher = DefaultHasher::new();
            (name, key).hash(&mut hasher);
            (health.resting(now), hasher.finish(), place)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, _, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_finds_its_node_again_and_a_failed_node_comes_last() {
        let clock = Clock::fixed(Moment::from_unix_ms(1_000));
        let (a, b, c) = (Health::default(), Health::default(), Health::default());
        let nodes = || [("a", &a), ("b", &b), ("c", &c)].into_iter();
        let first = order("gen_1", nodes(), clock.now());
        assert_eq!(first, order("gen_1", nodes(), clock.now()));
        [&a, &b, &c][first[0]].failed(&clock);
        let second = order("gen_1", nodes(), clock.now());
        assert_eq!(
            second,
            [first[1], first[2], first[0]],
            "the others keep their order"
        );
        clock.advance(REST);
        assert_eq!(order("gen_1", nodes(), clock.now()), first);
    }

    #[test]
    fn generations_spread_over_the_nodes() {
        let healths = [const { Health(AtomicI64::new(0)) }; 3];
        let names = ["a", "b", "c"];
        let mut counts = [0; 3];
        for n in 0..3_000 {
            let nodes = names.iter().copied().zip(&healths);
            counts[order(&n.to_string(), nodes, Moment::from_unix_ms(0))[0]] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1_150).contains(count)),
            "{counts:?}"
        );
    }
}
