//! What a call was charged, told to whoever started it and waits for it. Settles nothing.

use std::time::Duration;

use server_rooms::ledger::Settlement;
use server_store::usage::{UsageRecord, UsageStatus};
use shared::credits::Credits;
use tokio::sync::oneshot;

/// A settlement follows an answer within milliseconds; where the database is away it goes to disk after
/// some seconds, and then nobody waits on.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A call that is settled, in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledCall {
    /// What the tenant paid.
    pub charged: Credits,
    /// What the provider takes; `None` where that is not known.
    pub cost: Option<Credits>,
    /// What became of it.
    pub status: UsageStatus,
    /// Why it failed, by the fault's word.
    pub fault: Option<String>,
    /// Who answered.
    pub provider: String,
    /// The model's name there.
    pub provider_model: String,
    /// To the first byte.
    pub first_byte_ms: u64,
    /// In all.
    pub duration_ms: u64,
}

/// Tells what a call was charged, once that is known.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<SettledCall>);

/// Where a [`Receipt`] is told.
#[derive(Debug)]
pub(super) struct ReceiptSender(oneshot::Sender<SettledCall>);

/// A receipt of a call that is about to start.
pub(super) fn receipt() -> (ReceiptSender, Receipt) {
    let (sender, receiver) = oneshot::channel();
    (ReceiptSender(sender), Receipt(receiver))
}

impl Receipt {
    /// Waits for the settlement; `None` where it is not in the database within ten seconds, or where
    /// how the call ended is not known.
    pub async fn settled(self) -> Option<SettledCall> {
        let told = tokio::time::timeout(WAIT_MAX, self.0).await;
        told.ok()?.ok()
    }
}

impl ReceiptSender {
    /// Tells what was written; nothing of a call that another had settled before.
    pub(super) fn tell(self, record: &UsageRecord, settlement: Option<Settlement>) {
        let Some(settlement) = settlement else { return };
        let told = SettledCall {
            charged: settlement.charged,
            cost: record.cost,
            status: record.status,
            fault: record.fault.clone(),
            provider: record.provider.clone(),
            provider_model: record.provider_model.clone(),
            first_byte_ms: record.first_byte_ms,
            duration_ms: record.duration_ms,
        };
        // Who does not wait any more does not mind.
        drop(self.0.send(told));
    }
}
