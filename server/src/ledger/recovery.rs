//! Finds open holds whose deadline is past: their owner died or lost its gateway. Tells which; how
//! they end is decided by `calls`, which knows prices and asks the gateway.

use shared::id::TenantId;

use super::{Hold, Ledger, LedgerError};

/// Holds looked after in one round; a round takes seconds, the next one comes a minute later.
const OVERDUE_MAX: i64 = 500;

impl Ledger {
    /// Open holds whose deadline is past, the oldest first.
    pub async fn overdue(&self) -> Result<Vec<Hold>, LedgerError> {
        Ok(self
            .store
            .ledger_overdue_holds(self.clock.now(), OVERDUE_MAX)
            .await?)
    }

    /// Whether a tenant's account row is as its entries say; only tests and operators ask.
    pub async fn account_matches_entries(&self, tenant: &TenantId) -> Result<bool, LedgerError> {
        Ok(self.store.ledger_account_matches_entries(tenant).await?)
    }
}
