//! What the limits leave, and how OpenAI's clients read it. Pure.

use std::fmt::Write;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

/// What is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Units a minute.
    pub limit: u64,
    /// Units that fit now.
    pub remaining: u64,
    /// Until all of them fit again.
    pub reset: Duration,
}

impl Left {
    /// The tighter of two, the one a caller runs into first.
    fn tighter(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) if (b.remaining, b.limit) < (a.remaining, a.limit) => Some(b),
            (a, b) => a.or(b),
        }
    }
}

/// What is left of requests and tokens, the tighter of key and tenant; `None` where unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitInfo {
    /// Of requests.
    pub requests: Option<Left>,
    /// Of tokens.
    pub tokens: Option<Left>,
}

impl LimitInfo {
    /// The tighter of two scopes in each part.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        Self {
            requests: Left::tighter(self.requests, other.requests),
            tokens: Left::tighter(self.tokens, other.tokens),
        }
    }

    /// OpenAI's `x-ratelimit-*` headers; none for what is unlimited.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        const REQUESTS: [HeaderName; 3] = [
            HeaderName::from_static("x-ratelimit-limit-requests"),
            HeaderName::from_static("x-ratelimit-remaining-requests"),
            HeaderName::from_static("x-ratelimit-reset-requests"),
        ];
        const TOKENS: [HeaderName; 3] = [
            HeaderName::from_static("x-ratelimit-limit-tokens"),
            HeaderName::from_static("x-ratelimit-remaining-tokens"),
            HeaderName::from_static("x-ratelimit-reset-tokens"),
        ];
        let parts = [(REQUESTS, self.requests), (TOKENS, self.tokens)];
        parts.into_iter().flat_map(|(names, left)| {
            let values = left.map(|left| {
                [
                    HeaderValue::from(left.limit),
                    HeaderValue::from(left.remaining),
                    HeaderValue::try_from(go_duration(left.reset))
                        .unwrap_or(HeaderValue::from_static("0s")),
                ]
            });
            names.into_iter().zip(values.into_iter().flatten())
        })
    }
}

/// As Go prints a duration, to the millisecond: `17ms`, `1.5s`, `6m0s`, `1h0m2s`.
pub fn go_duration(span: Duration) -> String {
    let ms = span.as_millis();
    if ms == 0 {
        return "0s".to_owned();
    }
    if ms < 1_000 {
        return format!("{ms}ms");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, rest) = (ms / 1_000 % 60, ms % 1_000);
    let mut text = String::new();
    // Writing into a string can't fail.
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{seconds}");
    if rest > 0 {
        let decimals = format!("{rest:03}");
        let _ = write!(text, ".{}", decimals.trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests;
