//! Room: corrections of balances by operators and the budgets they set, with their audit entries.
//! The ledger decides and writes; a repetition of the same key corrects nothing twice.

use serde_json::json;
use server_store::Store;
use server_store::audit::{Actor, Note};
use shared::clock::Clock;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use tracing::error;

use crate::ledger::{
    AdjustError, Adjusted, Adjustment, Balance, Budget, BudgetRequest, Ledger, LedgerError, Spender,
};
use crate::settings::zones::Zones;

/// A correction to be made.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Whose balance.
    pub tenant: TenantId,
    /// What is given (above 0) or taken away (below 0).
    pub amount: Credits,
    /// The Idempotency-Key.
    pub key: String,
    /// Whether what can't be taken away becomes a debt.
    pub into_debt: bool,
    /// Why.
    pub reason: String,
}

/// Why nothing was corrected.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    /// There is no such tenant, key or user.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The ledger refused.
    #[error(transparent)]
    Adjust(#[from] AdjustError),
}

impl From<LedgerError> for CorrectionError {
    fn from(error: LedgerError) -> Self {
        Self::Adjust(error.into())
    }
}

impl From<DbError> for CorrectionError {
    fn from(error: DbError) -> Self {
        LedgerError::Store(error).into()
    }
}

/// Corrects balances and sets budgets; cheap to clone.
#[derive(Debug, Clone)]
pub struct Corrections {
    pub(super) ledger: Ledger,
    pub(super) store: Store,
    zones: Zones,
    clock: Clock,
}

impl Corrections {
    /// Over the ledger.
    pub fn new(ledger: Ledger, store: Store, clock: Clock) -> Self {
        Self {
            ledger,
            zones: Zones::new(store.clone(), clock.clone()),
            store,
            clock,
        }
    }

    /// Corrects a balance once for each key; answers the correction and what there is now.
    pub async fn adjust(
        &self,
        actor: &Actor,
        wish: Correction,
    ) -> Result<(Adjusted, Balance), CorrectionError> {
        self.known(&wish.tenant).await?;
        let adjustment = Adjustment {
            tenant: wish.tenant.clone(),
            amount: wish.amount,
            source_key: format!("adjust:{}", wish.key),
            into_debt: wish.into_debt,
            operator: actor.name.clone(),
            reason: wish.reason,
        };
        let before = self.clock.now();
        let adjusted = self.ledger.adjust(adjustment).await?;
        // A repetition answers the correction of then, which has its entry already.
        if adjusted.at >= before {
            let made = &adjusted.adjustment;
            let after = json!({
                "amount": made.amount.to_string(),
                "into_debt": made.into_debt,
                "reason": made.reason,
                "source_key": made.source_key,
            });
            let note = Note {
                tenant: Some(wish.tenant.as_str()),
                action: "tenant.adjust",
                subject: adjusted.id.as_str(),
                before: None,
                after: Some(after.to_string()),
            };
            self.note(actor, note).await;
        }
        let balance = self.ledger.balance(&wish.tenant).await?;
        Ok((adjusted, balance))
    }

    /// Sets a budget of a key or user of the tenant, or takes it away; answers it as it stands.
    pub async fn set_budget(
        &self,
        actor: &Actor,
        request: BudgetRequest,
    ) -> Result<Option<Budget>, CorrectionError> {
        let tenant = self.store.tenant(&request.tenant).await?;
        let tenant = tenant.ok_or(CorrectionError::NotFound("tenant"))?;
        let owned = match &request.spender {
            Spender::Key(id) => self.store.has_key(&request.tenant, id).await?,
            Spender::User(id) => self.store.user(&request.tenant, id).await?.is_some(),
        };
        if !owned {
            let what = match &request.spender {
                Spender::Key(_) => "key",
                Spender::User(_) => "user",
            };
            return Err(CorrectionError::NotFound(what));
        }
        let text = |limit: Option<Credits>| {
            limit.map(|limit| {
                json!({"period": request.period.word(), "limit": limit.to_string()}).to_string()
            })
        };
        let budgets = self.ledger.budgets(&request.tenant).await?;
        let mut of = budgets.iter().filter(|b| b.spender == request.spender);
        let before = of.find(|budget| budget.period == request.period);
        let before = text(before.map(|budget| budget.limit));
        let after = text(request.limit);
        let zone = self.zones.newest(tenant.zone.as_ref()).await?;
        let set = self.ledger.set_budget(request.clone(), zone).await?;
        let subject = request.spender.text();
        let note = Note {
            tenant: Some(request.tenant.as_str()),
            action: "budget.set",
            subject: &subject,
            before,
            after,
        };
        self.note(actor, note).await;
        Ok(set)
    }

    /// A tenant's budgets, by spender.
    pub async fn budgets(&self, tenant: &TenantId) -> Result<Vec<Budget>, CorrectionError> {
        self.known(tenant).await?;
        Ok(self.ledger.budgets(tenant).await?)
    }

    /// Whether there is such a tenant.
    pub async fn known(&self, tenant: &TenantId) -> Result<(), CorrectionError> {
        let found = self.store.tenant(tenant).await?;
        found.map(drop).ok_or(CorrectionError::NotFound("tenant"))
    }

    /// The ledger has the change already: a lost entry goes to the log.
    pub(super) async fn note(&self, actor: &Actor, note: Note<'_>) {
        let (action, subject) = (note.action, note.subject);
        if let Err(error) = self.store.note_done(actor, note, self.clock.now()).await {
            error!(%error, actor.id = %actor.id, "`{action}` of `{subject}` has no audit entry: {error}");
        }
    }
}
