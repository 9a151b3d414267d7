//! Holds on paper: made, extended, closed and given back.

use super::{DAY_MS, Held, Paper, Refused, State};

impl Paper {
    pub(in super::super) fn hold(
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

    pub(in super::super) fn extend(
        &mut self,
        id: usize,
        to: i64,
        now: i64,
    ) -> Result<i64, Refused> {
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
    pub(in super::super) fn close(
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
    pub(in super::super) fn give_back(
        &mut self,
        id: usize,
        promised: bool,
        now: i64,
    ) -> Result<(), Refused> {
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
}
