//! Whole answers of Converse, and the words that streams share with them.

use bytes::Bytes;

use super::media;
use super::wire::{
    ConverseAnswer, ConverseBlock, ConverseCitation, ConverseCited, ConverseLocation,
    ConverseMedium, ConverseOutput, ConversePlain, ConverseReasoning, ConverseReasoningText,
    ConverseToolUse, ConverseWeb,
};
use crate::dialect::neutral::{
    Candidate, ChatAnswer, Citation, Json, MediaKind, Part, Signature, SignatureFormat, Stop,
    Thought, ToolCall,
};
use crate::fault::{Fault, FaultKind};
use crate::units::{Unit, Usage};

/// Why it ends, from Converse's word; what models say beside Converse's own passes through it.
pub(super) fn stop_of(word: &str) -> Stop {
    match word {
        "tool_use" => Stop::ToolCalls,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::StopText(None),
        "model_context_window_exceeded" => Stop::ContextFull,
        "guardrail_intervened" | "content_filtered" => Stop::Refused(Some(word.to_owned())),
        "refusal" => Stop::Refused(None),
        "pause_turn" => Stop::Paused,
        _ => Stop::End,
    }
}

/// Converse's word for why it ends.
pub(super) fn stop_word(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Paused => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::ContextFull => "model_context_window_exceeded",
        Stop::StopText(_) => "stop_sequence",
        Stop::ToolCalls => "tool_use",
        Stop::Refused(Some(why)) if why == "guardrail_intervened" => "guardrail_intervened",
        Stop::Refused(_) => "content_filtered",
    }
}

/// A place with an address; places in the request's own files have none.
pub(super) fn citation(told: ConverseCitation<'_>) -> Option<Citation> {
    let is_address = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let web = told.location.and_then(|location| location.web?.url);
    let url = web.or(told.source).filter(|url| is_address(url))?;
    let quotes = told.source_content.unwrap_or_default();
    let quote: String = quotes.iter().map(|plain| plain.text.as_ref()).collect();
    Some(Citation {
        url: url.into_owned(),
        title: told.title.map(std::borrow::Cow::into_owned),
        quote: Some(quote).filter(|quote| !quote.is_empty()),
    })
}

/// The same in Converse's words.
pub(super) fn of_citation(citation: &Citation) -> ConverseCitation<'_> {
    let url = Some(citation.url.as_str().into());
    ConverseCitation {
        title: citation.title.as_deref().map(Into::into),
        source: None,
        source_content: citation
            .quote
            .as_deref()
            .map(|quote| vec![ConversePlain { text: quote.into() }]),
        location: Some(ConverseLocation {
            web: Some(ConverseWeb { url }),
        }),
    }
}

/// The parts that a block of either side's message is.
pub(super) fn part_of(block: ConverseBlock<'_>) -> Option<Part> {
    if let Some(text) = block.text {
        return Some(Part::text(text));
    }
    if let Some(reasoning) = block.reasoning_content {
        return thought(reasoning).map(Part::Thought);
    }
    if let Some(call) = block.tool_use {
        return tool_call(call).map(Part::ToolCall);
    }
    if let Some(cited) = block.citations_content {
        return Some(Part::Text {
            text: cited
                .content
                .iter()
                .map(|plain| plain.text.as_ref())
                .collect(),
            citations: cited.citations.into_iter().filter_map(citation).collect(),
            cache: None,
        });
    }
    let media: [(MediaKind, Option<ConverseMedium<'_>>); 4] = [
        (MediaKind::Image, block.image),
        (MediaKind::Document, block.document),
        (MediaKind::Video, block.video),
        (MediaKind::Audio, block.audio),
    ];
    let mut found = media
        .into_iter()
        .filter_map(|(kind, medium)| media::read(kind, medium?));
    found.next().map(Part::Media)
}

fn thought(reasoning: ConverseReasoning<'_>) -> Option<Thought> {
    if let Some(told) = reasoning.reasoning_text {
        let home = Some(SignatureFormat::Anthropic);
        return Some(Thought {
            text: told.text.into_owned(),
            signature: told
                .signature
                .filter(|text| !text.is_empty())
                .and_then(|text| Signature::read_in(home, &text)),
        });
    }
    let data = reasoning.redacted_content?.into_owned();
    Some(Thought {
        text: String::new(),
        signature: Some(Signature {
            format: SignatureFormat::AnthropicRedacted,
            data,
        }),
    })
}

fn tool_call(call: ConverseToolUse<'_>) -> Option<ToolCall> {
    if call.kind.as_deref() == Some("server_tool_use") {
        return None;
    }
    let arguments = call
        .input
        .map_or("{}".to_owned(), |json| json.get().to_owned());
    Some(ToolCall {
        id: call.id.into_owned(),
        name: call.name.into_owned(),
        arguments,
        signature: None,
        cache: None,
    })
}

/// A whole answer.
pub(super) fn read(json: &[u8]) -> Result<ChatAnswer, Fault> {
    let answer: ConverseAnswer<'_> = serde_json::from_slice(json).map_err(|error| {
        Fault::new(
            FaultKind::InvalidAnswer,
            format!("not an answer of Converse: {error}"),
        )
    })?;
    let blocks = answer.output.message.content;
    Ok(ChatAnswer {
        id: String::new(),
        candidates: vec![Candidate {
            parts: blocks.into_iter().filter_map(part_of).collect(),
            stop: answer.stop_reason.as_deref().map_or(Stop::End, stop_of),
        }],
        tier: answer.service_tier.map(|tier| tier.kind.into_owned()),
    })
}

/// A thought with its proof, for a model that takes those.
pub(super) fn of_thought(thought: &Thought) -> Option<ConverseBlock<'_>> {
    let signature = thought.signature.as_ref()?;
    let mut reasoning = ConverseReasoning::default();
    match signature.format {
        SignatureFormat::Anthropic => {
            reasoning.reasoning_text = Some(ConverseReasoningText {
                text: thought.text.as_str().into(),
                signature: Some(signature.data.as_str().into()),
            });
        }
        SignatureFormat::AnthropicRedacted => {
            reasoning.redacted_content = Some(signature.data.as_str().into());
        }
        SignatureFormat::Google | SignatureFormat::OpenAi => return None,
    }
    Some(ConverseBlock {
        reasoning_content: Some(reasoning),
        ..ConverseBlock::default()
    })
}

/// A part of an answer as a block; `None` where Converse can't say it.
fn block_of(part: &Part) -> Option<ConverseBlock<'_>> {
    let mut block = ConverseBlock::default();
    match part {
        Part::Text {
            text, citations, ..
        } if !citations.is_empty() => {
            block.citations_content = Some(ConverseCited {
                content: vec![ConversePlain {
                    text: text.as_str().into(),
                }],
                citations: citations.iter().map(of_citation).collect(),
            });
        }
        Part::Text { text, .. } | Part::Refusal(text) => block.text = Some(text.as_str().into()),
        Part::Media(medium) => {
            let medium = (medium.kind, media::write(medium, &mut Vec::new()).ok()?);
            match medium {
                (MediaKind::Image, image) => block.image = Some(image),
                (MediaKind::Document, document) => block.document = Some(document),
                (MediaKind::Video, video) => block.video = Some(video),
                (MediaKind::Audio, audio) => block.audio = Some(audio),
            }
        }
        Part::Thought(thought) => {
            let home = Some(SignatureFormat::Anthropic);
            let signature = thought.signature.as_ref();
            if signature.is_some_and(|s| s.format == SignatureFormat::AnthropicRedacted) {
                return of_thought(thought);
            }
            block.reasoning_content = Some(ConverseReasoning {
                reasoning_text: Some(ConverseReasoningText {
                    text: thought.text.as_str().into(),
                    signature: signature.map(|s| s.written_in(home).into()),
                }),
                redacted_content: None,
            });
        }
        Part::ToolCall(call) => {
            block.tool_use = Some(ConverseToolUse {
                id: call.id.as_str().into(),
                name: call.name.as_str().into(),
                input: Json::of(call.arguments.as_str()).or_else(|| Json::of("{}")),
                kind: None,
            });
        }
        Part::ToolResult(_) => return None,
    }
    Some(block)
}

/// A whole answer; of several the first.
pub(super) fn write(answer: &ChatAnswer, usage: &Usage) -> Bytes {
    let first = answer.candidates.first();
    let parts = first.map_or(&[][..], |candidate| &candidate.parts);
    let mut written = ConverseAnswer {
        output: ConverseOutput::default(),
        stop_reason: Some(stop_word(first.map_or(&Stop::End, |c| &c.stop)).into()),
        usage: Json::of(usage_json(usage)),
        metrics: Json::of("{\"latencyMs\":0}"),
        service_tier: answer
            .tier
            .as_deref()
            .map(|tier| super::wire::ConverseTyped { kind: tier.into() }),
    };
    written.output.message.role = "assistant".into();
    written.output.message.content = parts.iter().filter_map(block_of).collect();
    // Texts alone always can be written.
    serde_json::to_vec(&written).unwrap_or_default().into()
}

/// The usage object.
pub(super) fn usage_json(usage: &Usage) -> String {
    let read = usage.count(Unit::CachedInputToken)
        + usage.count(Unit::CachedInputAudioToken)
        + usage.count(Unit::CachedInputImageToken);
    let long = usage.count(Unit::CacheWriteLongToken);
    let written = usage.count(Unit::CacheWriteToken) + long;
    let input = usage.input_total().saturating_sub(read + written);
    let output = usage.output_total();
    let total = usage.input_total().saturating_add(output);
    let details = if long > 0 {
        format!(",\"cacheDetails\":[{{\"ttl\":\"1h\",\"inputTokens\":{long}}}]")
    } else {
        String::new()
    };
    format!(
        "{{\"inputTokens\":{input},\"outputTokens\":{output},\"totalTokens\":{total},\
         \"cacheReadInputTokens\":{read},\"cacheWriteInputTokens\":{written}{details}}}"
    )
}
