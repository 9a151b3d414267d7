//! How a person wants answers to be: bounded, whoever sends it, and written into the body of a call. Knows
//! no page and no model; whether a model thinks is told by who asks.

use std::collections::BTreeMap;

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{AnswerEffort, AnswerLength, Word as _};
use serde_json::{Value, json};

use super::super::super::form::{FieldProblem, FormData};

/// The fields of the panel, by the names of the form; the script sends the same names.
pub(in super::super) const SETTINGS: [&str; 6] = [
    "system",
    "temperature",
    "top_p",
    "max_tokens",
    "effort",
    "length",
];

/// A page of instructions has some 3,000 letters; more than ten pages are a document.
const SYSTEM_CHARS_MAX: usize = 32_000;
/// OpenAI's bounds (API reference, chat completions).
const TEMPERATURE_MAX: u32 = 2;
const TOP_P_MAX: u32 = 1;
/// The bound of the API's own field.
const TOKENS_MAX: u64 = 10_000_000;

/// As it was typed, by the names of [`SETTINGS`]; a script may send numbers as numbers.
pub(in super::super) type TypedSettings = BTreeMap<String, Value>;

/// What was set; nothing of what was not.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AnswerSettings {
    system: Option<String>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    max_tokens: Option<u64>,
    effort: Option<AnswerEffort>,
    length: Option<AnswerLength>,
}

/// What a form typed.
pub(in super::super) fn typed(posted: &FormData) -> TypedSettings {
    let given = |name: &str| {
        let text = posted.optional(name)?;
        Some((name.to_owned(), Value::String(text.to_owned())))
    };
    SETTINGS.into_iter().filter_map(given).collect()
}

/// A form that shows them.
pub(in super::super) fn shown(typed: &TypedSettings) -> Form {
    let mut form = Form::default();
    for (name, value) in typed {
        // What is kept was checked before; what is no text by now is shown as not set.
        if let Ok(Some(text)) = text_of(value) {
            form.values.insert(name.clone(), text);
        }
    }
    form
}

/// The text of a field that is set.
fn text_of(value: &Value) -> Result<Option<String>, FieldError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(FieldError::NotANumber),
    }
}

/// A decimal from zero to a bound; browsers in some countries write a comma.
fn decimal(text: &str, most: u32) -> Result<f64, FieldError> {
    let number: f64 = text
        .replace(',', ".")
        .parse()
        .map_err(|_| FieldError::NotANumber)?;
    // Not a number is in no range.
    if (0.0..=f64::from(most)).contains(&number) {
        Ok(number)
    } else {
        Err(FieldError::OutOfRange(0, most.into()))
    }
}

impl AnswerSettings {
    /// Checks what was typed.
    pub(super) fn read(typed: &TypedSettings) -> Result<Self, FieldProblem> {
        let mut read = Self::default();
        for (name, value) in typed {
            let Some(known) = SETTINGS.into_iter().find(|known| known == name) else {
                return Err(("settings", FieldError::Unknown));
            };
            let wrong = |error| (known, error);
            if let Some(text) = text_of(value).map_err(wrong)? {
                read.set(known, text).map_err(wrong)?;
            }
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, text: String) -> Result<(), FieldError> {
        match name {
            "system" => {
                if text.chars().count() > SYSTEM_CHARS_MAX {
                    let most = u64::try_from(SYSTEM_CHARS_MAX).unwrap_or(u64::MAX);
                    return Err(FieldError::TooLong(most));
                }
                self.system = Some(text);
            }
            "temperature" => self.temperature = Some(decimal(&text, TEMPERATURE_MAX)?),
            "top_p" => self.top_p = Some(decimal(&text, TOP_P_MAX)?),
            "max_tokens" => {
                let tokens: u64 = text.parse().map_err(|_| FieldError::NotANumber)?;
                if !(1..=TOKENS_MAX).contains(&tokens) {
                    return Err(FieldError::OutOfRange(1, TOKENS_MAX));
                }
                self.max_tokens = Some(tokens);
            }
            "effort" => {
                let effort = AnswerEffort::from_code(&text);
                self.effort = Some(effort.ok_or(FieldError::Unknown)?);
            }
            _ => {
                let length = AnswerLength::from_code(&text);
                self.length = Some(length.ok_or(FieldError::Unknown)?);
            }
        }
        Ok(())
    }

    /// The message before all others, if there is anything to say.
    pub(super) fn system(&self) -> Option<String> {
        // For the model, which answers in the language of the question all the same.
        let length = self.length.map(|length| match length {
            AnswerLength::Short => "Answer briefly, in a few sentences.",
            AnswerLength::Medium => "Answer in a few paragraphs.",
            AnswerLength::Long => "Answer at length and in detail.",
        });
        let parts: Vec<&str> = self.system.as_deref().into_iter().chain(length).collect();
        Some(parts.join("\n\n")).filter(|text| !text.is_empty())
    }

    /// Adds the fields of the body that are set.
    pub(super) fn write(&self, body: &mut Value, thinks: bool) {
        let given = [
            ("temperature", self.temperature.map(Value::from)),
            ("top_p", self.top_p.map(Value::from)),
            ("max_tokens", self.max_tokens.map(Value::from)),
            (
                "reasoning_effort",
                self.effort
                    .filter(|_| thinks)
                    .map(|effort| json!(effort.code())),
            ),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                body[name] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: Value) -> Result<AnswerSettings, FieldProblem> {
        AnswerSettings::read(&serde_json::from_value(json).expect("settings"))
    }

    #[test]
    fn what_is_set_is_sent_and_nothing_else() {
        let set = json!({"system": " Be kind. ", "temperature": 0.5, "top_p": "0,9", "max_tokens": "64",
            "effort": "high", "length": "short"});
        let set = read(set).expect("sound");
        let mut body = json!({});
        set.write(&mut body, true);
        let expected =
            json!({"temperature": 0.5, "top_p": 0.9, "max_tokens": 64, "reasoning_effort": "high"});
        assert_eq!(body, expected);
        let system = set.system().expect("a message");
        assert!(system.starts_with("Be kind.\n\nAnswer briefly"), "{system}");
        let mut other = json!({});
        set.write(&mut other, false);
        assert!(other.get("reasoning_effort").is_none(), "it does not think");
        let none = read(json!({"system": "  ", "temperature": "", "effort": null})).expect("sound");
        assert_eq!(none, AnswerSettings::default());
        let mut empty = json!({});
        none.write(&mut empty, true);
        assert_eq!((empty, none.system()), (json!({}), None));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_beside_its_field() {
        for (name, value) in [
            ("temperature", json!("2.1")),
            ("temperature", json!(-0.1)),
            ("temperature", json!("NaN")),
            ("temperature", json!("inf")),
            ("temperature", json!("warm")),
            ("temperature", json!([1])),
            ("top_p", json!(1.01)),
            ("max_tokens", json!(0)),
            ("max_tokens", json!(1.5)),
            ("max_tokens", json!("-1")),
            ("max_tokens", json!(10_000_001)),
            ("effort", json!("utmost")),
            ("length", json!("endless")),
            ("system", json!("x".repeat(SYSTEM_CHARS_MAX + 1))),
            ("system", json!({"role": "root"})),
        ] {
            let problem = read(json!({name: value})).expect_err(name);
            assert_eq!(problem.0, name, "{value}");
        }
        let unknown = read(json!({"seed": 1})).expect_err("unknown");
        assert_eq!(unknown.0, "settings");
        let whole = "x".repeat(SYSTEM_CHARS_MAX);
        assert!(read(json!({"system": whole, "temperature": 2, "top_p": 1})).is_ok());
    }
}
