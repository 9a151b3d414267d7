//! Room: hold, settle, release, grant, balance, history; the whole public face of the money.
//! `rules` decides, `batch` is the only writer, `store::ledger` holds the SQL; no HTTP, no model.
//!
//! Others hold a [`Ledger`], never a connection. Every write goes through one task that commits
//! what arrived while the last commit ran as one transaction, so one busy tenant is as fast as many.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

mod batch;
pub mod recovery;
pub mod rules;
#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests;

use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{BootId, GenerationId, GrantId, TenantId};
use shared::supervisor::Supervisor;
use tokio::sync::{mpsc, oneshot};

use crate::store::Store;
use crate::store::usage::UsageRecord;

/// The most one grant can give: 10^9 credits. Nine such grants still fit in 64 bits of micro-credits.
pub const GRANT_MAX: Credits = Credits::from_micros(1_000_000_000_000_000);
/// A commit takes about 5 ms and 512 operations fit in one; 4,096 waiting are then 8 batches.
const WAITING_MAX: usize = 4_096;

/// Where credits came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// Bought once.
    Purchase,
    /// A period of a subscription.
    Subscription,
    /// Given away, for example to new tenants.
    Gift,
    /// A redeem code.
    RedeemCode,
    /// By a superadmin.
    Manual,
    /// Returned after a fault of ours.
    Refund,
}

impl GrantKind {
    const ALL: [Self; 6] = [
        Self::Purchase,
        Self::Subscription,
        Self::Gift,
        Self::RedeemCode,
        Self::Manual,
        Self::Refund,
    ];

    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Subscription => "subscription",
            Self::Gift => "gift",
            Self::RedeemCode => "redeem_code",
            Self::Manual => "manual",
            Self::Refund => "refund",
        }
    }

    /// From what the database holds.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Credits to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// To whom.
    pub tenant: TenantId,
    /// Where they come from.
    pub kind: GrantKind,
    /// How many; more than nothing, at most [`GRANT_MAX`].
    pub amount: Credits,
    /// What makes it unique: the same key for one tenant never gives twice.
    pub source_key: String,
    /// When what is left lapses.
    pub expires_at: Option<Moment>,
    /// For people.
    pub note: String,
}

/// A lot of credits with what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Where it came from.
    pub kind: GrantKind,
    /// What makes it unique.
    pub source_key: String,
    /// What was given.
    pub granted: Credits,
    /// What is neither held nor spent.
    pub remaining: Credits,
    /// When it lapses.
    pub expires_at: Option<Moment>,
    /// For people.
    pub note: String,
    /// When it was given.
    pub created_at: Moment,
}

/// A wish to set credits aside for a call.
#[derive(Debug, Clone)]
pub struct HoldAsk {
    /// The generation; also the hold's id.
    pub id: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// The worst case.
    pub amount: Credits,
    /// The least that is useful; between the two, all that is available is held.
    pub least: Credits,
    /// The process that will settle it.
    pub owner: BootId,
    /// What recovery needs to price the call, as JSON.
    pub call: String,
    /// When recovery looks after it.
    pub deadline_at: Moment,
}

/// Where a hold stands; all but `Held` are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// Open.
    Held,
    /// Charged.
    Settled,
    /// Given back.
    Released,
    /// Never placed; stays refused.
    Refused,
}

impl HoldState {
    const ALL: [Self; 4] = [Self::Held, Self::Settled, Self::Released, Self::Refused];

    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Refused => "refused",
        }
    }

    /// From what the database holds.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Credits set aside for one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The generation.
    pub id: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// Where it stands.
    pub state: HoldState,
    /// What was asked for.
    pub requested: Credits,
    /// The least that was asked for.
    pub least: Credits,
    /// What was set aside.
    pub held: Credits,
    /// What was charged.
    pub settled: Credits,
    /// What was charged beyond all there was.
    pub shortfall: Credits,
    /// The process that placed it.
    pub owner: BootId,
    /// What recovery needs, as JSON.
    pub call: String,
    /// When it was placed.
    pub created_at: Moment,
    /// When recovery looks after it.
    pub deadline_at: Moment,
    /// When it was closed.
    pub closed_at: Option<Moment>,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    /// What was charged.
    pub charged: Credits,
    /// The part that nobody could pay: the platform's loss.
    pub shortfall: Credits,
}

/// What a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Can be spent now.
    pub available: Credits,
    /// Set aside for running calls.
    pub held: Credits,
    /// Charged so far.
    pub used: Credits,
}

/// A line of a tenant's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub number: i64,
    /// `grant`, `hold`, `settle`, `release` or `expire`.
    pub kind: String,
    /// The generation or grant it belongs to.
    pub reference: String,
    /// Change of what can be spent.
    pub available_delta: Credits,
    /// Change of what is held.
    pub held_delta: Credits,
    /// What was charged.
    pub charged: Credits,
    /// In grants after it.
    pub balance_after: Credits,
    /// Held after it.
    pub held_after: Credits,
    /// When.
    pub at: Moment,
}

/// Why a hold was not placed.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is less than the least.
    #[error("{available} credits are available, {required} are needed")]
    Insufficient {
        /// What can be spent now.
        available: Credits,
        /// The least that was asked for.
        required: Credits,
    },
    /// The id was used before for something else.
    #[error("this hold id was used with another amount")]
    Conflict,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a hold was not closed.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// There is none of that id for that tenant.
    #[error("there is no such hold")]
    NoSuchHold,
    /// It was closed before in another way.
    #[error("the hold was closed before in another way")]
    Closed,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why credits were not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The source key was used before for another grant.
    #[error("this key was used for another grant")]
    Conflict,
    /// Not more than nothing, or more than [`GRANT_MAX`].
    #[error("an amount must be above 0 and at most {GRANT_MAX}")]
    Amount,
    /// The writer is busy or its commit failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The ledger could not do its work; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Too many operations wait already.
    #[error("the ledger's queue is full")]
    Busy,
    /// The writer has ended, or the batch could not be committed.
    #[error("the ledger's commit failed: {0}")]
    Commit(String),
    /// A read failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// One operation on its way to the writer, with the place for its answer.
#[derive(Debug)]
pub(crate) enum Operation {
    Hold(Box<HoldAsk>, oneshot::Sender<Result<Credits, HoldError>>),
    Settle(
        Box<Closing>,
        oneshot::Sender<Result<Settlement, SettleError>>,
    ),
    Release(
        Box<Closing>,
        oneshot::Sender<Result<Settlement, SettleError>>,
    ),
    Grant(Box<NewGrant>, oneshot::Sender<Result<Grant, GrantError>>),
    Record(Box<UsageRecord>, oneshot::Sender<Result<(), LedgerError>>),
}

/// How a hold is closed.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) hold: GenerationId,
    pub(crate) tenant: TenantId,
    pub(crate) used: Credits,
    pub(crate) usage: Option<UsageRecord>,
}

/// The handle to the money; cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    writer: mpsc::Sender<Operation>,
    store: Store,
    clock: Clock,
}

impl Ledger {
    /// Starts the writer task.
    pub fn start(store: Store, clock: Clock, supervisor: &Supervisor) -> Self {
        let (writer, waiting) = mpsc::channel(WAITING_MAX);
        // It ends with its last handle; every caller waits for its own answer.
        supervisor.spawn_servant("ledger", batch::run(waiting, store.clone(), clock.clone()));
        Self {
            writer,
            store,
            clock,
        }
    }

    /// Sets credits aside, durably; answers how many.
    pub async fn hold(&self, ask: HoldAsk) -> Result<Credits, HoldError> {
        self.ask(|answer| Operation::Hold(Box::new(ask), answer))
            .await?
    }

    /// Charges a hold and writes the usage record, in one transaction. The same id with the same
    /// charge answers the same.
    pub async fn settle(
        &self,
        hold: &GenerationId,
        tenant: &TenantId,
        used: Credits,
        usage: UsageRecord,
    ) -> Result<Settlement, SettleError> {
        let closing = Closing {
            hold: hold.clone(),
            tenant: tenant.clone(),
            used,
            usage: Some(usage),
        };
        self.ask(|answer| Operation::Settle(Box::new(closing), answer))
            .await?
    }

    /// Gives a hold back whole; `usage` tells what became of the call.
    pub async fn release(
        &self,
        hold: &GenerationId,
        tenant: &TenantId,
        usage: Option<UsageRecord>,
    ) -> Result<Settlement, SettleError> {
        let closing = Closing {
            hold: hold.clone(),
            tenant: tenant.clone(),
            used: Credits::ZERO,
            usage,
        };
        self.ask(|answer| Operation::Release(Box::new(closing), answer))
            .await?
    }

    /// Gives credits; the same source key gives them once.
    pub async fn grant(&self, new: NewGrant) -> Result<Grant, GrantError> {
        if new.amount <= Credits::ZERO || new.amount > GRANT_MAX {
            return Err(GrantError::Amount);
        }
        self.ask(|answer| Operation::Grant(Box::new(new), answer))
            .await?
    }

    /// Writes the usage record of a call that costs nothing (`wk_test_` keys).
    pub async fn record(&self, usage: UsageRecord) -> Result<(), LedgerError> {
        self.ask(|answer| Operation::Record(Box::new(usage), answer))
            .await?
    }

    /// What a tenant has now.
    pub async fn balance(&self, tenant: &TenantId) -> Result<Balance, LedgerError> {
        Ok(self.store.ledger_balance(tenant, self.clock.now()).await?)
    }

    /// A tenant's entries, newest first, those before `before` only.
    pub async fn history(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Entry>, LedgerError> {
        Ok(self.store.ledger_history(tenant, before, limit).await?)
    }

    async fn ask<T>(
        &self,
        operation: impl FnOnce(oneshot::Sender<T>) -> Operation,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.writer
            .try_send(operation(answer))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
                mpsc::error::TrySendError::Closed(_) => {
                    LedgerError::Commit("the writer has ended".to_owned())
                }
            })?;
        answered
            .await
            .map_err(|_| LedgerError::Commit("the writer ended before it answered".to_owned()))
    }
}
