//! What another room that keeps things shares with this one: its seal, its bounds, and the weight of a tenant's
//! things, which counts all of them together. Knows nothing of what they are.

use server_store::Store;
use shared::db::DbError;
use shared::id::{BootId, TenantId};

use super::{KeepError, Keeping};

impl Keeping {
    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// This life of the process.
    pub(crate) fn boot(&self) -> &BootId {
        &self.0.boot
    }

    /// Seals bytes for a place.
    pub(crate) fn seal_bytes(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.0.sealer.seal(place, plain)
    }

    /// Opens what was sealed for that place.
    pub(crate) fn open_bytes(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DbError> {
        let opened = self.0.sealer.open(place, sealed);
        opened.map_err(|why| DbError::Damaged(format!("`{place}` is not readable: {why}")))
    }

    /// Takes so much of the room that a tenant has, where there is so much.
    pub(crate) async fn take_room(&self, tenant: &TenantId, more: i64) -> Result<(), KeepError> {
        self.make_room(tenant, more).await
    }

    /// Something of the tenant's was written that had to be written anyhow.
    pub(crate) fn took_room(&self, tenant: &TenantId, more: i64) {
        self.add_weight(tenant, more);
    }

    /// Something of the tenant's was deleted.
    pub(crate) fn gave_room(&self, tenant: &TenantId) {
        self.forget_weight(tenant);
    }
}
