//! A request for an answer to messages.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dialect::BadBody;

/// JSON as it was written: schemas and arguments keep the order of their fields, which prompt caches and
/// models see.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Of a text that is JSON; `None` where it is none.
    pub fn of(text: impl Into<String>) -> Option<Self> {
        RawValue::from_string(text.into()).ok().map(Self)
    }

    /// Of a value.
    pub fn of_value(value: &impl Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(Self)
    }

    /// As it is written.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// As a value.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(self.get()).unwrap_or_default()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// By what it says: blanks and the order of fields are no part of it.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get() || self.value() == other.value()
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    /// What the model is told before the conversation, in order; texts as a rule.
    pub instructions: Vec<Part>,
    /// The conversation. Neighbours may be of the same role.
    pub turns: Vec<Turn>,
    /// Functions that the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once.
    pub parallel_tool_calls: Option<bool>,
    /// Output tokens at most.
    pub output_max: Option<u64>,
    /// How words are chosen.
    pub sampling: Sampling,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// Answers asked for; zero where it is not said, which means one.
    pub answers: u64,
    /// The form that the answer must have.
    pub format: Option<Format>,
    /// How much is thought before.
    pub reasoning: Option<Reasoning>,
    /// The caller's name of its own user.
    pub end_user: Option<String>,
    /// At which tier to be served, in the provider's words.
    pub tier: Option<String>,
    /// Marks calls whose beginnings are alike, for the provider's cache.
    pub cache_key: Option<String>,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Fields of the request that have no place in this form, by their names.
    pub unsaid: Vec<String>,
}

impl ChatRequest {
    /// Refuses that a tool must be called where there is none: left out, none would have to be.
    pub fn has_what_it_forces(&self) -> Result<(), BadBody> {
        let is_forced = matches!(
            self.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Function(_))
        );
        if is_forced && self.tools.is_empty() {
            let message = "`tool_choice` wants a tool to be called, and there are no `tools`.";
            return Err(BadBody::of("tool_choice", message));
        }
        Ok(())
    }
}

/// How words are chosen; numbers as they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// 0 to 2; some take 1 at most.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// Candidates of each token.
    pub top_k: Option<u64>,
    /// The same seed may bring the same answer.
    pub seed: Option<i64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
}

/// What one side said at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// What, in order.
    pub parts: Vec<Part>,
}

/// Who speaks. What tools answered is said by the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The tenant's side.
    User,
    /// The model.
    Assistant,
}

/// A part of what is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A text.
    Text {
        /// The text.
        text: String,
        /// Where it comes from.
        citations: Vec<Citation>,
        /// Whether a provider's cache should end behind it.
        cache: Option<CacheMark>,
    },
    /// The model's own words for why it does not answer.
    Refusal(String),
    /// A picture, sound, film or file.
    Media(Media),
    /// What the model thought.
    Thought(Thought),
    /// The model calls a function.
    ToolCall(ToolCall),
    /// What the function answered.
    ToolResult(ToolResult),
}

impl Part {
    /// A plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            citations: Vec::new(),
            cache: None,
        }
    }

    /// What the model is told within the conversation, as a part of what the user says. Before the
    /// conversation it would be told too early, and change the beginning that a provider's cache knows.
    #[must_use]
    pub fn told_late(mut self) -> Self {
        if let Self::Text { text, .. } = &mut self {
            *text = format!("<system>\n{text}\n</system>");
        }
        self
    }
}

/// That what stands up to here is kept by the provider's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMark {
    /// For minutes.
    Short,
    /// For an hour or longer.
    Long,
}

/// A place that a text was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    /// Where it is.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// What stands there.
    pub quote: Option<String>,
}

/// What kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// A file, of text or pages.
    Document,
}

/// A picture, sound, film or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Its media type (RFC 6838), where it is known.
    pub media_type: Option<String>,
    /// The bytes or where they are.
    pub source: Source,
    /// A file's name.
    pub name: Option<String>,
    /// `low`, `high`, `auto`: how closely a picture is looked at.
    pub detail: Option<String>,
    /// Whether a provider's cache should end behind it.
    pub cache: Option<CacheMark>,
}

impl Media {
    /// A file that is given as text, for those who take it as no other: with its name, where it has one.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        let Source::Text(text) = &self.source else {
            return None;
        };
        Some(match &self.name {
            None => Cow::Borrowed(text),
            Some(name) => format!("<document name=\"{name}\">\n{text}\n</document>").into(),
        })
    }
}

/// Where media are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here, in base64.
    Base64(String),
    /// At an address that the provider fetches.
    Url(String),
    /// Here, as text.
    Text(String),
    /// At the provider, under a name that it gave.
    Id(String),
}

/// What the model thought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thought {
    /// What is shown of it; may be empty.
    pub text: String,
    /// What proves it to the provider that made it.
    pub signature: Option<Signature>,
}

/// An opaque text that goes back to the provider that made it, and to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose it is.
    pub format: SignatureFormat,
    /// The text.
    pub data: String,
}

/// Whose signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFormat {
    /// Anthropic's `signature` of a thinking block.
    Anthropic,
    /// Anthropic's `data` of a redacted thinking block.
    AnthropicRedacted,
    /// Google's `thoughtSignature`.
    Google,
    /// OpenAI's `encrypted_content` of a reasoning item.
    OpenAi,
}

impl SignatureFormat {
    /// The beginning of a signature where it stands in a dialect that is not its own: a client sends back
    /// what it was given, and so says whose it is.
    const MARKS: [(Self, &'static str); 4] = [
        (Self::Anthropic, "wsa1."),
        (Self::AnthropicRedacted, "wsr1."),
        (Self::Google, "wsg1."),
        (Self::OpenAi, "wso1."),
    ];
}

impl Signature {
    /// As it stands in a dialect whose own signatures are of the format `home`.
    pub fn written_in(&self, home: Option<SignatureFormat>) -> String {
        if home == Some(self.format) {
            return self.data.clone();
        }
        let mark = SignatureFormat::MARKS
            .iter()
            .find(|(of, _)| *of == self.format);
        format!("{}{}", mark.map_or("", |(_, mark)| mark), self.data)
    }

    /// Out of a dialect whose own signatures are of the format `home`; `None` where it has no mark and the
    /// dialect has none of its own.
    pub fn read_in(home: Option<SignatureFormat>, text: &str) -> Option<Self> {
        let marked = SignatureFormat::MARKS.iter().find_map(|(of, mark)| {
            let data = text.strip_prefix(mark)?.to_owned();
            Some(Self { format: *of, data })
        });
        let own = || {
            Some(Self {
                format: home?,
                data: text.to_owned(),
            })
        };
        marked.or_else(own)
    }
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Names it in its result; made where the dialect has none.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, as the model wrote them: JSON as a rule.
    pub arguments: String,
    /// What proves the thought behind it, for providers that put it here.
    pub signature: Option<Signature>,
    /// Whether a provider's cache should end behind it.
    pub cache: Option<CacheMark>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// Of which call.
    pub id: String,
    /// The function's name, where it is known: Google wants it.
    pub name: Option<String>,
    /// What it answered; texts and media.
    pub parts: Vec<Part>,
    /// Whether it failed.
    pub is_error: bool,
    /// Whether a provider's cache should end behind it.
    pub cache: Option<CacheMark>,
}

impl ToolResult {
    /// Stands before the answer of a function that failed, where nothing else says so.
    pub const FAILED: &str = "Error:";
}

/// A function that may be called.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Its parameters as a JSON schema.
    pub parameters: Option<Json>,
    /// Whether arguments must follow the schema.
    pub strict: Option<bool>,
    /// Whether a provider's cache should end behind it.
    pub cache: Option<CacheMark>,
}

/// Which functions must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None may be.
    None,
    /// Some one must be.
    Required,
    /// This one must be.
    Function(String),
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Words.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// What the schema is called; made where it has none.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Json,
        /// Whether the answer must follow it.
        strict: Option<bool>,
    },
}

/// How much is thought before the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasoning {
    /// In words.
    pub effort: Option<Effort>,
    /// In tokens; part of the output.
    pub budget: Option<u64>,
    /// Whether what was thought is shown.
    pub shows: Option<bool>,
}

/// How much, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as there is.
    Minimal,
    /// A little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
    /// As much as there is.
    Max,
}

impl Effort {
    const ROWS: [(Self, &'static str, u64); 6] = [
        (Self::None, "none", 0),
        (Self::Minimal, "minimal", 1_024),
        (Self::Low, "low", 2_048),
        (Self::Medium, "medium", 8_192),
        (Self::High, "high", 24_576),
        (Self::Max, "xhigh", 49_152),
    ];

    /// OpenAI's word.
    pub fn word(self) -> &'static str {
        Self::ROWS[self as usize].1
    }

    /// From OpenAI's word; `max` is what others call the highest.
    pub fn from_word(word: &str) -> Option<Self> {
        let found = Self::ROWS.iter().find(|(_, known, _)| *known == word);
        let found = found.map(|(effort, ..)| *effort);
        found.or_else(|| (word == "max").then_some(Self::Max))
    }

    /// About as many tokens, for dialects that count them.
    pub fn budget(self) -> u64 {
        Self::ROWS[self as usize].2
    }

    /// The least effort that has as many tokens.
    pub fn of_budget(tokens: u64) -> Self {
        let found = Self::ROWS.iter().find(|(.., budget)| *budget >= tokens);
        found.map_or(Self::Max, |(effort, ..)| *effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_back_from_every_dialect_as_it_was() {
        use SignatureFormat as F;
        let formats = [F::Anthropic, F::AnthropicRedacted, F::Google, F::OpenAi];
        for format in formats {
            let signature = Signature {
                format,
                data: "EqQBCg==".to_owned(),
            };
            for home in formats.map(Some).into_iter().chain([None]) {
                let text = signature.written_in(home);
                let back = Signature::read_in(home, &text);
                assert_eq!(back.as_ref(), Some(&signature), "{home:?}");
            }
        }
        assert_eq!(Signature::read_in(None, "nobody's"), None);
    }

    #[test]
    fn every_effort_has_its_row_and_its_word() {
        for (at, (effort, word, budget)) in Effort::ROWS.iter().enumerate() {
            assert_eq!(*effort as usize, at);
            assert_eq!(Effort::from_word(word), Some(*effort));
            assert_eq!(Effort::of_budget(*budget), *effort);
        }
        assert_eq!(Effort::from_word("max"), Some(Effort::Max));
        assert_eq!(Effort::of_budget(u64::MAX), Effort::Max);
        assert_eq!(Effort::of_budget(3_000), Effort::Medium);
        assert_eq!(Effort::from_word("much"), None);
    }

    #[test]
    fn json_is_the_same_by_what_it_says_and_kept_as_it_is_written() {
        let one = Json::of("{\"b\": 1, \"a\": 2}").expect("JSON");
        assert_eq!(Some(one.clone()), Json::of("{\"a\":2,\"b\":1}"));
        assert_eq!(one.get(), "{\"b\": 1, \"a\": 2}");
        assert!(Json::of("{").is_none());
    }

    #[test]
    fn a_file_of_text_is_told_with_its_name() {
        let mut file = Media {
            kind: MediaKind::Document,
            media_type: None,
            source: Source::Text("Buy milk.".to_owned()),
            name: None,
            detail: None,
            cache: None,
        };
        assert_eq!(file.as_text().as_deref(), Some("Buy milk."));
        file.name = Some("notes".to_owned());
        let named = "<document name=\"notes\">\nBuy milk.\n</document>";
        assert_eq!(file.as_text().as_deref(), Some(named));
        file.source = Source::Id("f".to_owned());
        assert_eq!(file.as_text(), None);
    }
}
