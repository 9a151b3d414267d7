//! A response as it stands in whole answers and in events.

use std::borrow::Cow;

use super::output::{number, put};
use crate::units::{Unit, Usage};

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResponseHead<'a> {
    /// Between quotes.
    pub(super) id: Cow<'a, [u8]>,
    /// With its quotes.
    pub(super) model: Cow<'a, [u8]>,
    /// A number.
    pub(super) created: Cow<'a, [u8]>,
}

/// How a response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status<'a> {
    /// It is written.
    InProgress,
    /// It is whole.
    Completed,
    /// It ends before its time; why.
    Incomplete(&'a str),
}

impl Status<'_> {
    fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
        }
    }

    /// What is said of the item that is written last.
    pub(super) fn of_item(self) -> &'static str {
        match self {
            Self::InProgress | Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

/// What a response says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) head: &'a ResponseHead<'a>,
    pub(super) status: Status<'a>,
    /// Its items with commas between them.
    pub(super) output: &'a [u8],
    pub(super) tier: Option<&'a str>,
    pub(super) usage: Option<&'a Usage>,
    /// What it repeats of its request ([`super::echo`]).
    pub(super) echo: &'a [u8],
}

impl Shown<'_> {
    /// As JSON.
    pub(super) fn json(&self, to: &mut Vec<u8>) {
        put(to, &["{\"id\":\""]);
        to.extend_from_slice(&self.head.id);
        put(to, &["\",\"object\":\"response\",\"created_at\":"]);
        to.extend_from_slice(&self.head.created);
        put(to, &[",\"status\":\"", self.status.word()]);
        put(to, &["\",\"background\":false,\"error\":null"]);
        match self.status {
            Status::Incomplete(reason) => {
                let before = ",\"incomplete_details\":{\"reason\":\"";
                put(to, &[before, reason, "\"},"]);
            }
            Status::InProgress | Status::Completed => {
                put(to, &[",\"incomplete_details\":null,"]);
            }
        }
        put(to, &["\"model\":"]);
        to.extend_from_slice(&self.head.model);
        put(to, &[",\"output\":["]);
        to.extend_from_slice(self.output);
        put(to, &["],"]);
        to.extend_from_slice(self.echo);
        if let Some(tier) = self.tier
            && let Ok(tier) = serde_json::to_string(tier)
        {
            put(to, &[",\"service_tier\":", &tier]);
        }
        match self.usage {
            Some(usage) => write_usage(usage, to),
            None => put(to, &[",\"usage\":null"]),
        }
        put(to, &["}"]);
    }
}

/// The usage with its name; cached and written tokens are parts of the input, reasoning of the output.
fn write_usage(usage: &Usage, to: &mut Vec<u8>) {
    let (input, output) = (usage.input_total(), usage.output_total());
    let cached = [
        Unit::CachedInputToken,
        Unit::CachedInputAudioToken,
        Unit::CachedInputImageToken,
    ];
    let cached = cached
        .iter()
        .fold(0_u64, |sum, unit| sum.saturating_add(usage.count(*unit)));
    let short = usage.count(Unit::CacheWriteToken);
    let long = usage.count(Unit::CacheWriteLongToken);
    number(",\"usage\":{\"input_tokens\":", input, to);
    number(",\"input_tokens_details\":{\"cached_tokens\":", cached, to);
    let written = short.saturating_add(long);
    number(",\"cache_write_tokens\":", written, to);
    if written > 0 {
        let before = ",\"cache_write_tokens_details\":{\"ttl_30m_tokens\":";
        number(before, short, to);
        number(",\"ttl_12h_tokens\":", long, to);
        put(to, &["}"]);
    }
    number("},\"output_tokens\":", output, to);
    let reasoning = usage.count(Unit::ReasoningToken);
    let before = ",\"output_tokens_details\":{\"reasoning_tokens\":";
    number(before, reasoning, to);
    let sum = input.saturating_add(output);
    number("},\"total_tokens\":", sum, to);
    put(to, &["}"]);
}
