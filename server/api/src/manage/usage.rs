//! What a tenant's calls consumed and cost, page by page; the provider behind a model stays unsaid.

use shared::zone::Zone;
use std::collections::HashMap;

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date::{self, Date};
use server_rooms::reports::counts::Consumed;
use server_rooms::reports::history::{UsageHistory, UsageQuery};
use server_rooms::reports::{TimeRange, UsageRecord};

use super::{Amount, Page, page_after, page_limit};
use crate::error::ApiError;
use crate::fields;
use crate::principal::{TenantCaller, need};

/// A call's record.
#[derive(Debug, Clone, Object)]
pub struct UsageView {
    /// The call; `x-waule-generation` of its answer.
    pub id: String,
    /// The person who called.
    pub user_id: Option<String>,
    /// The key that called.
    pub key_id: Option<String>,
    /// Made with a `wk_test_` key.
    pub test: bool,
    /// `chat`, `embedding` or `image`.
    pub operation: String,
    /// The model's name.
    pub model: String,
    /// Input tokens at the full price.
    pub input_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Output tokens without reasoning.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Images made.
    pub images: u64,
    /// Length of the audio or video, in milliseconds.
    pub media_ms: u64,
    /// Characters read aloud.
    pub characters: u64,
    /// Every unit that was used, by its word: `input_token`, `image`, `video_ms` and so on. The fields
    /// above sum them by kind.
    pub units: HashMap<String, u64>,
    /// What else the price depended on: `size`, `quality`, `tier` and so on.
    pub facts: HashMap<String, String>,
    /// Whether the counts are estimated, because the provider told none.
    pub estimated: bool,
    /// Charged, in credits.
    pub credits: Amount,
    /// `succeeded`, `failed` or `canceled`.
    pub status: String,
    /// Why it did not succeed.
    pub fault: Option<String>,
    /// To the first byte.
    pub first_byte_ms: u64,
    /// In all.
    pub duration_ms: u64,
    /// When it came, in RFC 3339.
    pub created_at: String,
    /// The data policy that whoever served it had to satisfy: `no_training`, `zero_retention`, `region:eu`.
    pub data_policy: Option<String>,
    /// Where it was served, as far as operators said.
    pub region: Option<String>,
}

impl From<&UsageRecord> for UsageView {
    fn from(record: &UsageRecord) -> Self {
        let usage = &record.usage;
        // Waits and gateways that did not take it are no tries: nothing was sent there.
        let last = record.tries.iter().rev().find(|one| one.number > 0);
        let sums = Consumed::from(usage);
        Self {
            id: record.id.to_string(),
            user_id: record.user.as_ref().map(ToString::to_string),
            key_id: record.key.as_ref().map(ToString::to_string),
            test: record.test,
            operation: record.operation.word().to_owned(),
            model: record.model.clone(),
            input_tokens: sums.input_tokens,
            cached_input_tokens: sums.cached_input_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            output_tokens: sums.output_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            images: sums.images,
            media_ms: sums.media_ms,
            characters: sums.characters,
            units: usage
                .measures()
                .map(|(unit, n)| (unit.to_string(), n))
                .collect(),
            facts: usage
                .facts
                .iter()
                .map(|(fact, word)| (fact.word().to_owned(), word.to_owned()))
                .collect(),
            estimated: usage.estimated,
            credits: record.credits.into(),
            status: record.status.word().to_owned(),
            fault: record.fault.clone(),
            first_byte_ms: record.first_byte_ms,
            duration_ms: record.duration_ms,
            created_at: date::text(record.created_at),
            data_policy: last.and_then(|last| last.demanded.clone()),
            region: last.and_then(|last| last.region.clone()),
        }
    }
}

/// Reads `startDate` and `endDate`, whose days are those of `zone`; a plain end date is the whole day.
pub(crate) fn period(
    (start, end): (Option<&str>, Option<&str>),
    zone: &Zone,
) -> Result<TimeRange, ApiError> {
    let read = |name: &str, text: Option<&str>| -> Result<Option<Date>, ApiError> {
        text.filter(|text| !text.is_empty())
            .map(|text| fields::date(name, text))
            .transpose()
    };
    let from = read("startDate", start)?.and_then(|date| date.start_in(zone));
    let until = read("endDate", end)?.and_then(|date| date.end_in(zone));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        return Err(ApiError::bad_field(
            "endDate",
            "`endDate` must not be before `startDate`.",
        ));
    }
    Ok(TimeRange { from, until })
}

/// Usage for tenants.
#[derive(Debug, Clone)]
pub struct UsageApi {
    /// The records.
    pub usage: UsageHistory,
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Usage")]
impl UsageApi {
    /// List usage records
    ///
    /// Newest first; members see their own.
    #[oai(path = "/usage", method = "get", operation_id = "list_usage")]
    async fn list(
        &self,
        caller: TenantCaller<need::Usage>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
        /// The first day (2026-11-01) or moment (RFC 3339)
        #[oai(name = "startDate")]
        start: Query<Option<String>>,
        /// The last day, which is included, or moment
        #[oai(name = "endDate")]
        end: Query<Option<String>>,
    ) -> Result<Json<Page<UsageView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let period = period((start.0.as_deref(), end.0.as_deref()), &Zone::utc())?;
        let after = page_after(after.0.as_deref())?;
        let query = UsageQuery {
            user: caller.own_records(),
            period,
            after: after.as_ref(),
            limit,
        };
        let page = self.usage.page(&caller.who.tenant, query).await?;
        Ok(Json(Page::of(&page.records, page.has_more, |record| {
            record.id.to_string()
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_a_period_is_inside() {
        let period =
            super::period((Some("2026-11-01"), Some("2026-11-01")), &Zone::utc()).expect("one day");
        let span = period
            .until
            .unwrap_or_default()
            .since(period.from.unwrap_or_default());
        assert_eq!(span, std::time::Duration::from_secs(86_400));
        assert_eq!(
            super::period((None, Some("")), &Zone::utc()).expect("no bounds"),
            TimeRange::default()
        );
    }

    #[test]
    fn odd_dates_cursors_and_turned_periods_are_refused() {
        let utc = Zone::utc();
        assert!(period((Some("yesterday"), None), &utc).is_err());
        assert!(period((Some("2026-11-02"), Some("2026-11-01")), &utc).is_err());
        let same = Some("2026-11-02T00:00:00Z");
        assert!(period((same, same), &utc).is_ok());
    }
}
