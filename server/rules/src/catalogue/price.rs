//! What usage costs: exact, in whole micro-credits, rounded up once at the end.
//! Pure: knows no tenant, no database and no clock; `catalogue` finds the price that is valid.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod bill;
pub mod list;
pub mod plain;
pub mod tariff;
pub mod text;
pub mod when;

use shared::clock::Moment;
use shared::id::PriceId;

pub use self::list::{PriceList, RATE_MAX, RATES_MAX, Rate};
pub use self::plain::{IMAGE_PRICES_MAX, ImagePrice, PlainPrice};
pub use self::tariff::{Tariff, WorstCase};

/// A price of a model and what the provider takes for the same, valid from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Its id; usage records name it.
    pub id: PriceId,
    /// From when on.
    pub valid_from: Moment,
    /// What tenants pay, and what the provider takes.
    pub list: Tariff,
}
