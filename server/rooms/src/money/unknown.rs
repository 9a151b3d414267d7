//! Calls whose end nobody knows, settled or released for good by an operator. Their holds were given
//! back already: what is charged now is taken out of what the tenant has.

use serde_json::json;
use server_store::audit::{Actor, Note};
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::GenerationId;

use super::corrections::Corrections;
use crate::ledger::{Hold, HoldState, LedgerError, SettleError, Settlement};

/// What an operator makes of a call whose end nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is charged: more than nothing, and no more than was held.
    Charge(Credits),
    /// It costs nothing.
    Release,
}

/// Why a call was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// There is none of that id that had credits set aside.
    #[error("there is no such call")]
    NoSuchCall,
    /// It runs, or how it ended is known: there is nothing to decide.
    #[error("how the call ended is known, or it still runs")]
    NotUnknown,
    /// The tenant was told that nothing is charged.
    #[error("the tenant was told that nothing is charged")]
    Promised,
    /// Nothing, or more than was held.
    #[error("an amount must be above 0 and at most {held}, which was held")]
    Amount {
        /// What was held.
        held: Credits,
    },
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<DbError> for ResolveError {
    fn from(error: DbError) -> Self {
        LedgerError::Store(error).into()
    }
}

impl From<SettleError> for ResolveError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::NoSuchHold => Self::NoSuchCall,
            // It became known in the meantime, or another operator decided.
            SettleError::Closed => Self::NotUnknown,
            SettleError::Ledger(error) => error.into(),
        }
    }
}

impl Corrections {
    /// Decides what becomes of a call whose end nobody knows; nothing that is learned later changes it.
    /// What balance and budgets do not cover of a charge is the platform's loss.
    pub async fn resolve(
        &self,
        actor: &Actor,
        id: &GenerationId,
        (resolution, reason): (Resolution, &str),
    ) -> Result<Settlement, ResolveError> {
        let found = self.ledger.hold_of(id).await?;
        let (hold, _) = found.ok_or(ResolveError::NoSuchCall)?;
        check(&hold, resolution)?;
        let record = self.store.usage_record(id).await?;
        let record = record.ok_or(ResolveError::NoSuchCall)?;
        // A hold that is unknown is never open again, so the ledger can only resolve it here.
        let (action, settlement) = match resolution {
            Resolution::Charge(credits) => {
                let settling = self.ledger.settle(id, &hold.tenant, credits, record);
                ("call.settle", settling.await?)
            }
            Resolution::Release => {
                let releasing = self.ledger.release(id, &hold.tenant, Some(record));
                ("call.release", releasing.await?)
            }
        };
        let after = json!({
            "charged": settlement.charged.to_string(),
            "lost": settlement.shortfall.to_string(),
            "reason": reason,
        });
        let note = Note {
            tenant: Some(hold.tenant.as_str()),
            action,
            subject: id.as_str(),
            before: Some(json!({"held": hold.held.to_string()}).to_string()),
            after: Some(after.to_string()),
        };
        self.note(actor, note).await;
        Ok(settlement)
    }
}

/// Whether there is this to decide.
fn check(hold: &Hold, resolution: Resolution) -> Result<(), ResolveError> {
    let unknown = hold.unknown.filter(|_| hold.state == HoldState::Unknown);
    let unknown = unknown.ok_or(ResolveError::NotUnknown)?;
    let Resolution::Charge(credits) = resolution else {
        return Ok(());
    };
    if unknown.promised {
        return Err(ResolveError::Promised);
    }
    let held = hold.held;
    if credits <= Credits::ZERO || credits > held {
        return Err(ResolveError::Amount { held });
    }
    Ok(())
}
