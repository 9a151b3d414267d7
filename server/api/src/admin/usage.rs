//! A tenant's usage as the superadmin sees it: the providers, their cost, and the sums.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::reports::history::{UsageHistory, UsageQuery};
use server_rooms::reports::{Try, UsageRecord, UsageSummary};
use shared::zone::Zone;

use super::tenant_of;
use crate::error::ApiError;
use crate::manage::usage::{UsageView, period};
use crate::manage::{Amount, Page, page_after, page_limit};
use crate::principal::SuperadminCaller;

/// A call's record with what tenants do not see.
#[derive(Debug, Clone, Object)]
pub struct AdminUsageView {
    /// What the tenant sees of it.
    #[oai(flatten)]
    pub seen: UsageView,
    /// The price that was applied.
    pub price_id: Option<String>,
    /// Who answered.
    pub provider: String,
    /// The model's name there.
    pub provider_model: String,
    /// The provider's price, in credits; null where it is not known.
    pub cost: Option<Amount>,
    /// Provider calls tried.
    pub attempts: u32,
    /// Each of them in its order, and before them the gateways that did not take the call.
    pub tries: Vec<TryView>,
}

/// A provider call that was tried, or a gateway that did not take the call.
#[derive(Debug, Clone, Object)]
pub struct TryView {
    /// Its place among the provider calls, from 1; 0 of a gateway that called nobody, and of a wait for room.
    pub number: u32,
    /// The gateway's name, or its address where it has none; null where it is inside the server.
    pub gateway: Option<String>,
    /// Who was called; empty where nobody was.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// The last four characters of the key.
    pub key_last4: String,
    /// From the call's arrival at the gateway to its beginning.
    pub began_ms: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// The provider's HTTP status, where it answered otherwise than well.
    pub status: Option<u16>,
    /// Why it did not end well, as a word: `rate_limited`, `unreachable`; `gateway_away` and
    /// `gateway_full` of a gateway that did not take the call.
    pub fault: Option<String>,
    /// Why the call went on as it did after it: `other_key`, `host_down`, `cannot_say`, `tries_used`,
    /// `time_used`, `no_other_key`, `keys_rest`, `retries_used`, `other_gateway`, `waited`, `final`.
    pub next: Option<String>,
    /// Where the provider works, as far as operators said.
    pub region: Option<String>,
}

impl From<&Try> for TryView {
    fn from(one: &Try) -> Self {
        Self {
            number: one.number,
            gateway: one.gateway.clone(),
            provider: one.provider.clone(),
            model: one.model.clone(),
            key_last4: one.key_last4.clone(),
            began_ms: one.began_ms,
            duration_ms: one.duration_ms,
            status: one.status,
            fault: one.fault.clone(),
            next: one.next.clone(),
            region: one.region.clone(),
        }
    }
}

impl From<&UsageRecord> for AdminUsageView {
    fn from(record: &UsageRecord) -> Self {
        Self {
            seen: record.into(),
            price_id: record.price.as_ref().map(ToString::to_string),
            provider: record.provider.clone(),
            provider_model: record.provider_model.clone(),
            cost: record.cost.map(Amount::from),
            attempts: record.attempts,
            tries: record.tries.iter().map(TryView::from).collect(),
        }
    }
}

/// A tenant's calls of one model, added up.
#[derive(Debug, Clone, Object)]
pub struct SummaryView {
    /// `chat`, `embedding` or `image`.
    pub operation: String,
    /// The model's name.
    pub model: String,
    /// How many calls.
    pub calls: u64,
    /// Charged, in credits.
    pub credits: Amount,
    /// The provider's price of the calls whose cost is known, in credits; null where none is.
    pub cost: Option<Amount>,
    /// Calls whose cost is known.
    pub costed_calls: u64,
    /// Charged for those, in credits: less their cost, what was earned.
    pub costed_credits: Amount,
    /// Of all classes.
    pub input_tokens: u64,
    /// Reasoning included.
    pub output_tokens: u64,
    /// Images made.
    pub images: u64,
}

impl From<UsageSummary> for SummaryView {
    fn from(line: UsageSummary) -> Self {
        Self {
            operation: line.operation.word().to_owned(),
            model: line.model,
            calls: line.calls,
            credits: line.credits.into(),
            cost: line.cost.told(line.calls).map(Amount::from),
            costed_calls: line.cost.calls,
            costed_credits: line.cost.credits.into(),
            input_tokens: line.input_tokens,
            output_tokens: line.output_tokens,
            images: line.images,
        }
    }
}

/// Records page by page, and the sums of the whole period.
#[derive(Debug, Clone, Object)]
pub struct TenantUsageView {
    /// A page of records.
    pub records: Page<AdminUsageView>,
    /// The whole period by operation and model.
    pub summary: Vec<SummaryView>,
}

/// Usage for the superadmin.
#[derive(Debug, Clone)]
pub struct AdminUsageApi {
    /// The records.
    pub usage: UsageHistory,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl AdminUsageApi {
    /// Show a tenant's usage
    #[oai(
        path = "/tenants/:id/usage",
        method = "get",
        operation_id = "admin_tenant_usage"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
    )]
    async fn show(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// How many records, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
        /// The first day (2026-11-01) or moment (RFC 3339)
        #[oai(name = "startDate")]
        start: Query<Option<String>>,
        /// The last day, which is included, or moment
        #[oai(name = "endDate")]
        end: Query<Option<String>>,
    ) -> Result<Json<TenantUsageView>, ApiError> {
        let limit = page_limit(limit.0)?;
        let period = period((start.0.as_deref(), end.0.as_deref()), &Zone::utc())?;
        let after = page_after(after.0.as_deref())?;
        let tenant = tenant_of(&id.0)?;
        let query = UsageQuery {
            user: None,
            period,
            after: after.as_ref(),
            limit,
        };
        let report = self.usage.report(&tenant, query).await?;
        let (page, summary) = report.ok_or_else(|| ApiError::not_found("tenant"))?;
        Ok(Json(TenantUsageView {
            records: Page::of(&page.records, page.has_more, |record| record.id.to_string()),
            summary: summary.into_iter().map(SummaryView::from).collect(),
        }))
    }
}
