//! Neutral requests in this dialect.

use serde::Serialize;

use super::write_items::{Item, Items};
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Effort, Format, Json, Part, Reasoning, SignatureFormat, Thought,
    ToolChoice, WriteTo, Written,
};
use crate::dialect::openai::strict;

/// OpenAI takes no smaller maximum here ("integer below minimum value. Expected a value >= 16").
const OUTPUT_MIN: u64 = 16;
/// OpenAI's bound of the name of a user (API reference, `safety_identifier`).
const USER_CHARS_MAX: usize = 128;
const ENCRYPTED: &str = "reasoning.encrypted_content";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Thinks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<&'static str>,
    /// Nothing of it is to be kept there.
    store: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// Must be there, and null where it takes none.
    parameters: Option<&'a Json>,
    /// True where it is not said, unlike elsewhere: schemas that don't hold for that are refused then.
    strict: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'a str,
    },
}

#[derive(Serialize)]
struct Text<'a> {
    format: Shape<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Shape<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

#[derive(Serialize)]
struct Thinks {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

/// Writes a request.
pub(super) fn request(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    if request.answers > 1 {
        let message =
            "More than one answer can't be asked for: the provider of this model gives one.";
        return Err(BadBody::of("n", message));
    }
    request.has_what_it_forces()?;
    let mut items = Items::default();
    let instructions = match (&request.instructions[..], &request.turns[..]) {
        ([Part::Text { text, .. }], [_, ..]) => Some(text.as_str()),
        (parts, _) => {
            items.instruct(parts)?;
            None
        }
    };
    for turn in &request.turns {
        items.turn(turn)?;
    }
    let input = items.finish();
    if input.is_empty() {
        return Err(BadBody::whole("The request holds nothing to be answered."));
    }
    let user = request.end_user.as_deref();
    let body = Body {
        model: to.model,
        instructions,
        input,
        tools: tools(request),
        tool_choice: choice(request),
        parallel_tool_calls: request.parallel_tool_calls,
        max_output_tokens: request.output_max.map(|max| max.max(OUTPUT_MIN)),
        temperature: request.sampling.temperature,
        top_p: request.sampling.top_p,
        text: request.format.as_ref().map(format),
        reasoning: request.reasoning.as_ref().map(thinks),
        safety_identifier: user.filter(|user| fits(user)),
        service_tier: request.tier.as_deref().map(tier),
        prompt_cache_key: request.cache_key.as_deref(),
        include: if brings_thoughts(request) {
            vec![ENCRYPTED]
        } else {
            Vec::new()
        },
        store: false,
        stream: request.stream,
    };
    let json = serde_json::to_vec(&body)
        .map_err(|error| BadBody::whole(format!("The request can't be written: {error}.")))?;
    Ok(Written {
        body: json.into(),
        dropped: dropped(request),
    })
}

fn fits(user: &str) -> bool {
    user.chars().count() <= USER_CHARS_MAX
}

fn tools(request: &ChatRequest) -> Vec<Tool<'_>> {
    let tools = request.tools.iter().map(|tool| Tool {
        kind: "function",
        name: &tool.name,
        description: tool.description.as_deref(),
        parameters: tool.parameters.as_ref(),
        strict: strict::said(tool.strict, tool.parameters.as_ref()).unwrap_or(false),
    });
    tools.collect()
}

fn choice(request: &ChatRequest) -> Option<Choice<'_>> {
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => Choice::Word("auto"),
        ToolChoice::None => Choice::Word("none"),
        ToolChoice::Required => Choice::Word("required"),
        ToolChoice::Function(name) => Choice::Function {
            kind: "function",
            name,
        },
    })
}

fn format(format: &Format) -> Text<'_> {
    let format = match format {
        Format::Text => Shape::Text,
        Format::JsonObject => Shape::JsonObject,
        Format::JsonSchema {
            name,
            description,
            schema,
            strict,
        } => Shape::JsonSchema {
            name,
            description: description.as_deref(),
            schema,
            strict: strict::said(*strict, Some(schema)),
        },
    };
    Text { format }
}

fn thinks(reasoning: &Reasoning) -> Thinks {
    let effort = reasoning.effort.or(reasoning.budget.map(Effort::of_budget));
    Thinks {
        effort: effort.map(Effort::word),
        summary: (reasoning.shows == Some(true)).then_some("auto"),
    }
}

/// The words of others for the usual tier.
pub(super) fn tier(word: &str) -> &str {
    match word {
        "standard" | "standard_only" => "default",
        other => other,
    }
}

/// Whether the answer is to bring its thoughts in the form that can be given back; models that don't think
/// refuse to be asked for it.
fn brings_thoughts(request: &ChatRequest) -> bool {
    let thinks = request.reasoning.as_ref().is_some_and(|reasoning| {
        reasoning.effort.is_some_and(|effort| effort > Effort::None)
            || reasoning.budget.is_some_and(|budget| budget > 0)
            || reasoning.shows == Some(true)
    });
    let mut parts = request.turns.iter().flat_map(|turn| &turn.parts);
    thinks
        || parts.any(|part| {
            let Part::Thought(Thought {
                signature: Some(signature),
                ..
            }) = part
            else {
                return false;
            };
            signature.format == SignatureFormat::OpenAi
        })
}

/// What the dialect has no words for.
fn dropped(request: &ChatRequest) -> Vec<String> {
    let sampling = &request.sampling;
    // Nothing is what there is without the field.
    let is_other = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    let has_user_beyond = request.end_user.as_deref().is_some_and(|user| !fits(user));
    let rows = [
        ("stop", !request.stop.is_empty()),
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("frequency_penalty", is_other(sampling.frequency_penalty)),
        ("presence_penalty", is_other(sampling.presence_penalty)),
        ("user", has_user_beyond),
        ("cache_control", has_marks(request)),
        ("strict", strict::is_weakened(request)),
    ];
    let unsaid = request.unsaid.iter().cloned();
    let named = rows.iter().filter(|(_, is_there)| *is_there);
    unsaid
        .chain(named.map(|(name, _)| (*name).to_owned()))
        .collect()
}

/// Whether something is marked for the cache; OpenAI finds beginnings that are alike by itself, and takes
/// marks only for its models of 2026 and later.
fn has_marks(request: &ChatRequest) -> bool {
    let turns = request.turns.iter().flat_map(|turn| &turn.parts);
    let mut parts = request.instructions.iter().chain(turns);
    let mut tools = request.tools.iter();
    tools.any(|tool| tool.cache.is_some()) || parts.any(|part| mark(part).is_some())
}

fn mark(part: &Part) -> Option<CacheMark> {
    match part {
        Part::Text { cache, .. } => *cache,
        Part::Media(media) => media.cache,
        Part::ToolCall(call) => call.cache,
        Part::ToolResult(result) => result.cache,
        Part::Refusal(_) | Part::Thought(_) => None,
    }
}
