//! Lets expired grants lapse every minute, entry by entry. What has expired can't be spent before
//! that either: the rules look at the time.

use std::time::Duration;

use shared::credits::Credits;
use shared::id::TenantId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Command, Ledger, LedgerError};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Tenants looked after in one round.
const TENANTS_MAX: i64 = 1_000;

impl Ledger {
    /// Sweeps at start and every minute, until told to stop.
    pub async fn sweep_forever(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.sweep().await {
                warn!(%error, "expired grants were not swept: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One round; answers how many credits lapsed.
    pub async fn sweep(&self) -> Result<Credits, LedgerError> {
        let now = self.clock.now();
        let mut sum: i64 = 0;
        for tenant in self.store.ledger_expired_tenants(now, TENANTS_MAX).await? {
            let lapsed = self.expire(&tenant).await?;
            info!(tenant.id = %tenant, "{lapsed} credits of `{tenant}` expired");
            sum = sum.saturating_add(lapsed.micros());
        }
        Ok(Credits::from_micros(sum))
    }

    /// Lets a tenant's expired grants lapse; answers how much.
    pub async fn expire(&self, tenant: &TenantId) -> Result<Credits, LedgerError> {
        self.ask(|answer| Command::Expire(tenant.clone(), answer))
            .await?
    }
}
