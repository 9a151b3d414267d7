//! How much was said in an answer, by what it is, where nobody tells how many tokens that is. Knows no
//! format: whoever reads one says what a text is.

use super::weight;

/// A picture that was made, in tokens (Google, "Understand and count tokens": 1,290 each).
const TOKENS_PER_PICTURE: u64 = 1_290;
/// Speech of a second is about 20 tokens, and in base64 of 16 bits at 24 kHz 64,000 characters.
const CHARACTERS_PER_SOUND_TOKEN: u64 = 3_200;
/// Base64 in a text that is shorter is no picture.
const PICTURE_MIN: usize = 512;
/// How much was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    quarters: u64,
    thought_quarters: u64,
    /// Of these, those that come a second time in another form, as some write their reasoning.
    repeated_quarters: u64,
    /// Parts that came one by one: each is a token at least.
    events: u64,
    thought_events: u64,
    pictures: u64,
    sound: u64,
}

impl Tally {
    /// Adds what one event or answer said altogether.
    pub(crate) fn add(&mut self, other: &Self) {
        self.quarters += other.quarters;
        self.thought_quarters += other.thought_quarters;
        self.events += other.events;
        self.thought_events += other.thought_events;
        self.pictures += other.pictures;
        self.sound += other.sound;
    }

    /// Adds a text, and pictures that stand in it as data.
    pub(crate) fn add_text(&mut self, mut text: &[u8]) {
        const DATA: &[u8] = b";base64,";
        while text.len() >= PICTURE_MIN
            && let Some(at) = memchr::memmem::find(text, DATA)
        {
            let (before, data) = text.split_at(at + DATA.len());
            let is_data = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\\".contains(byte);
            let end = data.iter().position(|byte| !is_data(byte));
            let (data, behind) = data.split_at(end.unwrap_or(data.len()));
            self.quarters += weight::quarters(before);
            if data.len() >= PICTURE_MIN {
                self.pictures += 1;
            } else {
                self.quarters += weight::quarters(data);
            }
            text = behind;
        }
        self.quarters += weight::quarters(text);
    }

    /// Adds a text as it is written between its quotes, which holds no pictures.
    pub(crate) fn add_plain(&mut self, raw: &[u8]) {
        self.quarters += weight::quarters(raw);
    }

    /// Adds a text of reasoning, likewise.
    pub(crate) fn add_thought(&mut self, raw: &[u8]) {
        self.thought_quarters += weight::quarters(raw);
    }

    /// Adds a text of reasoning that may be there in another form too.
    pub(crate) fn add_repeated(&mut self, raw: &[u8]) {
        self.repeated_quarters += weight::quarters(raw);
    }

    /// Adds sound as base64 of so many characters.
    pub(crate) fn add_sound(&mut self, characters: usize) {
        self.sound += u64::try_from(characters).unwrap_or(u64::MAX);
    }

    /// Adds a picture that was made.
    pub(crate) fn add_picture(&mut self) {
        self.pictures += 1;
    }

    /// Adds what one choice of one event said.
    pub(crate) fn add_event(&mut self, said: &Self) {
        let thought = said.thought_quarters.max(said.repeated_quarters);
        self.add(&Self {
            thought_quarters: thought,
            events: u64::from(said.quarters > 0),
            thought_events: u64::from(thought > 0),
            ..*said
        });
    }

    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Parts that came.
    pub(crate) fn events(&self) -> u64 {
        self.events + self.thought_events
    }

    /// Tokens by the weight of the text alone.
    pub(crate) fn by_weight(&self) -> u64 {
        weight::tokens(self.quarters + self.thought_quarters)
    }

    /// Tokens of what was answered; where `streamed`, at least one for each part.
    pub(crate) fn output(&self, streamed: bool) -> u64 {
        estimate(self.quarters, self.events, streamed) + self.others()
    }

    /// Tokens of reasoning.
    pub(crate) fn reasoning(&self, streamed: bool) -> u64 {
        estimate(self.thought_quarters, self.thought_events, streamed)
    }

    fn others(&self) -> u64 {
        self.pictures * TOKENS_PER_PICTURE + self.sound.div_ceil(CHARACTERS_PER_SOUND_TOKEN)
    }

    /// The most tokens that this can be: a token stands for a byte at least, and an escape of six bytes
    /// weighs a quarter at least.
    pub(crate) fn most(&self) -> u64 {
        self.quarters + self.thought_quarters + self.pictures * 4 * TOKENS_PER_PICTURE + self.sound
    }
}

/// Tokens of a text, which is one at least; of a stream each of its parts is.
fn estimate(quarters: u64, parts: u64, streamed: bool) -> u64 {
    if streamed {
        parts.max(quarters / 4)
    } else {
        weight::tokens(quarters)
    }
}
