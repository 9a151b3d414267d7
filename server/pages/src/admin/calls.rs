//! Calls as rows of lists: whose they are and who made them, by name.

use std::collections::HashMap;

use admin_templates::labels::{CallStatus, Operation};
use admin_templates::parts::CallRow;
use server_rooms::accounts::{AccountError, Accounts};
use server_rooms::reports::UsageRecord;
use server_rules::billing::UNKNOWN;
use shared::id::{ApiKeyId, TenantId, UserId};
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

/// Newest keys and people of a tenant that are known by name here; older ones show their id.
const NAMES: i64 = 500;

/// Names of tenants, people and keys, by id.
#[derive(Debug, Default)]
pub(super) struct CallNames {
    tenants: HashMap<String, String>,
    callers: HashMap<String, String>,
    /// How keys end.
    last4: HashMap<String, String>,
}

impl CallNames {
    /// Of all that have part in some calls.
    pub(super) async fn of<'a>(
        accounts: &Accounts,
        records: impl IntoIterator<Item = &'a UsageRecord>,
    ) -> Result<Self, PageError> {
        // By tenant: whether a key is asked for, whether a person is.
        let mut wanted: HashMap<&TenantId, (bool, bool)> = HashMap::new();
        for record in records {
            let of = wanted.entry(&record.tenant).or_default();
            of.0 |= record.key.is_some();
            of.1 |= record.user.is_some();
        }
        let mut names = Self::default();
        for (tenant, (keys, people)) in wanted {
            names.add(accounts, tenant, keys, people).await?;
        }
        Ok(names)
    }

    async fn add(
        &mut self,
        accounts: &Accounts,
        tenant: &TenantId,
        keys: bool,
        people: bool,
    ) -> Result<(), PageError> {
        let found = match accounts.tenant(tenant).await {
            Ok(found) => found,
            // Its records outlive it.
            Err(AccountError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.tenants.insert(tenant.to_string(), found.name);
        if keys {
            for key in accounts.keys(tenant, None, NAMES).await? {
                let id = key.id.into_string();
                self.last4.insert(id.clone(), key.last4);
                self.callers.insert(id, key.name);
            }
        }
        if people {
            for user in accounts.users(tenant, None, NAMES).await? {
                self.callers.insert(user.id.into_string(), user.username);
            }
        }
        Ok(())
    }

    /// A tenant's name.
    pub(super) fn tenant(&self, id: &str) -> String {
        named(&self.tenants, id)
    }

    /// A person's or key's name.
    pub(super) fn caller(&self, id: &str) -> String {
        named(&self.callers, id)
    }

    /// How a key ends.
    pub(super) fn last4(&self, id: &str) -> Option<String> {
        self.last4.get(id).cloned()
    }

    /// A call as a row.
    pub(super) fn row(&self, record: UsageRecord) -> CallRow {
        let user = record.user.as_ref().map(UserId::as_str);
        let caller = user.or_else(|| record.key.as_ref().map(ApiKeyId::as_str));
        let status = status(&record);
        CallRow {
            fault: fault(status, &record),
            id: record.id.to_string(),
            at: record.created_at,
            tenant: self.tenant(record.tenant.as_str()),
            tenant_id: record.tenant.to_string(),
            caller: caller.map_or_else(String::new, |id| self.caller(id)),
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
