//! One pass over an answer or an event of OpenAI's dialect: what it counts, what it says and how much,
//! and whether it may be an error. Keeps nothing of it.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::walk::{Walk, count};
use crate::units::{Fact, Facts};

/// Names of service tiers are short words.
const TIER_BYTES_MAX: usize = 32;
/// Choices that are told apart (OpenAI's bound of `n`).
const CHOICES_MAX: u64 = 128;

/// What one pass found.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is found by itself, and nothing follows from two of them"
)]
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// All reports that stand somewhere in it.
    pub(crate) counts: Counts,
    /// What was said, by choice and altogether.
    pub(crate) tally: Tally,
    /// Whether a report stands at the top, be it of zeros.
    pub(crate) has_usage: bool,
    /// Where `null` stands as the usage at the top: its first byte and the one behind it.
    pub(crate) no_usage: Option<(usize, usize)>,
    /// Where the tier that it was served at stands: its first byte and the one behind it.
    pub(crate) tier: Option<(usize, usize)>,
    /// Whether something stands where errors stand.
    pub(crate) may_be_error: bool,
    pub(crate) choices: u64,
    /// Those that said something or ended, a bit each.
    pub(crate) seen: u128,
    /// Those that ended.
    pub(crate) finished: u128,
    /// Whether a choice ended for an error.
    pub(crate) broke: bool,
    /// Entries of `data` or `results` that are no errors.
    pub(crate) entries: u64,
    /// The `type` of an event.
    pub(crate) kind: Kind,
    /// Whether a picture stands at the top.
    pub(crate) has_picture: bool,
    /// Whether the object has any field.
    pub(crate) has_fields: bool,
}

/// Events that matter beside chunks of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    #[default]
    Other,
    /// The end of one picture, or of all of them.
    Completed,
    /// One picture of several.
    PartDone,
    /// A picture on its way, or one of several that was not made: the others come all the same.
    Part,
}

/// Where a text stands, and so what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Message,
    Text,
    Thought,
    Details,
    Tool,
    Arguments,
    Sound,
    SoundData,
    Pictures,
    Skip,
}

impl Place {
    /// The place of a field in this place.
    fn field(self, name: &[u8]) -> Self {
        match (self, name) {
            (Self::Message, b"content" | b"refusal" | b"text")
            | (Self::Text, b"text" | b"content" | b"refusal" | b"transcript")
            | (Self::Sound, b"transcript") => Self::Text,
            (
                Self::Message,
                b"reasoning" | b"reasoning_content" | b"thinking" | b"reasoning_text",
            )
            | (Self::Text, b"thinking" | b"reasoning") => Self::Thought,
            (Self::Thought | Self::Details, b"text" | b"content" | b"summary" | b"thinking") => {
                self
            }
            (Self::Message, b"reasoning_details") => Self::Details,
            (Self::Message, b"tool_calls" | b"function_call")
            | (Self::Tool, b"function" | b"custom" | b"name") => Self::Tool,
            (Self::Tool, b"arguments" | b"input") => Self::Arguments,
            (Self::Message, b"audio") => Self::Sound,
            (Self::Sound, b"data") => Self::SoundData,
            (Self::Message, b"images")
            | (Self::Text, b"image_url" | b"image" | b"images")
            | (Self::Pictures, b"url" | b"image_url" | b"b64_json") => Self::Pictures,
            _ => Self::Skip,
        }
    }
}

fn weigh(walk: &mut Walk<'_>, place: Place, tally: &mut Tally) -> Option<()> {
    match walk.peek()? {
        _ if place == Place::Skip => drop(walk.value()?),
        b'"' => {
            let text = walk.text()?;
            match place {
                Place::Text => tally.add_text(text),
                Place::Tool | Place::Message | Place::Arguments => {
                    tally.add_plain(text);
                }
                Place::Thought => tally.add_thought(text),
                Place::Details => tally.add_repeated(text),
                Place::SoundData => tally.add_sound(text.len()),
                Place::Pictures => tally.add_picture(),
                Place::Sound | Place::Skip => {}
            }
        }
        b'{' if place == Place::Arguments => tally.add_plain(walk.value()?),
        b'{' => walk.object(|walk, name| weigh(walk, place.field(name), tally))?,
        b'[' => walk.array(|walk| weigh(walk, place, tally))?,
        _ => drop(walk.value()?),
    }
    Some(())
}

/// Steps over a value; whether it says anything.
fn says(walk: &mut Walk<'_>) -> Option<bool> {
    let value = walk.value()?;
    Some(!matches!(
        value,
        b"null" | b"false" | b"\"\"" | b"{}" | b"[]"
    ))
}

impl Scan {
    /// Notes the tier that `json`, which was scanned, tells.
    pub(crate) fn note_tier(&self, json: &[u8], facts: &mut Facts) {
        let told = self.tier.and_then(|(from, to)| json.get(from..to));
        let told = told.and_then(|word| std::str::from_utf8(word).ok());
        // Each chunk tells it; what is no word is no tier.
        let is_word = |word: &&str| {
            (1..=TIER_BYTES_MAX).contains(&word.len())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if let Some(word) = told.filter(is_word)
            && facts.get(Fact::Tier) != Some(word)
        {
            facts.note(Fact::Tier, word);
        }
    }

    /// Of a JSON object; what was found before something that is no JSON stays. Says whether all of it
    /// is an object.
    pub(crate) fn read(&mut self, json: &[u8]) -> bool {
        let mut walk = Walk::new(json);
        let read = walk.object(|walk, name| {
            self.has_fields = true;
            self.top(walk, name)
        });
        read.is_some() && walk.peek().is_none()
    }

    fn top(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Option<()> {
        match name {
            b"choices" if walk.peek()? == b'[' => walk.array(|walk| self.choice(walk))?,
            b"usage" => {
                let at = walk.place();
                if walk.peek()? == b'n' {
                    let length = walk.value()?.len();
                    self.no_usage = Some((at, at + length));
                } else {
                    self.has_usage = true;
                    self.counts.merge(Counts::read(walk)?);
                }
            }
            b"usageMetadata" | b"usage_metadata" => self.counts.merge(Counts::read(walk)?),
            b"error" => self.may_be_error |= says(walk)?,
            b"x_groq" | b"message" if walk.peek()? == b'{' => self.within(walk)?,
            b"service_tier" if walk.peek()? == b'"' => {
                let at = walk.place() + 1;
                self.tier = Some((at, at + walk.text()?.len()));
            }
            b"data" | b"results" if walk.peek()? == b'[' => {
                // A verdict may be that there is nothing.
                let may_say_nothing = name == b"results";
                walk.array(|walk| self.entry(walk, may_say_nothing))?;
            }
            b"type" => {
                let kind = walk.value()?;
                if kind.ends_with(b".completed\"") {
                    self.kind = Kind::Completed;
                } else if kind.ends_with(b".partial_succeeded\"") {
                    self.kind = Kind::PartDone;
                } else if kind.ends_with(b".partial_image\"")
                    || kind.ends_with(b".partial_failed\"")
                {
                    self.kind = Kind::Part;
                }
            }
            b"b64_json" | b"url" => self.has_picture |= says(walk)?,
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// An object at the top that may hold usage, an error or a message.
    fn within(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        let mut said = Tally::default();
        walk.object(|walk, name| {
            match name {
                b"usage" => self.counts.merge(Counts::read(walk)?),
                b"error" => self.may_be_error |= says(walk)?,
                _ => weigh(walk, Place::Message.field(name), &mut said)?,
            }
            Some(())
        })?;
        self.tally.add_event(&said);
        Some(())
    }

    fn choice(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        self.choices += 1;
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut index, mut has_ended) = (0, false);
        let mut said = Tally::default();
        walk.object(|walk, name| {
            match name {
                b"index" => index = count(walk.value()?),
                b"delta" | b"message" if walk.peek()? == b'{' => {
                    self.message(walk, &mut said)?;
                }
                b"text" => weigh(walk, Place::Text, &mut said)?,
                b"usage" => self.counts.merge(Counts::read(walk)?),
                b"error" => self.may_be_error |= says(walk)?,
                b"finish_reason" => {
                    let reason = walk.value()?;
                    has_ended |= !matches!(reason, b"null" | b"\"\"");
                    self.broke |= reason == b"\"error\"";
                }
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        self.tally.add_event(&said);
        let bit = 1_u128 << index.min(CHOICES_MAX - 1);
        self.seen |= bit;
        if has_ended {
            self.finished |= bit;
        }
        Some(())
    }

    fn message(&mut self, walk: &mut Walk<'_>, said: &mut Tally) -> Option<()> {
        walk.object(|walk, name| {
            if name == b"usage" {
                self.counts.merge(Counts::read(walk)?);
                return Some(());
            }
            weigh(walk, Place::Message.field(name), said)
        })
    }

    fn entry(&mut self, walk: &mut Walk<'_>, may_say_nothing: bool) -> Option<()> {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut has_fields, mut is_error) = (false, false);
        walk.object(|walk, name| {
            let says = says(walk)?;
            has_fields |= says || may_say_nothing;
            is_error |= says && name == b"error";
            Some(())
        })?;
        self.entries += u64::from(has_fields && !is_error);
        Some(())
    }
}
