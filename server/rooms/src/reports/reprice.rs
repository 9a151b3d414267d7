//! The last 30 days of a model with another price: what would have been charged and earned, beside what
//! was. Reckons with the function that charges, from the measures and facts that records keep; reads page
//! by page, one reckoning at a time, and changes nothing.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::TenantId;
use tokio::time::Instant;

use super::{Reports, ReportsError};
use crate::catalogue::price::Tariff;
use server_rules::billing::{UNKNOWN, is_free};
use server_rules::usage::costs::{KnownCost, plus};
use server_store::usage::{TimeRange, UsageRecord};
use server_store::usage_log::UsageFilter;

/// How far back is looked.
const SPAN_MS: i64 = 30 * 86_400_000;
/// About 400 pages of records; of busier models the newest calls are a sample.
const CALLS_MAX: u64 = 200_000;
/// Somebody waits for the answer; what was read until then is a sample.
const TIME_MAX: Duration = Duration::from_secs(10);
/// As long as another reckoning may take.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// A list price, of tenants that are no more.
const PLAIN_PPM: i64 = 1_000_000;

/// What calls brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// Charged.
    pub credits: Credits,
    /// The providers' price, as far as it is known.
    pub cost: KnownCost,
}

/// Calls as they were charged, and as they would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repricing {
    /// From when on; where it is a sample, since the oldest call that was read.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
    /// Calls that were read; test calls are none.
    pub calls: u64,
    /// Whether there were more than were read, so that only the newest are told of.
    pub is_sample: bool,
    /// As it was.
    pub was: Earned,
    /// As it would have been, with each tenant's multiplier of today.
    pub would: Earned,
    /// Calls that would have been charged more.
    pub dearer: u64,
    /// Calls that would have been charged less.
    pub cheaper: u64,
    /// Calls with a measure that the price has no rate for: charged at the dearest of its family.
    pub unpriced: u64,
    /// Calls that are in neither sum, because what they would have come to does not fit.
    pub left_out: u64,
}

/// A call as it would have been.
struct Would {
    credits: Credits,
    cost: Option<Credits>,
    unpriced: bool,
}

/// What a call would have come to; `None` where that does not fit.
fn would(record: &UsageRecord, tariff: &Tariff, multiplier_ppm: i64) -> Option<Would> {
    let stays = |credits: Credits, cost: Option<Credits>| Would {
        credits,
        cost,
        unpriced: false,
    };
    if record.fault.as_deref() == Some(UNKNOWN) {
        // Nobody knows what it consumed; what an operator charged by hand stays.
        return Some(stays(record.credits, None));
    }
    let (usage, at) = (&record.usage, record.created_at);
    if is_free(record.fault.is_some(), usage) {
        return Some(stays(Credits::ZERO, Some(Credits::ZERO)));
    }
    let cost = tariff.cost(usage, at);
    if record.credits == Credits::ZERO && record.loss > Credits::ZERO {
        // The tenant got nothing of it, whatever its price.
        return Some(stays(Credits::ZERO, cost));
    }
    let (credits, unpriced) = tariff.charge_and_unpriced(usage, at, multiplier_ppm)?;
    Some(Would {
        credits,
        cost,
        unpriced: unpriced > 0,
    })
}

impl Earned {
    fn add(&mut self, credits: Credits, cost: Option<Credits>) {
        self.credits = plus(self.credits, credits);
        self.cost.merge(&KnownCost::of(cost, credits));
    }
}

impl Repricing {
    fn between(from: Moment, until: Moment) -> Self {
        Self {
            from,
            until,
            calls: 0,
            is_sample: false,
            was: Earned::default(),
            would: Earned::default(),
            dearer: 0,
            cheaper: 0,
            unpriced: 0,
            left_out: 0,
        }
    }

    fn count(&mut self, record: &UsageRecord, tariff: &Tariff, multiplier_ppm: i64) {
        self.calls = self.calls.saturating_add(1);
        let Some(would) = would(record, tariff, multiplier_ppm) else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        self.was.add(record.credits, record.cost);
        self.would.add(would.credits, would.cost);
        let counts = [
            (&mut self.dearer, would.credits > record.credits),
            (&mut self.cheaper, would.credits < record.credits),
            (&mut self.unpriced, would.unpriced),
        ];
        for (count, is_so) in counts {
            *count = count.saturating_add(u64::from(is_so));
        }
    }
}

/// The multipliers of tenants, asked for once each.
type Multipliers = HashMap<TenantId, i64>;

impl Reports {
    /// The calls of `model` in the last 30 days, newest first, with the price `tariff`. One reckoning
    /// runs at a time; a connection is held for no longer than a page takes.
    pub async fn reprice(&self, model: &str, tariff: &Tariff) -> Result<Repricing, ReportsError> {
        self.reprice_newest(model, tariff, CALLS_MAX).await
    }

    /// The same of the newest calls, `most` of them up to a whole page.
    pub async fn reprice_newest(
        &self,
        model: &str,
        tariff: &Tariff,
        most: u64,
    ) -> Result<Repricing, ReportsError> {
        let turn = tokio::time::timeout(WAIT_MAX, self.repricing.acquire()).await;
        let _turn = turn.map_err(|_| ReportsError::Busy)?;
        let until = self.clock.now();
        let from = Moment::from_unix_ms(until.unix_ms().saturating_sub(SPAN_MS));
        let filter = UsageFilter {
            model: Some(model.to_owned()),
            period: TimeRange {
                from: Some(from),
                until: None,
            },
            ..UsageFilter::default()
        };
        let mut repricing = Repricing::between(from, until);
        let mut multipliers = Multipliers::new();
        let (began, pages) = (Instant::now(), self.export_usage(filter));
        let mut pages = std::pin::pin!(pages);
        while let Some(page) = pages.try_next().await? {
            if repricing.calls >= most || began.elapsed() > TIME_MAX {
                repricing.is_sample = true;
                break;
            }
            self.learn_multipliers(&mut multipliers, &page).await?;
            for record in page.iter().filter(|record| !record.test) {
                let multiplier = multipliers.get(&record.tenant);
                repricing.count(record, tariff, multiplier.copied().unwrap_or(PLAIN_PPM));
            }
            repricing.from = page.last().map_or(from, |last| last.created_at);
        }
        if !repricing.is_sample {
            repricing.from = from;
        }
        Ok(repricing)
    }

    async fn learn_multipliers(
        &self,
        known: &mut Multipliers,
        page: &[UsageRecord],
    ) -> Result<(), ReportsError> {
        let mut new: Vec<&TenantId> = page.iter().map(|record| &record.tenant).collect();
        new.retain(|tenant| !known.contains_key(*tenant));
        new.sort_unstable();
        new.dedup();
        if !new.is_empty() {
            known.extend(self.store.tenant_multipliers(&new).await?);
            for tenant in new {
                known.entry(tenant.clone()).or_insert(PLAIN_PPM);
            }
        }
        Ok(())
    }
}
