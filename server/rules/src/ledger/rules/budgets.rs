//! Budgets of keys and users: what they allow a hold, and what a hold's end does to them. Exact,
//! because they are read and changed with the balance, under the same lock.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{BudgetId, TenantId};
use shared::zone::Zone;

use super::{Books, plus};
use crate::ledger::nouns::Spender;
use crate::ledger::nouns::budgets::{Budget, BudgetRequest, CountedBudget};
use crate::ledger::nouns::holds::Refusal;

/// Starts a budget anew when its period is over; calls of the last period do not count any more.
fn turn(budget: &mut Budget, zone: &Zone, now: Moment) {
    // A clock that went back does not bring the last period back, and another zone ends none.
    let Some(over) = budget.period_end.filter(|end| *end <= now) else {
        return;
    };
    (budget.period_start, budget.period_end) = budget.period.following(over, now, zone);
    budget.spent = Credits::ZERO;
    budget.held = Credits::ZERO;
}

fn add(credits: &mut Credits, micros: i64) {
    let sum = plus(credits.micros(), micros);
    assert!(sum >= 0, "a budget never goes below zero");
    *credits = Credits::from_micros(sum);
}

impl Books {
    /// What the budgets of `spenders` leave, with the tightest one; `None` when there are none.
    pub(super) fn budget_left(
        &mut self,
        tenant: &TenantId,
        (spenders, zone): (&[Spender], &Zone),
        now: Moment,
    ) -> Option<(i64, Refusal)> {
        let account = self.accounts.get_mut(tenant)?;
        let mut tightest: Option<(i64, Refusal)> = None;
        for spender in spenders {
            for budget in account.budgets.get_mut(spender).into_iter().flatten() {
                turn(budget, zone, now);
                let left = budget.left();
                if tightest
                    .as_ref()
                    .is_none_or(|(least, _)| left.micros() < *least)
                {
                    let refusal = Refusal::Budget {
                        spender: spender.clone(),
                        period: budget.period,
                        left,
                    };
                    tightest = Some((left.micros(), refusal));
                }
            }
        }
        tightest
    }

    /// Counts what a hold takes against the budgets of its spenders; answers which they are.
    pub(super) fn count_held(
        &mut self,
        tenant: &TenantId,
        spenders: &[Spender],
        micros: i64,
    ) -> Vec<CountedBudget> {
        let mut counted = Vec::new();
        let Some(account) = self.accounts.get_mut(tenant) else {
            return counted;
        };
        for spender in spenders {
            for budget in account.budgets.get_mut(spender).into_iter().flatten() {
                add(&mut budget.held, micros);
                counted.push(CountedBudget {
                    spender: spender.clone(),
                    period: budget.period,
                    id: budget.id.clone(),
                    period_start: budget.period_start,
                });
            }
        }
        self.budgets_changed(tenant, &counted);
        counted
    }

    /// What the budgets that a hold counts against leave for more of it.
    pub(super) fn counted_left(
        &self,
        tenant: &TenantId,
        counted: &[CountedBudget],
    ) -> Option<(i64, Refusal)> {
        let account = self.accounts.get(tenant)?;
        let budgets = counted.iter().filter_map(|of| {
            let mut budgets = account.budgets.get(&of.spender)?.iter();
            budgets.find(|b| b.id == of.id && b.period_start == of.period_start)
        });
        let tightest = budgets.min_by_key(|budget| budget.left())?;
        let refusal = Refusal::Budget {
            spender: tightest.spender.clone(),
            period: tightest.period,
            left: tightest.left(),
        };
        Some((tightest.left().micros(), refusal))
    }

    /// Changes what is held and spent in the budgets that a hold counts against, unless their
    /// period is over.
    pub(super) fn count_change(
        &mut self,
        tenant: &TenantId,
        counted: &[CountedBudget],
        held: i64,
        spent: i64,
    ) {
        let Some(account) = self.accounts.get_mut(tenant) else {
            return;
        };
        for of in counted {
            let budgets = account.budgets.get_mut(&of.spender).into_iter().flatten();
            for budget in budgets.filter(|b| b.id == of.id && b.period_start == of.period_start) {
                add(&mut budget.held, held);
                add(&mut budget.spent, spent);
            }
        }
        self.budgets_changed(tenant, counted);
    }

    fn budgets_changed(&mut self, tenant: &TenantId, counted: &[CountedBudget]) {
        if counted.is_empty() {
            return;
        }
        self.touch(tenant);
        for of in counted {
            let known = self.accounts.get(tenant).is_some_and(|account| {
                let mut budgets = account.budgets.get(&of.spender).into_iter().flatten();
                budgets.any(|b| b.id == of.id)
            });
            if known {
                let place = (tenant.clone(), of.spender.clone(), of.period);
                self.changes.budgets.insert(place);
            }
        }
    }

    /// Sets a budget's limit or takes the budget away; what was spent in the period stays counted.
    /// Answers the budget as it stands.
    pub fn set_budget(
        &mut self,
        request: &BudgetRequest,
        zone: &Zone,
        now: Moment,
    ) -> Option<Budget> {
        self.touch(&request.tenant);
        let place = (
            request.tenant.clone(),
            request.spender.clone(),
            request.period,
        );
        let account = self.account(&request.tenant);
        let budgets = account.budgets.entry(request.spender.clone()).or_default();
        let known = budgets.iter().position(|b| b.period == request.period);
        let Some(limit) = request.limit else {
            if let Some(known) = known {
                budgets.remove(known);
                self.changes.budgets.remove(&place);
                self.changes.budgets_gone.insert(place);
            }
            return None;
        };
        assert!(!limit.is_negative(), "a limit is never negative");
        let (period_start, period_end) = request.period.span(now, zone);
        let fresh = Budget {
            spender: request.spender.clone(),
            period: request.period,
            id: BudgetId::random(),
            limit,
            spent: Credits::ZERO,
            held: Credits::ZERO,
            period_start,
            period_end,
        };
        let budget = if let Some(budget) = known.and_then(|place| budgets.get_mut(place)) {
            turn(budget, zone, now);
            budget.limit = limit;
            budget.clone()
        } else {
            budgets.push(fresh.clone());
            fresh
        };
        self.changes.budgets_gone.remove(&place);
        self.changes.budgets.insert(place);
        Some(budget)
    }
}
