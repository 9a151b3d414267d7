//! Lists of all shapes, entry by entry: to exact rates, or to what is wrong with them.

mod entries;
mod hostile;

use shared::credits::Credits;

use super::draft::{ImportTerms, Takes};
use crate::catalogue::price::list::Currency;

/// One dollar is one credit, and the price is the cost.
fn plain_terms() -> ImportTerms {
    terms(Takes::CostAndPrice, 1_000_000, "1")
}

fn terms(takes: Takes, factor_ppm: i64, worth: &str) -> ImportTerms {
    ImportTerms {
        takes,
        factor_ppm,
        currency: Currency {
            code: "USD".to_owned(),
            credits: credits(worth),
            as_of: "2026-11-28".to_owned(),
        },
    }
}

fn credits(text: &str) -> Credits {
    text.parse().expect("an amount")
}
