//! Usage records: one row a call, written in the settlement's transaction, read page by page.

use diesel::prelude::{Insertable, Queryable, Selectable};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, PriceId, TenantId, UserId};
use shared::link::Operation;
use shared::usage::Usage;

use super::schema::usage_records;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageStatus {
    /// Answered whole.
    Succeeded,
    /// Ended with a fault.
    Failed,
    /// The tenant went away.
    Canceled,
}

impl UsageStatus {
    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// What a call consumed and cost, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// The call.
    pub id: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// The person who called, with a session.
    pub user: Option<UserId>,
    /// The key that called.
    pub key: Option<ApiKeyId>,
    /// Made with a `wk_test_` key: nothing was charged.
    pub test: bool,
    /// What was asked.
    pub operation: Operation,
    /// The model's public name.
    pub model: String,
    /// The price that was applied.
    pub price: Option<PriceId>,
    /// Who answered.
    pub provider: String,
    /// The model's name there.
    pub provider_model: String,
    /// Units.
    pub usage: Usage,
    /// Charged.
    pub credits: Credits,
    /// The provider's price.
    pub cost: Credits,
    /// What became of it.
    pub status: UsageStatus,
    /// The fault's word.
    pub fault: Option<String>,
    /// Provider calls tried.
    pub attempts: u32,
    /// To the first byte.
    pub first_byte_ms: u64,
    /// In all.
    pub duration_ms: u64,
    /// When it came.
    pub created_at: Moment,
}

/// The row of a [`UsageRecord`].
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = usage_records)]
pub(crate) struct UsageRow {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) user_id: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) test: bool,
    pub(crate) operation: String,
    pub(crate) model: String,
    pub(crate) price_id: Option<String>,
    pub(crate) provider: String,
    pub(crate) provider_model: String,
    pub(crate) input_tokens: i64,
    pub(crate) cached_input_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) reasoning_tokens: i64,
    pub(crate) images: i64,
    pub(crate) estimated: bool,
    pub(crate) credits_micros: i64,
    pub(crate) cost_micros: i64,
    pub(crate) status: String,
    pub(crate) fault: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) first_byte_ms: i64,
    pub(crate) duration_ms: i64,
    pub(crate) created_at: i64,
}

/// Units are bounded far below 2^63 where they are read; a larger one would be a bug and is cut.
fn whole(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

impl From<UsageRecord> for UsageRow {
    fn from(record: UsageRecord) -> Self {
        let usage = record.usage;
        Self {
            id: record.id.into_string(),
            tenant_id: record.tenant.into_string(),
            user_id: record.user.map(UserId::into_string),
            key_id: record.key.map(ApiKeyId::into_string),
            test: record.test,
            operation: record.operation.word().to_owned(),
            model: record.model,
            price_id: record.price.map(PriceId::into_string),
            provider: record.provider,
            provider_model: record.provider_model,
            input_tokens: whole(usage.input_tokens),
            cached_input_tokens: whole(usage.cached_input_tokens),
            cache_write_tokens: whole(usage.cache_write_tokens),
            output_tokens: whole(usage.output_tokens),
            reasoning_tokens: whole(usage.reasoning_tokens),
            images: whole(usage.images),
            estimated: usage.estimated,
            credits_micros: record.credits.micros(),
            cost_micros: record.cost.micros(),
            status: record.status.word().to_owned(),
            fault: record.fault,
            attempts: i64::from(record.attempts),
            first_byte_ms: whole(record.first_byte_ms),
            duration_ms: whole(record.duration_ms),
            created_at: record.created_at.unix_ms(),
        }
    }
}
