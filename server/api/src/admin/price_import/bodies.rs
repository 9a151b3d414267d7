//! Reviews of price lists as they are sent and shown.

use poem_openapi::{Enum, Object};
use server_edge::date;
use server_rooms::catalogue::PriceReview;
use server_rooms::catalogue::price_import::{
    AppliedReview, ListImport, ReviewRow, ReviewedList, RowChoice, RowRefusal, RowState,
};
use server_rooms::catalogue::price_list::compare::PriceChange;
use server_rooms::catalogue::price_list::draft::{ImportTerms, Takes};
use server_rooms::catalogue::price_list::{ListProblem, ListShape};
use shared::credits::Credits;
use shared::units::Unit;

use super::super::rates::{CurrencyBody, RateBody};
use crate::manage::Amount;

/// What of a price a list tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum TakesBody {
    /// The provider's cost; the price is the cost times the factor.
    CostAndPrice,
    /// The provider's cost alone; what tenants pay stays.
    Cost,
    /// What tenants pay alone; the cost stays.
    Price,
}

/// A price list to be looked through.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewReviewBody {
    /// The list's text, at most 8 MiB. As a text, so that no number of it passes through a float.
    pub file: String,
    /// Its name, for people.
    pub file_name: Option<String>,
    /// The group of new-api whose ratio multiplies the prices; none when absent.
    pub group: Option<String>,
    /// What of a price the list tells; an export of Waule tells all of it.
    pub takes: Option<TakesBody>,
    /// What the price is of the list's: 1.25 is a quarter more. 1 when absent.
    pub factor: Option<Amount>,
    /// The list's currency: the public list and new-api's ratios are in US dollars.
    pub currency: CurrencyBody,
}

impl NewReviewBody {
    pub(super) fn read(self) -> ListImport {
        let takes = match self.takes {
            Some(TakesBody::CostAndPrice) | None => Takes::CostAndPrice,
            Some(TakesBody::Cost) => Takes::Cost,
            Some(TakesBody::Price) => Takes::Price,
        };
        let factor = self
            .factor
            .map_or(Credits::from_micros(1_000_000), Credits::from);
        ListImport {
            file: self.file,
            file_name: self.file_name.unwrap_or_default(),
            group: self.group,
            terms: ImportTerms {
                takes,
                factor_ppm: factor.micros(),
                currency: self.currency.into(),
            },
        }
    }
}

/// A row that was chosen.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct RowChoiceBody {
    /// Its model.
    pub model_id: String,
    /// That a price or a cost may become 0, or change by more than half.
    #[oai(default)]
    pub confirm: bool,
}

impl From<RowChoiceBody> for RowChoice {
    fn from(body: RowChoiceBody) -> Self {
        Self {
            model: body.model_id,
            is_confirmed: body.confirm,
        }
    }
}

/// What of a review is to be set.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ApplyReviewBody {
    /// From this day (2026-11-21, UTC) or moment (RFC 3339) on; now when absent.
    pub valid_from: Option<String>,
    /// The rows that were chosen.
    #[oai(validator(max_items = 5000))]
    pub rows: Vec<RowChoiceBody>,
}

/// Whether no import changes a model's price.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct PricePinBody {
    /// Whether it is so.
    pub pinned: bool,
}

/// A price that a review set.
#[derive(Debug, Clone, Object)]
pub struct AppliedPriceView {
    /// Of which model.
    pub model_id: String,
    /// The price's id.
    pub price_id: String,
}

/// What was set.
#[derive(Debug, Clone, Object)]
pub struct AppliedReviewView {
    /// When, in RFC 3339; null where nothing had to be.
    pub applied_at: Option<String>,
    /// Whether that was before, so that nothing was done now.
    pub already: bool,
    /// The new prices.
    pub prices: Vec<AppliedPriceView>,
}

impl From<AppliedReview> for AppliedReviewView {
    fn from(of: AppliedReview) -> Self {
        let price = |(model, price): (String, shared::id::PriceId)| AppliedPriceView {
            model_id: model,
            price_id: price.into_string(),
        };
        Self {
            applied_at: of.at.map(date::text),
            already: of.is_before,
            prices: of.prices.into_iter().map(price).collect(),
        }
    }
}

/// A unit under a condition, as it was and as it becomes. Costs are in credits.
#[derive(Debug, Clone, Object)]
pub struct PriceChangeView {
    /// Of what: `input_token` and so on.
    pub unit: String,
    /// When, as `context_over=200000; tier=flex`; empty where always.
    pub when: String,
    /// All amounts are for so many.
    pub per: u64,
    /// What tenants pay now; null where it has no price.
    pub old: Option<Amount>,
    /// What they would pay.
    pub new: Option<Amount>,
    /// What the provider takes now; null where it is not known.
    pub old_cost: Option<Amount>,
    /// What it would take.
    pub new_cost: Option<Amount>,
}

impl From<PriceChange> for PriceChangeView {
    fn from(of: PriceChange) -> Self {
        Self {
            unit: of.unit.to_string(),
            when: of.when,
            per: of.per,
            old: of.old.map(Amount::from),
            new: of.new.map(Amount::from),
            old_cost: of.old_cost.map(Amount::from),
            new_cost: of.new_cost.map(Amount::from),
        }
    }
}

/// A row of a review.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is told by itself, and nothing follows from two of them"
)]
#[derive(Debug, Clone, Object)]
pub struct ReviewRowView {
    /// The model.
    pub model_id: String,
    /// Its name in the list.
    pub listed: String,
    /// How it was found: `target`, `prefix`, `name` or `model`.
    pub matched_by: String,
    /// `ready`; or why it can't be set: `unchanged`, `pinned`, `changed` (somebody set a price since), `gone`,
    /// `missing` (a unit would have no price), `refused`.
    pub state: String,
    /// Units without a price, where it is `missing`.
    pub missing: Vec<String>,
    /// What is wrong, where it is `refused`.
    pub refused: Option<String>,
    /// A price or a cost becomes 0 that was not.
    pub becomes_zero: bool,
    /// A price or a cost changes by more than half.
    pub is_large: bool,
    /// It must be confirmed by itself.
    pub needs_confirm: bool,
    /// Something is sold below its cost.
    pub is_below_cost: bool,
    /// Old and new, unit by unit.
    pub changes: Vec<PriceChangeView>,
    /// Units of which an amount was rounded up to a millionth.
    pub rounded: Vec<String>,
    /// Units that the list says nothing of, and whose rates stay.
    pub kept: Vec<String>,
    /// Units of the list that are left out: there is no price of theirs that could stay, or it does not fit.
    pub left_out: Vec<String>,
    /// Prices of the list that there is no unit for, by their fields there.
    pub unread: Vec<String>,
    /// The price that it would get.
    pub rates: Vec<RateBody>,
    /// What a call would cost at least.
    pub minimum: Option<Amount>,
    /// In what costs would be told; credits when null.
    pub currency: Option<CurrencyBody>,
}

fn names(units: &[Unit]) -> Vec<String> {
    units.iter().map(ToString::to_string).collect()
}

impl From<ReviewRow> for ReviewRowView {
    fn from(of: ReviewRow) -> Self {
        let (state, changes) = (of.state.word().to_owned(), of.changes);
        let (missing, refused) = match of.state {
            RowState::Missing(units) => (names(&units), None),
            RowState::Refused(rule) => (Vec::new(), Some(rule)),
            RowState::Ready
            | RowState::Unchanged
            | RowState::Pinned
            | RowState::Changed
            | RowState::Gone => (Vec::new(), None),
        };
        Self {
            model_id: of.model,
            listed: of.listed,
            matched_by: of.matched_by.word().to_owned(),
            state,
            missing,
            refused,
            becomes_zero: changes.becomes_zero,
            is_large: changes.is_large,
            needs_confirm: changes.needs_confirmation(),
            is_below_cost: changes.is_below_cost,
            changes: changes.lines.into_iter().map(Into::into).collect(),
            rounded: names(&of.rounded),
            kept: names(&of.kept),
            left_out: names(&of.left_out),
            unread: of.unread,
            rates: of.list.rates.into_iter().map(RateBody::from).collect(),
            minimum: of.list.minimum.map(Amount::from),
            currency: of.list.currency.map(Into::into),
        }
    }
}

/// What is wrong with a model of a list, or with a field of it.
#[derive(Debug, Clone, Object)]
pub struct ListProblemView {
    /// The model's name in the list; empty where it is of none.
    pub model: String,
    /// The field, or the line; empty where it is the model as a whole.
    pub field: String,
    /// `not_a_number`, `null`, `negative`, `too_long`, `twice`, `bad_name`, `not_an_object`, `no_price`,
    /// `expression`, `bad_price` or `too_many`.
    pub fault: String,
}

impl From<ListProblem> for ListProblemView {
    fn from(of: ListProblem) -> Self {
        Self {
            model: of.model,
            field: of.field,
            fault: of.fault.word().to_owned(),
        }
    }
}

/// A review in a list.
#[derive(Debug, Clone, Object)]
pub struct PriceReviewList {
    /// Its id.
    pub id: String,
    /// The file's name.
    pub file_name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Who uploaded it.
    pub author: String,
    /// When, in RFC 3339.
    pub created_at: String,
    /// Until when it is kept.
    pub expires_at: String,
    /// When it was applied; null before.
    pub applied_at: Option<String>,
}

/// Reviews.
#[derive(Debug, Clone, Object)]
pub struct PriceReviewsView {
    /// Newest first.
    pub data: Vec<PriceReviewList>,
}

impl From<PriceReview> for PriceReviewList {
    fn from(of: PriceReview) -> Self {
        Self {
            id: of.id.into_string(),
            file_name: of.file_name,
            sha256: of.file_hash,
            author: of.author,
            created_at: date::text(of.created_at),
            expires_at: date::text(of.expires_at),
            applied_at: of.applied.map(|(at, _)| date::text(at)),
        }
    }
}

/// A list as it is looked through.
#[derive(Debug, Clone, Object)]
pub struct PriceReviewView {
    /// Its id.
    pub id: String,
    /// The file's name.
    pub file_name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Who uploaded it.
    pub author: String,
    /// When, in RFC 3339.
    pub created_at: String,
    /// Until when it is kept.
    pub expires_at: String,
    /// When it was applied; null before.
    pub applied_at: Option<String>,
    /// `public`, `ratios` or `own`.
    pub shape: String,
    /// What of a price the list tells.
    pub takes: String,
    /// What the price is of the list's.
    pub factor: Amount,
    /// The list's currency.
    pub currency: CurrencyBody,
    /// The group whose ratio counts.
    pub group: Option<String>,
    /// By model.
    pub rows: Vec<ReviewRowView>,
    /// Models that the list does not have.
    pub without: Vec<String>,
    /// Names of the list that fit no model, the first 500.
    pub unmatched: Vec<String>,
    /// How many there are in all.
    pub unmatched_count: u64,
    /// What is wrong with others, the first 200.
    pub problems: Vec<ListProblemView>,
    /// How many there are in all.
    pub problem_count: u64,
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl From<ReviewedList> for PriceReviewView {
    fn from(of: ReviewedList) -> Self {
        let shape = match of.shape {
            ListShape::Public => "public",
            ListShape::Ratios => "ratios",
            ListShape::Own => "own",
        };
        let head = PriceReviewList::from(of.review);
        Self {
            id: head.id,
            file_name: head.file_name,
            sha256: head.sha256,
            author: head.author,
            created_at: head.created_at,
            expires_at: head.expires_at,
            applied_at: head.applied_at,
            shape: shape.to_owned(),
            takes: of.terms.takes.word().to_owned(),
            factor: Credits::from_micros(of.terms.factor_ppm).into(),
            currency: of.terms.currency.into(),
            group: of.group,
            rows: of.rows.into_iter().map(Into::into).collect(),
            without: of.without,
            unmatched: of.unmatched,
            unmatched_count: count(of.unmatched_count),
            problems: of.problems.into_iter().map(Into::into).collect(),
            problem_count: count(of.problem_count),
        }
    }
}

/// Why a row was not set, as the end of a sentence.
pub(super) fn refusal(why: &RowRefusal) -> String {
    let words = match why {
        RowRefusal::NoSuchRow => "the review has no such row",
        RowRefusal::Twice => "it was chosen twice",
        RowRefusal::Unconfirmed => {
            "a price or a cost becomes 0 or changes by more than half, which must be confirmed"
        }
        RowRefusal::State(state) => match state {
            RowState::Ready | RowState::Unchanged => "it can't be set",
            RowState::Pinned => "its price is pinned",
            RowState::Changed => "somebody set a price of it after the list was uploaded",
            RowState::Gone => "there is no such model any more",
            RowState::Missing(units) => {
                return format!("no price for {}", names(units).join(", "));
            }
            RowState::Refused(rule) => return rule.clone(),
        },
    };
    words.to_owned()
}
