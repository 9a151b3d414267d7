//! Budgets of keys and people, as forms send them.

use admin_templates::form::FieldError;
use server_rooms::accounts::Actor;
use server_rooms::ledger::{AdjustError, BudgetPeriod, BudgetRequest, Ledger, Spender};
use server_rooms::money::corrections::{CorrectionError, Corrections};
use shared::credits::Credits;
use shared::id::TenantId;

use super::super::error::PageError;
use super::super::form::{FieldProblem, FormData};

use super::unread;

/// How much in which period.
pub(super) type Limit = (BudgetPeriod, Credits);

/// The fields `budget` and `budget_period`; none when `budget` is empty.
pub(super) fn budget(posted: &FormData) -> Result<Option<Limit>, FieldProblem> {
    let Some(amount) = posted.optional("budget") else {
        return Ok(None);
    };
    let amount: Option<Credits> = amount.parse().ok();
    let amount = amount.filter(|amount| *amount > Credits::ZERO);
    let amount = amount.ok_or(("budget", FieldError::NotAnAmount))?;
    let period = BudgetPeriod::from_word(posted.text("budget_period"));
    let period = period.ok_or(("budget_period", FieldError::Unknown))?;
    Ok(Some((period, amount)))
}

fn unset(error: CorrectionError) -> PageError {
    match error {
        CorrectionError::NotFound(_) => PageError::NotFound,
        CorrectionError::Adjust(AdjustError::Ledger(error)) => unread(error),
        CorrectionError::Adjust(
            error
            @ (AdjustError::Conflict | AdjustError::Amount | AdjustError::Insufficient { .. }),
        ) => {
            tracing::error!(%error, "a budget was not set: {error}");
            PageError::Internal
        }
    }
}

/// Sets the budget of a tenant's key or person in the place of the one `before`.
pub(super) async fn set_budget(
    corrections: &Corrections,
    actor: &Actor,
    (tenant, spender): (&TenantId, &Spender),
    (before, limit): (Option<BudgetPeriod>, Option<Limit>),
) -> Result<(), PageError> {
    let request = |period, limit| BudgetRequest {
        tenant: tenant.clone(),
        spender: spender.clone(),
        period,
        limit,
    };
    let now = limit.map(|(period, _)| period);
    if let Some(before) = before.filter(|before| Some(*before) != now) {
        let taken = corrections.set_budget(actor, request(before, None)).await;
        taken.map_err(unset)?;
    }
    if let Some((period, amount)) = limit {
        let set = corrections
            .set_budget(actor, request(period, Some(amount)))
            .await;
        set.map_err(unset)?;
    }
    Ok(())
}

/// The period and amount of the budget that pages show.
pub(super) async fn budget_now(
    ledger: &Ledger,
    tenant: &TenantId,
    spender: &Spender,
) -> Result<Option<(BudgetPeriod, String)>, PageError> {
    let budgets = ledger.budgets(tenant).await.map_err(unread)?;
    let found = budgets
        .into_iter()
        .find(|budget| budget.spender == *spender);
    Ok(found.map(|budget| (budget.period, budget.limit.to_string())))
}
