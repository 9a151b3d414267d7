//! What the ledger decides by: its nouns, why it refuses, and the rules of the books. Waits for nothing
//! and stores nothing; the room `ledger` does both.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

mod nouns;
mod owner;
pub mod rules;
mod snapshot;
#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests;

use shared::credits::Credits;
use shared::db::DbError;

pub use self::nouns::budgets::{Budget, BudgetPeriod, BudgetRequest, CountedBudget};
pub use self::nouns::holds::{
    Hold, HoldRequest, HoldState, Loss, Refusal, Settlement, Unknown, UnknownPlace,
};
pub use self::nouns::{
    Adjusted, Adjustment, Balance, Entry, Grant, GrantKind, Life, NewGrant, Spender,
};
pub use self::owner::Owner;
pub use self::snapshot::{CallSnapshot, OtherModel, RouteNote, StoredSnapshot};

/// The most one grant can give: 10^9 credits. Nine such grants still fit in 64 bits of micro-credits.
pub const GRANT_MAX: Credits = Credits::from_micros(1_000_000_000_000_000);

/// Why a hold was not placed.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is less than the least.
    #[error("{available} credits are available, {required} are needed")]
    Insufficient {
        /// What can be spent now.
        available: Credits,
        /// The least that was asked for.
        required: Credits,
    },
    /// A budget has less than the least left.
    #[error("{left} credits are left of a budget, {required} are needed")]
    Budget {
        /// Whose.
        spender: Spender,
        /// Of which period.
        period: BudgetPeriod,
        /// What may still be spent.
        left: Credits,
        /// The least that was asked for.
        required: Credits,
    },
    /// The id was used before for something else.
    #[error("this hold id was used with another amount")]
    Conflict,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a hold did not grow; it stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    /// There is none of that id for that tenant.
    #[error("there is no such hold")]
    NoSuchHold,
    /// It is closed.
    #[error("the hold is closed")]
    Closed,
    /// The balance or a budget is short.
    #[error("{available} credits are available, {required} more are needed")]
    Insufficient {
        /// What can be added.
        available: Credits,
        /// What was asked for.
        required: Credits,
    },
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a hold was not closed.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// There is none of that id for that tenant.
    #[error("there is no such hold")]
    NoSuchHold,
    /// It was closed before in another way.
    #[error("the hold was closed before in another way")]
    Closed,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why credits were not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The source key was used before for another grant.
    #[error("this key was used for another grant")]
    Conflict,
    /// Not more than nothing, or more than [`GRANT_MAX`].
    #[error("an amount must be above 0 and at most {GRANT_MAX}")]
    Amount,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a balance was not corrected.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The source key was used before for another correction.
    #[error("this key was used for another adjustment")]
    Conflict,
    /// Nothing, or more than [`GRANT_MAX`].
    #[error("an amount must not be 0 and at most {GRANT_MAX} up or down")]
    Amount,
    /// There is less to take away.
    #[error("only {available} credits are available")]
    Insufficient {
        /// What could be taken away.
        available: Credits,
    },
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The ledger could not do its work; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Too many commands wait already.
    #[error("the ledger's queue is full")]
    Busy,
    /// The writer has ended, or the batch could not be committed.
    #[error("the ledger's commit failed: {0}")]
    Commit(String),
    /// A read failed.
    #[error(transparent)]
    Store(#[from] DbError),
}
