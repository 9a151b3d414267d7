//! Decides what a call may cost at most, what must be held, and what fits into a smaller hold.
//! Pure: model, price and body in, numbers out.

use server_rooms::catalogue::price::{Tariff, WorstCase};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::{Asked, Output};
use shared::link::Bounds;
use shared::units::{Unit, Usage};

/// When the balance does not cover the worst case, an answer shorter than this is not worth having.
const USEFUL_OUTPUT_TOKENS: u64 = 16;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// What is asked.
    pub asked: &'a Asked,
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

/// What a call can bring, with `output_max` tokens of each answer at most should the tenant ask for more
/// or for any; `None` when that can't be counted.
pub fn bounds(asked: &Asked, output_max: u64) -> Option<Bounds> {
    let input_max = asked.bounds.input_total();
    let each = match asked.output {
        Output::None => 0,
        Output::OfModel | Output::UpTo(None) => output_max,
        Output::UpTo(Some(own)) => own.min(output_max),
    };
    Some(Bounds {
        input_estimate: asked.input_estimate.min(input_max),
        input_max,
        output_max: each.checked_mul(asked.answers)?,
    })
}

/// The bounds of a call; `None` when its price does not fit into any balance.
pub fn plan(input: PlanInput<'_>) -> Option<Plan> {
    let PlanInput {
        asked,
        model_output_max,
        price,
        at,
        multiplier_ppm,
    } = input;
    let bounds = bounds(asked, model_output_max)?;
    let (input_tokens, output_tokens) = (bounds.input_max, bounds.output_max);
    let cost = |output_tokens| {
        let bounds = &most(asked, output_tokens);
        let open = asked.open;
        price.worst_case(WorstCase { bounds, open, at }, multiplier_ppm)
    };
    let amount = cost(output_tokens)?;
    let least = match asked.output {
        Output::UpTo(_) => {
            cost(output_tokens.min(USEFUL_OUTPUT_TOKENS.checked_mul(asked.answers)?))?
        }
        Output::None | Output::OfModel => amount,
    };
    Some(Plan {
        input_tokens,
        output_tokens,
        amount,
        least,
    })
}

/// The bounds of a call that several models may serve: the dearest of each; `None` when one of them does
/// not fit into any balance.
pub fn dearest(first: PlanInput<'_>, others: &[PlanInput<'_>]) -> Option<Plan> {
    let mut whole = plan(first)?;
    for other in others {
        let other = plan(*other)?;
        whole.amount = whole.amount.max(other.amount);
        whole.least = whole.least.max(other.least);
    }
    Some(whole)
}

/// The maximum of output tokens per choice that a smaller hold of `held` pays for.
pub fn lowered_maximum(plan: &Plan, input: PlanInput<'_>, held: Credits) -> Option<u64> {
    let bounds = &most(input.asked, plan.output_tokens);
    let (open, at) = (input.asked.open, input.at);
    let case = WorstCase { bounds, open, at };
    let tokens = input
        .price
        .output_tokens_within(held, case, input.multiplier_ppm)?;
    tokens
        .min(plan.output_tokens)
        .checked_div(input.asked.answers)
        .filter(|tokens| *tokens > 0)
}

/// What a call can bring at most, as a usage.
fn most(asked: &Asked, output_tokens: u64) -> Usage {
    let mut most = asked.bounds.clone();
    most.set(Unit::OutputToken, output_tokens);
    most
}

#[cfg(test)]
mod tests {
    use server_rooms::catalogue::price::PlainPrice;
    use shared::dialect::Head;
    use shared::dialect::body::Body;
    use shared::link::Operation;
    use shared::surface::Surface;

    use super::*;

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
        let dialect = Surface::of(operation).dialect;
        let asked = dialect
            .read(&Head::default(), &Body::of_json(body))
            .expect("valid");
        let price = price();
        let input = PlanInput {
            asked: &asked,
            model_output_max: 1_000,
            price: &price,
            at: Moment::default(),
            multiplier_ppm: 1_000_000,
        };
        let bounds = bounds(&asked, 1_000);
        (plan(input).expect("it fits"), bounds.expect("it fits"))
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

    #[test]
    fn a_tier_that_may_be_served_is_held_for_at_its_price() {
        let list = |tier: &str| -> Tariff {
            let json = format!(
                r#"{{"rates":[{{"unit":"output_token","credits":5,"when":{{"tier":["{tier}"]}}}},
                    {{"unit":"input_token","credits":0}},{{"unit":"output_token","credits":1}}]}}"#
            );
            let list = serde_json::from_str(&json).expect("a price");
            Tariff::new(list).expect("sound")
        };
        let body = r#"{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"x"}],"service_tier":"default"}"#;
        let dialect = Surface::of(Operation::Chat).dialect;
        let asked = dialect
            .read(&Head::default(), &Body::of_json(body))
            .expect("valid");
        let amount = |price: &Tariff| {
            let input = PlanInput {
                asked: &asked,
                model_output_max: 1_000,
                price,
                at: Moment::default(),
                multiplier_ppm: 1_000_000,
            };
            plan(input).expect("it fits").amount
        };
        let credits = |n: i64| Credits::from_micros(n * 1_000_000);
        assert_eq!(
            amount(&list("priority")),
            credits(500),
            "it may be served so"
        );
        let answer =
            br#"{"choices":[{"index":0,"message":{"content":"x"}}],"service_tier":"priority",
            "usage":{"prompt_tokens":1,"completion_tokens":10}}"#;
        let of = shared::dialect::Metered::default();
        let usage = dialect.usage(of, answer).expect("an answer");
        let charge = |tier: &str| list(tier).charge(&usage, Moment::default(), 1_000_000);
        assert_eq!(charge("priority"), Some(credits(50)), "as it was served");
        assert_eq!(charge("flex"), Some(credits(10)));
    }
}
