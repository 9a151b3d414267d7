//! What pages read of the ledger besides one balance and its history. Changes nothing.

use std::collections::HashMap;

use server_store::part::Part;
use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

use super::{Balance, Grant, Hold, Ledger, LedgerError, Life};

/// Three signs of life of an idle process were missed.
const SILENT_MS: i64 = 30_000;

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
        let part = Part {
            after: before,
            limit,
        };
        Ok(self.store.ledger_grants(tenant, false, part).await?)
    }

    /// A tenant's grants with something left, newest first; expired ones that were not swept too.
    pub async fn open_grants(
        &self,
        tenant: &TenantId,
        limit: i64,
    ) -> Result<Vec<Grant>, LedgerError> {
        let part = Part { after: None, limit };
        Ok(self.store.ledger_grants(tenant, true, part).await?)
    }

    /// Calls that have credits set aside now, the newest first, and how many there are in all.
    pub async fn running(&self, limit: i64) -> Result<(Vec<Hold>, u64), LedgerError> {
        let (holds, all) = self.store.ledger_running(limit).await?;
        Ok((holds, u64::try_from(all).unwrap_or(0)))
    }

    /// Holds whose calls should have ended, at most `limit`; recovery looks after them.
    pub async fn overdue(&self, limit: i64) -> Result<usize, LedgerError> {
        Ok(self.store.ledger_overdue(self.clock.now(), limit).await?)
    }

    /// The processes that write to the same ledger: those that lately showed a sign of life. All are
    /// compared by the database's clock, so that one whose own is wrong is seen all the same.
    pub async fn processes(&self) -> Result<Vec<Life>, LedgerError> {
        let mut lives = self.store.ledger_lives().await?;
        let own = lives.iter().find(|life| life.boot == self.boot);
        let skew_ms = own.map_or(0, |life| life.skew_ms);
        let now = self.clock.now().unix_ms().saturating_sub(skew_ms);
        lives.retain(|life| now.saturating_sub(life.seen_there().unix_ms()) < SILENT_MS);
        Ok(lives)
    }

    /// The hold of a call, and what it took from which grants, in the order of spending.
    pub async fn hold_of(
        &self,
        id: &GenerationId,
    ) -> Result<Option<(Hold, Vec<(GrantId, Credits)>)>, LedgerError> {
        Ok(self.store.ledger_hold(id).await?)
    }
}
