//! Balances, corrections and budgets as they are sent and shown.

use poem_openapi::{Enum, Object};
use server_edge::date;
use server_rooms::ledger::{Adjusted, Balance, Budget, BudgetPeriod, Spender};
use shared::credits::Credits;

use crate::manage::Amount;

/// What a tenant has, with what only operators see.
#[derive(Debug, Clone, Object)]
pub struct AccountView {
    /// Can be spent now.
    pub available: Amount,
    /// Set aside for running calls.
    pub held: Amount,
    /// Charged so far.
    pub used: Amount,
    /// Lapsed so far.
    pub expired: Amount,
    /// Owed after a correction; paid by the next credits that are given.
    pub debt: Amount,
    /// Charged beyond what there was: the platform's loss.
    pub loss: Amount,
}

impl From<Balance> for AccountView {
    fn from(balance: Balance) -> Self {
        Self {
            available: balance.available.into(),
            held: balance.held.into(),
            used: balance.used.into(),
            expired: balance.expired.into(),
            debt: balance.debt.into(),
            loss: balance.loss.into(),
        }
    }
}

/// Whether credits come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Direction {
    /// To the tenant.
    Give,
    /// From the tenant.
    Take,
}

/// A correction to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct AdjustBody {
    /// Whether credits come or go.
    pub direction: Direction,
    /// How many, above 0.
    pub amount: Amount,
    /// Why; kept with the correction.
    pub reason: String,
    /// Whether what can't be taken away now becomes a debt, paid by the next credits that are given.
    #[oai(default)]
    pub into_debt: bool,
}

/// A correction that was made.
#[derive(Debug, Clone, Object)]
pub struct AdjustedView {
    /// Its id, the reference of its line in the ledger.
    pub id: String,
    /// Whether credits came or went.
    pub direction: Direction,
    /// How many.
    pub amount: Amount,
    /// Who made it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When, in RFC 3339.
    pub created_at: String,
    /// What the tenant has now.
    pub balance: AccountView,
}

pub(super) fn adjusted_view(adjusted: Adjusted, balance: Balance) -> AdjustedView {
    let made = adjusted.adjustment;
    let takes = made.amount.is_negative();
    AdjustedView {
        id: adjusted.id.to_string(),
        direction: if takes {
            Direction::Take
        } else {
            Direction::Give
        },
        amount: Credits::from_micros(made.amount.micros().saturating_abs()).into(),
        operator: made.operator,
        reason: made.reason,
        created_at: date::text(adjusted.at),
        balance: balance.into(),
    }
}

/// How long a budget lasts before it starts anew, in the tenant's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PeriodWord {
    /// From midnight to midnight.
    Day,
    /// From the first of a month.
    Month,
    /// For ever.
    Total,
}

impl From<PeriodWord> for BudgetPeriod {
    fn from(word: PeriodWord) -> Self {
        match word {
            PeriodWord::Day => Self::Day,
            PeriodWord::Month => Self::Month,
            PeriodWord::Total => Self::Total,
        }
    }
}

impl From<BudgetPeriod> for PeriodWord {
    fn from(period: BudgetPeriod) -> Self {
        match period {
            BudgetPeriod::Day => Self::Day,
            BudgetPeriod::Month => Self::Month,
            BudgetPeriod::Total => Self::Total,
        }
    }
}

/// A budget to be set.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct BudgetBody {
    /// The most that may be spent in a period; absent takes the budget away.
    pub limit: Option<Amount>,
}

/// What a key or a user may spend in a period.
#[derive(Debug, Clone, Object)]
pub struct BudgetView {
    /// The key it belongs to.
    pub key_id: Option<String>,
    /// The user it belongs to.
    pub user_id: Option<String>,
    /// How long it lasts.
    pub period: PeriodWord,
    /// The most that may be spent.
    pub limit: Amount,
    /// Charged in this period.
    pub spent: Amount,
    /// Held by calls that began in this period.
    pub held: Amount,
    /// When this period began, in RFC 3339: the beginning of a day or month in the tenant's time zone.
    pub period_start: String,
    /// When this period ends, in RFC 3339; absent where it never does.
    pub period_end: Option<String>,
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        let (key_id, user_id) = match budget.spender {
            Spender::Key(id) => (Some(id.to_string()), None),
            Spender::User(id) => (None, Some(id.to_string())),
        };
        Self {
            key_id,
            user_id,
            period: budget.period.into(),
            limit: budget.limit.into(),
            spent: budget.spent.into(),
            held: budget.held.into(),
            period_start: date::text(budget.period_start),
            period_end: budget.period_end.map(date::text),
        }
    }
}
