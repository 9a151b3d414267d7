//! One pass over an answer or an event: what it counts, what it says and how much, and whether it is none.
//! Keeps nothing of it.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::walk::{Walk, count};
use crate::units::{Fact, Facts};

/// Candidates that are told apart; Google makes eight at most.
const CANDIDATES_MAX: u64 = 128;
/// Names of service tiers are short words.
const TIER_BYTES_MAX: usize = 32;

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct GeminiScan<'a> {
    /// All reports that stand in it.
    pub(super) counts: Counts,
    /// What was said, altogether.
    pub(super) tally: Tally,
    /// Whether a report stands in it, be it of zeros.
    pub(super) has_usage: bool,
    /// Whether something stands where errors stand.
    pub(super) may_be_error: bool,
    pub(super) candidates: u64,
    /// Those that said something or ended, a bit each.
    pub(super) seen: u128,
    /// Those that ended.
    pub(super) finished: u128,
    /// Why the prompt was blocked, as it is written between its quotes.
    pub(super) blocked: Option<&'a [u8]>,
    /// The tier that it was served at, likewise.
    tier: Option<&'a [u8]>,
    /// What the traffic was counted as, likewise.
    traffic: Option<&'a [u8]>,
}

/// A value as it is written between its quotes; `None` where it is no text or says nothing.
fn word(value: &[u8]) -> Option<&[u8]> {
    let word = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    (!word.is_empty()).then_some(word)
}

/// Whether a reason says that there is one.
pub(super) fn is_reason(word: &[u8]) -> bool {
    !word.ends_with(b"_UNSPECIFIED")
}

/// Google's word for how traffic was counted, as tiers are called.
fn tier_of(traffic: &[u8]) -> Option<&'static str> {
    Some(match traffic {
        b"ON_DEMAND" => "standard",
        b"ON_DEMAND_PRIORITY" => "priority",
        b"ON_DEMAND_FLEX" => "flex",
        b"ON_DEMAND_OFFPEAK" => "offpeak",
        b"PROVISIONED_THROUGHPUT" => "provisioned",
        _ => return None,
    })
}

impl<'a> GeminiScan<'a> {
    /// Of a JSON object; what was found before something that is no JSON stays. Says whether all of it is an
    /// object.
    pub(super) fn read(&mut self, json: &'a [u8]) -> bool {
        let mut walk = Walk::new(json);
        let read = walk.object(|walk, name| self.top(walk, name));
        read.is_some() && walk.peek().is_none()
    }

    /// The tier that it tells, where it is a word.
    pub(super) fn tier(&self) -> Option<&'a str> {
        let is_word = |word: &&[u8]| {
            word.len() <= TIER_BYTES_MAX
                && word
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                && !word.eq_ignore_ascii_case(b"unspecified")
        };
        let told = self
            .tier
            .filter(is_word)
            .and_then(|word| std::str::from_utf8(word).ok());
        told.or_else(|| tier_of(self.traffic?))
    }

    /// Notes the tier that it tells.
    pub(super) fn note_tier(&self, facts: &mut Facts) {
        // Each event tells it.
        if let Some(word) = self.tier()
            && facts.get(Fact::Tier) != Some(word)
        {
            facts.note(Fact::Tier, word);
        }
    }

    fn top(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match name {
            b"candidates" if walk.peek()? == b'[' => walk.array(|walk| self.candidate(walk))?,
            b"usageMetadata" | b"usage_metadata" if walk.peek()? == b'{' => self.usage(walk)?,
            b"promptFeedback" | b"prompt_feedback" if walk.peek()? == b'{' => {
                walk.object(|walk, name| {
                    let value = walk.value()?;
                    if matches!(name, b"blockReason" | b"block_reason") {
                        self.blocked = word(value).filter(|word| is_reason(word));
                    }
                    Some(())
                })?;
            }
            b"error" => {
                let value = walk.value()?;
                self.may_be_error |= !matches!(value, b"null" | b"false" | b"\"\"" | b"{}");
            }
            _ => drop(walk.value()?),
        }
        Some(())
    }

    fn usage(&mut self, walk: &mut Walk<'a>) -> Option<()> {
        let mut again = *walk;
        self.has_usage = true;
        self.counts.merge(Counts::read(walk)?);
        again.object(|walk, name| {
            let value = walk.value()?;
            match name {
                b"serviceTier" | b"service_tier" => self.tier = word(value),
                b"trafficType" | b"traffic_type" => self.traffic = word(value),
                _ => {}
            }
            Some(())
        })
    }

    fn candidate(&mut self, walk: &mut Walk<'a>) -> Option<()> {
        self.candidates += 1;
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut index, mut has_ended) = (0, false);
        let mut said = Tally::default();
        walk.object(|walk, name| {
            match name {
                b"index" => index = count(walk.value()?),
                b"content" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                    b"parts" if walk.peek()? == b'[' => walk.array(|walk| weigh(walk, &mut said)),
                    b"parts" => weigh(walk, &mut said),
                    _ => walk.value().map(drop),
                })?,
                b"finishReason" | b"finish_reason" => {
                    has_ended |= word(walk.value()?).is_some_and(is_reason);
                }
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        self.tally.add_event(&said);
        let bit = 1_u128 << index.min(CANDIDATES_MAX - 1);
        self.seen |= bit;
        if has_ended {
            self.finished |= bit;
        }
        Some(())
    }
}

/// Weighs one part. Whether a text is a thought may be told behind it.
fn weigh(walk: &mut Walk<'_>, said: &mut Tally) -> Option<()> {
    if walk.peek()? != b'{' {
        return walk.value().map(drop);
    }
    let (mut text, mut is_thought) = (None, false);
    walk.object(|walk, name| {
        match name {
            b"text" if walk.peek()? == b'"' => text = Some(walk.text()?),
            b"thought" => is_thought = walk.value()? == b"true",
            b"functionCall"
            | b"function_call"
            | b"executableCode"
            | b"executable_code"
            | b"codeExecutionResult"
            | b"code_execution_result" => said.add_plain(walk.value()?),
            b"inlineData" | b"inline_data" if walk.peek()? == b'{' => {
                let (mut is_sound, mut length) = (false, 0);
                walk.object(|walk, name| {
                    let value = walk.value()?;
                    match name {
                        b"mimeType" | b"mime_type" => is_sound = value.starts_with(b"\"audio/"),
                        b"data" => length = value.len(),
                        _ => {}
                    }
                    Some(())
                })?;
                if is_sound {
                    said.add_sound(length);
                } else {
                    said.add_picture();
                }
            }
            _ => drop(walk.value()?),
        }
        Some(())
    })?;
    if let Some(text) = text {
        if is_thought {
            said.add_thought(text);
        } else {
            said.add_plain(text);
        }
    }
    Some(())
}
