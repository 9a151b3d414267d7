//! The ledger as a person would keep it on paper: lists, sums, no cache, no database. What the real
//! one answers and what it has must be the same after every step.

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

    pub(super) fn hold(
        &mut self,
        id: usize,
        asked: (i64, i64),
        spenders: &[usize],
        now: i64,
    ) -> Result<i64, Refused> {
        let (amount, least) = asked;
        if let Some(known) = self.holds.get(&id) {
            return match known.state {
                _ if known.asked != asked => Err(Refused::Conflict),
                State::Refused(refused) => Err(refused),
                State::Open
                | State::Settled { .. }
                | State::Released { .. }
                | State::Unknown { .. } => Ok(known.sum()),
            };
        }
        let available = self.available(now);
        let mut left = i64::MAX;
        for spender in spenders {
            if let Some(budget) = self.budgets.get_mut(spender) {
                Self::turn(budget, now / DAY_MS);
                left = left.min(budget.left());
            }
        }
        let mut held = Held {
            asked,
            state: State::Open,
            parts: Vec::new(),
            counted: Vec::new(),
        };
        let refused = if available < least {
            Some(Refused::Balance { available })
        } else if left < least {
            Some(Refused::Budget { left })
        } else {
            None
        };
        if let Some(refused) = refused {
            held.state = State::Refused(refused);
            self.holds.insert(id, held);
            return Err(refused);
        }
        let micros = available.min(left).min(amount);
        for spender in spenders {
            if let Some(budget) = self.budgets.get_mut(spender) {
                budget.held += micros;
                held.counted.push((*spender, budget.number, budget.day));
            }
        }
        held.parts = self.take(micros, now);
        self.holds.insert(id, held);
        Ok(micros)
    }

    pub(super) fn extend(&mut self, id: usize, to: i64, now: i64) -> Result<i64, Refused> {
        let Some(held) = self.holds.get(&id).cloned() else {
            return Err(Refused::NoSuchHold);
        };
        if held.state != State::Open {
            return Err(Refused::Closed);
        }
        let more = to - held.sum();
        if more <= 0 {
            return Ok(held.sum());
        }
        let of = |(spender, number, day): &(usize, u32, i64)| {
            let budget = self.budgets.get(spender)?;
            (budget.number == *number && budget.day == *day).then(|| budget.left())
        };
        let left = held.counted.iter().filter_map(of).min().unwrap_or(i64::MAX);
        let available = self.available(now).min(left);
        if available < more {
            return Err(Refused::Balance { available });
        }
        self.count(&held.counted, more, 0);
        let parts = self.take(more, now);
        self.holds.get_mut(&id).expect("found").parts.extend(parts);
        Ok(to)
    }

    fn count(&mut self, counted: &[(usize, u32, i64)], held: i64, spent: i64) {
        for (spender, number, day) in counted {
            if let Some(budget) = self.budgets.get_mut(spender)
                && (budget.number, budget.day) == (*number, *day)
            {
                budget.held += held;
                budget.spent += spent;
            }
        }
    }

    /// Settles with `Some`, releases with `None`; answers (charged, shortfall).
    pub(super) fn close(
        &mut self,
        id: usize,
        used: Option<i64>,
        now: i64,
    ) -> Result<(i64, i64), Refused> {
        let Some(held) = self.holds.get(&id).cloned() else {
            return Err(Refused::NoSuchHold);
        };
        match (held.state, used) {
            (State::Open, _) => {}
            (State::Unknown { promised }, _) => return Ok(self.resolve(id, promised, used, now)),
            (State::Settled { used: was, short }, Some(now)) if was + short == now => {
                return Ok((was, short));
            }
            (State::Released { short }, Some(now)) if short == now && now > 0 => {
                return Ok((0, short));
            }
            (State::Released { .. }, None) => return Ok((0, 0)),
            _ => return Err(Refused::Closed),
        }
        let asked = used.unwrap_or(0);
        let charge = asked.min(held.sum());
        let mut to_use = charge;
        for (place, micros) in &held.parts {
            let consumed = to_use.min(*micros);
            to_use -= consumed;
            self.put_back(*place, micros - consumed, now);
        }
        self.used += charge;
        self.count(&held.counted, -held.sum(), charge);
        let short = asked - charge;
        let state = match used {
            Some(_) => State::Settled {
                used: charge,
                short,
            },
            None => State::Released { short: 0 },
        };
        self.holds.get_mut(&id).expect("found").state = state;
        Ok((charge, short))
    }

    /// Gives a hold back because nobody knows.
    pub(super) fn give_back(&mut self, id: usize, promised: bool, now: i64) -> Result<(), Refused> {
        let state = self.holds.get(&id).map(|held| held.state);
        match state.ok_or(Refused::NoSuchHold)? {
            State::Open => {
                self.close(id, None, now)?;
                self.holds.get_mut(&id).expect("found").state = State::Unknown { promised };
                Ok(())
            }
            State::Unknown { .. } | State::Released { .. } => Ok(()),
            State::Settled { .. } | State::Refused(_) => Err(Refused::Closed),
        }
    }

    /// It is known now, or never will be.
    fn resolve(&mut self, id: usize, promised: bool, used: Option<i64>, now: i64) -> (i64, i64) {
        let held = self.holds[&id].clone();
        let asked = used.unwrap_or(0);
        let of = |(spender, number, day): &(usize, u32, i64)| {
            let budget = self.budgets.get(spender)?;
            (budget.number == *number && budget.day == *day).then(|| budget.left())
        };
        let left = held.counted.iter().filter_map(of).min().unwrap_or(i64::MAX);
        let most = if promised { 0 } else { asked.min(held.sum()) };
        let charge = most.min(left).min(self.available(now));
        self.take(charge, now);
        self.used += charge;
        self.count(&held.counted, 0, charge);
        let short = asked - charge;
        let state = match used {
            Some(_) if !promised => State::Settled {
                used: charge,
                short,
            },
            Some(_) | None => State::Released { short },
        };
        self.holds.get_mut(&id).expect("found").state = state;
        (charge, short)
    }

    fn put_back(&mut self, place: usize, micros: i64, now: i64) {
        let grace = self.grace;
        let lot = &mut self.lots[place];
        if micros == 0 {
            return;
        }
        if let Some(expires) = lot.expires.filter(|expires| *expires <= now) {
            if expires + grace <= now {
                self.breakage += micros;
                return;
            }
            self.breakage += lot.remaining;
            (lot.remaining, lot.expires) = (0, Some(now + grace));
        }
        lot.remaining += micros;
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
