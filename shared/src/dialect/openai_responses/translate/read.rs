//! Requests of this dialect as neutral ones.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::read_items;
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    ChatRequest, Effort, Format, Json, Part, Reasoning, Tool, ToolChoice, unsaid,
};
use crate::dialect::openai_responses::tools;
use crate::json;

/// What may stand in `include` and asks for nothing that is not given anyway: thoughts always bring their
/// proof along.
const GIVEN: &str = "reasoning.encrypted_content";

/// Reads a request.
pub(super) fn request(body: &[u8]) -> Result<ChatRequest, BadBody> {
    let mut reading = Reading::default();
    let mut wrong = None;
    json::each_field(body, |name, value| {
        let says = !matches!(value.get(), "null" | "false" | "[]" | "{}" | "\"\"");
        let may_be_nothing = matches!(name, "parallel_tool_calls" | "input");
        if wrong.is_none() && (says || may_be_nothing) {
            wrong = reading.field(name, value).err();
        }
        Ok(())
    })
    .map_err(|error| BadBody::whole(error.to_string()))?;
    match wrong {
        Some(wrong) => Err(wrong),
        None => reading.request(),
    }
}

/// A request in the making.
#[derive(Debug, Default)]
struct Reading<'a> {
    request: ChatRequest,
    input: Option<&'a RawValue>,
    choice: Option<&'a RawValue>,
    instructions: Option<String>,
    /// The tenant's user by the older of two names.
    user: Option<String>,
    /// Tools that run at the tenant and are no functions.
    others: Vec<String>,
}

fn one<'a, T: Deserialize<'a>>(
    name: &'static str,
    what: &str,
    value: &'a RawValue,
) -> Result<Option<T>, BadBody> {
    serde_json::from_str(value.get())
        .map_err(|_| BadBody::of(name, format!("`{name}` must be {what}.")))
}

fn text(name: &'static str, value: &RawValue) -> Result<Option<String>, BadBody> {
    one(name, "a text", value)
}

impl<'a> Reading<'a> {
    fn field(&mut self, name: &str, value: &'a RawValue) -> Result<(), BadBody> {
        let request = &mut self.request;
        match name {
            // Who answers is decided elsewhere, and streams can be told to leave out what ours never have.
            "model" | "stream_options" => {}
            "input" => self.input = Some(value),
            "instructions" => self.instructions = text("instructions", value)?,
            "tools" => self.tools(value)?,
            "tool_choice" => self.choice = Some(value),
            "parallel_tool_calls" => {
                request.parallel_tool_calls = one("parallel_tool_calls", "true or false", value)?;
            }
            "max_output_tokens" => {
                request.output_max = one("max_output_tokens", "a whole number", value)?;
            }
            "temperature" => request.sampling.temperature = one("temperature", "a number", value)?,
            "top_p" => request.sampling.top_p = one("top_p", "a number", value)?,
            "text" => self.text(value)?,
            "reasoning" => self.reasoning(value)?,
            "safety_identifier" => request.end_user = text("safety_identifier", value)?,
            "user" => self.user = text("user", value)?,
            "service_tier" => request.tier = text("service_tier", value)?,
            "prompt_cache_key" => request.cache_key = text("prompt_cache_key", value)?,
            "stream" => {
                let stream: Option<bool> = one("stream", "true or false", value)?;
                request.stream = stream.unwrap_or(false);
            }
            "include" => self.include(value)?,
            "truncation" if value.get() == "\"disabled\"" => {}
            "previous_response_id" | "conversation" | "prompt" | "background" => {
                return Err(elsewhere(name));
            }
            other => unsaid::note(&mut request.unsaid, other),
        }
        Ok(())
    }

    fn include(&mut self, value: &'a RawValue) -> Result<(), BadBody> {
        let asked: Option<Vec<Cow<'_, str>>> = one("include", "an array of texts", value)?;
        for word in asked.unwrap_or_default() {
            if word != GIVEN {
                unsaid::note(&mut self.request.unsaid, &format!("include.{word}"));
            }
        }
        Ok(())
    }

    fn tools(&mut self, value: &'a RawValue) -> Result<(), BadBody> {
        #[derive(Deserialize)]
        struct Given {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            name: Option<String>,
            #[serde(default)]
            description: Option<String>,
            #[serde(default)]
            parameters: Option<Json>,
            #[serde(default)]
            strict: Option<bool>,
        }
        tools::allowed(value.get().as_bytes())?;
        let given: Option<Vec<Given>> = one("tools", "an array of tools", value)?;
        for tool in given.unwrap_or_default() {
            if tool.kind != "function" {
                unsaid::note(&mut self.others, &format!("tools.{}", tool.kind));
                continue;
            }
            let name = tool.name.filter(|name| !name.is_empty()).ok_or_else(|| {
                BadBody::of("tools", "`tools` holds a function without a `name`.")
            })?;
            self.request.tools.push(Tool {
                name,
                description: tool.description,
                parameters: tool.parameters.filter(|schema| schema.get() != "null"),
                strict: tool.strict,
                cache: None,
            });
        }
        Ok(())
    }

    fn text(&mut self, value: &'a RawValue) -> Result<(), BadBody> {
        #[derive(Deserialize)]
        struct Text {
            #[serde(default)]
            format: Option<Given>,
            #[serde(default)]
            verbosity: Option<String>,
        }
        #[derive(Deserialize)]
        struct Given {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            name: Option<String>,
            #[serde(default)]
            description: Option<String>,
            #[serde(default)]
            schema: Option<Json>,
            #[serde(default)]
            strict: Option<bool>,
        }
        let text: Option<Text> = one("text", "an object with `format` and `verbosity`", value)?;
        let Some(text) = text else {
            return Ok(());
        };
        if text
            .verbosity
            .is_some_and(|verbosity| verbosity != "medium")
        {
            unsaid::note(&mut self.request.unsaid, "verbosity");
        }
        let Some(format) = text.format else {
            return Ok(());
        };
        self.request.format = Some(match (format.kind.as_str(), format.schema) {
            ("text", _) => Format::Text,
            ("json_object", _) => Format::JsonObject,
            ("json_schema", Some(schema)) => Format::JsonSchema {
                name: format.name.unwrap_or_else(|| "answer".to_owned()),
                description: format.description,
                schema,
                strict: format.strict,
            },
            _ => {
                let message =
                    "`text.format` must be `text`, `json_object` or `json_schema` with a `schema`.";
                return Err(BadBody::of("text", message));
            }
        });
        Ok(())
    }

    fn reasoning(&mut self, value: &'a RawValue) -> Result<(), BadBody> {
        #[derive(Deserialize)]
        struct Given {
            #[serde(default)]
            effort: Option<String>,
            #[serde(default)]
            summary: Option<String>,
            #[serde(default)]
            generate_summary: Option<String>,
            #[serde(default)]
            mode: Option<String>,
            #[serde(default)]
            context: Option<String>,
        }
        let given: Option<Given> = one("reasoning", "an object of words", value)?;
        let Some(given) = given else {
            return Ok(());
        };
        let effort = match given.effort.as_deref() {
            None => None,
            Some(word) => {
                let effort = Effort::from_word(word);
                if effort.is_none() {
                    unsaid::note(&mut self.request.unsaid, "reasoning.effort");
                }
                effort
            }
        };
        for (field, word, usual) in [
            ("reasoning.mode", given.mode, "standard"),
            ("reasoning.context", given.context, "auto"),
        ] {
            if word.is_some_and(|word| word != usual) {
                unsaid::note(&mut self.request.unsaid, field);
            }
        }
        let shows = given.summary.or(given.generate_summary).map(|_| true);
        if effort.is_some() || shows.is_some() {
            self.request.reasoning = Some(Reasoning {
                effort,
                budget: None,
                shows,
            });
        }
        Ok(())
    }

    fn request(mut self) -> Result<ChatRequest, BadBody> {
        if let Some(text) = self.instructions.take() {
            self.request.instructions.push(Part::text(text));
        }
        self.choose()?;
        self.request.end_user = self.request.end_user.take().or(self.user);
        for name in std::mem::take(&mut self.others) {
            unsaid::note(&mut self.request.unsaid, &name);
        }
        let Some(input) = self.input else {
            let message = "`input` must be a text or an array with at least one item.";
            return Err(BadBody::of("input", message));
        };
        read_items::input(input, &mut self.request)?;
        Ok(self.request)
    }

    /// Which tools must be called, of those that are functions.
    fn choose(&mut self) -> Result<(), BadBody> {
        let Some(value) = self.choice else {
            return Ok(());
        };
        let words = "`auto`, `none`, `required`, a function or allowed functions";
        let choice = match value.get() {
            "\"auto\"" => ToolChoice::Auto,
            "\"none\"" => ToolChoice::None,
            "\"required\"" => ToolChoice::Required,
            _ => {
                let given: Option<Given> = one("tool_choice", words, value)?;
                match given {
                    Some(given) => self.chosen(given)?,
                    None => return Ok(()),
                }
            }
        };
        let must_call = matches!(choice, ToolChoice::Required);
        if must_call && self.request.tools.is_empty() {
            return Err(no_function());
        }
        self.request.tool_choice = Some(choice);
        Ok(())
    }

    fn chosen(&mut self, given: Given) -> Result<ToolChoice, BadBody> {
        match (given.kind.as_str(), given.name, given.tools) {
            ("function", Some(name), _) => Ok(ToolChoice::Function(name)),
            ("allowed_tools", _, Some(allowed)) => {
                let functions = allowed.into_iter().filter(|one| one.kind == "function");
                let names: HashSet<String> = functions.filter_map(|one| one.name).collect();
                self.request.tools.retain(|tool| names.contains(&tool.name));
                Ok(match given.mode.as_deref() {
                    Some("required") => ToolChoice::Required,
                    _ => ToolChoice::Auto,
                })
            }
            _ => Err(no_function()),
        }
    }
}

/// A choice of tools.
#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    tools: Option<Vec<Named>>,
}

/// A tool that is allowed.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
}

fn no_function() -> BadBody {
    let message = "`tool_choice` wants a tool to be called that is no function; the provider of this model \
                   knows functions alone.";
    BadBody::of("tool_choice", message)
}

fn elsewhere(name: &str) -> BadBody {
    let (param, why) = match name {
        "background" => ("background", "answers are given at once or as a stream."),
        "conversation" => ("conversation", "what it refers to is not here."),
        "prompt" => ("prompt", "what it refers to is not here."),
        _ => ("previous_response_id", "what it refers to is not here."),
    };
    BadBody::of(param, format!("`{param}` is not taken: {why}"))
}
