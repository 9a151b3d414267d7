//! Reads the few fields of an OpenAI request body that routing, pricing and limits need, and checks
//! them. Pure; never writes a body anew (`shared::json` changes single fields in place).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::json::{self, Change};
use shared::link::Operation;

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
    /// The tenant's own maximum of output tokens.
    pub max_output: Option<u64>,
    /// Images among the input, whose tokens the body's length does not bound.
    pub input_images: u64,
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
    match operation {
        Operation::Chat => chat(body),
        Operation::Embedding => embedding(body),
        Operation::Image => image(body),
    }
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
        max_output: max_completion.or(max),
        input_images: u64::try_from(
            memchr::memmem::find_iter(messages.as_bytes(), "\"image_url\"").count(),
        )
        .unwrap_or(u64::MAX),
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
        input_images: 0,
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
    if flag("stream", stream)? {
        return Err(wrong(
            "stream",
            "Images are not streamed; leave `stream` out.",
        ));
    }
    let n = whole("n", n, 1, IMAGES_MAX)?.unwrap_or(1);
    let wish = ImageWish {
        n,
        size: text("size", size, WORD_CHARS_MAX)?,
        quality: text("quality", quality, WORD_CHARS_MAX)?,
    };
    Ok(Peek {
        // OpenAI's clients may leave it out; the platform's default takes such calls.
        model: text("model", model, MODEL_CHARS_MAX)?.unwrap_or_default(),
        stream: false,
        show_usage: false,
        choices: n,
        max_output: None,
        input_images: 0,
        image: Some(wish),
    })
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

/// The body with the maximum of output tokens set to `tokens`, in the field the tenant used.
pub fn with_max_output(body: &Bytes, tokens: u64) -> Bytes {
    let Ok([max, max_completion]) = json::fields(body, ["max_tokens", "max_completion_tokens"])
    else {
        return body.clone();
    };
    let json = tokens.to_string();
    let mut changes: Vec<Change<'_>> = [max, max_completion]
        .into_iter()
        .flatten()
        .map(|old| Change::Replace {
            old,
            json: json.clone(),
        })
        .collect();
    if changes.is_empty() {
        changes.push(Change::Insert {
            name: "max_tokens",
            json,
        });
    }
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
    }
}
