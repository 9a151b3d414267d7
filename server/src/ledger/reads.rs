//! What pages read of the ledger besides one balance and its history. Changes nothing.

use std::collections::HashMap;

use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

use super::{Balance, Grant, Hold, Ledger, LedgerError};

impl Ledger {
    /// What each of some tenants has; those that were never given anything are absent.
    pub async fn balances(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Balance>, LedgerError> {
        Ok(self
            .store
            .ledger_balances(tenants, self.clock.now())
            .await?)
    }

    /// A tenant's grants, newest first, those before `before` only.
    pub async fn grants(
        &self,
        tenant: &TenantId,
        before: Option<&GrantId>,
        limit: i64,
    ) -> Result<Vec<Grant>, LedgerError> {
        Ok(self
            .store
            .ledger_grants(tenant, false, before, limit)
            .await?)
    }

    /// A tenant's grants with something left, newest first; expired ones that were not swept too.
    pub async fn open_grants(
        &self,
        tenant: &TenantId,
        limit: i64,
    ) -> Result<Vec<Grant>, LedgerError> {
        Ok(self.store.ledger_grants(tenant, true, None, limit).await?)
    }

    /// The hold of a call, and what it took from which grants, in the order of spending.
    pub async fn hold_of(
        &self,
        id: &GenerationId,
    ) -> Result<Option<(Hold, Vec<(GrantId, Credits)>)>, LedgerError> {
        Ok(self.store.ledger_hold(id).await?)
    }
}
