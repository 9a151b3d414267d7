//! What models of one maker take and those of another don't, by their names: Converse has one request for
//! all of them and refuses what the model behind it doesn't know.

use std::borrow::Cow;

use super::wire::{
    ConverseExtra, ConverseInference, ConverseOutputConfig, ConverseReasoningConfig,
    ConverseThinking, ConverseTopK,
};
use crate::dialect::neutral::{ChatRequest, Effort, Reasoning, ToolChoice};

/// Whose a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConverseMaker {
    /// Anthropic's, with its version where the name has one.
    Anthropic(Option<(u32, u32)>),
    /// Amazon's Nova, and whether it reasons (Nova 2).
    Amazon { reasons: bool },
    /// `OpenAI`'s.
    OpenAi,
    /// Somebody else's.
    Other,
    /// An address in the account says nothing of the model.
    Unknown,
}

/// Claude wants at least so many tokens to think (Anthropic, "Extended thinking").
const BUDGET_MIN: u64 = 1_024;
/// From here on Claude thinks as much as it wants, and takes an effort and no budget (AWS, "Adaptive
/// thinking", 2026-10).
const ADAPTIVE: (u32, u32) = (4, 6);
/// From here on Claude refuses to be told how to choose words (Anthropic, "Versioning", 2026-10).
const NO_SAMPLING: (u32, u32) = (4, 7);
/// From here on it refuses `temperature` and `top_p` together.
const ONE_OF_TWO: (u32, u32) = (4, 1);

impl ConverseMaker {
    /// Of a model's id, of an inference profile's, or of their addresses (ARN).
    pub(super) fn of(model: &str) -> Self {
        if model.contains("anthropic.") || model.contains("claude") {
            Self::Anthropic(claude_version(model))
        } else if model.contains("amazon.nova") {
            let reasons = model.contains("nova-2");
            Self::Amazon { reasons }
        } else if model.contains("openai.") {
            Self::OpenAi
        } else if model.starts_with("arn:") && !model.contains("foundation-model/") {
            Self::Unknown
        } else {
            Self::Other
        }
    }

    /// Whether it may take Anthropic's proofs of thoughts.
    pub(super) fn takes_thoughts(self) -> bool {
        matches!(self, Self::Anthropic(_) | Self::Unknown)
    }

    /// Whether it takes points up to which its cache keeps; what is unknown refuses them.
    pub(super) fn takes_cache_points(self) -> bool {
        matches!(self, Self::Anthropic(_) | Self::Amazon { .. })
    }

    /// Whether it is told that a tool failed.
    pub(super) fn takes_status(self) -> bool {
        matches!(self, Self::Anthropic(_) | Self::Amazon { .. })
    }
}

/// `claude-opus-4-6-v1` is 4.6, `claude-sonnet-4-20250514-v1` is 4.0.
fn claude_version(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.split_once("claude-")?;
    let is_short = |part: &&str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = name.split(['-', ':', '.', '/']);
    let major = parts.find(is_short)?.parse().ok()?;
    let minor = parts
        .next()
        .filter(is_short)
        .and_then(|part| part.parse().ok());
    Some((major, minor.unwrap_or(0)))
}

/// How much is thought and how words are chosen, as the model takes it.
#[derive(Debug, Default)]
pub(super) struct ConverseTuned<'a> {
    pub(super) inference: ConverseInference<'a>,
    pub(super) output: ConverseOutputConfig<'a>,
    pub(super) extra: ConverseExtra<'a>,
    /// What it does not take.
    pub(super) dropped: Vec<&'static str>,
}

/// Puts what `request` says of it into the words of the model.
pub(super) fn tuned(request: &ChatRequest, maker: ConverseMaker) -> ConverseTuned<'_> {
    let mut tuned = ConverseTuned {
        inference: ConverseInference {
            max_tokens: request.output_max,
            ..ConverseInference::default()
        },
        ..ConverseTuned::default()
    };
    if !request.stop.is_empty() {
        let texts = request.stop.iter().map(|text| Cow::from(text.as_str()));
        tuned.inference.stop_sequences = Some(texts.collect());
    }
    if let Some(reasoning) = &request.reasoning {
        tuned.reason(request, reasoning, maker);
    }
    tuned.sample(request, maker);
    tuned
}

impl ConverseTuned<'_> {
    fn reason(&mut self, request: &ChatRequest, reasoning: &Reasoning, maker: ConverseMaker) {
        let effort = reasoning.effort.or(reasoning.budget.map(Effort::of_budget));
        if let ConverseMaker::Anthropic(version) = maker {
            return self.think(request, reasoning, effort, version);
        }
        // As much as the model sees fit, which others do by themselves.
        let Some(effort) = effort else {
            return;
        };
        match maker {
            ConverseMaker::Amazon { reasons: true } if effort == Effort::None => {
                self.extra.reasoning_config = Some(ConverseReasoningConfig {
                    kind: "disabled".into(),
                    max_reasoning_effort: None,
                });
            }
            ConverseMaker::Amazon { reasons: true } => {
                let word = match effort {
                    Effort::None | Effort::Minimal | Effort::Low => "low",
                    // The highest takes no maximum of output tokens, which is what bounds the bill.
                    Effort::High | Effort::Max if request.output_max.is_none() => "high",
                    Effort::Medium | Effort::High | Effort::Max => "medium",
                };
                self.extra.reasoning_config = Some(ConverseReasoningConfig {
                    kind: "enabled".into(),
                    max_reasoning_effort: Some(word.into()),
                });
            }
            ConverseMaker::OpenAi if effort != Effort::None => {
                let word = match effort {
                    Effort::None | Effort::Minimal | Effort::Low => "low",
                    Effort::Medium => "medium",
                    Effort::High | Effort::Max => "high",
                };
                self.extra.reasoning_effort = Some(word.into());
            }
            ConverseMaker::Amazon { .. }
            | ConverseMaker::Anthropic(_)
            | ConverseMaker::OpenAi
            | ConverseMaker::Other
            | ConverseMaker::Unknown => {
                self.dropped.push("reasoning");
            }
        }
    }

    /// As Claude thinks.
    fn think(
        &mut self,
        request: &ChatRequest,
        reasoning: &Reasoning,
        effort: Option<Effort>,
        version: Option<(u32, u32)>,
    ) {
        if effort == Some(Effort::None) {
            self.extra.thinking = Some(ConverseThinking {
                kind: "disabled".into(),
                ..ConverseThinking::default()
            });
            return;
        }
        let forces = matches!(
            request.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Function(_))
        );
        if forces {
            // It does not think where a tool is forced; that is meant, and thoughts are advice.
            self.dropped.push("reasoning");
            return;
        }
        let display = reasoning.shows.map(|shows| {
            let word = if shows { "summarized" } else { "omitted" };
            Cow::from(word)
        });
        if version.is_none_or(|version| version >= ADAPTIVE) {
            let word = |effort: Effort| match effort {
                Effort::None | Effort::Minimal | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High => "high",
                Effort::Max => "max",
            };
            self.output.effort = effort.map(|effort| word(effort).into());
            self.extra.thinking = Some(ConverseThinking {
                kind: "adaptive".into(),
                budget_tokens: None,
                display,
            });
            return;
        }
        // A budget is a part of the maximum.
        let most = request
            .output_max
            .map_or(u64::MAX, |max| max.saturating_sub(1));
        if most < BUDGET_MIN {
            self.dropped.push("reasoning");
            return;
        }
        let usual = effort.unwrap_or(Effort::Medium);
        let budget = reasoning.budget.unwrap_or_else(|| usual.budget());
        self.extra.thinking = Some(ConverseThinking {
            kind: "enabled".into(),
            budget_tokens: Some(budget.clamp(BUDGET_MIN, most)),
            display: None,
        });
    }

    fn sample(&mut self, request: &ChatRequest, maker: ConverseMaker) {
        let asked = &request.sampling;
        let mut drop = |is_there: bool, name| {
            if is_there {
                self.dropped.push(name);
            }
        };
        drop(asked.seed.is_some(), "seed");
        // What is so anyhow is not missed.
        let is_other = |number: Option<f64>, usual: f64| {
            number.is_some_and(|number| (number - usual).abs() > f64::EPSILON)
        };
        drop(is_other(asked.frequency_penalty, 0.0), "frequency_penalty");
        drop(is_other(asked.presence_penalty, 0.0), "presence_penalty");
        let thinks = self
            .extra
            .thinking
            .as_ref()
            .is_some_and(|thinking| thinking.kind != "disabled");
        let version = match maker {
            ConverseMaker::Anthropic(version) => version.unwrap_or(NO_SAMPLING),
            ConverseMaker::Amazon { .. }
            | ConverseMaker::OpenAi
            | ConverseMaker::Other
            | ConverseMaker::Unknown => (0, 0),
        };
        if thinks || version >= NO_SAMPLING {
            drop(is_other(asked.temperature, 1.0), "temperature");
            drop(is_other(asked.top_p, 1.0), "top_p");
            drop(asked.top_k.is_some(), "top_k");
            return;
        }
        drop(asked.temperature.is_some_and(|t| t > 1.0), "temperature");
        self.inference.temperature = asked.temperature.map(|t| t.clamp(0.0, 1.0));
        if version >= ONE_OF_TWO && asked.temperature.is_some() {
            drop(is_other(asked.top_p, 1.0), "top_p");
        } else {
            self.inference.top_p = asked.top_p;
        }
        match maker {
            ConverseMaker::Anthropic(_) => self.extra.top_k = asked.top_k,
            ConverseMaker::Amazon { .. } => {
                self.extra.inference_config = asked.top_k.map(|top_k| ConverseTopK { top_k });
            }
            ConverseMaker::OpenAi | ConverseMaker::Other | ConverseMaker::Unknown => {
                drop(asked.top_k.is_some(), "top_k");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_maker_and_the_version() {
        let claude = |major, minor| ConverseMaker::Anthropic(Some((major, minor)));
        for (name, maker) in [
            ("anthropic.claude-opus-4-6-v1", claude(4, 6)),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", claude(4, 5)),
            ("anthropic.claude-sonnet-4-20250514-v1:0", claude(4, 0)),
            ("anthropic.claude-opus-5", claude(5, 0)),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7",
                claude(4, 7),
            ),
            (
                "anthropic.claude-mythos-preview",
                ConverseMaker::Anthropic(None),
            ),
            (
                "us.amazon.nova-2-lite-v1:0",
                ConverseMaker::Amazon { reasons: true },
            ),
            (
                "amazon.nova-premier-v1:0",
                ConverseMaker::Amazon { reasons: false },
            ),
            ("openai.gpt-oss-120b-1:0", ConverseMaker::OpenAi),
            ("deepseek.v3-v1:0", ConverseMaker::Other),
            (
                "arn:aws:bedrock:us-east-1:1:application-inference-profile/a1b2",
                ConverseMaker::Unknown,
            ),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/qwen.qwen3-32b-v1:0",
                ConverseMaker::Other,
            ),
            ("", ConverseMaker::Other),
        ] {
            assert_eq!(ConverseMaker::of(name), maker, "{name}");
        }
    }

    fn asked(effort: Option<Effort>, budget: Option<u64>, max: Option<u64>) -> ChatRequest {
        let mut request = ChatRequest {
            output_max: max,
            reasoning: Some(Reasoning {
                effort,
                budget,
                shows: None,
            }),
            ..ChatRequest::default()
        };
        request.sampling.temperature = Some(1.5);
        request.sampling.top_p = Some(0.9);
        request
    }

    #[test]
    fn each_model_is_told_to_think_in_its_own_words() {
        let high = asked(Some(Effort::High), None, Some(10_000));
        let new = tuned(&high, ConverseMaker::of("anthropic.claude-opus-4-7"));
        assert_eq!(new.output.effort.as_deref(), Some("high"));
        assert_eq!(new.extra.thinking.expect("thinks").kind, "adaptive");
        assert_eq!(new.dropped, ["temperature", "top_p"]);
        let old = tuned(
            &high,
            ConverseMaker::of("anthropic.claude-sonnet-4-5-20250929-v1:0"),
        );
        let thinking = old.extra.thinking.expect("thinks");
        assert_eq!(thinking.budget_tokens, Some(9_999), "a part of the maximum");
        assert_eq!(old.output.effort, None);
        let small = asked(Some(Effort::High), None, Some(800));
        let old = tuned(
            &small,
            ConverseMaker::of("anthropic.claude-sonnet-4-5-20250929-v1:0"),
        );
        assert_eq!((old.extra.thinking, old.dropped[0]), (None, "reasoning"));
        let nova = tuned(&high, ConverseMaker::of("us.amazon.nova-2-lite-v1:0"));
        let config = nova.extra.reasoning_config.expect("reasons");
        assert_eq!(config.max_reasoning_effort.as_deref(), Some("medium"));
        assert_eq!(nova.dropped, ["temperature"]);
        assert_eq!(nova.inference.temperature, Some(1.0));
        let oss = tuned(&high, ConverseMaker::OpenAi);
        assert_eq!(oss.extra.reasoning_effort.as_deref(), Some("high"));
        assert_eq!(tuned(&high, ConverseMaker::Other).dropped[0], "reasoning");
        let off = asked(Some(Effort::None), None, None);
        let claude = tuned(
            &off,
            ConverseMaker::of("anthropic.claude-haiku-4-5-20251001-v1:0"),
        );
        assert_eq!(claude.extra.thinking.expect("told").kind, "disabled");
        assert_eq!(claude.inference.temperature, Some(1.0));
        assert_eq!(claude.dropped, ["temperature", "top_p"]);
    }

    #[test]
    fn a_forced_tool_goes_before_thoughts() {
        let mut request = asked(None, Some(4_096), None);
        request.tool_choice = Some(ToolChoice::Required);
        let tuned = tuned(&request, ConverseMaker::of("anthropic.claude-opus-4-6-v1"));
        assert_eq!(
            (tuned.extra.thinking, tuned.dropped[0]),
            (None, "reasoning")
        );
    }
}
