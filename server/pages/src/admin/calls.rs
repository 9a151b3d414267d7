//! Calls as rows of lists: whose they are and who made them, by name.

use std::collections::HashMap;

use admin_templates::labels::{CallStatus, Operation};
use admin_templates::parts::CallRow;
use server_rooms::accounts::{Accounts, Callers, Reading};
use server_rooms::reports::UsageRecord;
use server_rules::billing::UNKNOWN;
use shared::units::Unit;

use super::super::error::PageError;
use super::{named, word};

/// How a call ended, as its record tells.
pub(super) fn status(record: &UsageRecord) -> CallStatus {
    if record.fault.as_deref() == Some(UNKNOWN) {
        return CallStatus::Unknown;
    }
    word(record.status.word(), CallStatus::Failed)
}

/// Why a call failed, where its status does not say it already.
fn fault(status: CallStatus, record: &UsageRecord) -> Option<String> {
    record
        .fault
        .clone()
        .filter(|_| status == CallStatus::Failed)
}

/// Names of tenants, people and keys, by id.
#[derive(Debug, Default)]
pub(super) struct CallNames {
    tenants: HashMap<String, String>,
    callers: Callers,
}

impl CallNames {
    /// Of all that have part in some calls.
    pub(super) async fn of<'a>(
        accounts: &Accounts,
        records: impl IntoIterator<Item = &'a UsageRecord>,
    ) -> Result<Self, PageError> {
        let records: Vec<&UsageRecord> = records.into_iter().collect();
        let tenants: Vec<_> = records.iter().map(|record| &record.tenant).collect();
        let calls = records.iter();
        let calls: Vec<_> = calls
            .map(|record| (record.user.as_ref(), record.key.as_ref()))
            .collect();
        Ok(Self {
            tenants: accounts.tenant_names(&tenants).await?,
            callers: accounts.callers(Reading::Platform, &calls).await?,
        })
    }

    /// A tenant's name.
    pub(super) fn tenant(&self, id: &str) -> String {
        named(&self.tenants, id)
    }

    /// A person's or key's name.
    pub(super) fn caller(&self, id: &str) -> String {
        self.callers.name(id)
    }

    /// How a key ends.
    pub(super) fn last4(&self, id: &str) -> Option<String> {
        self.callers.last4(id)
    }

    /// A call as a row.
    pub(super) fn row(&self, record: UsageRecord) -> CallRow {
        let by = self.callers.of(record.user.as_ref(), record.key.as_ref());
        let status = status(&record);
        CallRow {
            fault: fault(status, &record),
            id: record.id.to_string(),
            at: record.created_at,
            tenant: self.tenant(record.tenant.as_str()),
            tenant_id: record.tenant.to_string(),
            caller: by.name,
            maker: by.maker,
            status,
            model: record.model,
            provider: record.provider,
            operation: word(record.operation.word(), Operation::Chat),
            test: record.test,
            input_tokens: record.usage.input_total(),
            output_tokens: record.usage.output_total(),
            images: record.usage.count(Unit::Image),
            credits: record.credits,
            cost: record.cost,
            first_byte_ms: record.first_byte_ms,
            duration_ms: record.duration_ms,
        }
    }
}
