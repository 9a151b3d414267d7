//! Price lists of others: uploading one, and looking through it row by row.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::admin::prices::PriceTry;
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{ImportState, ListFaultWord, PriceItem};

sampled! {
    /// A list that was uploaded.
    pub struct ImportedList {
        /// Its review's id.
        pub id: String,
        /// The file's name.
        pub file: String,
        /// Who uploaded it.
        pub author: String,
        /// When.
        pub created_at: Moment,
        /// Whether its prices were set.
        pub applied: bool,
    }

    /// `GET /admin/price-imports`. `POST` as `multipart/form-data` with `file`, `takes`, `factor`, `group`,
    /// `currency_code`, `currency_credits` and `currency_as_of`.
    pub struct PriceImports {
        /// A new one.
        pub form: Form,
        /// What is wrong with the file; empty where nothing is.
        pub file_error: String,
        /// Newest first.
        pub lists: Vec<ImportedList>,
    }

    /// A unit under a condition, as it was and as it becomes.
    pub struct ChangeLine {
        /// Of what.
        pub item: PriceItem,
        /// Of how many, and when; may be empty.
        pub detail: String,
        /// What tenants pay now.
        pub old: Option<Credits>,
        /// What they would pay.
        pub new: Option<Credits>,
        /// What the provider takes now.
        pub old_cost: Option<Credits>,
        /// What it would take.
        pub new_cost: Option<Credits>,
    }

    /// A model of the list.
    pub struct ImportRow {
        /// The model's name.
        pub model: String,
        /// Its name in the list.
        pub listed: String,
        /// Whether it can be set.
        pub state: ImportState,
        /// Whether it can be chosen.
        pub ready: bool,
        /// Why it can't, in words; may be empty.
        pub reason: String,
        /// Old and new.
        pub lines: Vec<ChangeLine>,
        /// A price or a cost becomes nothing.
        pub zero: bool,
        /// A price or a cost changes by more than half.
        pub large: bool,
        /// Something is sold below its cost.
        pub below_cost: bool,
        /// An amount was rounded up.
        pub rounded: bool,
        /// Units whose rates stay, in words; may be empty.
        pub kept: String,
        /// Units that are left out, in words; may be empty.
        pub left_out: String,
        /// Fields of the list that are not read; may be empty.
        pub unread: String,
        /// Whether it is ticked.
        pub taken: bool,
        /// Whether its second box is ticked.
        pub confirmed: bool,
        /// What was wrong when it was sent; may be empty.
        pub problem: String,
    }

    /// What is wrong with another.
    pub struct ImportProblem {
        /// The model's name in the list.
        pub model: String,
        /// The field; may be empty.
        pub field: String,
        /// What.
        pub fault: ListFaultWord,
    }

    /// What a row would have done.
    pub struct ImportEffect {
        /// Of which model.
        pub model: String,
        /// Typical calls and the last 30 days.
        pub price_try: PriceTry,
    }

    /// `GET /admin/price-imports/{id}?effect={model}`. `POST` with `valid_from`, and for each row that is chosen
    /// `take` and, where it must be confirmed, `confirm`, both with the model's name.
    pub struct PriceReviewPage {
        /// Its id.
        pub id: String,
        /// The file's name.
        pub file: String,
        /// SHA-256 of the file.
        pub hash: String,
        /// Who uploaded it.
        pub author: String,
        /// When.
        pub created_at: Moment,
        /// Until when it is kept.
        pub expires_at: Moment,
        /// Whether its prices were set.
        pub applied: bool,
        /// The factor between cost and price, as it was typed.
        pub factor: String,
        /// The currency with its worth.
        pub currency: String,
        /// The day from which on the prices hold.
        pub form: Form,
        /// By model.
        pub rows: Vec<ImportRow>,
        /// What one row would have done, where that was asked for.
        pub effect: Option<ImportEffect>,
        /// Models that the list does not have.
        pub without: Vec<String>,
        /// Names of the list that fit no model, the first of them.
        pub unmatched: Vec<String>,
        /// How many there are.
        pub unmatched_count: u64,
        /// What is wrong with others, the first of it.
        pub problems: Vec<ImportProblem>,
        /// How many there are.
        pub problem_count: u64,
    }
}

impl ImportRow {
    /// Whether it needs its own tick.
    pub fn needs_confirmation(&self) -> bool {
        self.zero || self.large
    }
}
