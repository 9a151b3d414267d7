//! Reads a request for a chat into the neutral form. Facts: OpenAI API reference, chat completions, as of
//! 2026-11; of others what their clients send: OpenRouter's `reasoning`, Anthropic's `thinking`, Alibaba's
//! `enable_thinking`.

mod fields;
mod messages;
mod tools;
mod write;
mod write_messages;

pub(super) use self::messages::{arguments_of, spoken_thought};
pub(super) use self::write::write;

use super::raw::Raw;
use crate::dialect::neutral::ChatRequest;
use crate::dialect::{BadBody, Head};
use crate::json;

/// Fields that are read, or that pass only where they ask for what is so anyhow.
const KNOWN: [&str; 37] = [
    "best_of",
    "candidate_count",
    "deferred",
    "enable_thinking",
    "frequency_penalty",
    "function_call",
    "functions",
    "include_reasoning",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "num_return_sequences",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "search_parameters",
    "seed",
    "service_tier",
    "speed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "thinking",
    "thinking_budget",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "usage",
    "user",
];

/// The fields of a body.
#[derive(Debug)]
struct Given<'a>(Vec<(String, Raw<'a>)>);

impl<'a> Given<'a> {
    fn read(body: &'a [u8]) -> Result<Self, BadBody> {
        let mut given = Vec::with_capacity(16);
        json::each_field(body, |name, value| {
            given.push((name.to_owned(), Raw::new(value.get().as_bytes())));
            Ok(())
        })
        .map_err(|error| BadBody::whole(error.to_string()))?;
        Ok(Self(given))
    }

    /// A field that is there and not null.
    fn get(&self, name: &str) -> Option<Raw<'a>> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| *value).filter(|raw| !raw.is_null())
    }
}

/// Reads a request.
pub(super) fn read(head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
    let given = Given::read(body)?;
    let messages = given
        .get("messages")
        .ok_or_else(|| BadBody::of("messages", "`messages` is missing."))?;
    let conversation = messages::read(messages)?;
    let (tools, tool_choice) = tools::read(&given)?;
    let mut request = ChatRequest {
        instructions: conversation.instructions,
        turns: conversation.turns,
        tools,
        tool_choice,
        parallel_tool_calls: given.flag("parallel_tool_calls")?,
        output_max: given.output_max()?,
        sampling: given.sampling()?,
        stop: given.stop()?,
        answers: given.number("n")?.unwrap_or(0),
        format: given.format()?,
        reasoning: given.reasoning()?,
        end_user: given.words(["safety_identifier", "user"]),
        tier: given.words(["service_tier"]),
        cache_key: given.words(["prompt_cache_key"]),
        stream: match head.stream {
            Some(stream) => stream,
            None => given.flag("stream")?.unwrap_or(false),
        },
        unsaid: given.unsaid(),
    };
    if conversation.has_names {
        request.unsaid.push("messages.name".to_owned());
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
