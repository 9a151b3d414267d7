//! A tenant's request as the neutral form: every field that has words there, and the names of the others.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::blocks::CacheRead;
use super::read_parts::{MessagePlace, MessagesRead};
use crate::dialect::anthropic_messages::read::no_sampling;
use crate::dialect::anthropic_messages::version::Version;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Effort, Format, Json, Part, Reasoning, Tool, ToolChoice, unsaid,
};
use crate::dialect::{BadBody, Head};
use crate::json;

pub(super) const MESSAGES: &str = "messages";
/// What a schema is called that has no name here.
const SCHEMA_NAME: &str = "answer";

/// Reads a value of a field.
pub(super) fn parsed<'a, T: Deserialize<'a>>(
    param: &'static str,
    raw: &'a RawValue,
) -> Result<T, BadBody> {
    serde_json::from_str(raw.get())
        .map_err(|error| BadBody::of(param, format!("`{param}` can't be read: {error}.")))
}

/// Reads a request.
pub(super) fn read(head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
    let mut reading = Reading::default();
    reading.messages.version = Version::of(head)?;
    let mut wrong = None;
    json::each_field(body, |name, value| {
        if value.get() != "null"
            && let Err(error) = reading.field(name, value)
        {
            wrong.get_or_insert(error);
        }
        Ok(())
    })
    .map_err(|error| BadBody::whole(error.to_string()))?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let mut request = reading.request()?;
    if let Some(stream) = head.stream {
        request.stream = stream;
    }
    Ok(request)
}

/// What was read so far. Fields come in any order.
#[derive(Debug, Default)]
struct Reading {
    request: ChatRequest,
    messages: MessagesRead,
    thinking: Option<Thinking>,
    effort: Option<String>,
    /// Whether a cache ends behind the last part.
    cache: Option<CacheMark>,
}

#[derive(Debug, Deserialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: String,
    budget_tokens: Option<u64>,
    display: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OutputConfig<'a> {
    effort: Option<String>,
    #[serde(borrow)]
    format: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct FormatRead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ToolRead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    name: Option<String>,
    description: Option<String>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
    strict: Option<bool>,
    #[serde(borrow)]
    cache_control: Option<CacheRead<'a>>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    name: Option<String>,
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

impl Reading {
    fn field(&mut self, name: &str, raw: &RawValue) -> Result<(), BadBody> {
        let request = &mut self.request;
        match name {
            "model" => {}
            MESSAGES => self.messages.read(raw)?,
            "system" => {
                // Before those that stand between messages.
                let parts = self.messages.parts("system", raw, MessagePlace::System)?;
                self.messages.instructions.splice(0..0, parts);
            }
            "max_tokens" => request.output_max = Some(parsed("max_tokens", raw)?),
            "stream" => request.stream = parsed("stream", raw)?,
            "temperature" | "top_p" | "top_k" => self.sampling(name, raw)?,
            "stop_sequences" => request.stop = parsed("stop_sequences", raw)?,
            "service_tier" => request.tier = Some(parsed("service_tier", raw)?),
            "metadata" => request.end_user = parsed::<Metadata>("metadata", raw)?.user_id,
            "tools" => self.tools(raw)?,
            "tool_choice" => self.tool_choice(raw)?,
            "thinking" => self.thinking = Some(parsed("thinking", raw)?),
            "output_config" => {
                let config: OutputConfig<'_> = parsed("output_config", raw)?;
                self.effort = config.effort;
                if let Some(format) = config.format {
                    self.format("output_config", format)?;
                }
            }
            "output_format" => self.format("output_format", raw)?,
            "cache_control" => {
                self.cache = Some(parsed::<CacheRead<'_>>("cache_control", raw)?.mark());
            }
            other => self.unsaid(other),
        }
        Ok(())
    }

    fn unsaid(&mut self, name: &str) {
        unsaid::note(&mut self.request.unsaid, name);
    }

    fn sampling(&mut self, name: &str, raw: &RawValue) -> Result<(), BadBody> {
        let sampling = &mut self.request.sampling;
        let param = match name {
            "temperature" => {
                sampling.temperature = Some(parsed("temperature", raw)?);
                "temperature"
            }
            "top_p" => {
                sampling.top_p = Some(parsed("top_p", raw)?);
                "top_p"
            }
            _ => {
                sampling.top_k = Some(parsed("top_k", raw)?);
                "top_k"
            }
        };
        if self.messages.version.has_sampling() {
            Ok(())
        } else {
            Err(no_sampling(param))
        }
    }

    fn format(&mut self, param: &'static str, raw: &RawValue) -> Result<(), BadBody> {
        let format: FormatRead<'_> = parsed(param, raw)?;
        let schema = format.schema.and_then(|raw| Json::of(raw.get()));
        let (true, Some(schema)) = (format.kind == "json_schema", schema) else {
            let message =
                format!("the format in `{param}` must be a `json_schema` with a `schema`.");
            return Err(BadBody::of(param, message));
        };
        self.request.format = Some(Format::JsonSchema {
            name: SCHEMA_NAME.to_owned(),
            description: None,
            schema,
            strict: Some(true),
        });
        Ok(())
    }

    fn tools(&mut self, raw: &RawValue) -> Result<(), BadBody> {
        let tools: Vec<ToolRead<'_>> = parsed("tools", raw)?;
        for tool in tools {
            let kind = tool.kind.as_deref().unwrap_or("custom");
            if kind.starts_with("tool_search_tool_") {
                // All tools are told at once to others.
                self.unsaid("tool_search");
                continue;
            }
            if kind != "custom" {
                let message = format!(
                    "The tool `{kind}` is known to Anthropic's models only; for this one describe it by an \
                     `input_schema`."
                );
                return Err(BadBody::of("tools", message));
            }
            let name = tool
                .name
                .ok_or_else(|| BadBody::of("tools", "A tool has no `name`."))?;
            self.request.tools.push(Tool {
                name,
                description: tool.description,
                parameters: tool.input_schema.and_then(|raw| Json::of(raw.get())),
                strict: tool.strict,
                cache: tool.cache_control.as_ref().map(CacheRead::mark),
            });
        }
        Ok(())
    }

    fn tool_choice(&mut self, raw: &RawValue) -> Result<(), BadBody> {
        let wrong = |message: &str| BadBody::of("tool_choice", message);
        let choice: Choice<'_> = parsed("tool_choice", raw)?;
        self.request.tool_choice = Some(match (choice.kind.as_ref(), choice.name) {
            ("auto", _) => ToolChoice::Auto,
            ("none", _) => ToolChoice::None,
            ("any", _) => ToolChoice::Required,
            ("tool", Some(name)) => ToolChoice::Function(name),
            ("tool", None) => return Err(wrong("`tool_choice` has no `name`.")),
            (..) => return Err(wrong("`tool_choice` is of a type that is not known.")),
        });
        self.request.parallel_tool_calls = choice.disable_parallel_tool_use.map(|is_off| !is_off);
        Ok(())
    }

    /// The request, with what several fields say together.
    fn request(mut self) -> Result<ChatRequest, BadBody> {
        self.request.reasoning = self.reasoning()?;
        self.request.instructions = std::mem::take(&mut self.messages.instructions);
        self.request.turns = std::mem::take(&mut self.messages.turns);
        for name in std::mem::take(&mut self.messages.unsaid) {
            self.unsaid(name);
        }
        if let Some(mark) = self.cache {
            let last = self.request.turns.iter_mut().rev();
            let mut parts = last.flat_map(|turn| turn.parts.iter_mut().rev());
            let marked = parts.find_map(|part| match part {
                Part::Text { cache, .. } => Some(cache),
                Part::Media(media) => Some(&mut media.cache),
                Part::ToolCall(call) => Some(&mut call.cache),
                Part::ToolResult(result) => Some(&mut result.cache),
                Part::Refusal(_) | Part::Thought(_) => None,
            });
            if let Some(cache) = marked {
                cache.get_or_insert(mark);
            }
        }
        Ok(self.request)
    }

    fn reasoning(&mut self) -> Result<Option<Reasoning>, BadBody> {
        let effort = match self.effort.take() {
            Some(word) => Some(Effort::from_word(&word).ok_or_else(|| {
                let message = format!("the effort `{word}` in `output_config` is not known.");
                BadBody::of("output_config", message)
            })?),
            None => None,
        };
        let Some(thinking) = self.thinking.take() else {
            return Ok(effort.map(|effort| Reasoning {
                effort: Some(effort),
                ..Reasoning::default()
            }));
        };
        let shows = thinking.display.map(|word| word != "omitted");
        let (effort, budget) = match thinking.kind.as_str() {
            "disabled" => (Some(Effort::None), None),
            "enabled" => (effort, thinking.budget_tokens),
            // As much as the model sees fit.
            _ => (effort, None),
        };
        Ok(Some(Reasoning {
            effort,
            budget,
            shows,
        }))
    }
}
