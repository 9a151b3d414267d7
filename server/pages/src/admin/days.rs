//! What parts of the platform did in the last day that no sum tells apart, such as keys of a pool or
//! targets of a model: from the records of their calls. Of busy ones only the newest are looked at.

use std::collections::HashMap;

use admin_templates::parts::KnownCost as CostView;
use futures_util::TryStreamExt as _;
use server_rooms::reports::buckets::Buckets;
use server_rooms::reports::costs::KnownCost;
use server_rooms::reports::{Reports, TimeRange, UsageFilter, UsageRecord, UsageStatus};
use shared::clock::Moment;

use super::super::bills::known_cost;
use super::super::error::PageError;
use super::{WHOLE, signed};

/// A day in milliseconds.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Calls looked at, at most: a page must not wait longer than for these.
const CALLS_MAX: usize = 5_000;

/// The last day of a part.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// Calls it took.
    pub(super) calls: u64,
    /// Those that failed.
    pub(super) errors: u64,
    known_cost: KnownCost,
    first_bytes: Buckets,
}

impl Day {
    fn count(&mut self, record: &UsageRecord) {
        self.calls = self.calls.saturating_add(1);
        let failed = record.status == UsageStatus::Failed;
        self.errors = self.errors.saturating_add(u64::from(failed));
        let cost = KnownCost::of(record.cost, record.credits);
        self.known_cost.merge(&cost);
        if record.first_byte_ms > 0 {
            self.first_bytes.add(record.first_byte_ms);
        }
    }

    /// What the provider took, as far as it is known.
    pub(super) fn cost(&self) -> CostView {
        known_cost(&self.known_cost, self.calls)
    }

    /// To the first token, 95 in a hundred.
    pub(super) fn first_token_ms(&self) -> u64 {
        self.first_bytes.percentile(950).unwrap_or(0)
    }

    /// Calls that did not fail, in hundredths of a per cent; all of none.
    pub(super) fn success(&self) -> i64 {
        let good = self.calls.saturating_sub(self.errors);
        let share = good.saturating_mul(10_000).checked_div(self.calls);
        share.map_or(WHOLE, signed)
    }
}

/// The last day of each part of what passes `filter`; `part` names the one that a call belongs to.
pub(super) async fn days(
    reports: &Reports,
    filter: UsageFilter,
    now: Moment,
    part: impl Fn(&UsageRecord) -> Option<String>,
) -> Result<HashMap<String, Day>, PageError> {
    let from = Moment::from_unix_ms(now.unix_ms().saturating_sub(DAY_MS));
    let records = reports.export_usage(UsageFilter {
        period: TimeRange {
            from: Some(from),
            until: None,
        },
        ..filter
    });
    let mut records = std::pin::pin!(records);
    let (mut days, mut seen) = (HashMap::<String, Day>::new(), 0_usize);
    while let Some(page) = records.try_next().await? {
        seen = seen.saturating_add(page.len());
        for record in &page {
            if let Some(name) = part(record) {
                days.entry(name).or_default().count(record);
            }
        }
        if seen >= CALLS_MAX {
            break;
        }
    }
    Ok(days)
}
