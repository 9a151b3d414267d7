//! Bills and counts as pages show them, the console's and the portal's.

use admin_templates::admin::usage::Counts;
use admin_templates::labels::PriceItem;
use admin_templates::parts::{Arithmetic, ChargeLine, KnownCost as CostView};
use server_rooms::catalogue::price::bill::{Bill, Line};
use server_rooms::reports::costs::KnownCost;
use server_rooms::reports::counts::Consumed;
use shared::units::{Unit, Usage};

/// Of how many units a price is, where its label says another number.
pub(super) fn per(unit: Unit, per: u64) -> String {
    if PriceItem::from(unit).per() == per {
        String::new()
    } else {
        format!("/ {per}")
    }
}

/// What is known of the cost of `calls` calls.
pub(super) fn known_cost(cost: &KnownCost, calls: u64) -> CostView {
    CostView {
        cost: cost.told(calls),
        margin: cost.margin(calls),
        known: cost.calls,
        calls,
    }
}

/// A bill with its lines.
pub(super) fn arithmetic(bill: &Bill) -> Arithmetic {
    let line = |line: &Line| ChargeLine {
        item: line.unit.into(),
        detail: per(line.unit, line.per),
        quantity: line.count,
        price: line.price,
        amount: line.amount.to_string(),
    };
    Arithmetic {
        lines: bill.lines.iter().map(line).collect(),
        subtotal: bill.subtotal.to_string(),
        multiplier_ppm: bill.multiplier_ppm,
        total: bill.total,
    }
}

/// What was consumed.
pub(super) fn counts(usage: &Usage) -> Counts {
    let sums = Consumed::from(usage);
    Counts {
        input: sums.input_tokens,
        cached_input: sums.cached_input_tokens,
        cache_write: sums.cache_write_tokens,
        output: sums.output_tokens,
        reasoning: sums.reasoning_tokens,
        images: sums.images,
        media_ms: sums.media_ms,
        characters: sums.characters,
        estimated: usage.estimated,
    }
}
