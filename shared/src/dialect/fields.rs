//! Reads a request of one of OpenAI's formats in one pass: every field that is named here is taken by its
//! rule, and what would change the bill or where the call goes is refused with its reason. What is not
//! named passes, since clients send new fields before anybody knows them; what differs from a named field
//! only in case is refused, since some providers take it for that field.

use std::ops::Range;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::asked::is_of_the_edge;
use super::input::Input;
use crate::dialect::fold::Folded;
use crate::dialect::walk::{Walk, count, unescaped};
use crate::dialect::{BadBody, Head};
use crate::json;
use crate::units::{Fact, Unit, Usage};

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Its format reads it.
    Read,
    /// Its format reads it, and it is input.
    Input,
    /// Its format reads it, and it is pictures, however they are written.
    Pictures,
    /// It is read by the model as it stands there.
    Text,
    /// Likewise, and its format reads it too.
    ReadText,
    /// A list of messages.
    Messages,
    /// It passes while it says nothing: null, false, zero or empty.
    Refused(Why),
    /// It passes while it is one of these words.
    Words(&'static [&'static str]),
    /// It passes while it is 1.
    One,
    /// Functions pass; what the provider runs itself does not.
    Tools,
    /// Functions pass, which need no `type`, and tools whose `type` begins with one of these words.
    ToolsOf(&'static [&'static str]),
    /// Text and pictures pass.
    Modalities,
    /// It passes while its `mode` is `off`.
    ModeOff,
}

/// A model's public name.
const MODEL_CHARS_MAX: usize = 100;
pub(crate) const STREAM_OPTIONS: &str = "stream_options";

/// Why a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Another model may answer, at another price.
    Routing,
    /// The call would go elsewhere, or with somebody else's key.
    Elsewhere,
    /// Searches and other services are billed for themselves.
    Service,
    /// What it refers to is input that nobody counted.
    Unseen,
    /// The answer would come later, to nobody.
    Later,
    /// It needs answers that are kept, and the tenant keeps none.
    NotKept,
    /// Where it is worked out has a price of its own.
    Place,
    /// What was guessed wrong is billed as output beyond the maximum.
    Guess,
}

impl Why {
    /// What the tenant reads.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Routing => "this service chooses providers and models itself; leave it out.",
            Self::Elsewhere => "this service chooses where a call goes and how; leave it out.",
            Self::Service => {
                "the provider bills it on top of tokens and it has no price here; leave it out."
            }
            Self::Unseen => "what it refers to can't be counted; put it into the request itself.",
            Self::Later => "answers are given at once or as a stream; leave it out.",
            Self::NotKept => {
                "nothing is kept for your tenant, whose owners turn that on in its settings; leave it out, and put \
                 what it refers to into the request itself."
            }
            Self::Guess => {
                "what it guesses wrong is billed beyond the maximum of the answer; leave it out."
            }
            Self::Place => "it changes the provider's price and has none here; leave it out.",
        }
    }
}

/// A field's name, and what becomes of it.
pub(crate) type Field = (&'static str, Rule);

const SERVICE_TIER: &str = "service_tier";
const TIERS: Rule = Rule::Words(&["auto", "default", "flex", "standard", "standard_only"]);

/// OpenAI's names for whose question it is, the newer one first.
pub(crate) const SAFETY_IDENTIFIER: &str = "safety_identifier";
pub(crate) const USER: &str = "user";
/// A tenant's word for one of its people: an address of mail has 254 characters at most (RFC 5321), and the
/// names that Anthropic's own tools make are shorter than this too.
pub const END_USER_WORD_BYTES_MAX: usize = 512;

/// Of every format.
const COMMON: &[Field] = &[
    ("api_base", Rule::Refused(Why::Elsewhere)),
    ("api_key", Rule::Refused(Why::Elsewhere)),
    ("api_version", Rule::Refused(Why::Elsewhere)),
    ("base_url", Rule::Refused(Why::Elsewhere)),
    ("custom_llm_provider", Rule::Refused(Why::Elsewhere)),
    ("extra_body", Rule::Refused(Why::Elsewhere)),
    ("extra_headers", Rule::Refused(Why::Elsewhere)),
    ("fallbacks", Rule::Refused(Why::Routing)),
    ("inference_geo", Rule::Refused(Why::Place)),
    ("model", Rule::Read),
    ("model_list", Rule::Refused(Why::Routing)),
    ("models", Rule::Refused(Why::Routing)),
    ("preset", Rule::Refused(Why::Routing)),
    ("provider", Rule::Refused(Why::Routing)),
    ("route", Rule::Refused(Why::Routing)),
    (SAFETY_IDENTIFIER, Rule::Read),
    (SERVICE_TIER, TIERS),
    (USER, Rule::Read),
];

/// Whether a field is refused in every format, and why.
pub(crate) fn refused_everywhere(name: &str) -> Option<(&'static str, Why)> {
    let name = Folded::of_name(name.as_bytes());
    match rule(&[], name.get())? {
        (field, Rule::Refused(why)) => Some((field, why)),
        _ => None,
    }
}

/// The rule of a field, of `own` or of every format; both are in order.
fn rule(own: &[Field], name: &[u8]) -> Option<Field> {
    let find = |list: &[Field]| {
        let at = list.binary_search_by(|(field, _)| field.as_bytes().cmp(name));
        at.ok().map(|at| list[at])
    };
    find(own).or_else(|| find(COMMON))
}

/// The fields of a body that are named, as they stand there, and what they bring.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    head: &'a Head,
    body: &'a [u8],
    found: SmallVec<[(&'static str, &'a RawValue); 8]>,
    input: Input,
    refused: Option<BadBody>,
    /// Files beside the fields that are worked from.
    pub(crate) uploads: usize,
    /// Whether a field of the edge's own is among all.
    pub(crate) for_edge: bool,
}

impl<'a> Fields<'a> {
    /// Reads `body` by the rules of one format. What is refused is told by [`Fields::allowed`], behind
    /// what the format itself finds wrong.
    pub(crate) fn read(head: &'a Head, own: &[Field], body: &'a [u8]) -> Result<Self, BadBody> {
        let mut fields = Self {
            head,
            body,
            found: SmallVec::new(),
            input: Input::default(),
            refused: None,
            uploads: 0,
            for_edge: false,
        };
        json::each_field(body, |name, value| fields.take(own, name, value))
            .map_err(|error| BadBody::whole(error.to_string()))?;
        Ok(fields)
    }

    /// The same with files beside them: so many of `pictures` are worked from.
    pub(crate) fn with_files(mut self, uploads: usize, pictures: Input) -> Self {
        self.uploads = uploads;
        self.input = self.input.and(pictures);
        self
    }

    fn take(&mut self, own: &[Field], name: &str, value: &'a RawValue) -> Result<(), String> {
        self.for_edge |= is_of_the_edge(name);
        let Some((field, rule)) = rule(own, Folded::of_name(name.as_bytes()).get()) else {
            return Ok(());
        };
        if name != field {
            let message = "it is written in small letters; in others providers may take it or not.";
            self.refused.get_or_insert_with(|| wrong(field, message));
            return Ok(());
        }
        let is_read = matches!(
            rule,
            Rule::Read | Rule::Input | Rule::Pictures | Rule::Messages | Rule::ReadText
        );
        if is_read || field == SERVICE_TIER {
            if rule != TIERS && self.get(field).is_some() {
                return Err(format!("`{field}` is given twice"));
            }
            self.found.push((field, value));
        }
        if let Err(message) = self.obey(rule, value.get().as_bytes()) {
            self.refused.get_or_insert_with(|| wrong(field, &message));
        }
        Ok(())
    }

    fn obey(&mut self, rule: Rule, value: &[u8]) -> Result<(), String> {
        match rule {
            Rule::Input => self.input = self.input.and(Input::of_value(value)),
            Rule::Pictures => self.input = self.input.and(Input::of_pictures(value)),
            Rule::Messages => self.input = self.input.and(Input::of_messages(value)),
            Rule::Text | Rule::ReadText => self.input = self.input.and(Input::of_text(value)),
            Rule::Tools => {
                self.input = self.input.and(Input::of_text(value));
                return are_functions(value);
            }
            Rule::ToolsOf(words) => {
                self.input = self.input.and(Input::of_text(value));
                return are_tools_of(value, words);
            }
            Rule::Refused(why) if !is_nothing(value) => return Err(why.sentence().to_owned()),
            Rule::Words(words) => return is_word(value, words),
            Rule::One if !is_nothing(value) && count(value) != 1 => {
                return Err("answers are asked for with `n`.".to_owned());
            }
            Rule::Modalities => return are_modalities(value),
            Rule::ModeOff if !is_nothing(value) && !is_off(value) => {
                return Err(Why::Service.sentence().to_owned());
            }
            Rule::Read | Rule::Refused(_) | Rule::One | Rule::ModeOff => {}
        }
        Ok(())
    }

    /// A field as it is written; `None` where it is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.found.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| *value)
    }

    /// A field that is there and not null.
    fn given(&self, name: &str) -> Option<&'a RawValue> {
        self.get(name).filter(|raw| raw.get() != "null")
    }

    /// Where a field's value stands.
    pub(crate) fn at(&self, name: &str) -> Option<Range<usize>> {
        self.get(name).map(|raw| json::span(self.body, raw))
    }

    /// About how many tokens the input is.
    pub(crate) fn input_estimate(&self) -> u64 {
        self.input.estimate().min(self.input_max())
    }

    fn input_max(&self) -> u64 {
        let length = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        self.input.most(length)
    }

    /// The most that the input can be, with the tier that is asked for.
    pub(crate) fn bounds(&self) -> Usage {
        let mut bounds = Usage::of([(Unit::InputToken, self.input_max())]);
        if let Ok(Some(tier)) = self.text(SERVICE_TIER, usize::MAX) {
            bounds.facts.note(Fact::Tier, &tier);
        }
        bounds
    }

    /// A text of `chars_max` characters at most.
    pub(crate) fn text(
        &self,
        name: &'static str,
        chars_max: usize,
    ) -> Result<Option<String>, BadBody> {
        let Some(raw) = self.given(name) else {
            return Ok(None);
        };
        let text: String = serde_json::from_str(raw.get())
            .map_err(|_| BadBody::of(name, format!("`{name}` must be a text.")))?;
        if text.chars().count() > chars_max {
            let message = format!("`{name}` is longer than {chars_max} characters.");
            return Err(BadBody::of(name, message));
        }
        Ok(Some(text))
    }

    /// The tenant's word for whose question it is, in OpenAI's fields.
    pub(crate) fn end_user(&self) -> Option<String> {
        let mut fields = [SAFETY_IDENTIFIER, USER].into_iter();
        fields.find_map(|name| end_user_word(self.given(name)?))
    }

    /// The model's name, which must be there.
    pub(crate) fn model(&self) -> Result<String, BadBody> {
        self.named_model()?
            .filter(|name| !name.is_empty())
            .ok_or_else(BadBody::no_model)
    }

    /// The model's name; empty where there is none.
    pub(crate) fn model_or_default(&self) -> Result<String, BadBody> {
        Ok(self.named_model()?.unwrap_or_default())
    }

    fn named_model(&self) -> Result<Option<String>, BadBody> {
        match &self.head.model {
            Some(model) if model.chars().count() > MODEL_CHARS_MAX => {
                let message =
                    format!("The model's name is longer than {MODEL_CHARS_MAX} characters.");
                Err(BadBody::of("model", message))
            }
            Some(model) => Ok(Some(model.clone())),
            None => self.text("model", MODEL_CHARS_MAX),
        }
    }

    /// Whether a stream is asked for.
    pub(crate) fn streams(&self) -> Result<bool, BadBody> {
        match self.head.stream {
            Some(stream) => Ok(stream),
            None => self.flag("stream"),
        }
    }

    /// True or false; false where it is absent.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, BadBody> {
        match self.get(name).map(RawValue::get) {
            None | Some("null" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(BadBody::of(
                name,
                format!("`{name}` must be true or false."),
            )),
        }
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn whole(
        &self,
        name: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, BadBody> {
        let Some(raw) = self.given(name) else {
            return Ok(None);
        };
        let number: Option<u64> = serde_json::from_str(raw.get()).ok();
        match number.filter(|number| (least..=most).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(BadBody::of(
                name,
                format!("`{name}` must be a whole number from {least} to {most}."),
            )),
        }
    }

    /// Whether the usage of a stream is asked for.
    pub(crate) fn shows_usage(&self) -> Result<bool, BadBody> {
        #[derive(serde::Deserialize)]
        struct Options {
            #[serde(default)]
            include_usage: Option<bool>,
        }
        let Some(raw) = self.given(STREAM_OPTIONS) else {
            return Ok(false);
        };
        let options: Options = serde_json::from_str(raw.get()).map_err(|_| {
            let message = "`stream_options` must be an object, `include_usage` true or false.";
            BadBody::of(STREAM_OPTIONS, message)
        })?;
        Ok(options.include_usage.unwrap_or(false))
    }

    /// Whether everything else in the body may pass.
    pub(crate) fn allowed(self) -> Result<(), BadBody> {
        self.refused.map_or(Ok(()), Err)
    }
}

/// A word for an end user; what is no text or empty says nothing. A longer one than any that is meant stands
/// for somebody all the same, by its hash: providers take it, and nobody wants to keep it.
pub(crate) fn end_user_word(raw: &RawValue) -> Option<String> {
    let word = serde_json::from_str::<String>(raw.get()).ok()?;
    let word = if word.len() > END_USER_WORD_BYTES_MAX {
        format!("sha256:{}", hex::encode(Sha256::digest(word.as_bytes())))
    } else {
        word
    };
    Some(word).filter(|word| !word.is_empty())
}

pub(crate) fn wrong(field: &'static str, message: &str) -> BadBody {
    BadBody::of(field, format!("`{field}` is not taken: {message}"))
}

/// Whether a value says as much as a field that is not there.
pub(crate) fn is_nothing(value: &[u8]) -> bool {
    let is_empty = |open, close| {
        let inside = value.strip_prefix(open).and_then(|v| v.strip_suffix(close));
        inside.is_some_and(|inside| inside.trim_ascii().is_empty())
    };
    matches!(value, b"null" | b"false" | b"0" | b"\"\"")
        || is_empty(b"[", b"]")
        || is_empty(b"{", b"}")
}

fn is_word(value: &[u8], words: &[&str]) -> Result<(), String> {
    let text = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    let is_one = text.is_some_and(|text| {
        let text = unescaped(text);
        words.iter().any(|word| *text == *word.as_bytes())
    });
    if is_one || is_nothing(value) {
        return Ok(());
    }
    let words = words.join("`, `");
    Err(format!(
        "it may be `{words}`; whatever else has another price."
    ))
}

/// Functions run at the tenant; whatever else the provider runs, and bills.
fn are_functions(value: &[u8]) -> Result<(), String> {
    let mut all = true;
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                return walk.value().map(drop);
            }
            let (mut has_function, mut has_other) = (false, false);
            walk.object(|walk, name| {
                let name = Folded::of(name);
                let value = walk.value()?;
                match name.get() {
                    b"type" => {
                        let is_function = is_word(value, &["function", "custom"]).is_ok();
                        has_function |= is_function;
                        has_other |= !is_function;
                    }
                    b"function" | b"custom" => has_function = true,
                    _ => {}
                }
                Some(())
            })?;
            all &= has_function && !has_other;
            Some(())
        });
    }
    let why = "only tools of the type `function` or `custom` have a price here; \
               what providers run themselves, as searches, is billed on top.";
    if all { Ok(()) } else { Err(why.to_owned()) }
}

/// Tools without a `type` run at the tenant, and so do those of some types.
fn are_tools_of(value: &[u8], words: &[&str]) -> Result<(), String> {
    let mut all = true;
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                return walk.value().map(drop);
            }
            walk.object(|walk, name| {
                let value = walk.value()?;
                if Folded::of(name).get() == b"type" && value != b"null" {
                    let text = value.strip_prefix(b"\"").unwrap_or_default();
                    let text = unescaped(text.strip_suffix(b"\"").unwrap_or_default());
                    all &= words.iter().any(|word| text.starts_with(word.as_bytes()));
                }
                Some(())
            })
        });
    }
    let why = "a tool among it is run by the provider, which bills it on top of tokens, and has no \
               price here; leave that one out.";
    if all { Ok(()) } else { Err(why.to_owned()) }
}

fn are_modalities(value: &[u8]) -> Result<(), String> {
    let mut all = true;
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            all &= is_word(walk.value()?, &["text", "image"]).is_ok();
            Some(())
        });
    } else {
        all = is_nothing(value);
    }
    let why = "it may hold `text` and `image`; spoken answers have no price here.";
    if all { Ok(()) } else { Err(why.to_owned()) }
}

fn is_off(value: &[u8]) -> bool {
    let (mut off, mut other) = (false, false);
    let mut walk = Walk::new(value);
    walk.object(|walk, name| {
        let is_mode = Folded::of(name).get() == b"mode";
        let is_off = walk.value()? == b"\"off\"";
        off |= is_mode && is_off;
        other |= is_mode && !is_off;
        Some(())
    });
    off && !other
}

#[cfg(test)]
mod tests;
