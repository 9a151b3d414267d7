//! Completions of the sandbox: the chat's sentence as the continuation of each prompt.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::dialect::openai::DONE;
use shared::link::Call;

use super::chat::stops;
use super::marks::{Marks, TOKENS_MAX};
use super::saying::Saying;
use super::script::{Pace, Script, event, streamed};
use super::{CREATED, id_of, read, refusal, tokens_of};
use crate::providers::{Answer, Refusal};

/// OpenAI's default of `max_tokens` (API reference, completions).
const TOKENS_DEFAULT: u64 = 16;
/// OpenAI's bound of `n`, and ours of all answers together.
const ANSWERS_MAX: u64 = 128;

#[derive(Deserialize)]
struct Complete {
    prompt: Value,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    stop: Value,
    #[serde(default)]
    echo: Option<bool>,
}

/// A prompt as a text, and its tokens.
struct Prompt {
    text: String,
    tokens: u64,
}

/// What is answered: the same to each prompt, `each` times.
struct Plan {
    head: Value,
    prompts: Vec<Prompt>,
    each: u64,
    echo: bool,
    saying: Saying,
    show_usage: bool,
    pace: Pace,
}

/// Answers a call.
pub(super) async fn complete(call: &Call, model: &str) -> Result<Answer, Refusal> {
    let complete: Complete = read(&call.body)?;
    let prompts = prompts(&complete.prompt)?;
    let marks = Marks::read(prompts.last().map_or("", |prompt| &prompt.text));
    marks.obey().await?;
    let each = complete.n.unwrap_or(1);
    let answers = each.saturating_mul(u64::try_from(prompts.len()).unwrap_or(u64::MAX));
    if !(1..=ANSWERS_MAX).contains(&answers) {
        let bound = format!("There may be {ANSWERS_MAX} answers at most.");
        return Err(refusal(bound, Some("n")));
    }
    let asked = complete.max_tokens.unwrap_or(TOKENS_DEFAULT);
    let most = asked.min((TOKENS_MAX / answers).max(1)).max(1);
    let wanted = marks.tokens.unwrap_or(TOKENS_DEFAULT);
    let plan = Plan {
        head: json!({"id": id_of("cmpl", &call.body), "object": "text_completion", "created": CREATED, "model": model}),
        prompts,
        each,
        echo: complete.echo.unwrap_or(false),
        saying: Saying::words(wanted, most, &stops(&complete.stop)?),
        show_usage: call.show_usage,
        pace: Pace {
            between: marks.pace,
            cut: marks.cut,
        },
    };
    if call.stream {
        return Ok(Answer::events(streamed(plan)));
    }
    Ok(Answer::json(Bytes::from(plan.whole().to_string())))
}

/// A text, tokens, or a list of either.
fn prompts(prompt: &Value) -> Result<Vec<Prompt>, Refusal> {
    let one = |prompt: &Value| match prompt {
        Value::String(text) => Some(Prompt {
            tokens: tokens_of(text.len()),
            text: text.clone(),
        }),
        // What tokens say nobody knows here.
        Value::Array(tokens) if !tokens.is_empty() && tokens.iter().all(Value::is_u64) => {
            Some(Prompt {
                text: String::new(),
                tokens: u64::try_from(tokens.len()).unwrap_or(u64::MAX),
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    let many = || {
        let list = prompt.as_array().filter(|list| !list.is_empty())?;
        list.iter().map(one).collect()
    };
    let found: Option<Vec<Prompt>> = one(prompt).map(|one| vec![one]).or_else(many);
    found.ok_or_else(|| {
        let message = "`prompt` must be a text, an array of tokens, or an array of either.";
        refusal(message, Some("prompt"))
    })
}

impl Plan {
    /// The place of each answer and the prompt that it continues.
    fn answers(&self) -> impl Iterator<Item = (u64, &Prompt)> {
        let each = usize::try_from(self.each).unwrap_or(1);
        let all = self
            .prompts
            .iter()
            .flat_map(move |one| std::iter::repeat_n(one, each));
        (0..).zip(all)
    }

    fn usage(&self) -> Value {
        let prompt: u64 = self.prompts.iter().map(|prompt| prompt.tokens).sum();
        let answers = self.each * u64::try_from(self.prompts.len()).unwrap_or(1);
        let (prompt, completion) = (prompt.max(1), self.saying.tokens() * answers);
        json!({
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion
        })
    }

    fn choice(index: u64, text: &str, finish: Option<&str>) -> Value {
        json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish})
    }

    fn whole(&self) -> Value {
        let all = self.saying.all();
        let finish = Some(self.saying.finish());
        let choices = self.answers().map(|(index, prompt)| {
            let text = if self.echo {
                format!("{}{all}", prompt.text)
            } else {
                all.clone()
            };
            Self::choice(index, &text, finish)
        });
        let choices: Vec<Value> = choices.collect();
        let mut answer = self.head.clone();
        answer["choices"] = choices.into();
        answer["usage"] = self.usage();
        answer
    }

    fn event(&self, choices: Value, usage: Option<Value>) -> Bytes {
        event(self.head.clone(), choices, usage, self.show_usage)
    }
}

impl Script for Plan {
    fn pace(&self) -> Pace {
        self.pace
    }

    fn step(&self, at: u64) -> Option<VecDeque<Bytes>> {
        let tokens = self.saying.tokens();
        let says = |index, text: &str| self.event(json!([Self::choice(index, text, None)]), None);
        // Without an echo the first token is the beginning.
        match (at + u64::from(!self.echo)).checked_sub(1) {
            None => Some(
                self.answers()
                    .map(|(index, one)| says(index, &one.text))
                    .collect(),
            ),
            Some(token) if token < tokens => {
                let piece = self.saying.piece(token)?;
                Some(
                    self.answers()
                        .map(|(index, _)| says(index, piece.text))
                        .collect(),
                )
            }
            Some(token) if token == tokens => {
                let finish = Some(self.saying.finish());
                let ends = self
                    .answers()
                    .map(|(index, _)| self.event(json!([Self::choice(index, "", finish)]), None));
                let mut events: VecDeque<Bytes> = ends.collect();
                events.push_back(self.event(json!([]), Some(self.usage())));
                events.push_back(Bytes::from_static(DONE));
                Some(events)
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
