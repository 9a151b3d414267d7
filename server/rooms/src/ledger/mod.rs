//! Room: hold, extend, settle, release, grant, adjust, budgets, balance, history; the whole public
//! face of the money. `rules` decides, `batch` is the only writer, `store::ledger` holds the SQL; no
//! HTTP, no model.
//!
//! Others hold a [`Ledger`], never a connection. Every write goes through one task that commits
//! what arrived while the last commit ran as one transaction, so one busy tenant is as fast as many.
//!
//! What it guarantees, and the test that shows it (numbers as in docs/decisions/ledger-invariants; files of
//! `server/tests/it` unless named otherwise):
//!
//! | guarantee | shown by |
//! |---|---|
//! | the accounts sum to zero, nothing is negative (I1-I4, I7-I9) | `ledger_model` on both databases, `ledger::tests` on the rules alone, CHECKs of the tables |
//! | the same id with the same amount answers the same, with another it is a conflict; refused stays refused (I5, I6, I14) | `ledger_model`, `ledger` |
//! | one grant, one adjustment a source key (I10) | UNIQUE constraints, `ledger_model` |
//! | one tenant never touches another's books (I16) | `ledger_model` |
//! | the account is the fold of its entries (I12) | `verify`, run after every step of `ledger_model` and every crash |
//! | an answer is durable, whatever dies (I13) | `crash` in `deploy/all-in-one/tests/it` |
//! | many processes on one PostgreSQL stay exact | `ledger`, `crash` |
//! | entries are never changed or deleted | triggers, `ledger` |
//! | recovery takes over what dead processes hold, and nothing of jobs and sessions | `ledger` |

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

mod batch;
pub mod books;
pub mod lines;
pub mod pulse;
mod reads;
pub mod recovery;
mod sweep;

use std::time::Duration;

pub use server_rules::ledger::{
    AdjustError, Adjusted, Adjustment, Balance, Budget, BudgetPeriod, BudgetRequest, CallSnapshot,
    CountedBudget, Entry, ExtendError, GRANT_MAX, Grant, GrantError, GrantKind, Hold, HoldError,
    HoldRequest, HoldState, LedgerError, Life, Loss, NewGrant, OtherModel, Owner, Refusal,
    RouteNote, SettleError, Settlement, Spender, StoredSnapshot, Unknown, UnknownPlace, rules,
};
use server_store::Store;
use server_store::ledger::Writer;
use server_store::usage::UsageRecord;
use shared::clock::Clock;
use shared::credits::Credits;
use shared::id::{BootId, GenerationId, TenantId};
use shared::supervisor::Supervisor;
use shared::zone::Zone;
use tokio::sync::{mpsc, oneshot};

use self::pulse::{Commits, Pulse};

/// A commit takes about 5 ms and 512 commands fit in one; 4,096 waiting are then 8 batches.
const WAITING_MAX: usize = 4_096;

/// How the ledger runs.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// This life of the process, which its holds belong to.
    pub boot: BootId,
    /// Between two signs of life of an idle process.
    pub heartbeat: Duration,
    /// For how long a part of a hold comes back good after its grant expired.
    pub grace: Duration,
    /// Operations in one transaction at most.
    pub batch_max: usize,
    /// How long settlements wait for a hold to share its commit, so that holds find the writer
    /// free; zero where somebody waits for the settlement.
    pub patience: Duration,
}

impl LedgerSettings {
    /// Larger batches make everybody wait longer without saving commits.
    pub const BATCH_MAX: usize = 512;
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            boot: BootId::random(),
            heartbeat: Duration::from_secs(10),
            grace: Duration::ZERO,
            batch_max: Self::BATCH_MAX,
            patience: Duration::ZERO,
        }
    }
}

/// Where a command's caller waits.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// One command on its way to the writer, with the place for its answer.
#[derive(Debug)]
pub(crate) enum Command {
    Hold(Box<HoldRequest>, Reply<Result<Credits, HoldError>>),
    Extend(Box<Extending>, Reply<Result<Credits, ExtendError>>),
    Settle(Box<Closing>, Reply<Result<Settlement, SettleError>>),
    Release(Box<Closing>, Reply<Result<Settlement, SettleError>>),
    Grant(Box<NewGrant>, Reply<Result<Grant, GrantError>>),
    Adjust(Box<Adjustment>, Reply<Result<Adjusted, AdjustError>>),
    Budget(
        Box<(BudgetRequest, Zone)>,
        Reply<Result<Option<Budget>, LedgerError>>,
    ),
    Expire(TenantId, Reply<Result<Credits, LedgerError>>),
    Record(Box<UsageRecord>, Reply<Result<(), LedgerError>>),
}

/// How a hold grows.
#[derive(Debug)]
pub(crate) struct Extending {
    pub(crate) hold: GenerationId,
    pub(crate) tenant: TenantId,
    pub(crate) to: Credits,
}

/// How a hold is closed.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) hold: GenerationId,
    pub(crate) tenant: TenantId,
    pub(crate) used: Credits,
    pub(crate) usage: Option<UsageRecord>,
    /// Given back for the time being only.
    pub(crate) unknown: Option<Unknown>,
}

/// The handle to the money; cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    writer: mpsc::Sender<Command>,
    store: Store,
    clock: Clock,
    boot: BootId,
    pulse: Pulse,
}

impl Ledger {
    /// Starts the writer task, after it has shown its first sign of life in the database.
    pub async fn start(
        store: Store,
        clock: Clock,
        supervisor: &Supervisor,
        settings: LedgerSettings,
    ) -> Result<Self, LedgerError> {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let boot = settings.boot.clone();
        let mut writer = Writer::new(store.clone(), settings.boot.clone(), settings.grace);
        writer.beat(clock.now()).await?;
        // It ends with its last handle; every caller waits for its own answer.
        let pulse = Pulse::default();
        let work = batch::run(waiting, writer, clock.clone(), settings, pulse.clone());
        supervisor.spawn_servant("ledger", supervisor.vital("ledger", work));
        Ok(Self {
            writer: sender,
            store,
            clock,
            boot,
            pulse,
        })
    }

    /// Transactions that this handle's writer committed so far.
    pub fn commits(&self) -> u64 {
        self.pulse.all()
    }

    /// How long commits took in the last hour, minute by minute.
    pub fn pulse(&self) -> Vec<Commits> {
        self.pulse.minutes(self.clock.now())
    }

    /// How many commands wait for the writer, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        let free = self.writer.capacity();
        (WAITING_MAX.saturating_sub(free), WAITING_MAX)
    }

    /// The life that the holds of this process belong to.
    pub fn boot(&self) -> &BootId {
        &self.boot
    }

    /// Sets credits aside, durably; answers how many.
    pub async fn hold(&self, ask: HoldRequest) -> Result<Credits, HoldError> {
        self.ask(|answer| Command::Hold(Box::new(ask), answer))
            .await?
    }

    /// Raises an open hold to `to` in all, for a call that turns out longer; answers what is held.
    pub async fn extend(
        &self,
        hold: &GenerationId,
        tenant: &TenantId,
        to: Credits,
    ) -> Result<Credits, ExtendError> {
        let extending = Extending {
            hold: hold.clone(),
            tenant: tenant.clone(),
            to,
        };
        self.ask(|answer| Command::Extend(Box::new(extending), answer))
            .await?
    }

    /// Charges what a call came to, at most its hold, and writes the usage record with what was
    /// charged, in one transaction. The same id with the same charge answers the same. A hold that
    /// was given back because nobody knew is charged out of what balance and budgets have now.
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
            unknown: None,
        };
        self.ask(|answer| Command::Settle(Box::new(closing), answer))
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
            unknown: None,
        };
        self.ask(|answer| Command::Release(Box::new(closing), answer))
            .await?
    }

    /// Gives a hold back whole because nobody knows how its call ended. Until `unknown` says, what is
    /// learned counts: [`Ledger::settle`] then charges it, [`Ledger::release`] leaves it given back.
    /// The record counts in no sum before.
    pub async fn give_back(
        &self,
        hold: &GenerationId,
        tenant: &TenantId,
        unknown: Unknown,
        usage: UsageRecord,
    ) -> Result<(), SettleError> {
        let closing = Closing {
            hold: hold.clone(),
            tenant: tenant.clone(),
            used: Credits::ZERO,
            usage: Some(usage),
            unknown: Some(unknown),
        };
        self.ask(|answer| Command::Release(Box::new(closing), answer))
            .await?
            .map(drop)
    }

    /// Gives credits; the same source key gives them once.
    pub async fn grant(&self, new: NewGrant) -> Result<Grant, GrantError> {
        if new.amount <= Credits::ZERO || new.amount > GRANT_MAX {
            return Err(GrantError::Amount);
        }
        self.ask(|answer| Command::Grant(Box::new(new), answer))
            .await?
    }

    /// Corrects a balance; the same source key corrects it once.
    pub async fn adjust(&self, wish: Adjustment) -> Result<Adjusted, AdjustError> {
        if wish.amount == Credits::ZERO
            || wish.amount.micros().saturating_abs() > GRANT_MAX.micros()
        {
            return Err(AdjustError::Amount);
        }
        self.ask(|answer| Command::Adjust(Box::new(wish), answer))
            .await?
    }

    /// Sets a budget of a key or a user of a tenant whose days begin in `zone`, or takes it away;
    /// answers it as it stands.
    pub async fn set_budget(
        &self,
        ask: BudgetRequest,
        zone: Zone,
    ) -> Result<Option<Budget>, LedgerError> {
        self.ask(|answer| Command::Budget(Box::new((ask, zone)), answer))
            .await?
    }

    /// A tenant's budgets, by spender.
    pub async fn budgets(&self, tenant: &TenantId) -> Result<Vec<Budget>, LedgerError> {
        Ok(self.store.ledger_budgets(tenant).await?)
    }

    /// Writes the usage record of a call that costs nothing (`wk_test_` keys).
    pub async fn record(&self, usage: UsageRecord) -> Result<(), LedgerError> {
        self.ask(|answer| Command::Record(Box::new(usage), answer))
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
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.writer
            .try_send(command(answer))
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
