//! What a tenant's own people set for their tenant. Enforces none of it: `auth::factors` and the
//! overview do; what is kept, `kept` and its callers.

use server_store::accounts::{TenantSettings, TenantSettingsPatch};
use server_store::audit::Actor;
use shared::credits::Credits;
use shared::id::TenantId;

use super::{AccountError, Accounts};
use crate::kept::DAYS_MAX;
use crate::ledger::GRANT_MAX;

impl Accounts {
    /// A tenant's own settings.
    pub async fn tenant_settings(&self, tenant: &TenantId) -> Result<TenantSettings, AccountError> {
        Ok(self.store.tenant_settings(tenant).await?)
    }

    /// Changes a tenant's own settings.
    pub async fn put_tenant_settings(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        patch: TenantSettingsPatch,
    ) -> Result<(), AccountError> {
        if let Some(bound) = patch.alert_below.set() {
            let fits = *bound > Credits::ZERO && *bound <= GRANT_MAX;
            if !fits {
                return Err(AccountError::Invalid {
                    field: "alert_below",
                    rule: format!("above 0 and at most {GRANT_MAX}"),
                });
            }
        }
        if let Some(days) = patch.keep_days.set()
            && !(1..=DAYS_MAX).contains(days)
        {
            return Err(AccountError::Invalid {
                field: "keep_days",
                rule: format!("from 1 to {DAYS_MAX}"),
            });
        }
        if let Some(days) = patch.studio_days.set()
            && *days > DAYS_MAX
        {
            return Err(AccountError::Invalid {
                field: "studio_days",
                rule: format!("from 0 to {DAYS_MAX}"),
            });
        }
        let now = self.clock.now();
        let put = self.store.put_tenant_settings(actor, tenant, &patch, now);
        Ok(put.await?)
    }
}
