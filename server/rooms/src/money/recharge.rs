//! Room: credits given by a superadmin, with their audit entry. The ledger decides and writes; a
//! repetition of the same key gives nothing twice and is not audited twice.

use serde_json::json;
use server_store::Store;
use server_store::audit::{Actor, Note};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use tracing::error;

use crate::ledger::{Balance, Grant, GrantError, GrantKind, Ledger, LedgerError, NewGrant};

/// Credits to be given.
#[derive(Debug, Clone)]
pub struct Recharge {
    /// To whom.
    pub tenant: TenantId,
    /// How many.
    pub amount: Credits,
    /// The Idempotency-Key.
    pub key: String,
    /// When what is left lapses.
    pub expires_at: Option<Moment>,
    /// For people.
    pub note: String,
}

/// Why credits were not given.
#[derive(Debug, thiserror::Error)]
pub enum RechargeError {
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoSuchTenant,
    /// The ledger refused.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl From<LedgerError> for RechargeError {
    fn from(error: LedgerError) -> Self {
        Self::Grant(GrantError::Ledger(error))
    }
}

impl From<DbError> for RechargeError {
    fn from(error: DbError) -> Self {
        LedgerError::Store(error).into()
    }
}

/// Gives credits; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recharges {
    ledger: Ledger,
    store: Store,
    clock: Clock,
}

impl Recharges {
    /// Over the ledger.
    pub fn new(ledger: Ledger, store: Store, clock: Clock) -> Self {
        Self {
            ledger,
            store,
            clock,
        }
    }

    /// Gives credits once for each key; answers the lot and what there is now.
    pub async fn recharge(
        &self,
        actor: &Actor,
        wish: Recharge,
    ) -> Result<(Grant, Balance), RechargeError> {
        let tenant = wish.tenant.clone();
        if self.store.tenant(&tenant).await?.is_none() {
            return Err(RechargeError::NoSuchTenant);
        }
        let new = NewGrant {
            tenant: wish.tenant,
            kind: GrantKind::Manual,
            amount: wish.amount,
            source_key: format!("recharge:{}", wish.key),
            expires_at: wish.expires_at,
            note: wish.note,
        };
        let before = self.clock.now();
        let grant = self.ledger.grant(new).await?;
        // A repetition answers the lot of then, which has its entry already.
        if grant.created_at >= before {
            self.note(actor, &tenant, &grant).await;
        }
        let balance = self.ledger.balance(&tenant).await?;
        Ok((grant, balance))
    }

    /// The credits are given and the ledger has its line: a lost entry goes to the log.
    async fn note(&self, actor: &Actor, tenant: &TenantId, grant: &Grant) {
        let after = json!({
            "amount": grant.granted.to_string(),
            "source_key": grant.source_key,
            "expires_at": grant.expires_at.map(Moment::unix_ms),
            "note": grant.note,
        });
        let note = Note {
            tenant: Some(tenant.as_str()),
            action: "tenant.recharge",
            subject: grant.id.as_str(),
            before: None,
            after: Some(after.to_string()),
        };
        if let Err(error) = self.store.note_done(actor, note, self.clock.now()).await {
            error!(%error, tenant.id = %tenant, actor.id = %actor.id, "the recharge `{}` has no audit entry: {error}", grant.id);
        }
    }
}
