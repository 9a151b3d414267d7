//! What one call came to, as its record says it.

use serde_json::Value;

/// What one call cost, as its record says it.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(crate) credits: f64,
    pub(crate) status: String,
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) written: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
    pub(crate) estimated: bool,
}

impl Bill {
    /// A call that ended well, at that price by the provider's own count.
    #[track_caller]
    pub(crate) fn is(&self, credits: f64) {
        assert_eq!(self.status, "succeeded", "{self:?}");
        assert!(!self.estimated, "{self:?}");
        self.costs(credits);
    }

    #[track_caller]
    pub(crate) fn costs(&self, credits: f64) {
        let off = (self.credits - credits).abs();
        assert!(off < 1e-7, "{credits} credits should be charged: {self:?}");
    }

    /// An estimate with that much output and input.
    #[track_caller]
    pub(crate) fn is_estimate(&self, output: std::ops::RangeInclusive<u64>) {
        assert!(self.estimated, "{self:?}");
        let written = self.output + self.reasoning;
        assert!(output.contains(&written), "{output:?}: {self:?}");
        assert!(self.credits > 0.0, "{self:?}");
    }
}

pub(super) fn bill(record: &Value) -> Bill {
    let text = |name: &str| record[name].as_str().map(ToOwned::to_owned);
    let count = |name: &str| record[name].as_u64().unwrap_or_else(|| panic!("{record}"));
    Bill {
        credits: record["credits"].as_f64().expect("credits"),
        status: text("status").unwrap_or_default(),
        input: count("input_tokens"),
        cached: count("cached_input_tokens"),
        written: count("cache_write_tokens"),
        output: count("output_tokens"),
        reasoning: count("reasoning_tokens"),
        estimated: record["estimated"].as_bool().unwrap_or_default(),
    }
}
