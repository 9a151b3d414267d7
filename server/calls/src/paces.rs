//! How fast targets were of late, learned from calls that ended well and kept in memory: what `sort` puts in
//! order. A new process begins with none. Decides nothing; `server_rules::routing` does.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use server_rules::catalogue::model::WeightedTarget;
use server_rules::routing::TargetPace;
use shared::link::Outcome;

/// Targets that are remembered: far more than catalogues have.
const TARGETS_MAX: usize = 10_000;
/// A new measure counts for so much of the mean: one slow call says little, twenty say all.
const SHARE: u64 = 8;

/// A target that is slow gets no calls where another is faster, and so no measure: what was slow once is tried
/// again after so long.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// A pace, and when it was last measured.
#[derive(Debug, Clone, Copy)]
struct KnownPace {
    pace: TargetPace,
    at: Instant,
}

impl KnownPace {
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) > KEPT_FOR
    }
}

/// By provider, and by its name for the model.
#[derive(Debug, Default)]
struct Known {
    providers: HashMap<String, HashMap<String, KnownPace>>,
    count: usize,
}

/// All of them; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Paces(Arc<RwLock<Known>>);

impl Paces {
    /// How fast a target was of late.
    pub(super) fn of(&self, target: &WeightedTarget) -> Option<TargetPace> {
        self.of_at(target, Instant::now())
    }

    fn of_at(&self, target: &WeightedTarget, now: Instant) -> Option<TargetPace> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.providers.get(&target.provider)?.get(&target.model)?;
        (!known.is_old(now)).then_some(known.pace)
    }

    /// Learns from a call that ended well.
    pub(super) fn learn(&self, outcome: &Outcome) {
        self.learn_at(outcome, Instant::now());
    }

    fn learn_at(&self, outcome: &Outcome, now: Instant) {
        let Some(measured) = measured(outcome) else {
            return;
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of_provider = known.providers.get_mut(&outcome.provider);
        let before = of_provider.and_then(|models| models.get_mut(&outcome.model));
        if let Some(before) = before {
            before.pace = if before.is_old(now) {
                measured
            } else {
                mixed(before.pace, measured)
            };
            before.at = now;
            return;
        }
        if known.count >= TARGETS_MAX {
            return;
        }
        known.count += 1;
        let pace = KnownPace {
            pace: measured,
            at: now,
        };
        let of_provider = known.providers.entry(outcome.provider.clone());
        of_provider.or_default().insert(outcome.model.clone(), pace);
    }
}

/// What one call tells of its target; the tries before at others don't count.
fn measured(outcome: &Outcome) -> Option<TargetPace> {
    if outcome.fault.is_some() || outcome.first_byte_ms == 0 {
        return None;
    }
    let last = outcome.failed.last();
    let began_ms = last.map_or(0, |last| last.began_ms.saturating_add(last.duration_ms));
    let first_byte_ms = outcome.first_byte_ms.saturating_sub(began_ms);
    let whole_ms = outcome.duration_ms.saturating_sub(began_ms).max(1);
    let tokens = outcome.usage.output_total();
    let tokens_per_1000_s = (tokens > 0 && !outcome.usage.estimated)
        .then(|| tokens.saturating_mul(1_000_000) / whole_ms);
    Some(TargetPace {
        first_byte_us: first_byte_ms.saturating_mul(1_000),
        tokens_per_1000_s,
    })
}

fn mixed(known: TargetPace, measured: TargetPace) -> TargetPace {
    let mix = |known: u64, new: u64| {
        let rest = known.saturating_mul(SHARE - 1);
        rest.saturating_add(new) / SHARE
    };
    let tokens = match (known.tokens_per_1000_s, measured.tokens_per_1000_s) {
        (Some(known), Some(new)) => Some(mix(known, new)),
        (known, new) => known.or(new),
    };
    TargetPace {
        first_byte_us: mix(known.first_byte_us, measured.first_byte_us),
        tokens_per_1000_s: tokens,
    }
}

#[cfg(test)]
mod tests {
    use shared::fault::{Fault, FaultKind};
    use shared::units::{Unit, Usage};

    use super::*;

    fn outcome(first_byte_ms: u64, duration_ms: u64, tokens: u64) -> Outcome {
        Outcome {
            provider: "p".to_owned(),
            model: "m".to_owned(),
            key_last4: String::new(),
            attempts: 1,
            failed: Vec::new(),
            usage: Usage::of([(Unit::OutputToken, tokens)]),
            taken: None,
            fault: None,
            first_byte_ms,
            duration_ms,
            made_by: None,
        }
    }

    fn target() -> WeightedTarget {
        WeightedTarget {
            provider: "p".to_owned(),
            model: "m".to_owned(),
            weight: 1,
            priority: 0,
            gateway: None,
            cost: None,
        }
    }

    #[test]
    fn what_ended_well_moves_the_mean_by_an_eighth() {
        let paces = Paces::default();
        assert_eq!(paces.of(&target()), None);
        paces.learn(&outcome(800, 2_000, 100));
        let known = paces.of(&target()).expect("measured");
        assert_eq!(
            (known.first_byte_us, known.tokens_per_1000_s),
            (800_000, Some(50_000))
        );
        paces.learn(&outcome(1_600, 4_000, 40));
        let known = paces.of(&target()).expect("measured");
        assert_eq!(
            (known.first_byte_us, known.tokens_per_1000_s),
            (900_000, Some(45_000))
        );
        let mut failed = outcome(9_000, 9_000, 1);
        failed.fault = Some(Fault::new(FaultKind::Interrupted, "x"));
        paces.learn(&failed);
        paces.learn(&outcome(0, 9_000, 1));
        assert_eq!(paces.of(&target()), Some(known));
    }

    #[test]
    fn what_was_measured_long_ago_is_measured_anew() {
        let (paces, begun) = (Paces::default(), Instant::now());
        let first_byte = |at| paces.of_at(&target(), at).map(|pace| pace.first_byte_us);
        paces.learn_at(&outcome(8_000, 9_000, 10), begun);
        assert_eq!(first_byte(begun + KEPT_FOR), Some(8_000_000));
        let late = begun + KEPT_FOR + Duration::from_millis(1);
        assert_eq!(first_byte(late), None);
        // What it was then is no part of what it is.
        paces.learn_at(&outcome(100, 900, 10), late);
        assert_eq!(first_byte(late + KEPT_FOR), Some(100_000));
        // Each measure keeps the mean for as long again.
        paces.learn_at(&outcome(900, 900, 10), late + KEPT_FOR);
        assert_eq!(first_byte(late + KEPT_FOR * 2), Some(200_000));
    }
}
