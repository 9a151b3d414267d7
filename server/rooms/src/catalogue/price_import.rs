//! Price lists of others: read, matched with the catalogue's models, kept for a day to be looked through,
//! and set row by row as somebody chose. What must be looked at twice is refused here unless that was said.
//! What a list says is read by `price_list`, which knows no model.

mod apply;
mod kept;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use server_store::audit::Actor;
use server_store::catalogue::{NewPriceReview, PriceReview, prices_print};
use sha2::{Digest as _, Sha256};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{PriceId, PriceReviewId};
use shared::units::Unit;

use self::kept::{KeptOffer, KeptReview, KeptRow};
use super::model::Model;
use super::price::{Price, PriceList};
use super::price_list::compare::PriceChanges;
use super::price_list::draft::{ImportTerms, draft};
use super::price_list::matching::{ListIndex, MatchedBy};
use super::price_list::{self, ListProblem, ListShape, ListedModel, ListedTraits, SheetError};
use super::{Catalogue, CatalogueError, check};

/// Long enough to ask a colleague, too short for prices to grow old in it.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// A few people at a few lists each.
const REVIEWS_MAX: i64 = 20;
/// A price is at most a thousand times its cost.
const FACTOR_PPM_MAX: i64 = 1_000_000_000;
/// Names of a list that fit no model; the rest is counted.
const UNMATCHED_MAX: usize = 500;
/// As file systems bound it.
const FILE_NAME_CHARS_MAX: usize = 255;

/// A list to be imported.
#[derive(Debug, Clone)]
pub struct ListImport {
    /// The file's text.
    pub file: String,
    /// Its name, for people.
    pub file_name: String,
    /// Whose ratio counts, in a list with groups.
    pub group: Option<String>,
    /// How it is taken.
    pub terms: ImportTerms,
}

/// Why a list was not imported, or a review not applied. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such review, or not any more.
    #[error("there is no such review")]
    NoSuchReview,
    /// The file is no list.
    #[error(transparent)]
    List(#[from] SheetError),
    /// Rows that were chosen can't be set, each with its reason.
    #[error("{} rows can't be set", .0.len())]
    Rows(Vec<(String, RowRefusal)>),
    /// The catalogue refused.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

impl From<DbError> for ImportError {
    fn from(error: DbError) -> Self {
        Self::Catalogue(error.into())
    }
}

/// Why a row can't be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRefusal {
    /// The review has no such row.
    NoSuchRow,
    /// It was chosen twice.
    Twice,
    /// A price becomes nothing, or changes by more than half, and nobody said that it may.
    Unconfirmed,
    /// Its state forbids it.
    State(RowState),
}

/// Whether a row can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowState {
    /// It can.
    Ready,
    /// The price is that one already.
    Unchanged,
    /// The price is pinned.
    Pinned,
    /// Somebody set a price of the model after the list was read, or another of its prices is valid when the new
    /// one begins than the one that it was made of.
    Changed,
    /// The model is gone.
    Gone,
    /// These units, which a call can bring, would have no price.
    Missing(Vec<Unit>),
    /// It breaks a rule of prices.
    Refused(String),
}

impl RowState {
    /// Its stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unchanged => "unchanged",
            Self::Pinned => "pinned",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Missing(_) => "missing",
            Self::Refused(_) => "refused",
        }
    }
}

/// A row of a review: a model with the price that it has and the one that it would get.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    /// The model's name.
    pub model: String,
    /// Its name in the list.
    pub listed: String,
    /// How the two were found to be one.
    pub matched_by: MatchedBy,
    /// Whether it can be set.
    pub state: RowState,
    /// Old and new side by side.
    pub changes: PriceChanges,
    /// The price that it would get.
    pub list: PriceList,
    /// The one that it has.
    pub current: Option<PriceId>,
    /// Units of which an amount was rounded up to a millionth.
    pub rounded: Vec<Unit>,
    /// Units that the list says nothing of, and whose rates stay.
    pub kept: Vec<Unit>,
    /// Units of the list that are left out.
    pub left_out: Vec<Unit>,
    /// Prices of the list that Waule has no unit for, by their fields there.
    pub unread: Vec<String>,
    /// The model's prices that it was made beside.
    print: String,
}

/// A list as it is looked through.
#[derive(Debug, Clone)]
pub struct ReviewedList {
    /// Who uploaded what, and whether it was applied.
    pub review: PriceReview,
    /// Whose form the list has.
    pub shape: ListShape,
    /// How it is taken.
    pub terms: ImportTerms,
    /// The group whose ratio counts.
    pub group: Option<String>,
    /// By the models' names.
    pub rows: Vec<ReviewRow>,
    /// Models of the catalogue that the list does not have.
    pub without: Vec<String>,
    /// Models of the list that fit none of the catalogue, the first of them.
    pub unmatched: Vec<String>,
    /// How many there are in all.
    pub unmatched_count: usize,
    /// What is wrong with others, the first of it.
    pub problems: Vec<ListProblem>,
    /// How many there are in all.
    pub problem_count: usize,
}

/// What a list says of a model that the catalogue does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOffer {
    /// The price that it would get; without rates where the import takes what the list does not tell.
    pub list: PriceList,
    /// What it is and can.
    pub traits: ListedTraits,
}

/// A row that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChoice {
    /// Its model.
    pub model: String,
    /// Whether somebody said that a price may become nothing, or change by more than half.
    pub is_confirmed: bool,
}

/// What was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedReview {
    /// When; `None` where nothing had to be.
    pub at: Option<Moment>,
    /// Whether it was done before, so that nothing was done now.
    pub is_before: bool,
    /// The new prices by model.
    pub prices: Vec<(String, PriceId)>,
}

fn print_of(model: &Model) -> String {
    prices_print(model.prices.iter().map(|price| price.id.as_str()))
}

fn check_terms(terms: &ImportTerms) -> Result<(), CatalogueError> {
    check::currency(&terms.currency)?;
    if !(1..=FACTOR_PPM_MAX).contains(&terms.factor_ppm) {
        return Err(CatalogueError::Invalid {
            field: "factor",
            rule: "a factor above 0, at most 1000".to_owned(),
        });
    }
    Ok(())
}

/// A file's name without a path and what can't be shown.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = last.chars().filter(|c| !c.is_control());
    shown.take(FILE_NAME_CHARS_MAX).collect()
}

impl Catalogue {
    /// Reads a list and keeps it to be looked through; `kinds` are those of the providers, by name.
    pub async fn import_list(
        &self,
        actor: &Actor,
        import: ListImport,
        kinds: &HashMap<String, String>,
    ) -> Result<PriceReviewId, ImportError> {
        check_terms(&import.terms)?;
        let now = self.now();
        let (models, kinds) = (self.models(), kinds.clone());
        let file_name = plain_name(&import.file_name);
        // Eight megabytes of JSON take longer than others should wait.
        let reading = tokio::task::spawn_blocking(move || {
            let hash = hex::encode(Sha256::digest(import.file.as_bytes()));
            read(import, &models, (&kinds, now)).map(|kept| (hash, kept))
        });
        let read = reading.await.map_err(|error| failed(&error))?;
        let (file_hash, kept) = read?;
        let new = NewPriceReview {
            id: PriceReviewId::random(),
            expires_at: now.after(KEPT_FOR),
            file_name,
            file_hash,
            body: kept.to_json()?,
        };
        let keep = (&new, REVIEWS_MAX);
        self.0.store.keep_price_review(actor, keep, now).await?;
        Ok(new.id)
    }

    /// Lists that wait to be looked through, newest first.
    pub async fn price_reviews(&self) -> Result<Vec<PriceReview>, DbError> {
        self.0.store.price_reviews(self.now()).await
    }

    /// A list as it is looked through, with prices that become valid at a moment, or now.
    pub async fn price_review(
        &self,
        id: &PriceReviewId,
        valid_from: Option<Moment>,
    ) -> Result<ReviewedList, ImportError> {
        let now = self.now();
        let review = self.0.store.price_review(id, now).await?;
        let review = review.ok_or(ImportError::NoSuchReview)?;
        let pins = self.0.store.price_pins().await?;
        let kept = KeptReview::from_json(&review.body)?;
        let at = valid_from.unwrap_or(now);
        let rows: Vec<ReviewRow> = kept
            .rows
            .into_iter()
            .map(|row| self.row(row, (&pins, at)))
            .collect();
        let models = self.models();
        let known = |id: &str| rows.iter().any(|row| row.model == id);
        let without = models.iter().filter(|model| !known(&model.id));
        Ok(ReviewedList {
            without: without.map(|model| model.id.clone()).collect(),
            shape: kept.shape,
            terms: kept.terms,
            group: kept.group,
            unmatched: kept.unmatched,
            unmatched_count: kept.unmatched_count,
            problems: kept.problems,
            problem_count: kept.problem_count,
            review,
            rows,
        })
    }

    /// What a list says of a model that none of the catalogue is: for whoever makes one of it.
    pub async fn listed_offer(
        &self,
        id: &PriceReviewId,
        listed: &str,
    ) -> Result<ListedOffer, ImportError> {
        let review = self.0.store.price_review(id, self.now()).await?;
        let review = review.ok_or(ImportError::NoSuchReview)?;
        let kept = KeptReview::from_json(&review.body)?;
        let mut offers = kept.offers.into_iter();
        let offer = offers.find(|offer| offer.listed == listed);
        let offer = offer.ok_or(ImportError::NoSuchReview)?;
        Ok(ListedOffer {
            list: offer.list,
            traits: offer.traits,
        })
    }

    /// Models whose price no import changes, by name.
    pub async fn price_pins(&self) -> Result<Vec<String>, DbError> {
        self.0.store.price_pins().await
    }

    /// Pins a model's price, so that imports don't change it, or lets it go.
    pub async fn pin_price(
        &self,
        actor: &Actor,
        model: &str,
        pin: bool,
    ) -> Result<(), CatalogueError> {
        self.model(model).ok_or(CatalogueError::NoSuchModel)?;
        let store = &self.0.store;
        store.pin_price(actor, (model, pin), self.now()).await?;
        Ok(())
    }

    fn row(&self, kept: KeptRow, (pins, at): (&[String], Moment)) -> ReviewRow {
        let model = self.model(&kept.model);
        let price = model.as_ref().and_then(|model| model.price_at(at));
        let old = price.map(|price| &*price.list);
        let operation = model.as_ref().map(|model| model.operation);
        let changes = operation.map_or_else(PriceChanges::default, |operation| {
            PriceChanges::between(operation, old, &kept.list)
        });
        ReviewRow {
            state: state(model.as_deref(), price, (&kept, pins)),
            changes,
            current: price.map(|price| price.id.clone()),
            model: kept.model,
            listed: kept.listed,
            matched_by: kept.matched_by,
            list: kept.list,
            rounded: kept.rounded,
            kept: kept.kept,
            left_out: kept.left_out,
            unread: kept.unread,
            print: kept.print,
        }
    }
}

fn failed(error: &tokio::task::JoinError) -> ImportError {
    DbError::Damaged(format!("a price list was not read: {error}")).into()
}

/// Whether it is the same price, whatever the day that its currency's rate is of.
fn is_same(old: &PriceList, new: &PriceList) -> bool {
    let rate = |list: &PriceList| {
        let currency = list.currency.as_ref();
        currency.map(|currency| (currency.code.clone(), currency.credits))
    };
    (&old.rates, old.minimum, rate(old)) == (&new.rates, new.minimum, rate(new))
}

fn state(
    model: Option<&Model>,
    price: Option<&Price>,
    (kept, pins): (&KeptRow, &[String]),
) -> RowState {
    let Some(model) = model else {
        return RowState::Gone;
    };
    if pins.contains(&model.id) {
        return RowState::Pinned;
    }
    if price.is_some_and(|price| is_same(&price.list, &kept.list)) {
        return RowState::Unchanged;
    }
    // A price that was scheduled before begins without a change of the print.
    let base = price.map(|price| &price.id);
    if print_of(model) != kept.print || base != kept.base.as_ref() {
        return RowState::Changed;
    }
    let missing = kept.list.uncovered(model.operation.units().iter().copied());
    if !missing.is_empty() {
        return RowState::Missing(missing);
    }
    match check::tariff(model.operation, kept.list.clone()) {
        Ok(_) => RowState::Ready,
        Err(error) => RowState::Refused(error.to_string()),
    }
}

/// Reads a list and makes a row of each model that it has.
fn read(
    import: ListImport,
    models: &[Arc<Model>],
    (kinds, now): (&HashMap<String, String>, Moment),
) -> Result<KeptReview, SheetError> {
    let group = import.group.filter(|group| !group.is_empty());
    let sheet = price_list::read(&import.file, group.as_deref())?;
    let index = ListIndex::new(sheet.shape, &sheet.models);
    let mut is_matched = vec![false; sheet.models.len()];
    let mut rows = Vec::new();
    for model in models {
        let Some((at, matched_by)) = index.find(model, kinds) else {
            continue;
        };
        let (Some(listed), Some(matched)) = (sheet.models.get(at), is_matched.get_mut(at)) else {
            continue;
        };
        *matched = true;
        let base = model.price_at(now);
        let old = base.map(|price| &*price.list);
        let made = draft(&listed.offer, old, &import.terms);
        rows.push(KeptRow {
            model: model.id.clone(),
            listed: listed.name.clone(),
            matched_by,
            print: print_of(model),
            base: base.map(|price| price.id.clone()),
            list: made.list,
            rounded: made.rounded,
            kept: made.kept,
            left_out: made.left_out,
            unread: listed.unread.clone(),
        });
    }
    let with_match = sheet.models.iter().zip(&is_matched);
    let unmatched = with_match.filter(|(_, matched)| !**matched);
    let unmatched: Vec<&ListedModel> = unmatched.map(|(model, _)| model).collect();
    let shown = || unmatched.iter().take(UNMATCHED_MAX);
    let offer = |model: &&ListedModel| KeptOffer {
        listed: model.name.clone(),
        list: draft(&model.offer, None, &import.terms).list,
        traits: model.traits.clone(),
    };
    let offers = shown().map(offer).collect();
    Ok(KeptReview {
        shape: sheet.shape,
        terms: import.terms,
        group,
        rows,
        unmatched_count: unmatched.len(),
        unmatched: shown().map(|model| model.name.clone()).collect(),
        offers,
        problems: sheet.problems,
        problem_count: sheet.problem_count,
    })
}
