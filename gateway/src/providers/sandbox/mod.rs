//! The provider that needs no account: deterministic answers, real PNGs, and delays and failures on
//! request. Makes the first run, the tests and `wk_test_` keys work as the real thing does.
//!
//! A token is four bytes of text, rounded up. The request's text may hold marks: `[delay:250]`
//! milliseconds before the first byte, `[pace:20]` between chunks, `[tokens:50]` to answer,
//! `[fail:429]` an error of that status, `[cut:10]` breaks the stream after that many chunks.

mod png;

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::fault::{Fault, FaultKind};
use shared::link::{Call, CallerError, KeyTest, Operation};

use super::{Answer, ByteStream, Patience, Provider, Refusal, Route};

/// Marks can't ask for more than this.
const WAIT_MAX_MS: u64 = 60_000;
const TOKENS_MAX: u64 = 100_000;
/// Tokens of an answer when nothing else is asked for.
const TOKENS_DEFAULT: u64 = 24;
const BYTES_PER_TOKEN: usize = 4;
/// Embeddings have this many numbers by default, as OpenAI's small model.
const DIMENSIONS_DEFAULT: usize = 1_536;
const DIMENSIONS_MAX: usize = 4_096;
const INPUTS_MAX: usize = 2_048;
const SIDE_MIN: u32 = 16;
const SIDE_MAX: u32 = 2_048;
const IMAGES_MAX: u64 = 10;
/// The same moment in every answer, so that answers are the same: 2026-01-01.
const CREATED: i64 = 1_767_225_600;

const WORDS: [&str; 16] = [
    "The", " sand", " box", " says", " that", " all", " is", " well", " and", " each", " word",
    " is", " the", " same", " every", " time",
];

pub(super) struct Sandbox;

/// What the marks in a text ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Marks {
    delay: Duration,
    pace: Duration,
    tokens: Option<u64>,
    fail: Option<u16>,
    cut: Option<u64>,
}

fn marks(text: &str) -> Marks {
    let number = |name: &str| -> Option<u64> {
        let from = text.rfind(name)? + name.len();
        let digits = text.get(from..)?.split(']').next()?;
        digits.parse().ok()
    };
    let wait = |name| Duration::from_millis(number(name).unwrap_or(0).min(WAIT_MAX_MS));
    Marks {
        delay: wait("[delay:"),
        pace: wait("[pace:"),
        tokens: number("[tokens:").map(|n| n.clamp(1, TOKENS_MAX)),
        fail: number("[fail:").and_then(|n| u16::try_from(n).ok()),
        cut: number("[cut:"),
    }
}

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct Embed {
    input: Value,
    #[serde(default)]
    dimensions: Option<usize>,
    #[serde(default)]
    encoding_format: Option<String>,
}

#[derive(Deserialize)]
struct Draw {
    prompt: String,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    size: Option<String>,
}

fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// The text of a message's content, whether a text or parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

fn refusal(message: impl Into<String>, param: Option<&str>) -> Refusal {
    let message = message.into();
    Refusal {
        fault: Fault::new(FaultKind::BadRequest, message.clone()).with_status(400),
        caller: Some(CallerError {
            message,
            param: param.map(str::to_owned),
            code: None,
        }),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|e| {
        refusal(
            format!("The request does not have the expected form: {e}"),
            None,
        )
    })
}

/// Waits and fails as the marks say.
async fn obey(marks: &Marks) -> Result<(), Refusal> {
    tokio::time::sleep(marks.delay).await;
    let kind = match marks.fail {
        None => return Ok(()),
        Some(400) => return Err(refusal("The request asked the sandbox to refuse it.", None)),
        Some(401 | 403) => FaultKind::InvalidKey,
        Some(402) => FaultKind::QuotaExhausted,
        Some(404) => FaultKind::NotFound,
        Some(408 | 504) => FaultKind::Timeout,
        Some(429) => FaultKind::RateLimited,
        Some(_) => FaultKind::Overloaded,
    };
    Err(Fault::new(kind, "asked for by the request")
        .with_status(marks.fail.unwrap_or(500))
        .into())
}

/// `count` tokens of text, each of them one word of the list.
fn words(count: u64) -> impl Iterator<Item = &'static str> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    WORDS.iter().copied().cycle().take(count)
}

/// The same id for the same request.
fn id_of(body: &[u8]) -> String {
    format!(
        "chatcmpl-sandbox-{}",
        hex::encode(&Sha256::digest(body)[..12])
    )
}

impl Sandbox {
    async fn chat(call: &Call, model: &str) -> Result<Answer, Refusal> {
        let chat: Chat = read(&call.body)?;
        let last = chat
            .messages
            .last()
            .map(|message| text_of(&message.content))
            .unwrap_or_default();
        let input: usize = chat
            .messages
            .iter()
            .map(|message| text_of(&message.content).len())
            .sum();
        let marks = marks(&last);
        obey(&marks).await?;
        let wanted = marks.tokens.unwrap_or(TOKENS_DEFAULT);
        let most = chat
            .max_completion_tokens
            .or(chat.max_tokens)
            .unwrap_or(u64::MAX);
        let count = wanted.min(most);
        let finish = if most < wanted { "length" } else { "stop" };
        let choices = chat.n.unwrap_or(1);
        let (prompt, completion) = (tokens_of(input).max(1), count * choices);
        let usage = json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion});
        let head = json!({"id": id_of(&call.body), "created": CREATED, "model": model});
        if call.stream {
            return Ok(Answer::Stream(streamed(
                &head,
                &usage,
                Script {
                    count,
                    choices,
                    finish,
                    pace: marks.pace,
                    cut: marks.cut,
                },
            )));
        }
        let text: String = words(count).collect();
        let choice = |index| json!({"index": index, "message": {"role": "assistant", "content": text, "refusal": null}, "finish_reason": finish, "logprobs": null});
        let mut answer = head;
        answer["object"] = "chat.completion".into();
        answer["choices"] = (0..choices).map(choice).collect();
        answer["usage"] = usage;
        Ok(Answer::Whole(Bytes::from(answer.to_string())))
    }

    async fn embed(call: &Call, model: &str) -> Result<Answer, Refusal> {
        let embed: Embed = read(&call.body)?;
        let inputs = inputs(&embed.input)?;
        let whole: String = inputs.concat();
        obey(&marks(&whole)).await?;
        let dimensions = embed.dimensions.unwrap_or(DIMENSIONS_DEFAULT);
        if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
            return Err(refusal(
                format!("`dimensions` must be from 1 to {DIMENSIONS_MAX}."),
                Some("dimensions"),
            ));
        }
        let base64 = match embed.encoding_format.as_deref() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(_) => {
                return Err(refusal(
                    "`encoding_format` must be float or base64.",
                    Some("encoding_format"),
                ));
            }
        };
        let data: Vec<Value> = inputs
            .iter()
            .enumerate()
            .map(|(index, input)| {
                let vector = unit_vector(input, dimensions);
                let embedding: Value = if base64 {
                    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                    STANDARD.encode(bytes).into()
                } else {
                    vector.into()
                };
                json!({"object": "embedding", "index": index, "embedding": embedding})
            })
            .collect();
        let tokens: u64 = inputs
            .iter()
            .map(|input| tokens_of(input.len()).max(1))
            .sum();
        let answer = json!({"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}});
        Ok(Answer::Whole(Bytes::from(answer.to_string())))
    }

    async fn draw(call: &Call) -> Result<Answer, Refusal> {
        let draw: Draw = read(&call.body)?;
        obey(&marks(&draw.prompt)).await?;
        let (width, height) = size(draw.size.as_deref())?;
        let n = draw.n.unwrap_or(1).min(IMAGES_MAX);
        let images: Vec<Value> = (0..n)
            .map(|index| {
                let seed: [u8; 32] = Sha256::digest(format!("{index} {}", draw.prompt)).into();
                json!({"b64_json": STANDARD.encode(png::picture(width, height, &seed))})
            })
            .collect();
        Ok(Answer::Whole(Bytes::from(
            json!({"created": CREATED, "data": images}).to_string(),
        )))
    }
}

/// A text, texts, tokens or lists of tokens, each as the text it is hashed by.
fn inputs(input: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        refusal(
            "`input` must be a text, an array of texts, or of tokens.",
            Some("input"),
        )
    };
    let items = match input {
        Value::String(text) => return Ok(vec![text.clone()]),
        Value::Array(items) if items.iter().all(Value::is_u64) => {
            return Ok(vec![Value::from(items.clone()).to_string()]);
        }
        Value::Array(items) if items.len() <= INPUTS_MAX => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => {
            return Err(wrong());
        }
    };
    let text = |item: &Value| match item {
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) => Ok(item.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(wrong()),
    };
    items.iter().map(text).collect()
}

/// Numbers drawn from hashes of the text, scaled to length one.
fn unit_vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(dimensions + 16);
    let mut block = 0_u64;
    while numbers.len() < dimensions {
        let hash = Sha256::digest([text.as_bytes(), &block.to_le_bytes()].concat());
        numbers.extend(
            hash.chunks_exact(2)
                .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) + 0.5),
        );
        block += 1;
    }
    numbers.truncate(dimensions);
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.iter().map(|x| x / length).collect()
}

fn size(size: Option<&str>) -> Result<(u32, u32), Refusal> {
    let size = size.unwrap_or("1024x1024");
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side| (SIDE_MIN..=SIDE_MAX).contains(side))
    };
    if size == "auto" {
        return Ok((1024, 1024));
    }
    let sides = size
        .split_once('x')
        .and_then(|(width, height)| Some((side(width)?, side(height)?)));
    sides.ok_or_else(|| {
        refusal(
            format!("`size` must be WIDTHxHEIGHT, each from {SIDE_MIN} to {SIDE_MAX}."),
            Some("size"),
        )
    })
}

/// How a stream goes.
struct Script {
    count: u64,
    choices: u64,
    finish: &'static str,
    pace: Duration,
    cut: Option<u64>,
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// The whole stream's events, in order; the caller paces them.
fn streamed(head: &Value, usage: &Value, script: Script) -> ByteStream {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = head.clone();
        chunk["object"] = "chat.completion.chunk".into();
        chunk["choices"] = choices;
        chunk["usage"] = usage;
        chunk
    };
    let choice = |index: u64, delta: Value, finish: Value| json!([{"index": index, "delta": delta, "finish_reason": finish, "logprobs": null}]);
    let mut events = Vec::new();
    for index in 0..script.choices {
        events.push(event(&chunk(
            choice(
                index,
                json!({"role": "assistant", "content": ""}),
                Value::Null,
            ),
            Value::Null,
        )));
    }
    for word in words(script.count) {
        for index in 0..script.choices {
            events.push(event(&chunk(
                choice(index, json!({"content": word}), Value::Null),
                Value::Null,
            )));
        }
    }
    for index in 0..script.choices {
        events.push(event(&chunk(
            choice(index, json!({}), script.finish.into()),
            Value::Null,
        )));
    }
    events.push(event(&chunk(json!([]), usage.clone())));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    paced(events, script.pace, script.cut)
}

fn paced(events: Vec<Bytes>, pace: Duration, cut: Option<u64>) -> ByteStream {
    let state = (events.into_iter(), cut, true);
    Box::pin(stream::unfold(
        state,
        move |(mut events, cut, first)| async move {
            if cut == Some(0) {
                let fault = Fault::new(FaultKind::Interrupted, "asked for by the request");
                return Some((Err(fault), (Vec::new().into_iter(), None, false)));
            }
            let event = events.next()?;
            if !first && pace > Duration::ZERO {
                tokio::time::sleep(pace).await;
            }
            Some((Ok(event), (events, cut.map(|left| left - 1), false)))
        },
    ))
}

#[async_trait]
impl Provider for Sandbox {
    fn kind(&self) -> &'static str {
        "sandbox"
    }

    fn has_address(&self) -> bool {
        false
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        _patience: Patience,
    ) -> Result<Answer, Refusal> {
        match call.operation {
            Operation::Chat => Self::chat(call, route.model).await,
            Operation::Embedding => Self::embed(call, route.model).await,
            Operation::Image => Self::draw(call).await,
        }
    }

    async fn test(&self, _route: Route<'_>) -> KeyTest {
        KeyTest {
            ok: true,
            status: 200,
            latency_ms: 0,
            detail: "the sandbox accepts every key".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_and_bounded() {
        let read = marks("hello [delay:250] [tokens:9][fail:429] [cut:3] [pace:999999]");
        assert_eq!(read.delay, Duration::from_millis(250));
        assert_eq!(
            (read.tokens, read.fail, read.cut),
            (Some(9), Some(429), Some(3))
        );
        assert_eq!(read.pace, Duration::from_millis(WAIT_MAX_MS));
        assert_eq!(marks("nothing [tokens:x] [delay"), Marks::default());
    }

    #[test]
    fn embeddings_have_length_one_and_repeat() {
        let vector = unit_vector("hello", 7);
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(vector, unit_vector("hello", 7));
        assert_ne!(vector, unit_vector("hallo", 7));
    }
}
