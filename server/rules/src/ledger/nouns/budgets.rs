//! What a tenant allows a spender: so much a day or a month, by its own clock.

use std::time::Duration;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{BudgetId, TenantId};
use shared::zone::Zone;

use super::{Spender, words};

/// How long a budget lasts before it starts anew, in the tenant's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetPeriod {
    /// From midnight to midnight.
    Day,
    /// From the first of a month.
    Month,
    /// For ever.
    Total,
}

words!(BudgetPeriod {
    Day => "day",
    Month => "month",
    Total => "total",
});

/// The shortest day of any zone, of those that put their clocks forward by an hour.
pub(super) const DAY_MIN: Duration = Duration::from_secs(23 * 3_600);

/// The shortest month, less the widest difference between two zones.
pub(super) const MONTH_MIN: Duration = Duration::from_secs((28 * 24 - 26) * 3_600);

impl BudgetPeriod {
    /// When the period that `at` lies in began and when it ends; from the epoch on and never for
    /// [`BudgetPeriod::Total`].
    pub fn span(self, at: Moment, zone: &Zone) -> (Moment, Option<Moment>) {
        let stretch = match self {
            Self::Day => zone.day(at),
            Self::Month => zone.month(at),
            Self::Total => return (Moment::default(), None),
        };
        (stretch.start, Some(stretch.end))
    }

    /// The period that follows one which ended at `over`, at a moment after that. Where the zone was
    /// changed, the new day or month began before the old one ended: the old one's end is then the
    /// beginning, and what would be shorter than any day or month goes on to the end of the next, so
    /// that no change of zone gives a budget more often than the calendar does.
    pub fn following(self, over: Moment, now: Moment, zone: &Zone) -> (Moment, Option<Moment>) {
        let (start, end) = self.span(now, zone);
        if start >= over {
            return (start, end);
        }
        let least = match self {
            Self::Day => DAY_MIN,
            Self::Month => MONTH_MIN,
            Self::Total => return (start, end),
        };
        let end = end.map(|end| {
            if end.since(over) >= least {
                end
            } else {
                self.span(end, zone).1.unwrap_or(end)
            }
        });
        (over, end)
    }
}

/// What a key or a user may spend in a period, and how much of it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose.
    pub spender: Spender,
    /// How long it lasts.
    pub period: BudgetPeriod,
    /// Tells it from one that was taken away earlier.
    pub id: BudgetId,
    /// The most that may be spent.
    pub limit: Credits,
    /// Charged in this period.
    pub spent: Credits,
    /// Held by calls that began in this period.
    pub held: Credits,
    /// When this period began.
    pub period_start: Moment,
    /// When it ends, fixed at its beginning; never for [`BudgetPeriod::Total`].
    pub period_end: Option<Moment>,
}

impl Budget {
    /// What may still be held; never below zero.
    pub fn left(&self) -> Credits {
        let gone = self.spent.micros().saturating_add(self.held.micros());
        Credits::from_micros(self.limit.micros().saturating_sub(gone).max(0))
    }
}

/// A budget to be set, or with no limit to be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRequest {
    /// Whose key or user.
    pub tenant: TenantId,
    /// Which.
    pub spender: Spender,
    /// For how long.
    pub period: BudgetPeriod,
    /// The most that may be spent; `None` takes the budget away.
    pub limit: Option<Credits>,
}

/// A budget that a hold counts against, as it was when the hold was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedBudget {
    /// Whose.
    pub spender: Spender,
    /// Which.
    pub period: BudgetPeriod,
    /// Its id.
    pub id: BudgetId,
    /// Of which turn of the period.
    pub period_start: Moment,
}
