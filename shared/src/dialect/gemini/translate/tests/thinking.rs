//! How much a model is asked to think.

use serde_json::json;

use super::NEW;
use super::requests::{hi, written};
use crate::dialect::neutral::{ChatRequest, Effort, Reasoning};

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn thinking_is_asked_for_as_each_series_takes_it() {
    let asked = |effort, budget, model: &str| {
        let reasoning = Reasoning {
            effort,
            budget,
            shows: None,
        };
        let request = ChatRequest {
            reasoning: Some(reasoning),
            ..hi()
        };
        written(&request, model).0["generationConfig"]["thinkingConfig"].clone()
    };
    for (effort, budget, model, expected) in [
        (
            Some(Effort::Minimal),
            None,
            NEW,
            json!({"thinkingLevel": "LOW"}),
        ),
        (
            Some(Effort::None),
            None,
            "models/gemini-3-flash-preview",
            json!({"thinkingLevel": "MINIMAL"}),
        ),
        (
            Some(Effort::Max),
            None,
            "gemini-4-argon",
            json!({"thinkingLevel": "HIGH"}),
        ),
        (
            None,
            Some(5_000),
            "gemini-flash-latest",
            json!({"thinkingLevel": "MEDIUM"}),
        ),
        (
            Some(Effort::Low),
            Some(5_000),
            "gemini-2.5-flash-image",
            json!({"thinkingBudget": 5_000}),
        ),
        (
            Some(Effort::Max),
            None,
            "gemini-2.5-flash-image",
            json!({"thinkingBudget": 24_576}),
        ),
        (
            Some(Effort::None),
            None,
            "gemini-2.5-flash-image",
            json!({"thinkingBudget": 0}),
        ),
        (
            Some(Effort::None),
            None,
            "gemini-2.5-pro",
            json!({"thinkingBudget": 128}),
        ),
        (
            Some(Effort::Low),
            None,
            "tunedModels/mine",
            json!({"thinkingBudget": 2_048}),
        ),
    ] {
        assert_eq!(
            asked(effort, budget, model),
            expected,
            "{model} {effort:?} {budget:?}"
        );
    }
}

#[test]
fn a_model_that_cant_be_kept_from_thinking_says_so() {
    for (model, asked, is_named) in [
        ("gemini-2.5-flash", json!({"thinkingBudget": 0}), false),
        ("gemini-2.5-pro", json!({"thinkingBudget": 128}), true),
        (
            "gemini-3-flash-preview",
            json!({"thinkingLevel": "MINIMAL"}),
            true,
        ),
        ("gemini-3.1-pro", json!({"thinkingLevel": "LOW"}), true),
    ] {
        let request = ChatRequest {
            reasoning: Some(Reasoning {
                effort: Some(Effort::None),
                ..Reasoning::default()
            }),
            ..hi()
        };
        let (body, dropped) = written(&request, model);
        assert_eq!(body["generationConfig"]["thinkingConfig"], asked, "{model}");
        assert_eq!(dropped == ["reasoning"], is_named, "{model} {dropped:?}");
    }
}
