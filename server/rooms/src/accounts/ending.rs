//! Deleting a tenant: at once it is shut out, then it can be brought back for some days, and in the
//! end its people and keys are gone. Its books, calls and audit entries stay as long as those of others.

use std::time::Duration;

use server_store::accounts::{KeyPlace, Scopes, Tenant, TenantPatch, TenantStatus, UserPlace};
use server_store::audit::Actor;
use shared::id::TenantId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{AccountError, Accounts};
use crate::settings::Retention;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Nobody waits for an end.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// Tenants, people or keys that are read at once.
const ROWS: i64 = 100;

impl Accounts {
    /// Shuts a tenant out and lets it go away when the days of grace are over; `patch` may hold more.
    pub async fn delete_tenant(
        &self,
        actor: &Actor,
        id: &TenantId,
        patch: TenantPatch,
    ) -> Result<Tenant, AccountError> {
        let retention: Retention = self.settings.get().await?;
        let grace = DAY.saturating_mul(retention.delete_grace_days);
        let patch = TenantPatch {
            status: Some(TenantStatus::Suspended),
            delete_at: Some(Some(self.clock.now().after(grace))),
            ..patch
        };
        self.update_tenant(actor, id, patch).await
    }

    /// Brings a tenant back that was deleted, as long as it is there.
    pub async fn restore_tenant(
        &self,
        actor: &Actor,
        id: &TenantId,
        patch: TenantPatch,
    ) -> Result<Tenant, AccountError> {
        let found = self.tenant(id).await?;
        if found.delete_at.is_none() {
            return Ok(found);
        }
        let patch = TenantPatch {
            status: Some(TenantStatus::Active),
            delete_at: Some(None),
            ..patch
        };
        self.update_tenant(actor, id, patch).await
    }

    /// Ends those whose time is over, round after round, until told to stop.
    pub async fn end_forever(self, stop: CancellationToken) {
        loop {
            let pause = tokio::time::sleep(LOOK_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            match self.end_deleted().await {
                Ok(0) => {}
                Ok(ended) => info!("{ended} deleted tenants went away"),
                Err(error) => warn!(%error, "deleted tenants could not be ended: {error}"),
            }
        }
    }

    /// Ends the tenants whose time is over: nobody of theirs can sign in or call any more, and their
    /// name is free. Answers how many.
    pub async fn end_deleted(&self) -> Result<usize, AccountError> {
        let over = self.store.tenants_over(self.clock.now(), ROWS).await?;
        for tenant in &over {
            self.end(&tenant.id).await?;
        }
        Ok(over.len())
    }

    async fn end(&self, id: &TenantId) -> Result<(), AccountError> {
        let actor = Actor {
            name: "deletion".to_owned(),
            ..Actor::system()
        };
        let mut after = None;
        loop {
            let keys = self.keys(id, after.as_ref(), ROWS).await?;
            for key in keys.iter().filter(|key| !key.revoked) {
                let place = KeyPlace {
                    tenant: id,
                    id: &key.id,
                    reach: Scopes::ALL,
                    within: None,
                };
                self.revoke_key(&actor, place).await?;
            }
            after = keys.last().map(|key| key.id.clone());
            if after.is_none() {
                break;
            }
        }
        // Those that are gone are not told of again.
        loop {
            let people = self.users(id, None, ROWS).await?;
            if people.is_empty() {
                break;
            }
            for user in people {
                let place = UserPlace {
                    tenant: id,
                    id: &user.id,
                };
                self.remove_user(&actor, place, true).await?;
            }
        }
        // What was kept of their answers.
        while self.store.forget_kept_of(id, ROWS).await? > 0 {}
        self.store.forget_studio_choices(id).await?;
        // Words for its people are among these.
        let now = self.clock.now();
        self.store.forget_end_users_of(id, now).await?;
        // Last, so that what breaks off in between is taken up again.
        let patch = TenantPatch {
            name: Some(format!("deleted {id}")),
            delete_at: Some(None),
            ..TenantPatch::default()
        };
        self.update_tenant(&actor, id, patch).await.map(drop)
    }
}
