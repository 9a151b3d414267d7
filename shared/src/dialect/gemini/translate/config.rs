//! `generationConfig`, in and out: how words are chosen, how long an answer may be, its form, and how much is
//! thought before.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::schema;
use crate::dialect::BadBody;
use crate::dialect::fields::is_nothing;
use crate::dialect::neutral::{ChatRequest, Effort, Format, Json, Reasoning, unsaid as names};
use crate::json;

const CONFIG: &str = "generationConfig";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
/// What a schema is called that has no name.
const SCHEMA_NAME: &str = "answer";

/// Models that take `MINIMAL`; others take `LOW` for the least (Gemini API, "Thinking", 2026-03 and later).
const MINIMAL: [&str; 3] = ["gemini-3-flash", "gemini-3.1-flash", "gemini-3.5-flash"];
/// The most that models of the 2.5 series think, and the least of those that can't leave it (the same).
const BUDGET_MAX: u64 = 24_576;
const BUDGET_MAX_PRO: u64 = 32_768;
const BUDGET_MIN_PRO: u64 = 128;

fn wrong(message: impl Into<String>) -> BadBody {
    BadBody::of(CONFIG, message)
}

/// A value that is there and not null.
fn value<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<Option<T>, BadBody> {
    serde_json::from_str(raw.get())
        .map_err(|_| wrong(format!("`{CONFIG}.{name}` has a wrong type.")))
}

/// A whole number, which some write as `40.0`.
fn whole(name: &str, raw: &RawValue) -> Result<Option<u64>, BadBody> {
    let digits = raw.get().strip_suffix(".0").unwrap_or(raw.get());
    if digits == "null" {
        return Ok(None);
    }
    let number = digits.parse();
    number
        .map(Some)
        .map_err(|_| wrong(format!("`{CONFIG}.{name}` must be a whole number.")))
}

/// The form of the answer, in its parts.
#[derive(Debug, Default)]
struct Form {
    mime: Option<String>,
    schema: Option<Json>,
}

/// Reads the object into `request`.
pub(super) fn read(raw: &RawValue, request: &mut ChatRequest) -> Result<(), BadBody> {
    if raw.get() == "null" {
        return Ok(());
    }
    let mut form = Form::default();
    let mut bad = None;
    let read = json::each_field(raw.get().as_bytes(), |name, value| {
        if bad.is_none() {
            bad = field(name, value, request, &mut form).err();
        }
        Ok(())
    });
    read.map_err(|error| wrong(error.to_string()))?;
    bad.map_or(Ok(()), Err)?;
    request.format = match (form.mime.as_deref(), form.schema) {
        (None | Some("" | JSON), Some(schema)) => Some(Format::JsonSchema {
            name: SCHEMA_NAME.to_owned(),
            description: None,
            schema,
            strict: None,
        }),
        (None | Some(""), None) => None,
        (Some(JSON), None) => Some(Format::JsonObject),
        (Some(TEXT), None) => Some(Format::Text),
        (Some(mime), _) => {
            let message = format!(
                "This model's provider can't answer as `{mime}`; ask for `{JSON}` or `{TEXT}`."
            );
            return Err(wrong(message));
        }
    };
    Ok(())
}

fn field(
    name: &str,
    raw: &RawValue,
    request: &mut ChatRequest,
    form: &mut Form,
) -> Result<(), BadBody> {
    let sampling = &mut request.sampling;
    match name {
        "temperature" => sampling.temperature = value(name, raw)?,
        "topP" | "top_p" => sampling.top_p = value(name, raw)?,
        "topK" | "top_k" => sampling.top_k = whole(name, raw)?,
        "seed" => sampling.seed = value(name, raw)?,
        "presencePenalty" | "presence_penalty" => sampling.presence_penalty = value(name, raw)?,
        "frequencyPenalty" | "frequency_penalty" => sampling.frequency_penalty = value(name, raw)?,
        "candidateCount" | "candidate_count" => request.answers = whole(name, raw)?.unwrap_or(0),
        "maxOutputTokens" | "max_output_tokens" => request.output_max = whole(name, raw)?,
        "stopSequences" | "stop_sequences" => request.stop = value(name, raw)?.unwrap_or_default(),
        "responseMimeType" | "response_mime_type" => form.mime = value(name, raw)?,
        "responseSchema" | "response_schema" if raw.get() != "null" => {
            form.schema = schema::json_schema(raw.get());
        }
        "responseJsonSchema" | "response_json_schema" | "_responseJsonSchema"
            if raw.get() != "null" =>
        {
            form.schema = Json::of(raw.get());
        }
        "responseFormat" | "response_format" if !is_nothing(raw.get().as_bytes()) => {
            let message = "This model's provider can't read `responseFormat`; use `responseMimeType` and \
                           `responseJsonSchema`.";
            return Err(wrong(message));
        }
        "thinkingConfig" | "thinking_config" => request.reasoning = reasoning(raw)?,
        "responseModalities" | "response_modalities" => return modalities(raw, request),
        "responseLogprobs" | "response_logprobs" | "logprobs" => unsaid("logprobs", raw, request),
        _ => unsaid(name, raw, request),
    }
    Ok(())
}

/// Notes a field that has no words in the neutral form.
pub(super) fn unsaid(name: &str, raw: &RawValue, request: &mut ChatRequest) {
    if !is_nothing(raw.get().as_bytes()) {
        names::note(&mut request.unsaid, name);
    }
}

fn modalities(raw: &RawValue, request: &mut ChatRequest) -> Result<(), BadBody> {
    let words: Vec<String> = value("responseModalities", raw)?.unwrap_or_default();
    let has = |word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if has("IMAGE") && !has("TEXT") {
        return Err(wrong(
            "This model's provider can't be asked for pictures alone.",
        ));
    }
    if has("IMAGE") {
        unsaid("modalities", raw, request);
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingRead {
    #[serde(default, alias = "thinking_budget")]
    thinking_budget: Option<i64>,
    #[serde(default, alias = "thinking_level")]
    thinking_level: Option<String>,
    #[serde(default, alias = "include_thoughts")]
    include_thoughts: Option<bool>,
}

fn reasoning(raw: &RawValue) -> Result<Option<Reasoning>, BadBody> {
    let Some(read) = value::<ThinkingRead>("thinkingConfig", raw)? else {
        return Ok(None);
    };
    let level = read.thinking_level.map(|level| level.to_ascii_uppercase());
    let of_level = match level.as_deref() {
        Some("MINIMAL") => Some(Effort::Minimal),
        Some("LOW") => Some(Effort::Low),
        Some("MEDIUM") => Some(Effort::Medium),
        Some("HIGH") => Some(Effort::High),
        Some("XHIGH") => Some(Effort::Max),
        _ => None,
    };
    // Below nothing the model decides.
    let budget = read
        .thinking_budget
        .and_then(|budget| u64::try_from(budget).ok());
    let is_off = budget == Some(0);
    let reasoning = Reasoning {
        effort: of_level.or(is_off.then_some(Effort::None)),
        budget: budget.filter(|budget| *budget > 0),
        shows: read.include_thoughts,
    };
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

/// Whether a model is of the series before 3, which counts thoughts in tokens, or of another maker's name.
fn thinks_by_budget(model: &str) -> bool {
    let Some(rest) = name_of(model).strip_prefix("gemini-") else {
        return true;
    };
    ["1.", "2.", "1-", "2-"]
        .iter()
        .any(|old| rest.starts_with(old))
}

/// Whether a model wants its signatures back on calls.
pub(super) fn wants_signatures(model: &str) -> bool {
    !thinks_by_budget(model)
}

fn name_of(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

#[derive(Debug, Serialize)]
struct Thinking {
    #[serde(rename = "thinkingBudget", skip_serializing_if = "Option::is_none")]
    budget: Option<u64>,
    #[serde(rename = "thinkingLevel", skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(rename = "includeThoughts", skip_serializing_if = "Option::is_none")]
    shows: Option<bool>,
}

fn thinking(reasoning: &Reasoning, model: &str) -> Thinking {
    let mut thinking = Thinking {
        budget: None,
        level: None,
        shows: reasoning.shows,
    };
    let name = name_of(model);
    if thinks_by_budget(model) {
        let is_pro = name.contains("pro");
        let (least, most) = if is_pro {
            (BUDGET_MIN_PRO, BUDGET_MAX_PRO)
        } else {
            (0, BUDGET_MAX)
        };
        let in_words = reasoning.effort.map(Effort::budget);
        let is_off = reasoning.effort == Some(Effort::None);
        let budget = reasoning.budget.filter(|_| !is_off).or(in_words);
        thinking.budget = budget.map(|budget| budget.clamp(least, most));
        return thinking;
    }
    // Both at once are refused.
    let effort = reasoning.effort.or(reasoning.budget.map(Effort::of_budget));
    let takes_minimal = MINIMAL.iter().any(|known| name.starts_with(known));
    thinking.level = effort.map(|effort| match effort {
        Effort::None | Effort::Minimal if takes_minimal => "MINIMAL",
        Effort::None | Effort::Minimal | Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High | Effort::Max => "HIGH",
    });
    thinking
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_sequences: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a Json>,
    #[serde(rename = "thinkingConfig", skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
}

/// The object as JSON; `{}` where nothing is said. Notes in `dropped` what can't be.
pub(super) fn written(request: &ChatRequest, model: &str, dropped: &mut Vec<String>) -> String {
    let sampling = &request.sampling;
    // Google's seeds have 32 bits.
    let seed = sampling.seed.and_then(|seed| i32::try_from(seed).ok());
    if seed.is_none() && sampling.seed.is_some() {
        dropped.push("seed".to_owned());
    }
    let (mime, schema) = match &request.format {
        None => (None, None),
        Some(Format::Text) => (Some(TEXT), None),
        Some(Format::JsonObject) => (Some(JSON), None),
        Some(Format::JsonSchema { schema, .. }) => (Some(JSON), Some(schema)),
    };
    let thinking = request.reasoning.as_ref().map(|reasoning| {
        let thinking = thinking(reasoning, model);
        // Some can't be kept from thinking: they are asked for the least.
        if reasoning.effort == Some(Effort::None) && thinking.budget != Some(0) {
            dropped.push("reasoning".to_owned());
        }
        thinking
    });
    let config = Config {
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        candidate_count: Some(request.answers).filter(|answers| *answers > 1),
        max_output_tokens: request.output_max,
        stop_sequences: Some(&*request.stop).filter(|stop| !stop.is_empty()),
        seed,
        presence_penalty: sampling.presence_penalty,
        frequency_penalty: sampling.frequency_penalty,
        response_mime_type: mime,
        response_json_schema: schema,
        thinking,
    };
    // Numbers that are none are written as null, which says nothing.
    serde_json::to_string(&config).unwrap_or_else(|_| "{}".to_owned())
}
