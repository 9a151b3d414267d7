//! Decides what a call may cost at most, what must be held, and what fits into a smaller hold.
//! Pure: model, price and body in, numbers out.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::link::{Bounds, Operation};
use shared::units::{Unit, Usage};

use super::peek::Peek;
use crate::catalogue::price::{Tariff, WorstCase};

/// When the balance does not cover the worst case, an answer shorter than this is not worth having.
const USEFUL_OUTPUT_TOKENS: u64 = 16;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// What is asked.
    pub operation: Operation,
    /// The fields that matter.
    pub peek: &'a Peek,
    /// Length of the whole body.
    pub body_bytes: usize,
    /// The model's own bound of output tokens.
    pub model_output_max: u64,
    /// What it costs.
    pub price: &'a Tariff,
    /// When the call came.
    pub at: Moment,
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
    Some(Bounds {
        input_estimate: peek.input.estimate().min(input_max),
        input_max,
        output_max: per_choice.checked_mul(peek.choices)?,
    })
}

/// The bounds of a call; `None` when its price does not fit into any balance.
pub fn plan(ask: PlanInput<'_>) -> Option<Plan> {
    let PlanInput {
        operation,
        peek,
        body_bytes,
        model_output_max,
        price,
        at,
        multiplier_ppm,
    } = ask;
    let bounds = bounds(BoundsAsk {
        operation,
        peek,
        body_bytes,
        output_max: model_output_max,
    })?;
    let (input_tokens, output_tokens) = (bounds.input_max, bounds.output_max);
    let cost = |output_tokens| {
        let bounds = &most(peek, input_tokens, output_tokens);
        let open = &[];
        price.worst_case(WorstCase { bounds, open, at }, multiplier_ppm)
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

/// The maximum of output tokens per choice that a smaller hold of `held` pays for.
pub fn lowered_maximum(plan: &Plan, ask: PlanInput<'_>, held: Credits) -> Option<u64> {
    let bounds = &most(ask.peek, plan.input_tokens, plan.output_tokens);
    let (open, at) = (&[], ask.at);
    let case = WorstCase { bounds, open, at };
    let tokens = ask
        .price
        .output_tokens_within(held, case, ask.multiplier_ppm)?;
    tokens
        .min(plan.output_tokens)
        .checked_div(ask.peek.choices)
        .filter(|tokens| *tokens > 0)
}

/// What a call can bring at most, as a usage.
fn most(peek: &Peek, input_tokens: u64, output_tokens: u64) -> Usage {
    let tokens = [
        (Unit::InputToken, input_tokens),
        (Unit::OutputToken, output_tokens),
    ];
    let mut most = Usage::of(tokens);
    if let Some(wish) = &peek.image {
        most.set(Unit::Image, wish.n);
        wish.note_on(&mut most);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::peek::peek;
    use crate::catalogue::price::PlainPrice;

    /// A credit for a thousand tokens of input, ten for a thousand of output.
    fn price() -> Tariff {
        let plain = PlainPrice {
            input_per_million: Credits::from_micros(1_000_000_000),
            output_per_million: Credits::from_micros(10_000_000_000),
            ..PlainPrice::default()
        };
        Tariff::new(plain.list(None)).expect("sound")
    }

    fn planned(operation: Operation, body: &str) -> (Plan, Bounds) {
        let peek = peek(operation, body.as_bytes()).expect("valid");
        let price = price();
        let ask = PlanInput {
            operation,
            peek: &peek,
            body_bytes: body.len(),
            model_output_max: 1_000,
            price: &price,
            at: Moment::default(),
            multiplier_ppm: 1_000_000,
        };
        let bounds = bounds(BoundsAsk {
            operation,
            peek: &peek,
            body_bytes: body.len(),
            output_max: 1_000,
        });
        (plan(ask).expect("it fits"), bounds.expect("it fits"))
    }

    #[test]
    fn a_picture_of_megabytes_is_held_for_as_a_picture() {
        let data = "A".repeat(8_000_000);
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{{"type":"text","text":"What is it?"}},
                {{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
        );
        let (plan, bounds) = planned(Operation::Chat, &body);
        assert!((8_192..8_600).contains(&plan.input_tokens), "{plan:?}");
        assert!(plan.amount < Credits::from_micros(9_000_000), "{plan:?}");
        assert!(bounds.input_estimate <= bounds.input_max);
    }

    #[test]
    fn text_is_bounded_by_its_bytes_and_every_answer_by_its_maximum() {
        let text = "word ".repeat(4_000);
        let body = format!(
            r#"{{"model":"m","n":3,"max_tokens":7,"max_completion_tokens":70,"messages":[{{"role":"user","content":"{text}"}}]}}"#
        );
        let (plan, bounds) = planned(Operation::Chat, &body);
        assert_eq!(plan.input_tokens, body.len() as u64);
        assert_eq!((plan.output_tokens, bounds.output_max), (210, 210));
        assert!(
            (4_000..5_100).contains(&bounds.input_estimate),
            "{bounds:?}"
        );
    }

    #[test]
    fn token_arrays_are_held_for_as_themselves() {
        let tokens = vec!["100257"; 1_000].join(",");
        let body = format!(r#"{{"model":"m","input":[{tokens}]}}"#);
        let (plan, bounds) = planned(Operation::Embedding, &body);
        assert!((1_000..1_040).contains(&plan.input_tokens), "{plan:?}");
        assert_eq!((bounds.input_estimate, bounds.output_max), (1_000, 0));
    }
}
