//! A chat as a request of Converse.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::answer::of_thought;
use super::media;
use super::model::{ConverseMaker, tuned};
use super::wire::{
    ConverseBlock, ConverseBody, ConverseCachePoint, ConverseExtra, ConverseInference,
    ConverseMessage, ConverseNamed, ConverseNamedSchema, ConverseNothing, ConverseSchema,
    ConverseStructure, ConverseTextFormat, ConverseTool, ConverseToolChoice, ConverseToolConfig,
    ConverseToolResult, ConverseToolSpec, ConverseToolUse, ConverseTyped,
};
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Format, Json, Media, MediaKind, Part, Role, ToolCall, ToolChoice,
    ToolResult, WriteTo, Written,
};

/// Longer ids, and those with other signs, are refused.
const ID_BYTES_MAX: usize = 64;
/// The name under which the tenant's name of its own user stands in the account's logs.
pub(super) const END_USER: &str = "end_user";
/// Values of metadata have few signs and are short.
const METADATA_BYTES_MAX: usize = 256;
/// A conversation must begin with the user, and a file must have a text beside it; where one is missing,
/// this, since no text is refused (AWS, "Converse" and `DocumentBlock`, 2026-11).
const BEGINNING: &str = ".";
/// Of functions that stand in the conversation and are not given any more.
const NOT_ANY_MORE: &str = "Can't be called any more.";
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;
/// Tiers by what tenants call them and by what Converse does; `None` is said by not saying it.
const TIERS: [(&str, Option<&str>); 7] = [
    ("auto", None),
    ("standard", None),
    ("standard_only", None),
    ("default", Some("default")),
    ("flex", Some("flex")),
    ("priority", Some("priority")),
    ("reserved", Some("reserved")),
];

/// What one request is written with.
struct Writer<'a> {
    maker: ConverseMaker,
    /// Ids of calls by what they were.
    ids: HashMap<&'a str, Cow<'a, str>>,
    /// Names of documents so far.
    names: Vec<String>,
    dropped: Vec<String>,
}

/// The request in the words of Converse; the model is named in the path.
pub(super) fn write(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    let maker = ConverseMaker::of(to.model);
    let mut writer = Writer {
        maker,
        ids: ids(request),
        names: Vec::new(),
        dropped: request.unsaid.clone(),
    };
    if request.answers > 1 {
        let message = "The model's provider gives one answer to a request; leave `n` out.";
        return Err(BadBody::of("n", message));
    }
    let tuned = tuned(request, maker);
    let mut body = ConverseBody {
        messages: writer.messages(request)?,
        system: writer.system(request)?,
        tool_config: writer.tools(request)?,
        ..ConverseBody::default()
    };
    if body.messages.is_empty() {
        let message = "`messages` holds nothing that the model could answer.";
        return Err(BadBody::of("messages", message));
    }
    let mut output = tuned.output;
    output.text_format = text_format(request.format.as_ref())?;
    let is_some = output.text_format.is_some() || output.effort.is_some();
    body.output_config = is_some.then_some(output);
    body.inference_config =
        Some(tuned.inference).filter(|inference| *inference != ConverseInference::default());
    body.additional_model_request_fields =
        Some(tuned.extra).filter(|extra| *extra != ConverseExtra::default());
    body.service_tier = writer.tier(request);
    body.request_metadata = writer.end_user(request);
    let mut dropped = writer.dropped;
    dropped.extend(tuned.dropped.into_iter().map(str::to_owned));
    let mut drop = |is_there: bool, name: &str| {
        if is_there {
            dropped.push(name.to_owned());
        }
    };
    drop(
        request.parallel_tool_calls == Some(false),
        "parallel_tool_calls",
    );
    drop(request.cache_key.is_some(), "prompt_cache_key");
    dropped.sort_unstable();
    dropped.dedup();
    let json = serde_json::to_vec(&body)
        .map_err(|_| BadBody::whole("The request can't be written for the model's provider."))?;
    Ok(Written {
        body: json.into(),
        dropped,
    })
}

fn is_id(id: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_sign)
}

/// Each call's id, as it is where Converse takes it, else made of its place.
fn ids(request: &ChatRequest) -> HashMap<&str, Cow<'_, str>> {
    let parts = || request.turns.iter().flat_map(|turn| &turn.parts);
    let told = parts().filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.id.as_str()),
        Part::ToolResult(result) => Some(result.id.as_str()),
        Part::Text { .. } | Part::Refusal(_) | Part::Media(_) | Part::Thought(_) => None,
    });
    let mut ids = HashMap::new();
    let mut wrong = Vec::new();
    for id in told {
        if is_id(id) {
            ids.insert(id, Cow::Borrowed(id));
        } else {
            wrong.push(id);
        }
    }
    let taken: HashSet<&str> = ids.keys().copied().collect();
    let mut number = 0_u64;
    for id in wrong {
        ids.entry(id).or_insert_with(|| {
            loop {
                let made = format!("call_{number}");
                number += 1;
                if !taken.contains(made.as_str()) {
                    return Cow::Owned(made);
                }
            }
        });
    }
    ids
}

impl<'a> Writer<'a> {
    fn drop(&mut self, name: &str) {
        self.dropped.push(name.to_owned());
    }

    fn id(&self, id: &'a str) -> Cow<'a, str> {
        self.ids.get(id).cloned().unwrap_or(Cow::Borrowed(id))
    }

    fn cache_point(&mut self, mark: Option<CacheMark>) -> Option<ConverseCachePoint<'a>> {
        let mark = mark?;
        if !self.maker.takes_cache_points() {
            self.drop("cache_control");
            return None;
        }
        Some(ConverseCachePoint {
            kind: "default".into(),
            ttl: (mark == CacheMark::Long).then(|| "1h".into()),
        })
    }

    fn marked(&mut self, mark: Option<CacheMark>, blocks: &mut Vec<ConverseBlock<'a>>) {
        if let cache_point @ Some(_) = self.cache_point(mark) {
            blocks.push(ConverseBlock {
                cache_point,
                ..ConverseBlock::default()
            });
        }
    }

    fn system(
        &mut self,
        request: &'a ChatRequest,
    ) -> Result<Option<Vec<ConverseBlock<'a>>>, BadBody> {
        let mut blocks = Vec::new();
        for part in &request.instructions {
            match part {
                Part::Text { text, cache, .. } => {
                    blocks.extend(text_block(text));
                    self.marked(*cache, &mut blocks);
                }
                Part::Refusal(_)
                | Part::Media(_)
                | Part::Thought(_)
                | Part::ToolCall(_)
                | Part::ToolResult(_) => {
                    let message = "The model's provider takes nothing but texts in instructions.";
                    return Err(BadBody::of("messages", message));
                }
            }
        }
        // A mark behind nothing marks nothing.
        let has_text = blocks.iter().any(|block| block.text.is_some());
        Ok(has_text.then_some(blocks))
    }

    fn messages(&mut self, request: &'a ChatRequest) -> Result<Vec<ConverseMessage<'a>>, BadBody> {
        let mut messages: Vec<ConverseMessage<'_>> = Vec::new();
        for turn in &request.turns {
            let role = match turn.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            let mut blocks = Vec::new();
            for part in &turn.parts {
                self.part(part, turn.role, &mut blocks)?;
            }
            match messages.last_mut() {
                Some(last) if last.role == role => last.content.append(&mut blocks),
                _ if blocks.iter().all(|block| block.cache_point.is_some()) => {}
                _ => messages.push(ConverseMessage {
                    role: role.into(),
                    content: blocks,
                }),
            }
        }
        if messages.first().is_some_and(|first| first.role != "user") {
            let role = Cow::from("user");
            let content = text_block(BEGINNING).into_iter().collect();
            messages.insert(0, ConverseMessage { role, content });
        }
        for message in &mut messages {
            // A file without a text beside it is refused.
            let blocks = &mut message.content;
            let has_file = blocks.iter().any(|block| block.document.is_some());
            if has_file && blocks.iter().all(|block| block.text.is_none()) {
                blocks.extend(text_block(BEGINNING));
            }
        }
        Ok(messages)
    }

    fn part(
        &mut self,
        part: &'a Part,
        role: Role,
        blocks: &mut Vec<ConverseBlock<'a>>,
    ) -> Result<(), BadBody> {
        match part {
            Part::Text { text, cache, .. } => {
                blocks.extend(text_block(text));
                self.marked(*cache, blocks);
            }
            Part::Refusal(text) => blocks.extend(text_block(text)),
            Part::Media(_) if role == Role::Assistant => {
                let message = "The model's provider takes pictures and files of the user alone, \
                               none that the model made.";
                return Err(BadBody::of("messages", message));
            }
            Part::Media(media) => {
                blocks.push(self.media(media)?);
                self.marked(media.cache, blocks);
            }
            Part::Thought(thought) => {
                if self.maker.takes_thoughts() {
                    blocks.extend(of_thought(thought));
                }
            }
            Part::ToolCall(call) => {
                blocks.push(self.call(call)?);
                self.marked(call.cache, blocks);
            }
            Part::ToolResult(result) => {
                blocks.push(self.result(result)?);
                self.marked(result.cache, blocks);
            }
        }
        Ok(())
    }

    fn media(&mut self, media: &'a Media) -> Result<ConverseBlock<'a>, BadBody> {
        let medium = Some(media::write(media, &mut self.names)?);
        let mut block = ConverseBlock::default();
        match media.kind {
            MediaKind::Image => block.image = medium,
            MediaKind::Audio => block.audio = medium,
            MediaKind::Video => block.video = medium,
            MediaKind::Document => block.document = medium,
        }
        Ok(block)
    }

    fn call(&self, call: &'a ToolCall) -> Result<ConverseBlock<'a>, BadBody> {
        let arguments = match call.arguments.trim() {
            "" => "{}",
            arguments => arguments,
        };
        let is_object = arguments.starts_with('{');
        let Some(input) = Json::of(arguments).filter(|_| is_object) else {
            let message = format!(
                "The arguments of the call `{}` are no JSON object, and the model's provider takes \
                 nothing else.",
                call.id
            );
            return Err(BadBody::of("messages", message));
        };
        Ok(ConverseBlock {
            tool_use: Some(ConverseToolUse {
                id: self.id(&call.id),
                name: call.name.as_str().into(),
                input: Some(input),
                kind: None,
            }),
            ..ConverseBlock::default()
        })
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<ConverseBlock<'a>, BadBody> {
        let mut content = Vec::new();
        for part in &result.parts {
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => content.extend(text_block(text)),
                Part::Media(media) if media.kind == MediaKind::Audio => {
                    let message = "The model's provider takes no sound from tools.";
                    return Err(BadBody::of("messages", message));
                }
                Part::Media(media) => content.push(self.media(media)?),
                Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
            }
        }
        let mut status = result.is_error.then(|| Cow::from("error"));
        if status.is_some() && !self.maker.takes_status() {
            status = None;
            content.splice(0..0, text_block(ToolResult::FAILED));
        }
        Ok(ConverseBlock {
            tool_result: Some(ConverseToolResult {
                id: self.id(&result.id),
                content,
                status,
            }),
            ..ConverseBlock::default()
        })
    }

    fn tools(
        &mut self,
        request: &'a ChatRequest,
    ) -> Result<Option<ConverseToolConfig<'a>>, BadBody> {
        request.has_what_it_forces()?;
        if request.tools.is_empty() {
            return Ok(called_before(request));
        }
        let mut choice = ConverseToolChoice::default();
        match &request.tool_choice {
            None => {}
            Some(ToolChoice::Auto) => choice.auto = Some(ConverseNothing {}),
            Some(ToolChoice::Required) => choice.any = Some(ConverseNothing {}),
            Some(ToolChoice::Function(name)) => {
                let name = name.as_str().into();
                choice.tool = Some(ConverseNamed { name });
            }
            // Tools that may not be called need not be known, unless they were called before.
            Some(ToolChoice::None) if !has_calls(request) => return Ok(None),
            Some(ToolChoice::None) => {
                let message = "The model's provider can't keep a model from calling tools that it \
                               called before; leave `tool_choice` out.";
                return Err(BadBody::of("tool_choice", message));
            }
        }
        let mut tools = Vec::new();
        for tool in &request.tools {
            let schema = tool.parameters.clone();
            let schema = schema.or_else(|| Json::of(NO_PARAMETERS));
            let description = tool.description.as_deref().filter(|text| !text.is_empty());
            tools.push(ConverseTool {
                tool_spec: Some(ConverseToolSpec {
                    name: tool.name.as_str().into(),
                    description: description.map(Cow::from),
                    input_schema: ConverseSchema { json: schema },
                    strict: tool.strict,
                }),
                cache_point: None,
            });
            if let cache_point @ Some(_) = self.cache_point(tool.cache) {
                tools.push(ConverseTool {
                    tool_spec: None,
                    cache_point,
                });
            }
        }
        let tool_choice = request.tool_choice.is_some().then_some(choice);
        Ok(Some(ConverseToolConfig { tools, tool_choice }))
    }

    fn tier(&mut self, request: &'a ChatRequest) -> Option<ConverseTyped<'a>> {
        let tier = request.tier.as_deref()?;
        if let Some((_, word)) = TIERS.iter().find(|(asked, _)| *asked == tier) {
            return word.map(|word| ConverseTyped { kind: word.into() });
        }
        self.drop("service_tier");
        None
    }

    fn end_user(
        &mut self,
        request: &'a ChatRequest,
    ) -> Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>> {
        let user = request.end_user.as_deref()?;
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b" :_@$#=/+,-.".contains(&byte);
        if user.len() > METADATA_BYTES_MAX || !user.bytes().all(is_sign) {
            self.drop("user");
            return None;
        }
        Some(BTreeMap::from([(END_USER.into(), user.into())]))
    }
}

/// Blank texts are refused, and say nothing.
fn text_block(text: &str) -> Option<ConverseBlock<'_>> {
    (!text.trim().is_empty()).then(|| ConverseBlock {
        text: Some(text.into()),
        ..ConverseBlock::default()
    })
}

/// Calls that were made before need tools that are known, which is all that is known of them.
fn called_before(request: &ChatRequest) -> Option<ConverseToolConfig<'_>> {
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    let names: BTreeSet<&str> = parts
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.name.as_str()),
            Part::Text { .. }
            | Part::Refusal(_)
            | Part::Media(_)
            | Part::Thought(_)
            | Part::ToolResult(_) => None,
        })
        .collect();
    let tool = |name: &'_ str| ConverseTool {
        tool_spec: Some(ConverseToolSpec {
            name: name.to_owned().into(),
            description: Some(NOT_ANY_MORE.into()),
            input_schema: ConverseSchema {
                json: Json::of(NO_PARAMETERS),
            },
            strict: None,
        }),
        cache_point: None,
    };
    let tools: Vec<_> = names.into_iter().map(tool).collect();
    (!tools.is_empty()).then_some(ConverseToolConfig {
        tools,
        tool_choice: None,
    })
}

fn has_calls(request: &ChatRequest) -> bool {
    let mut parts = request.turns.iter().flat_map(|turn| &turn.parts);
    parts.any(|part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_)))
}

fn text_format(format: Option<&Format>) -> Result<Option<ConverseTextFormat<'_>>, BadBody> {
    match format {
        None | Some(Format::Text) => Ok(None),
        Some(Format::JsonObject) => {
            let message = "The model's provider answers in JSON by a schema alone; give \
                           `response_format` the type `json_schema`.";
            Err(BadBody::of("response_format", message))
        }
        Some(Format::JsonSchema {
            name,
            description,
            schema,
            strict: _,
        }) => Ok(Some(ConverseTextFormat {
            kind: "json_schema".into(),
            structure: ConverseStructure {
                json_schema: ConverseNamedSchema {
                    schema: schema.get().into(),
                    name: Some(name.as_str().into()),
                    description: description.as_deref().map(Cow::from),
                },
            },
        })),
    }
}
