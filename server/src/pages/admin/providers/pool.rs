//! What each key of a pool did in the last day, from the records of its calls: a record names the
//! key of its last try. Of a busy provider only the newest calls are looked at.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use shared::clock::Moment;
use shared::credits::Credits;

use super::super::super::error::PageError;
use crate::figures::Figures;
use crate::figures::buckets::Buckets;
use crate::store::usage::{Period, UsageRecord, UsageStatus};
use crate::store::usage_log::UsageFilter;

const DAY_MS: i64 = 86_400_000;
/// Calls looked at, at most: a page must not wait longer than for these.
const CALLS_MAX: usize = 5_000;

/// A key's last day.
#[derive(Debug, Default)]
pub(super) struct KeyDay {
    /// Calls it was the last to try.
    pub(super) calls: u64,
    /// Those that failed.
    pub(super) errors: u64,
    cost_micros: i64,
    first_bytes: Buckets,
}

impl KeyDay {
    fn count(&mut self, record: &UsageRecord) {
        self.calls = self.calls.saturating_add(1);
        let failed = record.status == UsageStatus::Failed;
        self.errors = self.errors.saturating_add(u64::from(failed));
        self.cost_micros = self.cost_micros.saturating_add(record.cost.micros());
        if record.first_byte_ms > 0 {
            self.first_bytes.add(record.first_byte_ms);
        }
    }

    /// What the provider took.
    pub(super) fn cost(&self) -> Credits {
        Credits::from_micros(self.cost_micros)
    }

    /// To the first token, 95 in a hundred.
    pub(super) fn first_token_ms(&self) -> u64 {
        self.first_bytes.percentile(950).unwrap_or(0)
    }
}

/// Days of a provider's keys, by how the keys end.
pub(super) async fn days(
    figures: &Figures,
    provider: &str,
    now: Moment,
) -> Result<HashMap<String, KeyDay>, PageError> {
    let from = Moment::from_unix_ms(now.unix_ms().saturating_sub(DAY_MS));
    let records = figures.export_usage(UsageFilter {
        provider: Some(provider.to_owned()),
        period: Period {
            from: Some(from),
            until: None,
        },
        ..UsageFilter::default()
    });
    let mut records = std::pin::pin!(records);
    let (mut days, mut seen) = (HashMap::<String, KeyDay>::new(), 0_usize);
    while let Some(page) = records.try_next().await? {
        seen = seen.saturating_add(page.len());
        for record in &page {
            if let Some(last) = record
                .tries
                .last()
                .filter(|last| !last.key_last4.is_empty())
            {
                let day = days.entry(last.key_last4.clone()).or_default();
                day.count(record);
            }
        }
        if seen >= CALLS_MAX {
            break;
        }
    }
    Ok(days)
}
