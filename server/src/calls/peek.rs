//! Reads the few fields of an OpenAI request body that routing, pricing and limits need, and checks
//! them. Pure; never writes a body anew (`shared::json` changes single fields in place).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::dialect::fields;
use shared::dialect::input::Input;
use shared::json::{self, Change};
use shared::link::Operation;
use shared::units::{Fact, Unit, Usage};

/// OpenAI's bound of `n` for chat (API reference, chat completions).
const CHOICES_MAX: u64 = 128;
/// OpenAI's bound of `n` for images.
const IMAGES_MAX: u64 = 10;
/// No model writes more in one answer; a larger number is a mistake or an attack.
const OUTPUT_TOKENS_MAX: u64 = 10_000_000;
/// A model's public name.
const MODEL_CHARS_MAX: usize = 100;
/// `size` and `quality` are short words.
const WORD_CHARS_MAX: usize = 40;
/// OpenAI's bound of an image prompt.
const PROMPT_CHARS_MAX: usize = 32_000;

/// What is wrong with a body, for the tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PeekError {
    /// The field, where it is one.
    pub param: Option<&'static str>,
    /// What is wrong.
    pub message: String,
}

/// What an image request asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct ImageWish {
    /// How many.
    pub n: u64,
    /// `1024x1024` and the like.
    pub size: Option<String>,
    /// `low`, `high` and the like.
    pub quality: Option<String>,
}

impl ImageWish {
    /// What is billed of it at most, by its facts.
    pub(crate) fn asked(&self) -> Usage {
        let mut asked = Usage::of([(Unit::Image, self.n)]);
        self.note_on(&mut asked);
        asked
    }

    /// Notes what prices may depend on.
    pub(crate) fn note_on(&self, usage: &mut Usage) {
        let words = [(Fact::Size, &self.size), (Fact::Quality, &self.quality)];
        for (fact, word) in words {
            if let Some(word) = word {
                usage.facts.note(fact, word);
            }
        }
    }
}

/// The fields of a body that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The model's public name; empty where an image call names none.
    pub model: String,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the usage chunk of the stream is asked for.
    pub show_usage: bool,
    /// Answers asked for, each with up to the maximum of tokens.
    pub choices: u64,
    /// The tenant's own maximum of output tokens; the larger one where it gives two.
    pub max_output: Option<u64>,
    /// Whether it gives two.
    pub gives_two_maxima: bool,
    /// What the input is.
    pub input: Input,
    /// For image generations.
    pub image: Option<ImageWish>,
}

fn wrong(param: &'static str, message: impl Into<String>) -> PeekError {
    PeekError {
        param: Some(param),
        message: message.into(),
    }
}

/// Reads and checks `body`.
pub fn peek(operation: Operation, body: &[u8]) -> Result<Peek, PeekError> {
    let mut peek = match operation {
        Operation::Chat => chat(body),
        Operation::Embedding => embedding(body),
        Operation::Image => image(body),
    }?;
    let asked = fields::check(operation, body).map_err(|refused| PeekError {
        param: Some(refused.field),
        message: refused.message,
    })?;
    peek.input = asked.input;
    Ok(peek)
}

fn fields<'a, const N: usize>(
    body: &'a [u8],
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], PeekError> {
    json::fields(body, names).map_err(|e| PeekError {
        param: None,
        message: e.to_string(),
    })
}

fn chat(body: &[u8]) -> Result<Peek, PeekError> {
    let [model, messages, stream, options, n, max, max_completion] = fields(
        body,
        [
            "model",
            "messages",
            "stream",
            "stream_options",
            "n",
            "max_tokens",
            "max_completion_tokens",
        ],
    )?;
    let messages = messages.map(RawValue::get).unwrap_or_default();
    if !messages.starts_with('[') || messages[1..].trim_start().starts_with(']') {
        return Err(wrong(
            "messages",
            "`messages` must be an array with at least one message.",
        ));
    }
    let max = whole("max_tokens", max, 1, OUTPUT_TOKENS_MAX)?;
    let max_completion = whole(
        "max_completion_tokens",
        max_completion,
        1,
        OUTPUT_TOKENS_MAX,
    )?;
    let stream = flag("stream", stream)?;
    Ok(Peek {
        model: model_name(model)?,
        stream,
        show_usage: stream && shows_usage(options)?,
        choices: whole("n", n, 1, CHOICES_MAX)?.unwrap_or(1),
        max_output: max.max(max_completion),
        gives_two_maxima: max.is_some() && max_completion.is_some(),
        input: Input::default(),
        image: None,
    })
}

fn embedding(body: &[u8]) -> Result<Peek, PeekError> {
    let [model, input] = fields(body, ["model", "input"])?;
    let input = input.map(RawValue::get).unwrap_or_default();
    let empty = input.starts_with('[') && input[1..].trim_start().starts_with(']');
    if !input.starts_with(['"', '[']) || input == "\"\"" || empty {
        return Err(wrong(
            "input",
            "`input` must be a text or an array that is not empty.",
        ));
    }
    Ok(Peek {
        model: model_name(model)?,
        stream: false,
        show_usage: false,
        choices: 1,
        max_output: Some(0),
        gives_two_maxima: false,
        input: Input::default(),
        image: None,
    })
}

fn image(body: &[u8]) -> Result<Peek, PeekError> {
    let [model, prompt, n, size, quality, stream] =
        fields(body, ["model", "prompt", "n", "size", "quality", "stream"])?;
    let prompt = text("prompt", prompt, PROMPT_CHARS_MAX)?;
    if prompt.is_none_or(|prompt| prompt.trim().is_empty()) {
        return Err(wrong(
            "prompt",
            "`prompt` must be a text that is not empty.",
        ));
    }
    let n = whole("n", n, 1, IMAGES_MAX)?.unwrap_or(1);
    let wish = ImageWish {
        n,
        size: text("size", size, WORD_CHARS_MAX)?
            .as_deref()
            .map(size_word),
        quality: text("quality", quality, WORD_CHARS_MAX)?
            .map(|quality| quality.trim().to_lowercase()),
    };
    Ok(Peek {
        // OpenAI's clients may leave it out; the platform's default takes such calls.
        model: text("model", model, MODEL_CHARS_MAX)?.unwrap_or_default(),
        stream: flag("stream", stream)?,
        show_usage: false,
        choices: n,
        max_output: None,
        gives_two_maxima: false,
        input: Input::default(),
        image: Some(wish),
    })
}

/// A size as prices name it: `2048X2048`, `2048*2048` and `2048×2048` are `2048x2048`.
fn size_word(size: &str) -> String {
    let small = size.trim().to_lowercase();
    small.replace(['*', '×'], "x").replace(' ', "")
}

fn model_name(raw: Option<&RawValue>) -> Result<String, PeekError> {
    text("model", raw, MODEL_CHARS_MAX)?
        .filter(|name| !name.is_empty())
        .ok_or_else(no_model)
}

/// The model is not named, and no other takes the call.
pub fn no_model() -> PeekError {
    wrong(
        "model",
        "`model` is missing. GET /api/v1/models lists the models.",
    )
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

fn text(
    name: &'static str,
    raw: Option<&RawValue>,
    chars_max: usize,
) -> Result<Option<String>, PeekError> {
    let Some(raw) = raw.filter(|raw| !is_null(raw)) else {
        return Ok(None);
    };
    let text: String = serde_json::from_str(raw.get())
        .map_err(|_| wrong(name, format!("`{name}` must be a text.")))?;
    if text.chars().count() > chars_max {
        return Err(wrong(
            name,
            format!("`{name}` is longer than {chars_max} characters."),
        ));
    }
    Ok(Some(text))
}

fn flag(name: &'static str, raw: Option<&RawValue>) -> Result<bool, PeekError> {
    match raw.map(RawValue::get) {
        None | Some("null" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(wrong(name, format!("`{name}` must be true or false."))),
    }
}

fn whole(
    name: &'static str,
    raw: Option<&RawValue>,
    least: u64,
    most: u64,
) -> Result<Option<u64>, PeekError> {
    let Some(raw) = raw.filter(|raw| !is_null(raw)) else {
        return Ok(None);
    };
    let number: Option<u64> = serde_json::from_str(raw.get()).ok();
    match number.filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(wrong(
            name,
            format!("`{name}` must be a whole number from {least} to {most}."),
        )),
    }
}

fn shows_usage(raw: Option<&RawValue>) -> Result<bool, PeekError> {
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    let Some(raw) = raw.filter(|raw| !is_null(raw)) else {
        return Ok(false);
    };
    let options: Options = serde_json::from_str(raw.get()).map_err(|_| {
        wrong(
            "stream_options",
            "`stream_options` must be an object, `include_usage` true or false.",
        )
    })?;
    Ok(options.include_usage.unwrap_or(false))
}

/// The body with the maximum of output tokens set to `tokens`, in one field: the one the tenant used, and
/// where it used both or none, `max_tokens`. Providers that don't know that one say so, and the gateway
/// renames it; those that don't know `max_completion_tokens` mostly pass over it, and write on.
pub fn with_max_output(body: &Bytes, tokens: u64) -> Bytes {
    let names = ["max_tokens", "max_completion_tokens"];
    let Ok([max, max_completion]) = json::fields(body, names) else {
        return body.clone();
    };
    let json = tokens.to_string();
    // A null says that there is none; the other field then is the one that was used.
    let is_given = |raw: Option<&RawValue>| raw.is_some_and(|raw| !is_null(raw));
    let changes = match (max, max_completion) {
        (Some(other), Some(old)) if !is_given(max) && is_given(max_completion) => {
            vec![Change::Replace { old, json }, Change::Remove { old: other }]
        }
        (Some(old), Some(other)) => {
            vec![Change::Replace { old, json }, Change::Remove { old: other }]
        }
        (Some(old), None) | (None, Some(old)) => vec![Change::Replace { old, json }],
        (None, None) => vec![Change::Insert {
            name: names[0],
            json,
        }],
    };
    json::apply(body, &changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_read_without_its_messages() {
        let body =
            br#"{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,"n":2,
            "stream_options":{"include_usage":true},"max_tokens":7}"#;
        let peek = peek(Operation::Chat, body).expect("valid");
        assert_eq!(
            (peek.model.as_str(), peek.stream, peek.show_usage),
            ("m", true, true)
        );
        assert_eq!((peek.choices, peek.max_output), (2, Some(7)));
    }

    #[test]
    fn wrong_types_and_absurd_numbers_name_their_field() {
        for (body, param) in [
            (r#"{"messages":[1]}"#, Some("model")),
            (r#"{"model":7,"messages":[1]}"#, Some("model")),
            (r#"{"model":"m","messages":[ ]}"#, Some("messages")),
            (r#"{"model":"m","messages":"hi"}"#, Some("messages")),
            (r#"{"model":"m"}"#, Some("messages")),
            (r#"{"model":"m","messages":[1],"n":0}"#, Some("n")),
            (r#"{"model":"m","messages":[1],"n":-1}"#, Some("n")),
            (
                r#"{"model":"m","messages":[1],"n":18446744073686646784}"#,
                Some("n"),
            ),
            (
                r#"{"model":"m","messages":[1],"max_tokens":1.5}"#,
                Some("max_tokens"),
            ),
            (
                r#"{"model":"m","messages":[1],"max_tokens":1e3}"#,
                Some("max_tokens"),
            ),
            (
                r#"{"model":"m","messages":[1],"stream":"yes"}"#,
                Some("stream"),
            ),
            (
                r#"{"model":"m","messages":[1],"stream":true,"stream_options":7}"#,
                Some("stream_options"),
            ),
            (r#"{"model":"m","messages":[1]"#, None),
        ] {
            assert_eq!(
                peek(Operation::Chat, body.as_bytes())
                    .expect_err(body)
                    .param,
                param,
                "{body}"
            );
        }
    }

    #[test]
    fn images_and_embeddings_need_something_to_work_on() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","prompt":" "}"#,
            r#"{"model":"m","prompt":"x","n":11}"#,
            r#"{"model":7,"prompt":"x"}"#,
        ] {
            assert!(peek(Operation::Image, body.as_bytes()).is_err(), "{body}");
        }
        let unnamed = peek(Operation::Image, br#"{"prompt":"x","model":null}"#);
        assert_eq!(unnamed.expect("valid").model, "");
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","input":[]}"#,
            r#"{"model":"m","input":{}}"#,
        ] {
            assert!(
                peek(Operation::Embedding, body.as_bytes()).is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn the_maximum_is_lowered_in_the_field_that_was_used() {
        let lowered = |body: &'static str| with_max_output(&Bytes::from_static(body.as_bytes()), 5);
        assert_eq!(
            lowered(r#"{"max_tokens":9}"#),
            Bytes::from_static(br#"{"max_tokens":5}"#)
        );
        assert_eq!(
            lowered(r#"{"max_completion_tokens":9}"#),
            Bytes::from_static(br#"{"max_completion_tokens":5}"#)
        );
        assert_eq!(
            lowered(r#"{"a":1}"#),
            Bytes::from_static(br#"{"max_tokens":5,"a":1}"#)
        );
        for (both, one) in [
            (
                r#"{"max_tokens":9,"max_completion_tokens":7,"a":1}"#,
                r#"{"max_tokens":5,"a":1}"#,
            ),
            (
                r#"{"max_completion_tokens":7,"max_tokens":9}"#,
                r#"{"max_tokens":5}"#,
            ),
            (
                r#"{"max_tokens":null,"max_completion_tokens":7}"#,
                r#"{"max_completion_tokens":5}"#,
            ),
            (
                r#"{"max_tokens":9,"max_completion_tokens":null}"#,
                r#"{"max_tokens":5}"#,
            ),
        ] {
            assert_eq!(lowered(both), Bytes::from_static(one.as_bytes()));
        }
    }

    fn read(operation: Operation, body: &str) -> Result<Peek, PeekError> {
        peek(operation, body.as_bytes())
    }

    #[test]
    fn of_two_maxima_the_larger_is_held_for() {
        let both = r#"{"model":"m","messages":[1],"max_tokens":9,"max_completion_tokens":700}"#;
        let peek = read(Operation::Chat, both).expect("valid");
        assert_eq!((peek.max_output, peek.gives_two_maxima), (Some(700), true));
        let one = r#"{"model":"m","messages":[1],"max_tokens":9,"max_completion_tokens":null}"#;
        let peek = read(Operation::Chat, one).expect("valid");
        assert_eq!((peek.max_output, peek.gives_two_maxima), (Some(9), false));
    }

    #[test]
    fn a_field_that_changes_the_bill_or_its_twin_is_named() {
        for (body, param) in [
            (
                r#"{"model":"m","messages":[1],"service_tier":"priority"}"#,
                "service_tier",
            ),
            (
                r#"{"model":"m","messages":[1],"Max_Tokens":100000}"#,
                "max_tokens",
            ),
            (r#"{"model":"m","messages":[1],"best_of":3}"#, "best_of"),
        ] {
            let refused = read(Operation::Chat, body).expect_err(body);
            assert_eq!(refused.param, Some(param));
        }
    }

    #[test]
    fn images_may_be_streamed_and_their_sizes_are_written_as_prices_write_them() {
        for size in ["2048X2048", "2048*2048", " 2048x2048", "2048 × 2048"] {
            let body = format!(
                r#"{{"model":"m","prompt":"x","size":"{size}","quality":"HD","stream":true,"partial_images":2}}"#
            );
            let peek = read(Operation::Image, &body).expect("valid");
            let image = peek.image.expect("an image");
            assert_eq!(
                (image.size.as_deref(), image.quality.as_deref()),
                (Some("2048x2048"), Some("hd"))
            );
            assert!(peek.stream && !peek.show_usage);
        }
    }
}
