//! Room: what operators should look at. One process of all looks now and then, and writes what it finds into
//! rows; pages read these rows, and channels are told of what changed. Sends nothing itself.

pub mod channels;
pub mod deliver;
pub mod health;
mod look;
pub mod robots;
mod rounds;

use std::sync::Arc;
use std::time::Duration;

use server_store::Store;
use server_store::audit::Actor;
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::AlertId;

use crate::catalogue::Catalogue;
use crate::catalogue::lists::ModelLists;
use crate::gateways::Gateways;
use crate::ledger::{Ledger, LedgerError};
use crate::providers::Providers;
use crate::reports::Reports;

pub use server_rules::alerts::round::{AlertSight, hits, plan};
pub use server_rules::alerts::telling::{
    AlertMessage, AlertStep, ChannelFilter, ChannelKind, ChannelLang, REMIND_HOURS_MAX, ToldAlert,
    path,
};
pub use server_rules::alerts::{
    Alert, AlertCondition, AlertKind, AlertSeverity, AlertSource, AlertSubject, SubjectKind,
    UNTIL_IT_ENDS,
};
pub use server_store::alerts::{CallSums, RoundOutcome, SumsOf};

/// Why alerts were not looked for or not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// There is none of that id, or it has ended.
    #[error("there is no such alert")]
    NotFound,
    /// The ledger did not tell.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Models of which a call was charged without a rate that fits it since a moment, as this process saw.
pub type UnpricedModels = Arc<dyn Fn(Moment) -> Vec<(String, Moment)> + Send + Sync>;

/// For how long nobody is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteFor {
    /// So long.
    Span(Duration),
    /// Until it ends.
    Ever,
}

/// What alerts are found in.
#[derive(Clone)]
pub struct AlertsParts {
    /// Models.
    pub catalogue: Catalogue,
    /// What providers say they have.
    pub model_lists: ModelLists,
    /// Gateways.
    pub gateways: Gateways,
    /// Credits.
    pub ledger: Ledger,
    /// Keys and balances.
    pub providers: Providers,
    /// Who spends.
    pub reports: Reports,
    /// What this process saw.
    pub unpriced: UnpricedModels,
    /// Where they are kept.
    pub store: Store,
    /// Time.
    pub clock: Clock,
}

impl std::fmt::Debug for AlertsParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlertsParts")
    }
}

/// Alerts; cheap to clone.
#[derive(Clone)]
pub struct Alerts(Arc<AlertsParts>);

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Alerts")
    }
}

impl Alerts {
    /// Over its parts.
    pub fn new(parts: AlertsParts) -> Self {
        Self(Arc::new(parts))
    }

    /// What is so now, as it was seen last: the most urgent first, and of these the oldest. Looks at
    /// nothing.
    pub async fn on(&self) -> Result<Vec<Alert>, DbError> {
        let mut open = self.0.store.open_alerts().await?;
        open.retain(Alert::is_on);
        // Stable: they come in the order of time.
        open.sort_by_key(|alert| std::cmp::Reverse(alert.severity.rank()));
        Ok(open)
    }

    /// Tells nobody of an alert for a while.
    pub async fn mute(
        &self,
        actor: &Actor,
        id: &AlertId,
        span: MuteFor,
    ) -> Result<(), AlertsError> {
        let now = self.0.clock.now();
        let until = match span {
            MuteFor::Span(span) => now.after(span),
            MuteFor::Ever => UNTIL_IT_ENDS,
        };
        self.set_muted(actor, id, Some(until)).await
    }

    /// Lets it be heard again.
    pub async fn unmute(&self, actor: &Actor, id: &AlertId) -> Result<(), AlertsError> {
        self.set_muted(actor, id, None).await
    }

    async fn set_muted(
        &self,
        actor: &Actor,
        id: &AlertId,
        until: Option<Moment>,
    ) -> Result<(), AlertsError> {
        let now = self.0.clock.now();
        if self.0.store.mute_alert(actor, id, until, now).await? {
            Ok(())
        } else {
            Err(AlertsError::NotFound)
        }
    }
}
