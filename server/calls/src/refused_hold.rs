//! Why a call has no hold, as whoever called is told it.

use server_rooms::ledger::{HoldError, LedgerError};

use super::CallError;

impl From<HoldError> for CallError {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Insufficient {
                available,
                required,
            } => Self::InsufficientCredits {
                available,
                required,
            },
            HoldError::Budget {
                spender,
                period,
                left,
                required,
            } => Self::OverBudget {
                spender,
                period,
                left,
                required,
            },
            HoldError::Ledger(error) => Self::Ledger(error),
            // A fresh random id was never used before.
            HoldError::Conflict => {
                Self::Ledger(LedgerError::Commit("a hold id came twice".to_owned()))
            }
        }
    }
}
