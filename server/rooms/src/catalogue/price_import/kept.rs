//! A review as the database keeps it: what was read, without what may change meanwhile.

use serde::{Deserialize, Serialize};
use shared::db::DbError;
use shared::id::PriceId;
use shared::units::Unit;

use crate::catalogue::price::PriceList;
use crate::catalogue::price_list::draft::ImportTerms;
use crate::catalogue::price_list::matching::MatchedBy;
use crate::catalogue::price_list::{ListProblem, ListShape, ListedTraits};

/// A model of the catalogue with the price that the list makes for it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptRow {
    pub(super) model: String,
    pub(super) listed: String,
    pub(super) matched_by: MatchedBy,
    /// The model's prices that the new one was made beside.
    pub(super) print: String,
    /// The one of them that was valid then, and that the new one was made of. A review that was kept before it was
    /// noted has none, so that the list is uploaded again.
    #[serde(default)]
    pub(super) base: Option<PriceId>,
    pub(super) list: PriceList,
    pub(super) rounded: Vec<Unit>,
    pub(super) kept: Vec<Unit>,
    pub(super) left_out: Vec<Unit>,
    pub(super) unread: Vec<String>,
}

/// A model of the list that none of the catalogue is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptOffer {
    pub(super) listed: String,
    pub(super) list: PriceList,
    pub(super) traits: ListedTraits,
}

/// All of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptReview {
    pub(super) shape: ListShape,
    pub(super) terms: ImportTerms,
    pub(super) group: Option<String>,
    pub(super) rows: Vec<KeptRow>,
    pub(super) unmatched: Vec<String>,
    pub(super) unmatched_count: usize,
    /// What the list says of the unmatched that are named; reviews of earlier versions have none.
    #[serde(default)]
    pub(super) offers: Vec<KeptOffer>,
    pub(super) problems: Vec<ListProblem>,
    pub(super) problem_count: usize,
}

impl KeptReview {
    pub(super) fn to_json(&self) -> Result<String, DbError> {
        serde_json::to_string(self).map_err(|error| DbError::Damaged(error.to_string()))
    }

    pub(super) fn from_json(text: &str) -> Result<Self, DbError> {
        serde_json::from_str(text)
            .map_err(|error| DbError::Damaged(format!("a review of prices: {error}")))
    }
}
