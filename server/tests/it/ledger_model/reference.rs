//! The ledger as a person would keep it on paper: lists, sums, no cache, no database. What the real
//! one answers and what it has must be the same after every step.

mod holds;

use std::collections::BTreeMap;

use server::ledger::Balance;
use shared::credits::Credits;

const DAY_MS: i64 = 86_400_000;

/// A lot of credits.
#[derive(Debug, Clone)]
struct Lot {
    granted: i64,
    remaining: i64,
    expires: Option<i64>,
}

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Settled {
        used: i64,
        short: i64,
    },
    /// `short` of it became a loss, because the tenant was told that nothing is charged.
    Released {
        short: i64,
    },
    Unknown {
        promised: bool,
    },
    Refused(Refused),
}

#[derive(Debug, Clone)]
struct Held {
    asked: (i64, i64),
    state: State,
    /// Lot and amount, in the order they were taken.
    parts: Vec<(usize, i64)>,
    /// Budgets by spender and turn.
    counted: Vec<(usize, u32, i64)>,
}

impl Held {
    fn sum(&self) -> i64 {
        self.parts.iter().map(|(_, micros)| micros).sum()
    }
}

#[derive(Debug, Clone)]
struct DayBudget {
    /// Tells it from one that was taken away earlier.
    number: u32,
    limit: i64,
    spent: i64,
    held: i64,
    day: i64,
}

impl DayBudget {
    fn left(&self) -> i64 {
        (self.limit - self.spent - self.held).max(0)
    }
}

/// Why a hold or an extension was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Balance { available: i64 },
    Budget { left: i64 },
    Conflict,
    NoSuchHold,
    Closed,
}

/// One tenant on paper.
#[derive(Debug, Default)]
pub(super) struct Paper {
    lots: Vec<Lot>,
    holds: BTreeMap<usize, Held>,
    budgets: BTreeMap<usize, DayBudget>,
    budgets_made: u32,
    grants: BTreeMap<u32, (i64, Option<i64>)>,
    adjusted: BTreeMap<u32, (i64, bool)>,
    used: i64,
    breakage: i64,
    refund: i64,
    debt: i64,
    loss: i64,
    grace: i64,
}

impl Paper {
    pub(super) fn new(grace: i64) -> Self {
        Self {
            grace,
            ..Self::default()
        }
    }

    fn spendable(lot: &Lot, now: i64) -> bool {
        lot.expires.is_none_or(|expires| expires > now)
    }

    fn available(&self, now: i64) -> i64 {
        let lots = self.lots.iter().filter(|lot| Self::spendable(lot, now));
        lots.map(|lot| lot.remaining).sum()
    }

    fn held(&self) -> i64 {
        let open = self.holds.values().filter(|h| h.state == State::Open);
        open.map(Held::sum).sum()
    }

    /// What `Ledger::balance` must answer.
    pub(super) fn balance(&self, now: i64) -> Balance {
        let unswept = self.lots.iter().filter(|lot| !Self::spendable(lot, now));
        let unswept: i64 = unswept.map(|lot| lot.remaining).sum();
        Balance {
            available: Credits::from_micros(self.available(now)),
            held: Credits::from_micros(self.held()),
            used: Credits::from_micros(self.used),
            expired: Credits::from_micros(self.breakage + unswept),
            debt: Credits::from_micros(self.debt),
            loss: Credits::from_micros(self.loss),
        }
    }

    /// Spender, limit, spent and held of every budget, as of today.
    pub(super) fn budgets(&self, now: i64) -> Vec<(usize, i64, i64, i64)> {
        let today = |budget: &DayBudget| i64::from(budget.day == now / DAY_MS);
        let budgets = self.budgets.iter();
        budgets
            .map(|(spender, b)| (*spender, b.limit, b.spent * today(b), b.held * today(b)))
            .collect()
    }

    /// Everything that was ever given is somewhere (I1), and nothing is negative (I2).
    pub(super) fn check(&self) {
        let given: i64 = self.grants.values().map(|(micros, _)| micros).sum();
        let corrected = self.adjusted.values().map(|(micros, _)| (*micros).max(0));
        let remaining: i64 = self.lots.iter().map(|lot| lot.remaining).sum();
        let there = remaining + self.held() + self.used + self.breakage + self.refund;
        assert_eq!(
            given + corrected.sum::<i64>() + self.debt + self.loss,
            there,
            "{self:?}"
        );
        assert!(
            self.lots
                .iter()
                .all(|l| (0..=l.granted).contains(&l.remaining))
        );
    }

    fn take(&mut self, micros: i64, now: i64) -> Vec<(usize, i64)> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        order.sort_by_key(|place| (self.lots[*place].expires.unwrap_or(i64::MAX), *place));
        let (mut rest, mut parts) = (micros, Vec::new());
        for place in order {
            let lot = &mut self.lots[place];
            let part = if Self::spendable(lot, now) {
                rest.min(lot.remaining)
            } else {
                0
            };
            if part > 0 {
                lot.remaining -= part;
                rest -= part;
                parts.push((place, part));
            }
        }
        assert_eq!(rest, 0);
        parts
    }

    fn add(&mut self, micros: i64, expires: Option<i64>) {
        let paid = micros.min(self.debt);
        self.debt -= paid;
        let remaining = micros - paid;
        self.lots.push(Lot {
            granted: micros,
            remaining,
            expires,
        });
    }

    pub(super) fn grant(&mut self, key: u32, micros: i64, expires: Option<i64>) -> bool {
        if let Some(known) = self.grants.get(&key) {
            return *known == (micros, expires);
        }
        self.grants.insert(key, (micros, expires));
        self.add(micros, expires);
        true
    }

    pub(super) fn adjust(
        &mut self,
        key: u32,
        micros: i64,
        into_debt: bool,
        now: i64,
    ) -> Result<(), Refused> {
        if let Some(known) = self.adjusted.get(&key) {
            let same = *known == (micros, into_debt);
            return if same { Ok(()) } else { Err(Refused::Conflict) };
        }
        if micros > 0 {
            self.add(micros, None);
        } else {
            let (available, wanted) = (self.available(now), -micros);
            if available < wanted && !into_debt {
                return Err(Refused::Balance { available });
            }
            let taken = wanted.min(available);
            self.take(taken, now);
            self.refund += wanted;
            self.debt += wanted - taken;
        }
        self.adjusted.insert(key, (micros, into_debt));
        Ok(())
    }

    pub(super) fn set_budget(&mut self, spender: usize, limit: Option<i64>, now: i64) {
        let day = now / DAY_MS;
        match (limit, self.budgets.get_mut(&spender)) {
            (None, _) => drop(self.budgets.remove(&spender)),
            (Some(limit), Some(budget)) => {
                Self::turn(budget, day);
                budget.limit = limit;
            }
            (Some(limit), None) => {
                self.budgets_made += 1;
                let number = self.budgets_made;
                let fresh = DayBudget {
                    number,
                    limit,
                    spent: 0,
                    held: 0,
                    day,
                };
                self.budgets.insert(spender, fresh);
            }
        }
    }

    fn turn(budget: &mut DayBudget, day: i64) {
        if day > budget.day {
            (budget.day, budget.spent, budget.held) = (day, 0, 0);
        }
    }

    pub(super) fn expire(&mut self, now: i64) -> i64 {
        let expired = self
            .lots
            .iter_mut()
            .filter(|lot| !Self::spendable(lot, now));
        let lapsed: i64 = expired.map(|lot| std::mem::take(&mut lot.remaining)).sum();
        self.breakage += lapsed;
        lapsed
    }
}
