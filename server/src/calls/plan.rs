//! Decides what a call may cost at most, what must be held, and what fits into a smaller hold.
//! Pure: model, price and body in, numbers out.

use shared::credits::Credits;
use shared::link::{Bounds, Operation};

use super::peek::Peek;
use crate::catalogue::price::{ImageAsk, PriceItems, WorstCase};

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

/// What a call's bounds are made from.
#[derive(Debug, Clone, Copy)]
pub struct BoundsAsk<'a> {
    /// What is asked.
    pub operation: Operation,
    /// The fields that matter.
    pub peek: &'a Peek,
    /// Length of the whole body.
    pub body_bytes: usize,
    /// Output tokens of each answer at most, should the tenant ask for more or for any.
    pub output_max: u64,
}

/// What a call can bring; `None` when that can't be counted.
pub fn bounds(ask: BoundsAsk<'_>) -> Option<Bounds> {
    let peek = ask.peek;
    let input_max = peek.input.most(u64::try_from(ask.body_bytes).ok()?);
    let per_choice = match ask.operation {
        Operation::Embedding => 0,
        Operation::Chat | Operation::Image => peek
            .max_output
            .map_or(ask.output_max, |max| max.min(ask.output_max)),
    };
    let per_choice = per_choice.checked_add(peek.output_extra)?;
    Some(Bounds {
        input_estimate: peek.input.estimate().min(input_max),
        input_max,
        output_max: per_choice.checked_mul(peek.choices)?,
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
    let bounds = bounds(BoundsAsk {
        operation,
        peek,
        body_bytes,
        output_max: model_output_max,
    })?;
    let (input_tokens, output_tokens) = (bounds.input_max, bounds.output_max);
    let extra = peek.output_extra.checked_mul(peek.choices)?;
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
            let useful = USEFUL_OUTPUT_TOKENS.checked_mul(peek.choices)?;
            cost(output_tokens.min(useful.checked_add(extra)?))?
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
        .checked_div(peek.choices)?
        .checked_sub(peek.output_extra)
        .filter(|tokens| *tokens > 0)
}
