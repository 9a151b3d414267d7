//! Decides what a call may cost at most, what must be held, and what fits into a smaller hold.
//! Pure: model, price and body in, numbers out.

use shared::credits::Credits;
use shared::link::Operation;

use super::peek::Peek;
use crate::catalogue::price::{ImageAsk, PriceItems, WorstCase};

/// A picture among the input is given as a URL or as bytes; either way it costs no more tokens than
/// this with the vision models of 2026 (high detail, largest size).
const TOKENS_PER_INPUT_IMAGE_MAX: u64 = 8_192;
/// When the balance does not cover the worst case, an answer shorter than this is not worth having.
const USEFUL_OUTPUT_TOKENS: u64 = 16;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanAsk<'a> {
    /// What is asked.
    pub operation: Operation,
    /// The fields that matter.
    pub peek: &'a Peek,
    /// Length of the whole body.
    pub body_bytes: usize,
    /// The model's own bound of output tokens.
    pub model_output_max: u64,
    /// What it costs.
    pub price: &'a PriceItems,
    /// What the tenant's prices are multiplied by, in millionths.
    pub multiplier_ppm: i64,
}

/// The bounds of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Input tokens at most.
    pub input_tokens: u64,
    /// Output tokens at most, all choices together.
    pub output_tokens: u64,
    /// What that costs.
    pub amount: Credits,
    /// What the least useful answer costs.
    pub least: Credits,
}

fn image_ask(peek: &Peek) -> Option<ImageAsk<'_>> {
    peek.image.as_ref().map(|wish| ImageAsk {
        n: wish.n,
        size: wish.size.as_deref(),
        quality: wish.quality.as_deref(),
    })
}

/// The bounds of a call; `None` when its price does not fit into any balance.
pub fn plan(ask: PlanAsk<'_>) -> Option<Plan> {
    let PlanAsk {
        operation,
        peek,
        body_bytes,
        model_output_max,
        price,
        multiplier_ppm,
    } = ask;
    // A token stands for at least one byte of the body, and the JSON around each message outweighs
    // the few tokens a chat template adds.
    let bytes = u64::try_from(body_bytes).ok()?;
    let pictures = peek.input_images.checked_mul(TOKENS_PER_INPUT_IMAGE_MAX)?;
    let input_tokens = bytes.checked_add(pictures)?;
    let per_choice = match operation {
        Operation::Embedding => 0,
        Operation::Chat | Operation::Image => peek
            .max_output
            .map_or(model_output_max, |max| max.min(model_output_max)),
    };
    let output_tokens = per_choice.checked_mul(peek.choices)?;
    let image = image_ask(peek);
    let cost = |output_tokens| {
        price.worst_case(
            WorstCase {
                input_tokens,
                output_tokens,
                image,
            },
            multiplier_ppm,
        )
    };
    let amount = cost(output_tokens)?;
    let least = match operation {
        Operation::Chat => {
            cost(output_tokens.min(USEFUL_OUTPUT_TOKENS.checked_mul(peek.choices)?))?
        }
        Operation::Embedding | Operation::Image => amount,
    };
    Some(Plan {
        input_tokens,
        output_tokens,
        amount,
        least,
    })
}

/// The maximum of output tokens per choice that a smaller hold pays for.
pub fn lowered_maximum(
    plan: &Plan,
    peek: &Peek,
    held: Credits,
    price: &PriceItems,
    multiplier_ppm: i64,
) -> Option<u64> {
    let tokens = price.output_tokens_within(held, plan.input_tokens, multiplier_ppm)?;
    tokens
        .min(plan.output_tokens)
        .checked_div(peek.choices)
        .filter(|tokens| *tokens > 0)
}
