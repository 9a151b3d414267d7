//! What a request's text asks the sandbox to do: to wait, to answer so much, to fail. Bounded, since
//! anybody with a test key writes it.

use std::time::Duration;

use shared::fault::{Fault, FaultKind};

use super::refusal;
use crate::providers::Refusal;

/// Marks can't ask for more than this.
const WAIT_MAX_MS: u64 = 60_000;
/// Tokens of all choices of an answer.
pub(super) const TOKENS_MAX: u64 = 100_000;

/// What the marks in a text ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) delay: Duration,
    pub(super) pace: Duration,
    pub(super) tokens: Option<u64>,
    pub(super) fail: Option<u16>,
    pub(super) cut: Option<u64>,
}

impl Marks {
    /// The last mark of each kind counts.
    pub(super) fn read(text: &str) -> Self {
        let number = |name: &str| -> Option<u64> {
            let from = text.rfind(name)? + name.len();
            let digits = text.get(from..)?.split(']').next()?;
            digits.parse().ok()
        };
        let wait = |name| Duration::from_millis(number(name).unwrap_or(0).min(WAIT_MAX_MS));
        Self {
            delay: wait("[delay:"),
            pace: wait("[pace:"),
            tokens: number("[tokens:").map(|n| n.clamp(1, TOKENS_MAX)),
            fail: number("[fail:").and_then(|n| u16::try_from(n).ok()),
            cut: number("[cut:"),
        }
    }

    /// Waits and fails as they say.
    pub(super) async fn obey(&self) -> Result<(), Refusal> {
        tokio::time::sleep(self.delay).await;
        let kind = match self.fail {
            None => return Ok(()),
            Some(400) => {
                return Err(refusal("The request asked the sandbox to refuse it.", None));
            }
            Some(401 | 403) => FaultKind::InvalidKey,
            Some(402) => FaultKind::QuotaExhausted,
            Some(404) => FaultKind::NotFound,
            Some(408 | 504) => FaultKind::Timeout,
            Some(429) => FaultKind::RateLimited,
            Some(_) => FaultKind::Overloaded,
        };
        Err(Fault::new(kind, "asked for by the request")
            .with_status(self.fail.unwrap_or(500))
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_and_bounded() {
        let read = Marks::read("hello [delay:250] [tokens:9][fail:429] [cut:3] [pace:999999]");
        assert_eq!(read.delay, Duration::from_millis(250));
        assert_eq!(
            (read.tokens, read.fail, read.cut),
            (Some(9), Some(429), Some(3))
        );
        assert_eq!(read.pace, Duration::from_millis(WAIT_MAX_MS));
        assert_eq!(Marks::read("nothing [tokens:x] [delay"), Marks::default());
    }
}
