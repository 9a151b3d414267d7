//! Chat of the sandbox: reads a request, decides what is said, and says it whole or event by event.
//! An event is made when it is asked for: a tenant chooses how many there are.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::dialect::openai::DONE;
use shared::link::Call;

use super::marks::{Marks, TOKENS_MAX};
use super::saying::{Saying, Tool};
use super::script::{Pace, Script, event, streamed};
use super::{CREATED, answer, id_of, read, refusal, schema, text_of, tokens_of};
use crate::providers::{Answer, Refusal};

/// Tokens of an answer when nothing else is asked for.
const TOKENS_DEFAULT: u64 = 24;
/// OpenAI's bounds of `n`, `stop`, `top_logprobs` and tools (API reference, chat completions).
const CHOICES_MAX: u64 = 128;
const STOPS_MAX: usize = 4;
const TOP_LOGPROBS_MAX: u64 = 20;
const TOOLS_MAX: usize = 128;
/// Each token's probabilities are a hundred times as long as the token.
const LOGPROB_TOKENS_MAX: u64 = 4_096;
/// Tools that are called in one answer.
const CALLS_MAX: usize = 4;
/// Messages of a person that an answer looks back at.
const ASKED_MAX: usize = 100;
/// A picture among the input, as OpenAI's low detail.
const PICTURE_TOKENS: u64 = 85;

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    stop: Value,
    #[serde(default)]
    tools: Option<Vec<Value>>,
    #[serde(default)]
    tool_choice: Value,
    #[serde(default)]
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    response_format: Value,
    #[serde(default)]
    logprobs: Option<bool>,
    #[serde(default)]
    top_logprobs: Option<u64>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

/// What is answered, the same in each choice.
struct Plan {
    head: Value,
    choices: u64,
    saying: Saying,
    /// Alternatives told of each token, where probabilities are asked for.
    logprobs: Option<u64>,
    prompt_tokens: u64,
    show_usage: bool,
    pace: Pace,
}

/// Answers a call.
pub(super) async fn chat(call: &Call, model: &str) -> Result<Answer, Refusal> {
    let chat: Chat = read(&call.body)?;
    let last = chat.messages.last();
    let text = last.map(|message| text_of(&message.content));
    let marks = Marks::read(text.as_deref().unwrap_or_default());
    marks.obey().await?;
    let plan = plan(call, model, &chat, &marks)?;
    if call.stream {
        return Ok(Answer::events(streamed(plan)));
    }
    Ok(Answer::json(Bytes::from(plan.whole().to_string())))
}

fn plan(call: &Call, model: &str, chat: &Chat, marks: &Marks) -> Result<Plan, Refusal> {
    let choices = chat.n.unwrap_or(1);
    if !(1..=CHOICES_MAX).contains(&choices) {
        let bound = format!("`n` must be from 1 to {CHOICES_MAX}.");
        return Err(refusal(bound, Some("n")));
    }
    let logprobs = chat.logprobs.unwrap_or(false);
    let top = chat.top_logprobs.unwrap_or(0);
    if top > TOP_LOGPROBS_MAX || (top > 0 && !logprobs) {
        let bound =
            format!("`top_logprobs` must be from 0 to {TOP_LOGPROBS_MAX} and needs `logprobs`.");
        return Err(refusal(bound, Some("top_logprobs")));
    }
    // Of all choices together: what one call costs is bounded, whatever `n` is.
    let bound = if logprobs {
        LOGPROB_TOKENS_MAX
    } else {
        TOKENS_MAX
    };
    let asked = chat.max_completion_tokens.or(chat.max_tokens);
    let most = asked
        .unwrap_or(u64::MAX)
        .min((bound / choices).max(1))
        .max(1);
    let saying = match tools(chat)? {
        Some(tools) => Saying::tools(tools, most),
        None => said(chat, marks, most)?,
    };
    Ok(Plan {
        head: json!({"id": id_of("chatcmpl", &call.body), "created": CREATED, "model": model, "system_fingerprint": "fp_sandbox"}),
        choices,
        saying,
        logprobs: logprobs.then_some(top),
        prompt_tokens: prompt_tokens(&chat.messages),
        show_usage: call.show_usage,
        pace: Pace {
            between: marks.pace,
            cut: marks.cut,
        },
    })
}

/// What a format asks for, an answer for people, or the one sentence whose tokens are known: for requests
/// with marks, stops, probabilities or several choices, and behind a tool's result. Who measures or tests
/// writes such requests; who talks does not.
fn said(chat: &Chat, marks: &Marks, most: u64) -> Result<Saying, Refusal> {
    if let Some(json) = structured(&chat.response_format)? {
        return Ok(Saying::text(json, most));
    }
    let stops = stops(&chat.stop)?;
    let measures = *marks != Marks::default()
        || !stops.is_empty()
        || chat.logprobs.unwrap_or(false)
        || chat.n.unwrap_or(1) > 1;
    if !measures && let Some(text) = talked(&chat.messages) {
        return Ok(Saying::text(text, most));
    }
    let wanted = marks.tokens.unwrap_or(TOKENS_DEFAULT);
    Ok(Saying::words(wanted, most, &stops))
}

/// What is said to a person whose message is the last one; nothing where another spoke last.
fn talked(messages: &[Message]) -> Option<String> {
    let last = messages.last().filter(|last| last.role == "user")?;
    let is_system = |message: &&Message| ["system", "developer"].contains(&&*message.role);
    let system = messages.iter().find(is_system);
    let system = system.map(|message| text_of(&message.content));
    let asked = messages
        .iter()
        .rev()
        .filter(|message| message.role == "user");
    let mut asked: Vec<String> = asked
        .take(ASKED_MAX)
        .map(|message| text_of(&message.content))
        .collect();
    asked.reverse();
    Some(answer::answer(&answer::Conversation {
        system: system.as_deref().filter(|text| !text.trim().is_empty()),
        asked: &asked,
        pictures: pictures(last),
    }))
}

/// Parts of a message that are no text.
fn pictures(message: &Message) -> usize {
    let parts = message.content.as_array().into_iter().flatten();
    let others = parts.filter(|part| part.get("type").is_some_and(|kind| kind != "text"));
    others.count()
}

fn prompt_tokens(messages: &[Message]) -> u64 {
    let tokens = |message: &Message| {
        let pictures = u64::try_from(pictures(message)).unwrap_or(0);
        tokens_of(text_of(&message.content).len()) + pictures * PICTURE_TOKENS
    };
    messages.iter().map(tokens).sum::<u64>().max(1)
}

pub(super) fn stops(stop: &Value) -> Result<Vec<&str>, Refusal> {
    let wrong = || {
        let bound = format!("`stop` must be a text or an array of at most {STOPS_MAX} texts.");
        refusal(bound, Some("stop"))
    };
    match stop {
        Value::Null => Ok(Vec::new()),
        Value::String(one) => Ok(vec![one]),
        Value::Array(all) if all.len() <= STOPS_MAX => all
            .iter()
            .map(|one| one.as_str().ok_or_else(wrong))
            .collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => Err(wrong()),
    }
}

/// What a format other than text asks for, as a text.
fn structured(format: &Value) -> Result<Option<String>, Refusal> {
    let wrong = |what: &str| refusal(what, Some("response_format"));
    match format.get("type").and_then(Value::as_str) {
        None if format.is_null() => Ok(None),
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(
            json!({"answer": "The sandbox says that all is well."}).to_string(),
        )),
        Some("json_schema") => {
            let schema = format
                .pointer("/json_schema/schema")
                .ok_or_else(|| wrong("`response_format.json_schema.schema` is missing."))?;
            Ok(Some(schema::example(schema).to_string()))
        }
        Some(_) | None => Err(wrong(
            "`response_format.type` must be text, json_object or json_schema.",
        )),
    }
}

/// The tools that are called: those that the last message names, else the first; none once a tool's
/// result came back, so that agents come to their end.
fn tools(chat: &Chat) -> Result<Option<Vec<Tool>>, Refusal> {
    let Some(given) = chat.tools.as_deref().filter(|tools| !tools.is_empty()) else {
        return Ok(None);
    };
    if given.len() > TOOLS_MAX {
        let bound = format!("`tools` may have {TOOLS_MAX} at most.");
        return Err(refusal(bound, Some("tools")));
    }
    let name = |tool: &Value| Some(tool.pointer("/function/name")?.as_str()?.to_owned());
    let named = |tool: &Value| {
        name(tool).ok_or_else(|| refusal("A tool has no `function.name`.", Some("tools")))
    };
    let names = given.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    let forced = name(&chat.tool_choice);
    let last = chat.messages.last();
    let answered = last.is_some_and(|message| ["tool", "function"].contains(&&*message.role));
    let chosen: Vec<usize> = match (chat.tool_choice.as_str(), &forced) {
        (Some("none"), _) => return Ok(None),
        (_, Some(forced)) => {
            let found = names.iter().position(|name| name == forced);
            let missing = || refusal("`tool_choice` names no tool.", Some("tool_choice"));
            vec![found.ok_or_else(missing)?]
        }
        (Some("required"), None) => meant(&names, last),
        (_, None) if answered => return Ok(None),
        (_, None) => meant(&names, last),
    };
    let most = if chat.parallel_tool_calls == Some(false) {
        1
    } else {
        CALLS_MAX
    };
    let tool = |at: usize| Tool {
        name: names[at].as_str().into(),
        arguments: given[at]
            .pointer("/function/parameters")
            .map_or_else(
                || "{}".to_owned(),
                |schema| schema::example(schema).to_string(),
            )
            .into(),
    };
    Ok(Some(chosen.into_iter().take(most).map(tool).collect()))
}

fn meant(names: &[String], last: Option<&Message>) -> Vec<usize> {
    let text = last.map(|message| text_of(&message.content));
    let text = text.unwrap_or_default();
    let named = |at: &usize| text.contains(&names[*at]);
    let chosen: Vec<usize> = (0..names.len()).filter(named).take(CALLS_MAX).collect();
    if chosen.is_empty() { vec![0] } else { chosen }
}

impl Plan {
    fn usage(&self) -> Value {
        let (prompt, completion) = (self.prompt_tokens, self.saying.tokens() * self.choices);
        json!({
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}
        })
    }

    fn whole(&self) -> Value {
        let message = match self.saying.calls() {
            None => json!({"role": "assistant", "content": self.saying.all(), "refusal": null}),
            Some(tools) => {
                let call = |(at, tool): (usize, &Tool)| json!({"id": self.call_id(at), "type": "function", "function": {"name": tool.name, "arguments": tool.arguments}});
                let calls: Vec<Value> = tools.iter().enumerate().map(call).collect();
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": calls})
            }
        };
        let pieces = (0..self.saying.tokens()).filter_map(|at| self.saying.piece(at));
        let logprobs = self.logprobs.filter(|_| self.saying.calls().is_none());
        let logprobs = logprobs.map(|top| {
            let all: Vec<Value> = pieces.map(|piece| logprob(piece.text, top)).collect();
            json!({"content": all, "refusal": null})
        });
        let finish = self.saying.finish();
        let choice = |index| json!({"index": index, "message": message, "finish_reason": finish, "logprobs": logprobs});
        let mut answer = self.head.clone();
        answer["object"] = "chat.completion".into();
        answer["choices"] = (0..self.choices).map(choice).collect();
        answer["usage"] = self.usage();
        answer
    }

    fn call_id(&self, at: usize) -> String {
        let id = self.head["id"].as_str().unwrap_or_default();
        format!("call_{}_{at}", id.trim_start_matches("chatcmpl-"))
    }

    fn chunk(&self, choices: Value, usage: Option<Value>) -> Bytes {
        let mut head = self.head.clone();
        head["object"] = "chat.completion.chunk".into();
        event(head, choices, usage, self.show_usage)
    }

    fn choice(&self, index: u64, delta: Value, logprobs: Value, finish: Value) -> Bytes {
        let choice = json!([{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]);
        self.chunk(choice, None)
    }

    /// The events for one token of one choice.
    fn token(&self, index: u64, at: u64, events: &mut VecDeque<Bytes>) {
        let Some(piece) = self.saying.piece(at) else {
            return;
        };
        let Some(call) = piece.call else {
            let logprobs = self.logprobs.map_or(
                Value::Null,
                |top| json!({"content": [logprob(piece.text, top)], "refusal": null}),
            );
            let delta = json!({"content": piece.text});
            events.push_back(self.choice(index, delta, logprobs, Value::Null));
            return;
        };
        if piece.opens
            && let Some(tool) = self.saying.calls().and_then(|tools| tools.get(call))
        {
            let delta = json!({"tool_calls": [{"index": call, "id": self.call_id(call), "type": "function", "function": {"name": tool.name, "arguments": ""}}]});
            events.push_back(self.choice(index, delta, Value::Null, Value::Null));
        }
        let delta = json!({"tool_calls": [{"index": call, "function": {"arguments": piece.text}}]});
        events.push_back(self.choice(index, delta, Value::Null, Value::Null));
    }
}

/// The same probability for each token, and for the others that might have come instead.
fn logprob(token: &str, top: u64) -> Value {
    let of = |token: &str, logprob: f64| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    let others = (0..top).scan(0.0, |logprob, rank| {
        *logprob -= 0.5;
        Some(if rank == 0 {
            of(token, -0.5)
        } else {
            of("?", *logprob)
        })
    });
    let mut told = of(token, -0.5);
    told["top_logprobs"] = others.collect();
    told
}

impl Script for Plan {
    fn pace(&self) -> Pace {
        self.pace
    }

    fn step(&self, at: u64) -> Option<VecDeque<Bytes>> {
        let tokens = self.saying.tokens();
        let mut events = VecDeque::new();
        match at.checked_sub(1) {
            None => {
                let content = self.saying.calls().is_none().then_some("");
                let delta = json!({"role": "assistant", "content": content});
                for index in 0..self.choices {
                    events.push_back(self.choice(index, delta.clone(), Value::Null, Value::Null));
                }
            }
            Some(token) if token < tokens => {
                for index in 0..self.choices {
                    self.token(index, token, &mut events);
                }
            }
            Some(token) if token == tokens => {
                let finish = self.saying.finish();
                for index in 0..self.choices {
                    events.push_back(self.choice(index, json!({}), Value::Null, finish.into()));
                }
                events.push_back(self.chunk(json!([]), Some(self.usage())));
                events.push_back(Bytes::from_static(DONE));
            }
            Some(_) => return None,
        }
        Some(events)
    }
}

#[cfg(test)]
mod tests;
