//! A request without what two dialects can't both say, and without what is the same in other words.

use shared::dialect::neutral::{
    ChatRequest, Format, MediaKind, Part, Reasoning, Role, Sampling, Source, ToolChoice, Turn,
};

use super::says::Says;

/// The request with what both can say.
pub(super) fn limited(mut request: ChatRequest, says: &Says) -> ChatRequest {
    for part in &mut request.instructions {
        mark_only(part, says);
    }
    for turn in &mut request.turns {
        turn.parts.retain(|part| is_said(part, says));
        for part in &mut turn.parts {
            mark_only(part, says);
        }
    }
    choices(&mut request, says);
    if !says.stop {
        request.stop.clear();
    }
    if !says.any_json && request.format == Some(Format::JsonObject) {
        request.format = None;
    }
    request.end_user = request.end_user.filter(|_| says.user);
    request.tier = request.tier.filter(|_| says.tier);
    request.reasoning = request.reasoning.filter(|_| says.effort);
    let sampling = &mut request.sampling;
    sampling.top_k = sampling.top_k.filter(|_| says.top_k);
    sampling.top_p = sampling.top_p.filter(|_| says.top_p);
    if !says.seed {
        *sampling = Sampling {
            seed: None,
            frequency_penalty: None,
            presence_penalty: None,
            ..sampling.clone()
        };
    }
    // Anthropic's models take none of these where they think, and don't think where a tool is forced.
    if request.reasoning.is_some() {
        *sampling = Sampling {
            temperature: None,
            top_p: None,
            top_k: None,
            ..sampling.clone()
        };
    }
    request
}

fn choices(request: &mut ChatRequest, says: &Says) {
    let is_taken = |choice: &ToolChoice| match choice {
        ToolChoice::Auto => says.auto,
        ToolChoice::None => says.none,
        ToolChoice::Required => true,
        ToolChoice::Function(_) => says.one_tool,
    };
    request.tool_choice = request.tool_choice.take().filter(is_taken);
    // Anthropic says it within the choice.
    let can_call = matches!(&request.tool_choice, Some(choice) if *choice != ToolChoice::None);
    let parallel = request.parallel_tool_calls;
    request.parallel_tool_calls = parallel.filter(|_| says.parallel && can_call);
    if matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    ) {
        request.reasoning = None;
    }
}

fn is_said(part: &Part, says: &Says) -> bool {
    match part {
        Part::Media(media) if media.kind == MediaKind::Document => says.files,
        Part::Media(media) => says.addresses || !matches!(media.source, Source::Url(_)),
        Part::Thought(_) => says.anthropic,
        Part::Text { .. } | Part::Refusal(_) | Part::ToolCall(_) | Part::ToolResult(_) => true,
    }
}

fn mark_only(part: &mut Part, says: &Says) {
    match part {
        Part::Text { cache, .. } => *cache = cache.filter(|_| says.anthropic),
        Part::ToolResult(result) => result.is_error &= says.failure,
        Part::Refusal(_) | Part::Media(_) | Part::Thought(_) | Part::ToolCall(_) => {}
    }
}

/// The request as it counts: turns side by side are one, and names and types that are made where there
/// is none are none.
pub(super) fn canonical(mut request: ChatRequest) -> ChatRequest {
    let mut turns: Vec<Turn> = Vec::new();
    for turn in std::mem::take(&mut request.turns) {
        match turns.last_mut() {
            Some(last) if last.role == turn.role => last.parts.extend(turn.parts),
            _ => turns.push(turn),
        }
    }
    for part in turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        match part {
            Part::Media(media) => {
                media.name = None;
                if let Source::Url(_) = media.source {
                    media.media_type = None;
                }
            }
            Part::ToolResult(result) => result.name = None,
            Part::Text { .. } | Part::Refusal(_) | Part::Thought(_) | Part::ToolCall(_) => {}
        }
    }
    for turn in &mut turns {
        if turn.role == Role::User {
            let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
            turn.parts.sort_by_key(|part| !is_result(part));
        }
    }
    request.turns = turns;
    if let Some(Format::JsonSchema {
        name,
        description,
        strict,
        ..
    }) = &mut request.format
    {
        (*name, *description, *strict) = (String::new(), None, None);
    }
    for tool in &mut request.tools {
        tool.strict = tool.strict.filter(|strict| *strict);
    }
    let has_effort = |reasoning: &Reasoning| reasoning.effort.is_some();
    request.reasoning = request.reasoning.filter(has_effort);
    request.answers = request.answers.max(1);
    request
}
