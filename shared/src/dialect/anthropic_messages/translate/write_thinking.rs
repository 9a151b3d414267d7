//! How a model is told to think, and how to choose words beside that: what each refuses is left out.

use serde::Serialize;

use super::write_parts::is_said;
use super::write_request::note;
use crate::dialect::anthropic_messages::models::Takes;
use crate::dialect::anthropic_messages::read::BUDGET_MIN;
use crate::dialect::neutral::{ChatRequest, Effort, Part, Reasoning, Role, ToolChoice, Turn};

/// The field `thinking`.
#[derive(Serialize)]
pub(super) struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'static str>,
}

impl Thinking {
    const OFF: Self = Self {
        kind: "disabled",
        budget_tokens: None,
        display: None,
    };
}

/// Whether the model thinks.
pub(super) fn thinks(thinking: Option<&Thinking>) -> bool {
    thinking.is_some_and(|thinking| thinking.kind != "disabled")
}

/// How the model is told to think, and its effort.
pub(super) fn thinking(
    request: &ChatRequest,
    takes: Takes,
    max_tokens: u64,
    dropped: &mut Vec<String>,
) -> (Option<Thinking>, Option<&'static str>) {
    let Some(reasoning) = &request.reasoning else {
        return (None, None);
    };
    if reasoning.effort == Some(Effort::None) {
        note(dropped, "reasoning", !takes.no_thinking);
        return (takes.no_thinking.then_some(Thinking::OFF), None);
    }
    let is_forced = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    );
    let effort = reasoning.effort.filter(|_| takes.adaptive);
    if is_forced && !takes.thinking_forced {
        // A call that must be made is meant; thinking before it is refused.
        note(dropped, "reasoning", true);
        return (None, effort.map(effort_word));
    }
    let by_budget = takes.budget && (reasoning.budget.is_some() || !takes.adaptive);
    if !by_budget {
        let by_budget = reasoning.budget.map(Effort::of_budget);
        let thinking = Thinking {
            kind: "adaptive",
            budget_tokens: None,
            display: display(reasoning),
        };
        return (Some(thinking), effort.or(by_budget).map(effort_word));
    }
    let most = max_tokens.saturating_sub(1);
    let budget = match (reasoning.budget, reasoning.effort) {
        (Some(budget), _) => budget.min(most),
        // What is left is for the answer.
        (None, effort) => {
            let wanted = effort.unwrap_or(Effort::Medium).budget();
            wanted.min(max_tokens / 5 * 4)
        }
    };
    if budget < BUDGET_MIN || begins_without_thought(&request.turns) {
        note(dropped, "reasoning", true);
        return (None, effort.map(effort_word));
    }
    let thinking = Thinking {
        kind: "enabled",
        budget_tokens: Some(budget),
        display: display(reasoning),
    };
    (Some(thinking), effort.map(effort_word))
}

fn display(reasoning: &Reasoning) -> Option<&'static str> {
    let shows = reasoning.shows?;
    Some(if shows { "summarized" } else { "omitted" })
}

fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        // Some models don't know `xhigh`, all that take efforts know this.
        Effort::Max => "max",
    }
}

/// Whether the model called functions, whose results come now, without a thought of its own before: with a
/// budget to think such a turn is refused. So it is where another provider's model called them.
fn begins_without_thought(turns: &[Turn]) -> bool {
    let user = turns
        .iter()
        .rev()
        .take_while(|turn| turn.role == Role::User);
    let has_result = |turn: &Turn| {
        let mut parts = turn.parts.iter();
        parts.any(|part| matches!(part, Part::ToolResult(_)))
    };
    if !user.clone().any(has_result) {
        return false;
    }
    let before = turns.iter().rev().skip(user.count());
    let models = before.take_while(|turn| turn.role == Role::Assistant);
    let first = models
        .last()
        .and_then(|turn| turn.parts.iter().find(|part| is_said(part)));
    !matches!(first, Some(Part::Thought(_)))
}

/// Temperature and `top_p`. Beside thinking the first is refused, and the second below 0.95.
pub(super) fn sampling(
    request: &ChatRequest,
    takes: Takes,
    thinking: Option<&Thinking>,
    dropped: &mut Vec<String>,
) -> [Option<f64>; 2] {
    let sampling = &request.sampling;
    let thinks = thinks(thinking);
    let temperature = sampling.temperature.and_then(|temperature| {
        let clamped = temperature.clamp(0.0, 1.0);
        // One is what it is where nothing is said.
        let is_default = (temperature - 1.0).abs() < f64::EPSILON;
        let is_taken = takes.sampling && !thinks;
        let is_same = (temperature - clamped).abs() < f64::EPSILON;
        note(
            dropped,
            "temperature",
            !is_same || (!is_taken && !is_default),
        );
        is_taken.then_some(clamped)
    });
    let top_p = sampling.top_p.filter(|top_p| {
        let is_taken = takes.sampling
            && (takes.both_samplings || temperature.is_none())
            && (!thinks || *top_p >= 0.95);
        let is_default = (top_p - 1.0).abs() < f64::EPSILON;
        note(dropped, "top_p", !is_taken && !is_default);
        is_taken
    });
    [temperature, top_p]
}
