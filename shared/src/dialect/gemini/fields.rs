//! Reads a request in one pass: what is asked for, what it costs at most, and what is refused because it
//! would change the bill or where the call goes. What is not named passes; Google refuses what it does not
//! know itself.

use serde_json::value::RawValue;

use crate::dialect::asked::is_of_the_edge;
use crate::dialect::fields::{Why, is_nothing, refused_everywhere, wrong};
use crate::dialect::fold::Folded;
use crate::dialect::input::Input;
use crate::dialect::walk::{Walk, unescaped};
use crate::dialect::{Asked, BadBody, Head, Output};
use crate::json;
use crate::units::{Fact, Unit, Usage};

/// What an answer may tell otherwise than the request: a provider serves at the tier that it has.
const OPEN: &[Fact] = &[Fact::Tier];
/// No model writes more in one answer; a larger number is a mistake or an attack.
const OUTPUT_TOKENS_MAX: u64 = 10_000_000;
/// Google's bound of `candidateCount` (API reference, `GenerationConfig`).
const CANDIDATES_MAX: u64 = 8;
/// A model's public name.
const MODEL_CHARS_MAX: usize = 100;
/// Tiers at the usual price or below; `priority` has another one.
const TIERS: [&str; 3] = ["flex", "standard", "unspecified"];

pub(super) const CONTENTS: &str = "contents";
pub(super) const CONFIG: &str = "generationConfig";
const TOOLS: &str = "tools";
const TIER: &str = "serviceTier";
const MAXIMUM: &str = "maxOutputTokens";
const MAXIMUM_AT: &str = "generationConfig.maxOutputTokens";
const CANDIDATES: &str = "generationConfig.candidateCount";
const MODALITIES: &str = "generationConfig.responseModalities";

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Contents, which are counted by what they are.
    Contents,
    /// One content, likewise.
    Content,
    /// Functions pass; what the provider runs itself does not.
    Tools,
    /// It is read by the model as it stands there.
    Text,
    /// [`CONFIG`].
    Config,
    /// [`TIER`].
    Tier,
    /// The name that the path has already.
    Model,
    /// `maxOutputTokens`.
    Maximum,
    /// `candidateCount`.
    Candidates,
    /// Text and pictures pass.
    Modalities,
    /// It passes while it says nothing.
    Refused(Why),
}

/// A field's name in Google's two ways to write it, and what becomes of it.
type Field = (&'static str, &'static str, Rule);

const FIELDS: &[Field] = &[
    (
        "cachedContent",
        "cached_content",
        Rule::Refused(Why::Unseen),
    ),
    (CONTENTS, CONTENTS, Rule::Contents),
    (
        "continuationToken",
        "continuation_token",
        Rule::Refused(Why::Unseen),
    ),
    (CONFIG, "generation_config", Rule::Config),
    ("model", "model", Rule::Model),
    (
        "routingConfig",
        "routing_config",
        Rule::Refused(Why::Routing),
    ),
    (TIER, "service_tier", Rule::Tier),
    ("systemInstruction", "system_instruction", Rule::Content),
    (TOOLS, TOOLS, Rule::Tools),
];

const CONFIG_FIELDS: &[Field] = &[
    ("candidateCount", "candidate_count", Rule::Candidates),
    (MAXIMUM, "max_output_tokens", Rule::Maximum),
    (
        "modelSelectionConfig",
        "model_selection_config",
        Rule::Refused(Why::Routing),
    ),
    ("responseFormat", "response_format", Rule::Text),
    ("responseJsonSchema", "response_json_schema", Rule::Text),
    (
        "responseModalities",
        "response_modalities",
        Rule::Modalities,
    ),
    ("responseSchema", "response_schema", Rule::Text),
    (
        "routingConfig",
        "routing_config",
        Rule::Refused(Why::Routing),
    ),
];

/// Whether a name as somebody wrote it is that of a field.
pub(in crate::dialect) fn is_named(name: &str, field: &str) -> bool {
    let folded = Folded::of_name(name.as_bytes());
    let mut written = folded.get().iter().copied().filter(|byte| *byte != b'_');
    let mut known = field.bytes();
    loop {
        match (written.next(), known.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(&other) => {}
            _ => return false,
        }
    }
}

/// What is asked for.
pub(super) fn read(head: &Head, body: &[u8]) -> Result<Asked, BadBody> {
    let mut reading = Reading::of(body);
    json::each_field(body, |name, value| reading.take(FIELDS, name, value))
        .map_err(|error| BadBody::whole(error.to_string()))?;
    reading.asked(head)
}

/// What was found so far.
#[derive(Debug)]
struct Reading<'a> {
    body: &'a [u8],
    seen: Vec<&'static str>,
    input: Input,
    has_contents: bool,
    model: Option<&'a RawValue>,
    tier: Option<String>,
    maximum: Option<&'a RawValue>,
    candidates: Option<&'a RawValue>,
    refused: Option<BadBody>,
    for_edge: bool,
}

impl<'a> Reading<'a> {
    fn of(body: &'a [u8]) -> Self {
        Self {
            body,
            seen: Vec::new(),
            input: Input::default(),
            has_contents: false,
            model: None,
            tier: None,
            maximum: None,
            candidates: None,
            refused: None,
            for_edge: false,
        }
    }

    fn take(&mut self, fields: &[Field], name: &str, value: &'a RawValue) -> Result<(), String> {
        self.for_edge |= is_of_the_edge(name);
        let found = fields.iter().find(|(field, ..)| is_named(name, field));
        let Some((field, other, rule)) = found else {
            if let Some((field, why)) = refused_everywhere(name)
                && !is_nothing(value.get().as_bytes())
            {
                self.refuse(field, why.sentence());
            }
            return Ok(());
        };
        if name != *field && name != *other {
            let message = "it is written in other letters; providers may take it so or not.";
            self.refuse(field, message);
            return Ok(());
        }
        // What is written in both ways is one field, of which nobody says which counts.
        if self.seen.contains(field) {
            return Err(format!("`{field}` is given twice"));
        }
        self.seen.push(field);
        self.obey(field, *rule, value)
    }

    fn obey(&mut self, field: &'static str, rule: Rule, value: &'a RawValue) -> Result<(), String> {
        let json = value.get().as_bytes();
        match rule {
            Rule::Contents => {
                self.has_contents = !is_nothing(json) && matches!(json.first(), Some(b'[' | b'{'));
                // One content may stand there without a list around it.
                let input = match json.first() {
                    Some(b'[') => Input::of_messages(json),
                    _ => Input::of_value(json),
                };
                self.input = self.input.and(input);
            }
            Rule::Content => self.input = self.input.and(Input::of_value(json)),
            Rule::Text => self.input = self.input.and(Input::of_text(json)),
            Rule::Tools => {
                self.input = self.input.and(Input::of_text(json));
                if let Some(tool) = other_tool(json) {
                    self.refuse(field, &format!("`{tool}`: {}", Why::Service.sentence()));
                }
            }
            Rule::Config => return self.config(value),
            Rule::Tier => self.tier(field, json),
            Rule::Model => self.model = Some(value),
            Rule::Maximum => self.maximum = Some(value),
            Rule::Candidates => self.candidates = Some(value),
            Rule::Modalities => self.modalities(json),
            Rule::Refused(why) if !is_nothing(json) => self.refuse(field, why.sentence()),
            Rule::Refused(_) => {}
        }
        Ok(())
    }

    fn config(&mut self, value: &'a RawValue) -> Result<(), String> {
        if value.get() == "null" {
            return Ok(());
        }
        let outer = std::mem::take(&mut self.seen);
        let read = json::each_field(value.get().as_bytes(), |name, value| {
            self.take(CONFIG_FIELDS, name, value)
        });
        self.seen = outer;
        read.map_err(|error| format!("`{CONFIG}`: {error}"))
    }

    fn tier(&mut self, field: &'static str, json: &[u8]) {
        let word = json
            .strip_prefix(b"\"")
            .and_then(|json| json.strip_suffix(b"\""));
        let word = word.map(|word| String::from_utf8_lossy(&unescaped(word)).to_ascii_lowercase());
        match word {
            Some(word) if TIERS.contains(&&*word) => {
                self.tier = Some(word).filter(|word| word != "unspecified");
            }
            _ if is_nothing(json) => {}
            _ => {
                let words = TIERS.join("`, `");
                self.refuse(
                    field,
                    &format!("it may be `{words}`; whatever else has another price."),
                );
            }
        }
    }

    fn modalities(&mut self, json: &[u8]) {
        let is_good = |value: &[u8]| {
            let text = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""));
            text.is_some_and(|text| {
                let text = unescaped(text).to_ascii_uppercase();
                matches!(&*text, b"TEXT" | b"IMAGE" | b"MODALITY_UNSPECIFIED")
            })
        };
        let mut all = is_nothing(json) || is_good(json);
        let mut walk = Walk::new(json);
        if walk.peek() == Some(b'[') {
            all = true;
            walk.array(|walk| {
                all &= is_good(walk.value()?);
                Some(())
            });
        }
        if !all {
            self.refuse(
                MODALITIES,
                "it may hold `TEXT` and `IMAGE`; spoken and filmed answers have no price here.",
            );
        }
    }

    fn refuse(&mut self, field: &'static str, message: &str) {
        self.refused.get_or_insert_with(|| wrong(field, message));
    }

    fn asked(self, head: &Head) -> Result<Asked, BadBody> {
        let model = model(head, self.model)?;
        if !self.has_contents {
            let message = "`contents` must be an array with at least one content.";
            return Err(BadBody::of(CONTENTS, message));
        }
        let maximum = whole(MAXIMUM_AT, self.maximum, OUTPUT_TOKENS_MAX)?;
        let mut asked = Asked::of(model, Output::UpTo(maximum));
        if let Some(raw) = self.maximum {
            asked
                .maxima
                .note(json::span(self.body, raw), maximum.is_some());
        }
        asked.answers = whole(CANDIDATES, self.candidates, CANDIDATES_MAX)?.unwrap_or(1);
        asked.stream = head.stream.unwrap_or(false);
        // Every event of a stream tells it.
        asked.show_usage = asked.stream;
        let length = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        let most = self.input.most(length);
        asked.input_estimate = self.input.estimate().min(most);
        asked.bounds = Usage::of([(Unit::InputToken, most)]);
        if let Some(tier) = &self.tier {
            asked.bounds.facts.note(Fact::Tier, tier);
        }
        asked.open = OPEN;
        asked.may_have_edge_fields = self.for_edge;
        self.refused.map_or(Ok(asked), Err)
    }
}

/// The model's name, out of the path as a rule.
pub(in crate::dialect) fn model(head: &Head, raw: Option<&RawValue>) -> Result<String, BadBody> {
    let own = || {
        let text: String = serde_json::from_str(raw?.get()).ok()?;
        Some(text.strip_prefix("models/").unwrap_or(&text).to_owned())
    };
    let name = head.model.clone().or_else(own).unwrap_or_default();
    if name.is_empty() {
        return Err(BadBody::no_model());
    }
    if name.chars().count() > MODEL_CHARS_MAX {
        let message = format!("The model's name is longer than {MODEL_CHARS_MAX} characters.");
        return Err(BadBody::of("model", message));
    }
    Ok(name)
}

/// A whole number from 1 to `most`, which some write as `8.0`.
fn whole(name: &'static str, raw: Option<&RawValue>, most: u64) -> Result<Option<u64>, BadBody> {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else {
        return Ok(None);
    };
    let digits = raw.strip_suffix(".0").unwrap_or(raw);
    let number: Option<u64> = digits.parse().ok();
    let number = number.filter(|number| (1..=most).contains(number));
    number.map(Some).ok_or_else(|| {
        let message = format!("`{name}` must be a whole number from 1 to {most}.");
        BadBody::of(name, message)
    })
}

/// The first tool that is no list of functions.
fn other_tool(json: &[u8]) -> Option<String> {
    let mut other = None;
    let mut note = |name: &[u8]| {
        if other.is_none() {
            other = Some(String::from_utf8_lossy(name).chars().take(40).collect());
        }
    };
    let mut of_tool = |walk: &mut Walk<'_>| {
        if walk.peek()? != b'{' {
            let value = walk.value()?;
            if value != b"null" {
                note(value);
            }
            return Some(());
        }
        walk.object(|walk, name| {
            let is_null = walk.value()? == b"null";
            let name = unescaped(name);
            let is_functions = matches!(&*name, b"functionDeclarations" | b"function_declarations");
            // An empty object is how a tool without settings is asked for.
            if !is_functions && !is_null {
                note(&name);
            }
            Some(())
        })
    };
    let mut walk = Walk::new(json);
    match walk.peek()? {
        b'[' => walk.array(of_tool),
        _ => of_tool(&mut walk),
    };
    other
}

#[cfg(test)]
mod tests;
