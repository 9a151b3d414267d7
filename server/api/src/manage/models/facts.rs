//! What a tenant is told of a model in whichever shape: what it can, what it costs this tenant, and when it
//! ends. In the words that clients of `OpenRouter` read (its reference, "List available models"), and our own.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::catalogue::facts::Capability;
use server_rooms::catalogue::price::Price;
use server_rooms::catalogue::{Catalogue, Model};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::link::Operation;
use shared::units::Unit;

use super::{PPM, may_use};
use crate::principal::TenantCaller;

/// What is said of a model to a tenant, and when.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) model: &'a Model,
    pub(super) catalogue: &'a Catalogue,
    pub(super) caller: &'a TenantCaller,
    pub(super) now: Moment,
}

/// What goes in and comes out.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ArchitectureView {
    /// Both in one word: `text+image->text`.
    pub modality: String,
    /// What goes in: `text`, `image`, `audio`, `video`, `file`.
    pub input_modalities: Vec<String>,
    /// What comes out: `text`, `image`, `audio`, `embeddings`.
    pub output_modalities: Vec<String>,
}

/// Bounds of a call.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TopProviderView {
    /// Tokens of input and output together at most, where that is known.
    pub context_length: Option<u64>,
    /// Output tokens of an answer at most, where it writes some.
    pub max_completion_tokens: Option<u64>,
    /// Always false: what a provider refuses is told by its answer.
    pub is_moderated: bool,
}

/// What one unit costs you now, in credits, as decimal text. Only prices without conditions stand here; `price`
/// has all of them.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct UnitPricingView {
    /// A token of input.
    pub prompt: Option<String>,
    /// A token of output.
    pub completion: Option<String>,
    /// A request.
    pub request: Option<String>,
    /// A picture that is made.
    pub image: Option<String>,
    /// A search.
    pub web_search: Option<String>,
    /// A token of thinking, where it has a price of its own.
    pub internal_reasoning: Option<String>,
    /// A token of input that came from a cache.
    pub input_cache_read: Option<String>,
    /// A token of input that is put into one.
    pub input_cache_write: Option<String>,
}

/// When a model ends.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ModelRetirementView {
    /// From this moment on it takes no calls, in RFC 3339.
    pub retires_at: String,
    /// Since when that is planned, in RFC 3339.
    pub announced_at: String,
    /// What to use instead, where your key may use it.
    pub successor: Option<String>,
    /// Whether that takes the calls afterwards, at its own price.
    pub redirect: bool,
}

impl Shown<'_> {
    fn can(&self, capability: Capability) -> bool {
        self.model.facts.can(capability)
    }

    /// Who made it, or who offers it.
    pub(super) fn owner(&self) -> String {
        let owner = self.model.facts.owner.as_str();
        if owner.is_empty() { "waule" } else { owner }.to_owned()
    }

    /// What it is good for, where that is told.
    pub(super) fn description(&self) -> Option<String> {
        Some(self.model.facts.description.clone()).filter(|text| !text.is_empty())
    }

    /// Output tokens of an answer at most, where it writes some.
    pub(super) fn max_output(&self) -> Option<u64> {
        Some(self.model.max_output_tokens).filter(|tokens| *tokens > 0)
    }

    /// The words of what it can.
    pub(super) fn capabilities(&self) -> Vec<String> {
        let of = self.model.facts.capabilities.iter();
        of.map(|one| one.word().to_owned()).collect()
    }

    pub(super) fn architecture(&self) -> ArchitectureView {
        let with = |first: &str, more: &[(Capability, &str)]| {
            let more = more.iter().filter(|(capability, _)| self.can(*capability));
            let all = std::iter::once(first).chain(more.map(|(_, word)| *word));
            all.map(str::to_owned).collect::<Vec<_>>()
        };
        let input = with(
            "text",
            &[
                (Capability::Vision, "image"),
                (Capability::AudioInput, "audio"),
                (Capability::VideoInput, "video"),
                (Capability::FileInput, "file"),
            ],
        );
        let output = match self.model.operation {
            Operation::Chat | Operation::Completion | Operation::Moderation => with(
                "text",
                &[
                    (Capability::ImageOutput, "image"),
                    (Capability::AudioOutput, "audio"),
                ],
            ),
            Operation::Embedding => with("embeddings", &[]),
            Operation::Image => with("image", &[]),
            Operation::Rerank => with("rerank", &[]),
        };
        ArchitectureView {
            modality: format!("{}->{}", input.join("+"), output.join("+")),
            input_modalities: input,
            output_modalities: output,
        }
    }

    pub(super) fn top_provider(&self) -> TopProviderView {
        TopProviderView {
            context_length: self.model.facts.context_tokens,
            max_completion_tokens: self.max_output(),
            is_moderated: false,
        }
    }

    /// Fields of requests that mean something to it.
    pub(super) fn supported_parameters(&self) -> Vec<String> {
        if self.model.operation != Operation::Chat {
            return Vec::new();
        }
        let usual = ["max_tokens", "temperature", "top_p", "stop"];
        let more = [
            (Capability::Tools, &["tools", "tool_choice"][..]),
            (
                Capability::StructuredOutput,
                &["response_format", "structured_outputs"],
            ),
            (Capability::Reasoning, &["reasoning", "include_reasoning"]),
            (Capability::WebSearch, &["web_search_options"]),
        ];
        let more = more.iter().filter(|(capability, _)| self.can(*capability));
        let more = more.flat_map(|(_, words)| words.iter().copied());
        usual.into_iter().chain(more).map(str::to_owned).collect()
    }

    /// The price that is valid now.
    pub(super) fn price(&self) -> Option<&Price> {
        self.model.price_at(self.now)
    }

    pub(super) fn multiplier_ppm(&self) -> i64 {
        self.caller.who.price_multiplier_ppm
    }

    pub(super) fn pricing(&self) -> Option<UnitPricingView> {
        let price = self.price()?;
        let of = |unit| each(price, unit, self.multiplier_ppm());
        Some(UnitPricingView {
            prompt: of(Unit::InputToken),
            completion: of(Unit::OutputToken),
            request: of(Unit::Request),
            image: of(Unit::Image),
            web_search: of(Unit::Search),
            internal_reasoning: of(Unit::ReasoningToken),
            input_cache_read: of(Unit::CachedInputToken),
            input_cache_write: of(Unit::CacheWriteToken),
        })
    }

    pub(super) fn retirement(&self) -> Option<ModelRetirementView> {
        let end = self.model.facts.retirement.as_ref()?;
        let successor = end.successor.as_deref();
        let next = successor.and_then(|id| self.catalogue.model(id));
        let next = next.filter(|next| may_use(self.caller, next));
        Some(ModelRetirementView {
            retires_at: date::text(end.at),
            announced_at: date::text(end.announced_at),
            redirect: end.redirect && next.is_some(),
            successor: next.map(|next| next.id.clone()),
        })
    }
}

/// What one of a unit costs a tenant, where a rate without conditions says it.
fn each(price: &Price, unit: Unit, multiplier_ppm: i64) -> Option<String> {
    let mut rates = price.list.rates.iter();
    let rate = rates.find(|rate| rate.unit == unit && rate.when.is_always())?;
    let credits = rate.credits.scaled_up(multiplier_ppm, PPM)?;
    divided(credits, rate.per)
}

/// An amount by a power of ten, as exact decimals; `None` for other numbers.
fn divided(credits: Credits, per: u64) -> Option<String> {
    let zeros = per.checked_ilog10()?;
    if per != 10_u64.checked_pow(zeros)? {
        return None;
    }
    let micros = u64::try_from(credits.micros()).ok()?;
    let decimals = usize::try_from(zeros).ok()?.checked_add(6)?;
    let digits = format!("{micros:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - decimals)?;
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_of_many_is_told_of_one_in_exact_decimals() {
        for (micros, per, expected) in [
            (2_500_000, 1_000_000, Some("0.0000025")),
            (1, 1_000_000, Some("0.000000000001")),
            (0, 1_000_000, Some("0")),
            (3_000_000, 1, Some("3")),
            (12_345_678, 10, Some("1.2345678")),
            (i64::MAX, 1, Some("9223372036854.775807")),
            (1, 60_000, None),
            (1, 0, None),
            (-1, 1, None),
        ] {
            let told = divided(Credits::from_micros(micros), per);
            assert_eq!(told.as_deref(), expected, "{micros} per {per}");
        }
    }
}
