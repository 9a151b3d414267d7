//! What calls add up to, and the places a call is added to: hours and days, of the platform, of a
//! model, of a tenant. Pure: knows no database and no clock.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::fault::FaultKind;

use super::buckets::Buckets;
use super::costs::{KnownCost, plus};
use super::counts::Consumed;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// How long a sum's span of time is; spans begin at whole hours and days of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Grain {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// From what the database holds.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grain| grain.word() == word)
    }

    /// Its length in milliseconds.
    pub fn length_ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// The beginning of the span that a moment lies in.
    pub fn start(self, at: Moment) -> Moment {
        let length = self.length_ms();
        Moment::from_unix_ms(at.unix_ms().div_euclid(length).saturating_mul(length))
    }

    /// The beginning of the span `spans` later, or earlier when negative.
    pub fn later(self, start: Moment, spans: i64) -> Moment {
        let by = self.length_ms().saturating_mul(spans);
        Moment::from_unix_ms(start.unix_ms().saturating_add(by))
    }
}

/// What calls are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Everything on the platform.
    All,
    /// An operation.
    Operation,
    /// A model.
    Model,
    /// A provider.
    Provider,
    /// A tenant.
    Tenant,
    /// A tenant, key, model, provider and operation together; test calls stand here only.
    Call,
}

impl Dimension {
    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Operation => "operation",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Tenant => "tenant",
            Self::Call => "call",
        }
    }
}

/// Where a sum stands; what its dimension leaves open is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// By what.
    pub dimension: &'static str,
    /// A tenant's id.
    pub tenant: String,
    /// `hour` or `day`.
    pub grain: &'static str,
    /// When the span begins, in unix milliseconds.
    pub starts_at: i64,
    /// A key's id.
    pub key: String,
    /// A model's public name.
    pub model: String,
    /// A provider.
    pub provider: String,
    /// An operation's word.
    pub operation: String,
    /// Whether of test calls.
    pub test: bool,
}

impl Place {
    fn of(dimension: Dimension, grain: Grain, at: Moment) -> Self {
        Self {
            dimension: dimension.word(),
            tenant: String::new(),
            grain: grain.word(),
            starts_at: grain.start(at).unix_ms(),
            key: String::new(),
            model: String::new(),
            provider: String::new(),
            operation: String::new(),
            test: false,
        }
    }
}

/// A call as it is added up. Words are taken as they stand: a word that no code writes must not
/// stop the sums, and the check tells of it.
#[derive(Debug, Clone)]
pub struct CountedCall {
    /// Who paid.
    pub tenant: String,
    /// The key that called; empty for people.
    pub key: String,
    /// The model's public name.
    pub model: String,
    /// Who answered.
    pub provider: String,
    /// The operation's word.
    pub operation: String,
    /// Whether with a test key.
    pub test: bool,
    /// The status's word.
    pub status: String,
    /// The fault's word, where it ended with one.
    pub fault: Option<String>,
    /// Units.
    pub usage: Consumed,
    /// Charged.
    pub credits: Credits,
    /// The provider's price; `None` where it is not known.
    pub cost: Option<Credits>,
    /// Provider calls tried.
    pub attempts: u64,
    /// To the first byte; 0 when there was none.
    pub first_byte_ms: u64,
    /// In all.
    pub duration_ms: u64,
    /// When it came.
    pub at: Moment,
}

/// The words of faults that are the callers' own.
pub fn callers_faults() -> impl Iterator<Item = &'static str> {
    let kinds = FaultKind::ALL.into_iter().filter(|kind| kind.is_callers());
    kinds.map(FaultKind::word)
}

impl CountedCall {
    /// Whether it ended with a fault that is its caller's.
    fn is_callers_fault(&self) -> bool {
        let fault = self.fault.as_deref();
        fault.is_some_and(|fault| callers_faults().any(|word| word == fault))
    }

    /// Every place the call counts in.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(12);
        for grain in Grain::ALL {
            places.push(Place {
                tenant: self.tenant.clone(),
                key: self.key.clone(),
                model: self.model.clone(),
                provider: self.provider.clone(),
                operation: self.operation.clone(),
                test: self.test,
                ..Place::of(Dimension::Call, grain, self.at)
            });
            if self.test {
                continue;
            }
            places.push(Place::of(Dimension::All, grain, self.at));
            places.push(Place {
                operation: self.operation.clone(),
                ..Place::of(Dimension::Operation, grain, self.at)
            });
            places.push(Place {
                model: self.model.clone(),
                ..Place::of(Dimension::Model, grain, self.at)
            });
            places.push(Place {
                provider: self.provider.clone(),
                ..Place::of(Dimension::Provider, grain, self.at)
            });
            places.push(Place {
                tenant: self.tenant.clone(),
                ..Place::of(Dimension::Tenant, grain, self.at)
            });
        }
        places
    }
}

/// What calls add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many.
    pub calls: u64,
    /// Those that ended with a fault.
    pub failed: u64,
    /// Of these, those that failed for what their callers sent: nothing was wrong but the call.
    pub caller_faults: u64,
    /// Those whose tenant went away.
    pub canceled: u64,
    /// Charged.
    pub credits: Credits,
    /// The providers' price, as far as it is known.
    pub cost: KnownCost,
    /// Units.
    pub consumed: Consumed,
    /// Provider calls tried.
    pub attempts: u64,
    /// Durations of all calls added up.
    pub duration_ms: u64,
    /// Times to the first byte added up.
    pub first_byte_ms: u64,
    /// Durations of the calls that succeeded.
    pub durations: Buckets,
    /// Times to the first byte, of calls that had one.
    pub first_bytes: Buckets,
}

/// The three percentiles that pages show, in milliseconds; `None` when there were no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Percentiles {
    /// Half are quicker.
    pub p50_ms: Option<u64>,
    /// Nineteen of twenty are quicker.
    pub p95_ms: Option<u64>,
    /// Ninety-nine of a hundred are quicker.
    pub p99_ms: Option<u64>,
}

impl From<&Buckets> for Percentiles {
    fn from(buckets: &Buckets) -> Self {
        Self {
            p50_ms: buckets.percentile(500),
            p95_ms: buckets.percentile(950),
            p99_ms: buckets.percentile(990),
        }
    }
}

impl Sums {
    /// Adds one call.
    pub fn count(&mut self, call: &CountedCall) {
        let mut one = Self {
            calls: 1,
            credits: call.credits,
            cost: KnownCost::of(call.cost, call.credits),
            consumed: call.usage,
            attempts: call.attempts,
            duration_ms: call.duration_ms,
            first_byte_ms: call.first_byte_ms,
            ..Self::default()
        };
        match call.status.as_str() {
            "succeeded" => one.durations.add(call.duration_ms),
            "canceled" => one.canceled = 1,
            _ => {
                one.failed = 1;
                one.caller_faults = u64::from(call.is_callers_fault());
            }
        }
        if call.first_byte_ms > 0 {
            one.first_bytes.add(call.first_byte_ms);
        }
        self.merge(&one);
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        let counts = [
            (&mut self.calls, other.calls),
            (&mut self.failed, other.failed),
            (&mut self.caller_faults, other.caller_faults),
            (&mut self.canceled, other.canceled),
            (&mut self.attempts, other.attempts),
            (&mut self.duration_ms, other.duration_ms),
            (&mut self.first_byte_ms, other.first_byte_ms),
        ];
        for (sum, more) in counts {
            *sum = sum.saturating_add(more);
        }
        self.consumed.add(&other.consumed);
        self.credits = plus(self.credits, other.credits);
        self.cost.merge(&other.cost);
        self.durations.merge(&other.durations);
        self.first_bytes.merge(&other.first_bytes);
    }

    /// Those that were answered whole.
    pub fn succeeded(&self) -> u64 {
        self.calls
            .saturating_sub(self.failed)
            .saturating_sub(self.canceled)
    }

    /// Of ten thousand calls that their tenants waited for, those that succeeded; `None` without
    /// such calls. Canceled calls count neither way: nobody failed.
    pub fn success_rate_bp(&self) -> Option<u64> {
        let waited = self.calls.saturating_sub(self.canceled);
        self.succeeded().saturating_mul(10_000).checked_div(waited)
    }

    /// How long calls that succeeded took.
    pub fn latency(&self) -> Percentiles {
        (&self.durations).into()
    }

    /// How long the first byte took.
    pub fn first_byte(&self) -> Percentiles {
        (&self.first_bytes).into()
    }
}

#[cfg(test)]
mod tests;
