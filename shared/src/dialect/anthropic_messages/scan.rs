//! One pass over a message or an event of one: what it counts, what it says and how much, and whether it
//! may be an error. Keeps nothing of it.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::walk::{Walk, count};
use crate::units::{Fact, Facts, MEASURE_MAX, Unit, Usage};

/// Names of service tiers are short words.
const TIER_BYTES_MAX: usize = 32;

/// What an object is, by its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum MessagesKind {
    /// One that nobody knew of, or none.
    #[default]
    Other,
    /// A whole answer.
    Message,
    MessageStart,
    BlockStart,
    BlockDelta,
    BlockStop,
    MessageDelta,
    MessageStop,
    Ping,
    Error,
}

impl MessagesKind {
    /// Of a `type` as it is written between its quotes.
    pub(super) fn of(word: &[u8]) -> Self {
        match word {
            b"message" => Self::Message,
            b"message_start" => Self::MessageStart,
            b"content_block_start" => Self::BlockStart,
            b"content_block_delta" => Self::BlockDelta,
            b"content_block_stop" => Self::BlockStop,
            b"message_delta" => Self::MessageDelta,
            b"message_stop" => Self::MessageStop,
            b"ping" => Self::Ping,
            b"error" => Self::Error,
            _ => Self::Other,
        }
    }
}

/// What one pass found.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is found by itself, and nothing follows from two of them"
)]
#[derive(Debug, Default)]
pub(super) struct MessagesScan<'a> {
    pub(super) kind: MessagesKind,
    /// Whether it says what it is.
    pub(super) has_type: bool,
    /// Which part of the answer an event belongs to.
    pub(super) index: u64,
    /// All reports that stand in it.
    pub(super) counts: Counts,
    pub(super) tally: Tally,
    /// Searches of the web that the provider made.
    searches: u64,
    /// The tier that it was served at.
    tier: Option<&'a [u8]>,
    /// Whether a list of contents stands at the top.
    pub(super) has_content: bool,
    /// Parts in that list.
    pub(super) parts: u64,
    /// Whether it says why the answer ends.
    pub(super) has_ended: bool,
    /// Whether something stands where errors stand.
    pub(super) may_be_error: bool,
}

/// Steps over a value; whether it says anything.
fn says(walk: &mut Walk<'_>) -> Option<bool> {
    let value = walk.value()?;
    Some(!matches!(
        value,
        b"null" | b"false" | b"\"\"" | b"{}" | b"[]"
    ))
}

impl<'a> MessagesScan<'a> {
    /// Of a JSON object; what was found before something that is no JSON stays. Says whether all of it
    /// is an object.
    pub(super) fn read(&mut self, json: &'a [u8]) -> bool {
        let mut walk = Walk::new(json);
        let read = walk.object(|walk, name| self.top(walk, name));
        read.is_some() && walk.peek().is_none()
    }

    fn top(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match name {
            b"type" if walk.peek()? == b'"' => {
                self.has_type = true;
                self.kind = MessagesKind::of(walk.text()?);
            }
            b"index" => self.index = count(walk.value()?),
            b"message" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                b"usage" => self.usage(walk),
                b"content" if walk.peek()? == b'[' => walk.array(|walk| self.part(walk)),
                _ => walk.value().map(drop),
            })?,
            b"content" if walk.peek()? == b'[' => {
                self.has_content = true;
                walk.array(|walk| self.part(walk))?;
            }
            b"content_block" => self.part(walk)?,
            b"delta" if walk.peek()? == b'{' => self.delta(walk)?,
            b"usage" => self.usage(walk)?,
            b"stop_reason" => self.has_ended |= says(walk)?,
            b"error" => self.may_be_error |= says(walk)?,
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// A part of the answer, or the beginning of one.
    fn part(&mut self, walk: &mut Walk<'a>) -> Option<()> {
        self.parts += 1;
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let mut said = Tally::default();
        walk.object(|walk, name| {
            let is_text = walk.peek()? == b'"';
            match name {
                b"text" if is_text => said.add_text(walk.text()?),
                b"thinking" if is_text => said.add_thought(walk.text()?),
                b"name" if is_text => said.add_plain(walk.text()?),
                b"input" => {
                    let input = walk.value()?;
                    if input != b"{}" && input != b"null" {
                        said.add_plain(input);
                    }
                }
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        self.tally.add_event(&said);
        Some(())
    }

    /// More of a part, or of what holds for the whole answer.
    fn delta(&mut self, walk: &mut Walk<'a>) -> Option<()> {
        let mut said = Tally::default();
        walk.object(|walk, name| {
            let is_text = walk.peek()? == b'"';
            match name {
                b"text" if is_text => said.add_text(walk.text()?),
                b"partial_json" if is_text => said.add_plain(walk.text()?),
                b"thinking" if is_text => said.add_thought(walk.text()?),
                b"stop_reason" => self.has_ended |= says(walk)?,
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        self.tally.add_event(&said);
        Some(())
    }

    fn usage(&mut self, walk: &mut Walk<'a>) -> Option<()> {
        let mut again = *walk;
        self.counts.merge(Counts::read(walk)?);
        if again.peek()? != b'{' {
            return Some(());
        }
        again.object(|walk, name| {
            match name {
                b"service_tier" if walk.peek()? == b'"' => self.tier = Some(walk.text()?),
                b"server_tool_use" if walk.peek()? == b'{' => walk.object(|walk, name| {
                    let number = count(walk.value()?).min(MEASURE_MAX);
                    if name == b"web_search_requests" {
                        self.searches = self.searches.max(number);
                    }
                    Some(())
                })?,
                _ => drop(walk.value()?),
            }
            Some(())
        })
    }

    /// What was told beside tokens.
    pub(super) fn beside(&self) -> Beside {
        let mut beside = Beside::default();
        beside.take(self);
        beside
    }
}

/// What is told of an answer beside its tokens.
#[derive(Debug, Default)]
pub(super) struct Beside {
    facts: Facts,
    searches: u64,
}

impl Beside {
    /// Takes what one event told.
    pub(super) fn take(&mut self, scan: &MessagesScan<'_>) {
        self.searches = self.searches.max(scan.searches);
        // What is no word is no tier.
        let is_word = |word: &&str| {
            (1..=TIER_BYTES_MAX).contains(&word.len())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        let word = scan.tier.and_then(|word| std::str::from_utf8(word).ok());
        if let Some(word) = word.filter(is_word) {
            self.facts.note(Fact::Tier, word);
        }
    }

    /// Puts it into a usage.
    pub(super) fn put(&self, usage: &mut Usage) {
        usage.set(Unit::Search, self.searches);
        usage.facts = self.facts.clone();
    }
}
