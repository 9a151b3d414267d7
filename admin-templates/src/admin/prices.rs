//! A price as a table of rates, and what it would do.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::given::Given;
use crate::labels::{PriceItem, TypicalCall};
use crate::parts::KnownCost;

sampled! {
    /// A row of the table.
    pub struct RateRow {
        /// What it prices.
        pub item: PriceItem,
    }

    /// Rates, tried from the top. The form has for each row, numbered from 0, `unit-0`, `per-0`, `when-0`,
    /// `credits-0`, `cost-0` and `step-0`, and beside them `valid_from`, `minimum`, `currency_code`,
    /// `currency_credits`, `currency_as_of` and `import`.
    pub struct RateTable {
        /// In their order.
        pub rows: Vec<RateRow>,
        /// What was typed.
        pub form: Form,
        /// Whether somebody works on it.
        pub open: bool,
    }

    /// A typical call with a price.
    pub struct TypicalRow {
        /// Which.
        pub call: TypicalCall,
        /// What it is charged with the price that is valid now; `None` where there is none.
        pub now: Option<Credits>,
        /// What it would be charged; `None` where that does not fit.
        pub credits: Option<Credits>,
        /// What the provider would take; `None` where it is not known.
        pub cost: Option<Credits>,
        /// What would be left, where that is known.
        pub margin: Option<Credits>,
    }

    /// What calls brought.
    pub struct Earned {
        /// Charged.
        pub credits: Credits,
        /// What providers took, and what was left.
        pub cost: KnownCost,
    }

    /// The last 30 days with another price.
    pub struct Repriced {
        /// From when on.
        pub from: Moment,
        /// Until when.
        pub until: Moment,
        /// Calls that were looked at.
        pub calls: u64,
        /// Whether there were more, so that these are the newest.
        pub is_sample: bool,
        /// As it was.
        pub was: Earned,
        /// As it would have been.
        pub would: Earned,
        /// Calls that would have been charged more.
        pub dearer: u64,
        /// Calls that would have been charged less.
        pub cheaper: u64,
        /// Calls with something that no rate fits.
        pub unpriced: u64,
        /// Calls in neither sum.
        pub left_out: u64,
    }

    /// What a price would do.
    pub struct PriceTry {
        /// Typical calls.
        pub typical: Vec<TypicalRow>,
        /// The last 30 days, where that was asked for.
        pub repriced: Option<Repriced>,
    }
}

/// The names of a row's fields.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they say what they are")]
pub struct RateNames {
    pub unit: String,
    pub per: String,
    pub when: String,
    pub credits: String,
    pub cost: String,
    pub step: String,
}

impl RateTable {
    /// The names of a row's fields; rows are counted from 0.
    pub fn names(&self, row: impl Given<usize>) -> RateNames {
        let row = row.get();
        let name = |field: &str| format!("{field}-{row}");
        RateNames {
            unit: name("unit"),
            per: name("per"),
            when: name("when"),
            credits: name("credits"),
            cost: name("cost"),
            step: name("step"),
        }
    }
}
