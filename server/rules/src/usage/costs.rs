//! What is known of the providers' price of calls, and what was earned over that part of them. A cost that
//! is not known counts in neither: it is not zero, and what was charged for it is not profit. Pure.

use shared::credits::Credits;

/// The providers' price of some calls, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownCost {
    /// Of the calls whose cost is known, added up.
    pub cost: Credits,
    /// How many those are.
    pub calls: u64,
    /// What was charged for those.
    pub credits: Credits,
}

/// The sum; ends at the largest amount.
pub fn plus(one: Credits, two: Credits) -> Credits {
    Credits::from_micros(one.micros().saturating_add(two.micros()))
}

impl KnownCost {
    /// Of one call that was charged `credits`.
    pub fn of(cost: Option<Credits>, credits: Credits) -> Self {
        cost.map_or_else(Self::default, |cost| Self {
            cost,
            calls: 1,
            credits,
        })
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.cost = plus(self.cost, other.cost);
        self.calls = self.calls.saturating_add(other.calls);
        self.credits = plus(self.credits, other.credits);
    }

    /// The cost of those of `calls` that have a known one; `None` where there are calls and none has.
    pub fn told(&self, calls: u64) -> Option<Credits> {
        (self.calls > 0 || calls == 0).then_some(self.cost)
    }

    /// What is left of the credits charged for those calls, negative where providers take more; `None`
    /// as for [`KnownCost::told`].
    pub fn margin(&self, calls: u64) -> Option<Credits> {
        let cost = self.told(calls)?;
        let left = self.credits.micros().saturating_sub(cost.micros());
        Some(Credits::from_micros(left))
    }

    /// The margin of ten thousand credits charged for those calls; `None` also when that was nothing.
    pub fn margin_bp(&self, calls: u64) -> Option<i64> {
        let share = i128::from(self.margin(calls)?.micros()) * 10_000;
        let share = share.checked_div(i128::from(self.credits.micros()))?;
        i64::try_from(share).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(n: i64) -> Credits {
        Credits::from_micros(n)
    }

    #[test]
    fn what_is_not_known_is_neither_zero_nor_profit() {
        let mut sum = KnownCost::default();
        assert_eq!(sum.told(0), Some(micros(0)), "no calls cost nothing");
        sum.merge(&KnownCost::of(None, micros(1_000)));
        assert_eq!(
            (sum.told(1), sum.margin(1), sum.margin_bp(1)),
            (None, None, None)
        );
        sum.merge(&KnownCost::of(Some(micros(30)), micros(40)));
        sum.merge(&KnownCost::of(Some(micros(0)), micros(0)));
        assert_eq!((sum.calls, sum.told(3)), (2, Some(micros(30))));
        assert_eq!(sum.margin(3), Some(micros(10)), "over what is known alone");
        assert_eq!(sum.margin_bp(3), Some(2_500));
    }
}
