//! Usage records: one row a call, written in the settlement's transaction (`filing` says where to), read
//! page by page.

mod reads;

use diesel::prelude::{Insertable, Queryable, QueryableByName, Selectable};
use serde::{Deserialize, Serialize};
use server_rules::usage::costs::KnownCost;
use server_rules::usage::counts::{Consumed, with_counts};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{ApiKeyId, GenerationId, PriceId, TenantId, UserId};
use shared::link::Operation;
use shared::link::trail::Way;
use shared::units::Usage;

use super::columns::whole;
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

    /// From what the database holds.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Succeeded, Self::Failed, Self::Canceled]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

/// A provider call that was tried for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Try {
    /// Its place among the tries, from 1; 0 of a gateway that did not take the call and called nobody,
    /// and of a wait for room.
    pub number: u32,
    /// Who was called; empty where nobody was.
    pub provider: String,
    /// The model's name there; empty when nobody was reached.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The last four characters of the key; empty when no key was chosen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_last4: String,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// From the call's arrival at the gateway to its beginning.
    #[serde(default)]
    pub began_ms: u64,
    /// How long it took.
    #[serde(default)]
    pub duration_ms: u64,
    /// The provider's HTTP status, where it answered otherwise than well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why the call went on as it did after it; a gateway's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where the provider works, as operators said when the call came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The data policy that the call demanded of it: `no_training`, `zero_retention`, `region:eu|us`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demanded: Option<String>,
    /// The gateway that made it, or did not take the call; absent where it is inside the server, and from
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// How the way there and back was; at the last try alone, absent where nobody saw it and from earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Box<Way>>,
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
    /// The provider's price; `None` where it is not known.
    pub cost: Option<Credits>,
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
    /// Its tries, in their order.
    pub tries: Vec<Try>,
    /// What it came to and nobody pays.
    pub loss: Credits,
    /// Why, as a word; absent without a loss.
    pub loss_why: Option<String>,
}

/// Whether a record is the last word on its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is, and takes the place of one that was open, if there is one.
    Final,
    /// Nobody knows how the call ended; another record may take its place, until then it counts in
    /// no sum.
    Open,
}

/// A record to be written.
#[derive(Debug, Clone)]
pub struct Filed {
    /// What is known.
    pub record: UsageRecord,
    /// Whether that is all.
    pub standing: Standing,
}

macro_rules! usage_row {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => {
        /// The row of a [`UsageRecord`]. `measures` is the whole usage as JSON, where the columns of
        /// counts do not say all of it.
        #[derive(Debug, Clone, Default, Insertable, Queryable, QueryableByName, Selectable)]
        #[diesel(table_name = usage_records)]
        pub struct UsageRow {
            $(pub $field: $rust,)+
        }
    };
}
with_usage_columns!(usage_row! {});
with_counts!(count_fields! { UsageRow });
with_counts!(fill_counts! { UsageRow });

/// What of a usage has no column.
fn beside_columns(usage: &Usage) -> Option<String> {
    let is_plain = usage.facts.is_empty() && !usage.capped && !usage.overrun;
    let mut units = usage.measures().map(|(unit, _)| unit);
    if is_plain && units.all(Consumed::has) {
        return None;
    }
    // Words and numbers always become JSON.
    serde_json::to_string(usage).ok()
}

impl UsageRow {
    /// What was consumed; damage where it can't be read.
    pub fn usage(&self) -> Result<Usage, DbError> {
        if let Some(measures) = &self.measures {
            let damaged =
                |_| DbError::Damaged(format!("the measures of usage record `{}`", self.id));
            return serde_json::from_str(measures).map_err(damaged);
        }
        let mut usage = Usage::default();
        for (unit, count) in self.counts(units)?.units() {
            usage.set(unit, count);
        }
        usage.estimated = self.estimated;
        Ok(usage)
    }
}

impl From<UsageRecord> for UsageRow {
    fn from(record: UsageRecord) -> Self {
        let usage = record.usage;
        let sums = Consumed::from(&usage);
        let measures = beside_columns(&usage);
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
            estimated: usage.estimated,
            credits_micros: record.credits.micros(),
            cost_micros: record.cost.map(Credits::micros),
            status: record.status.word().to_owned(),
            fault: record.fault,
            attempts: i64::from(record.attempts),
            first_byte_ms: whole(record.first_byte_ms),
            duration_ms: whole(record.duration_ms),
            created_at: record.created_at.unix_ms(),
            // Plain texts and numbers always become JSON.
            tries: Some(record.tries)
                .filter(|tries| !tries.is_empty())
                .and_then(|tries| serde_json::to_string(&tries).ok()),
            loss_micros: record.loss.micros(),
            loss: record.loss_why,
            measures,
            ..Self::default()
        }
        .counted(&sums)
    }
}

/// The other way of [`whole`]; a negative count is damage.
fn units(whole: i64) -> Result<u64, DbError> {
    u64::try_from(whole).map_err(|_| DbError::Damaged(format!("{whole} units in usage_records")))
}

impl TryFrom<UsageRow> for UsageRecord {
    type Error = DbError;

    fn try_from(row: UsageRow) -> Result<Self, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("{what} of usage record `{}`", row.id));
        let operation =
            Operation::from_word(&row.operation).ok_or_else(|| damaged("the operation"))?;
        let status = UsageStatus::from_word(&row.status).ok_or_else(|| damaged("the status"))?;
        let attempts = u32::try_from(row.attempts).map_err(|_| damaged("the attempts"))?;
        let tries = row.tries.as_deref().map(serde_json::from_str);
        let tries = tries.transpose().map_err(|_| damaged("the tries"))?;
        let usage = row.usage()?;
        Ok(Self {
            id: GenerationId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            user: row.user_id.map(UserId::from_stored),
            key: row.key_id.map(ApiKeyId::from_stored),
            test: row.test,
            operation,
            model: row.model,
            price: row.price_id.map(PriceId::from_stored),
            provider: row.provider,
            provider_model: row.provider_model,
            usage,
            credits: Credits::from_micros(row.credits_micros),
            cost: row.cost_micros.map(Credits::from_micros),
            status,
            fault: row.fault,
            attempts,
            first_byte_ms: units(row.first_byte_ms)?,
            duration_ms: units(row.duration_ms)?,
            created_at: Moment::from_unix_ms(row.created_at),
            tries: tries.unwrap_or_default(),
            loss: Credits::from_micros(row.loss_micros),
            loss_why: row.loss,
        })
    }
}

/// A span of time; an open end has no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The first moment inside.
    pub from: Option<Moment>,
    /// The first moment behind it.
    pub until: Option<Moment>,
}

/// Which part of a tenant's records, newest first.
#[derive(Debug, Clone, Copy)]
pub struct RecordsQuery<'a> {
    /// Of this person alone.
    pub user: Option<&'a UserId>,
    /// Of when.
    pub period: TimeRange,
    /// The last record that was seen.
    pub after: Option<&'a GenerationId>,
    /// How many at most.
    pub limit: i64,
}

impl TimeRange {
    pub fn bounds(self) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, Moment::unix_ms);
        (from, self.until.map_or(i64::MAX, Moment::unix_ms))
    }
}

/// What a tenant's calls of one model came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSummary {
    /// What was asked.
    pub operation: Operation,
    /// The model's public name.
    pub model: String,
    /// How many calls.
    pub calls: u64,
    /// Charged.
    pub credits: Credits,
    /// The providers' price, as far as it is known.
    pub cost: KnownCost,
    /// Of all classes.
    pub input_tokens: u64,
    /// Reasoning included.
    pub output_tokens: u64,
    /// Images made.
    pub images: u64,
}
