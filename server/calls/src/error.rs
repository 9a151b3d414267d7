//! Why a call was refused or failed.

use server_rooms::ledger::{BudgetPeriod, LedgerError, Spender};
use server_rooms::limits::LimitExceeded;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::BadBody;
use shared::link::{Failure, LinkError};

/// Why a call was refused or failed; nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The body is wrong.
    #[error(transparent)]
    Body(#[from] BadBody),
    /// The key may not call models.
    #[error("the key may not call models")]
    ScopeMissing,
    /// Whose question it is may not ask any.
    #[error("the end user is suspended")]
    EndUserSuspended {
        /// Until when; until somebody lifts it where it is absent.
        until: Option<Moment>,
    },
    /// There is no such model, or this key may not use it.
    #[error("there is no model `{0}`")]
    ModelNotFound(String),
    /// The model's planned end is over.
    #[error("the model `{model}` was retired")]
    ModelRetired {
        /// Its name.
        model: String,
        /// When it ended.
        at: Moment,
        /// What follows it, where the key may use that.
        successor: Option<String>,
    },
    /// The model does something else.
    #[error("the model `{model}` is for {operation}")]
    WrongOperation {
        /// Its name.
        model: String,
        /// What it is for.
        operation: &'static str,
    },
    /// The model has no price that is valid now.
    #[error("the model `{0}` has no price")]
    NoPrice(String),
    /// None of the providers that run the model may be called.
    #[error("no provider that may be called serves the model `{0}`")]
    NoProvider(String),
    /// None of them does with data what is demanded.
    #[error("no provider of the model `{0}` satisfies the data policy")]
    DataPolicy(String),
    /// The model's price is above what the request says.
    #[error("the price of the model `{0}` is above `max_price`")]
    TooDear(String),
    /// The worst case costs more than any balance can hold.
    #[error("the call is too large to be priced")]
    TooLarge,
    /// Requests, tokens or concurrency.
    #[error("a limit is reached")]
    Limited(Box<LimitExceeded>),
    /// The balance is short.
    #[error("{available} credits are available, {required} are needed")]
    InsufficientCredits {
        /// What can be spent.
        available: Credits,
        /// What the least useful answer costs.
        required: Credits,
    },
    /// The tenant's own bound of what the call may cost is too low.
    #[error("the call may cost {max_cost} credits, {least} are needed")]
    MaxCostTooLow {
        /// What it may cost.
        max_cost: Credits,
        /// What the least useful answer costs.
        least: Credits,
    },
    /// A budget of the key or the user is used up.
    #[error("{left} credits are left of a budget, {required} are needed")]
    OverBudget {
        /// Whose.
        spender: Spender,
        /// Of which period.
        period: BudgetPeriod,
        /// What may still be spent.
        left: Credits,
        /// What the least useful answer costs.
        required: Credits,
    },
    /// The ledger is busy or its database away.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The gateway says that nothing was produced.
    #[error("the generation failed: {0}")]
    Failed(Box<Failure>),
    /// No gateway could be reached, or the link broke before an answer.
    #[error("{0}")]
    Link(LinkError),
    /// The process ends before there was an answer.
    #[error("the server ends")]
    Stopping,
}
