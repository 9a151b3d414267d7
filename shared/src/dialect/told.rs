//! Finds the error in what a provider sent, in any of the forms that are in use: OpenAI's object,
//! Google's array around it, FastAPI's `detail`, `message` at the top, vLLM's `{"object":"error"}`,
//! a bare text. Decides nothing: what an error means is the reader's to say.

use std::sync::LazyLock;
use std::time::Duration;

use memchr::memmem::Finder;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialect::Told;

/// What is longer is not a sentence.
const MESSAGE_CHARS_MAX: usize = 2_000;
/// Codes and names of fields are words.
const WORD_CHARS_MAX: usize = 100;
/// FastAPI names each wrong field; the first ones say enough.
const DETAILS_MAX: usize = 4;
/// An error within an error within an error.
const DEPTH_MAX: usize = 4;

/// Words that an error holds, and one that an answer holds. Made once: each answer is asked for them.
static SIGNS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| ["\"error", "\"base_resp\"", "\"choices\""].map(Finder::new));

/// The error in the JSON of an answer or an event that came as a success; `None` when there is none, or
/// the text is no JSON. An `error` that is null, empty or false is none; beside `choices` it still is one.
pub fn error_in(json: &[u8]) -> Option<Told> {
    let json = trimmed(json);
    // Most events are good, and hold none of these words.
    let may_be = match json.first()? {
        b'{' | b'[' => {
            let is_in = |word: &Finder<'_>| word.find(json).is_some();
            let [error, base_resp, choices] = &*SIGNS;
            is_in(error) || is_in(base_resp) || !is_in(choices)
        }
        _ => false,
    };
    if !may_be {
        return None;
    }
    if json[0] == b'[' {
        let parts: Vec<&RawValue> = serde_json::from_slice(json).ok()?;
        let mut objects = parts.iter().map(|part| part.get()).take(DETAILS_MAX);
        return objects.find_map(|part| in_object(part, false));
    }
    in_object(std::str::from_utf8(json).ok()?, false)
}

/// What a provider told with a status that says already that it refuses: JSON in any form, or text.
/// A page of HTML tells nothing.
pub fn refusal(body: &[u8]) -> Told {
    let body = trimmed(body);
    let found = match body.first() {
        None | Some(b'<') => return Told::default(),
        Some(b'{') => match std::str::from_utf8(body) {
            Ok(text) => in_object(text, true),
            Err(_) => None,
        },
        Some(b'[' | b'"') => serde_json::from_slice(body)
            .ok()
            .and_then(|value| of_value(&value, 0)),
        Some(_) => None,
    };
    // JSON of no form that is known is nothing to be read.
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if found.is_none() && is_json() {
        return Told::default();
    }
    found.unwrap_or_else(|| Told::text(String::from_utf8_lossy(body)))
}

/// A byte order mark and blanks around a text say nothing.
fn trimmed(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(text)
        .trim_ascii()
}

impl Told {
    fn text(text: impl AsRef<str>) -> Self {
        Self {
            message: bounded(text.as_ref(), MESSAGE_CHARS_MAX),
            ..Self::default()
        }
    }

    /// Takes from `other` what is missing here.
    fn or(mut self, other: Self) -> Self {
        if self.message.is_empty() {
            self.message = other.message;
        }
        self.kind = self.kind.or(other.kind);
        self.code = self.code.or(other.code);
        self.param = self.param.or(other.param);
        self.status = self.status.or(other.status);
        self.wait = self.wait.or(other.wait);
        self
    }
}

/// The first `chars_max` characters, without control characters.
fn bounded(text: &str, chars_max: usize) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(chars_max).map(shown).collect()
}

/// The fields of an object at its top, as they stand there; the rest is passed over.
#[derive(Default)]
struct Top<'a> {
    error: Option<&'a RawValue>,
    /// What tells an error only where no answer stands beside it.
    words: Vec<(&'static str, &'a RawValue)>,
    has_answer: bool,
}

/// Fields that tell an error where there is no answer.
const WORDS: [&str; 18] = [
    "message",
    "Message",
    "msg",
    "detail",
    "details",
    "errors",
    "error_msg",
    "error_message",
    "error_code",
    "code",
    "type",
    "object",
    "status",
    "status_code",
    "statusCode",
    "param",
    "success",
    "base_resp",
];
/// Fields in which answers come.
const ANSWERS: [&str; 8] = [
    "choices",
    "data",
    "output",
    "candidates",
    "results",
    "embeddings",
    "images",
    "content",
];

impl<'de: 'a, 'a> serde::Deserialize<'de> for Top<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = Top<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut top = Top::default();
                while let Some(crate::json::Key(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    if is_nothing(value.get()) {
                        continue;
                    }
                    let key = key.as_ref();
                    if key == "error" {
                        top.error.get_or_insert(value);
                    } else if ANSWERS.contains(&key) {
                        top.has_answer = true;
                    } else if let Some(word) = WORDS.iter().find(|word| **word == key) {
                        top.words.push((word, value));
                    }
                }
                Ok(top)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Whether a JSON text stands for "not there".
fn is_nothing(json: &str) -> bool {
    let inner = |open, close| {
        let inside = json.strip_prefix(open)?.strip_suffix(close)?;
        inside.trim().is_empty().then_some(())
    };
    matches!(json, "null" | "false" | "\"\"" | "0")
        || inner('{', '}').is_some()
        || inner('[', ']').is_some()
}

/// `refused` when the status said already that this is an error.
fn in_object(text: &str, refused: bool) -> Option<Told> {
    let top: Top<'_> = serde_json::from_str(text).ok()?;
    let word = |name: &str| {
        let found = top.words.iter().find(|(word, _)| *word == name)?;
        serde_json::from_str::<Value>(found.1.get()).ok()
    };
    let around = || {
        let mut object = serde_json::Map::new();
        for (name, _) in &top.words {
            if let Some(value) = word(name) {
                object.insert((*name).to_owned(), value);
            }
        }
        Value::Object(object)
    };
    if let Some(error) = top.error {
        // What can't be read (half a character, say) is an error all the same.
        let told = match serde_json::from_str::<Value>(error.get()) {
            Ok(value) => of_value(&value, 0)?,
            Err(_) => Told::default(),
        };
        return Some(told.or(of_value(&around(), 0).unwrap_or_default()));
    }
    let base = word("base_resp").and_then(|base| of_value(&base, 0));
    if base.is_some() || (top.has_answer && !refused) {
        return base;
    }
    let says_error = ["object", "type", "status"]
        .iter()
        .any(|name| word(name).is_some_and(|value| value == "error"));
    let tells = [
        "message",
        "msg",
        "detail",
        "errors",
        "error_msg",
        "error_message",
        "error_code",
    ]
    .iter()
    .any(|name| word(name).is_some_and(|value| !matches!(value, Value::Bool(_))));
    // An object that is a message, as some answers are, has one that is no text.
    let is_text = |name| word(name).is_none_or(|value| value.is_string());
    if refused || says_error || (tells && is_text("message") && is_text("msg")) {
        return of_value(&around(), 0);
    }
    None
}

/// From the value of an `error`, a `detail` or an object that is itself the error.
fn of_value(value: &Value, depth: usize) -> Option<Told> {
    match value {
        _ if depth > DEPTH_MAX => None,
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some(Told::default()),
        Value::String(text) if text.trim().is_empty() => None,
        // Some put the whole error of somebody else into a text.
        Value::String(text) if text.trim_start().starts_with('{') => Some(
            serde_json::from_str::<Value>(text)
                .ok()
                .and_then(|inner| of_value(inner.get("error").unwrap_or(&inner), depth + 1))
                .unwrap_or_else(|| Told::text(text)),
        ),
        Value::String(text) => Some(Told::text(text)),
        Value::Number(number) => (number.as_f64() != Some(0.0)).then(|| {
            let mut told = Told::default();
            take_code(&mut told, value);
            told
        }),
        Value::Array(parts) => of_list(parts, depth),
        Value::Object(object) => of_object(object, depth),
    }
}

/// FastAPI's list of wrong fields, or a list of errors.
fn of_list(parts: &[Value], depth: usize) -> Option<Told> {
    let mut all = parts.iter().take(DETAILS_MAX).filter_map(|part| {
        let mut told = of_value(part, depth + 1)?;
        if let Some(place) = part.get("loc").and_then(Value::as_array) {
            let field = place.iter().filter_map(Value::as_str).next_back();
            told.param = field.map(|field| bounded(field, WORD_CHARS_MAX));
            if let Some(field) = &told.param {
                told.message = format!("{field}: {}", told.message);
            }
        }
        Some(told)
    });
    let mut first = all.next()?;
    for other in all.filter(|other| !other.message.is_empty()) {
        first.message = bounded(
            &format!("{}; {}", first.message, other.message),
            MESSAGE_CHARS_MAX,
        );
    }
    Some(first)
}

type Object = serde_json::Map<String, Value>;

fn of_object(object: &Object, depth: usize) -> Option<Told> {
    let mut told = Told::default();
    for name in ["code", "error_code", "errorCode"] {
        if let Some(code) = object.get(name) {
            take_code(&mut told, code);
        }
    }
    for name in ["status", "status_code", "statusCode", "http_status"] {
        if let Some(status) = object.get(name) {
            take_status(&mut told, status);
        }
    }
    let text = |name: &str| {
        let text = bounded(object.get(name)?.as_str()?, WORD_CHARS_MAX);
        Some(text).filter(|text| !text.is_empty())
    };
    told.kind = text("type").or(told.kind).filter(|kind| kind != "error");
    told.param = text("param");
    told.message = [
        "message",
        "Message",
        "msg",
        "error_msg",
        "error_message",
        "status_msg",
        "reason",
    ]
    .iter()
    .find_map(|name| object.get(*name)?.as_str())
    .map(|text| bounded(text, MESSAGE_CHARS_MAX))
    .unwrap_or_default();
    // Not an error, though it stands where one would: each answer of some has it.
    if told.status.is_none() && told.code.is_none() && is_good_word(&told.message) {
        told.message.clear();
    }
    of_details(&mut told, object);
    told = with_inner(told, object, depth);
    let is_error = told != Told::default()
        || ["type", "object", "status"]
            .iter()
            .any(|name| object.get(*name).is_some_and(|value| value == "error"));
    is_error.then_some(told)
}

/// With what errors inside of it say.
fn with_inner(mut told: Told, object: &Object, depth: usize) -> Told {
    for name in ["error", "errors", "detail", "message", "metadata"] {
        let inner = match (name, object.get(name)) {
            ("metadata", Some(metadata)) => metadata.get("raw"),
            // A text is the sentence itself, and was taken.
            ("message", Some(Value::String(_))) => None,
            (_, inner) => inner,
        };
        let Some(mut inner) = inner.and_then(|inner| of_value(inner, depth + 1)) else {
            continue;
        };
        // OpenRouter's sentence for what another one said.
        if told.message == "Provider returned error" && !inner.message.is_empty() {
            told.message = std::mem::take(&mut inner.message);
        }
        told = told.or(inner);
    }
    told
}

fn is_good_word(word: &str) -> bool {
    ["ok", "success", "succeeded", "successful"]
        .iter()
        .any(|good| word.eq_ignore_ascii_case(good))
}

/// What else is known: Google's list with a reason that is a word and how long to wait, Anthropic's object
/// with a word.
fn of_details(told: &mut Told, object: &Object) {
    let word = object
        .get("details")
        .and_then(|details| details.get("error_code"));
    if let Some(word) = word.and_then(Value::as_str).filter(|word| !word.is_empty()) {
        told.code = Some(bounded(word, WORD_CHARS_MAX));
    }
    let Some(details) = object.get("details").and_then(Value::as_array) else {
        return;
    };
    for detail in details.iter().take(DETAILS_MAX * 2) {
        let text = |name: &str| detail.get(name).and_then(Value::as_str);
        if let Some(reason) = text("reason") {
            told.code = Some(bounded(reason, WORD_CHARS_MAX));
        }
        let seconds = text("retryDelay").and_then(|wait| wait.strip_suffix('s')?.parse().ok());
        if let Some(wait) = seconds.and_then(|wait| Duration::try_from_secs_f64(wait).ok()) {
            told.wait = Some(wait);
        }
    }
}

fn status_of(number: u64) -> Option<u16> {
    u16::try_from(number)
        .ok()
        .filter(|status| (400..600).contains(status))
}

/// A code is a word, a number of the provider's own, or the HTTP status once more.
fn take_code(told: &mut Told, code: &Value) {
    let (number, text) = match code {
        Value::Number(number) => {
            let whole = number.as_u64();
            (whole, number.to_string())
        }
        Value::String(text) => (text.trim().parse().ok(), text.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return,
    };
    match number.and_then(status_of) {
        Some(status) => told.status = told.status.or(Some(status)),
        None if matches!(number, Some(0 | 200)) || is_good_word(&text) => {}
        None => {
            let word = bounded(&text, WORD_CHARS_MAX);
            told.code = told.code.take().or(Some(word).filter(|w| !w.is_empty()));
        }
    }
}

/// A status is a number, or Google's word.
fn take_status(told: &mut Told, status: &Value) {
    match status {
        Value::Number(number) => match number.as_u64().and_then(status_of) {
            Some(status) => told.status = told.status.or(Some(status)),
            None => take_code(told, status),
        },
        Value::String(text) if text == "error" || is_good_word(text) => {}
        Value::String(text) => {
            told.kind = Some(bounded(text, WORD_CHARS_MAX)).filter(|word| !word.is_empty());
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

#[cfg(test)]
mod tests;
