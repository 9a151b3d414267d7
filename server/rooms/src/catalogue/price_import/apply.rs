//! Setting the rows of a review that somebody chose: all of them or none, and once.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use server_store::audit::Actor;
use server_store::catalogue::{AppliedPrices, ApplyPrices, NewPrice, ReviewedPrice};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{PriceId, PriceReviewId};
use tracing::info;

use super::{AppliedReview, ImportError, ReviewRow, ReviewedList, RowChoice, RowRefusal, RowState};
use crate::catalogue::{Catalogue, CatalogueError, check};

/// Rows that can be set now, and why others can't.
type Judged = (Vec<ReviewRow>, Vec<(String, RowRefusal)>);

/// What is to be done with each row that was chosen. One whose price is that one already is done.
fn judged(rows: Vec<ReviewRow>, choices: &[RowChoice]) -> Judged {
    let mut by_model: HashMap<String, ReviewRow> = rows
        .into_iter()
        .map(|row| (row.model.clone(), row))
        .collect();
    let (mut ready, mut refused) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for choice in choices {
        let refusal = if !seen.insert(choice.model.as_str()) {
            RowRefusal::Twice
        } else if let Some(row) = by_model.remove(&choice.model) {
            match row.state {
                RowState::Unchanged => continue,
                RowState::Ready if row.changes.needs_confirmation() && !choice.is_confirmed => {
                    RowRefusal::Unconfirmed
                }
                RowState::Ready => {
                    ready.push(row);
                    continue;
                }
                other @ (RowState::Pinned
                | RowState::Changed
                | RowState::Gone
                | RowState::Missing(_)
                | RowState::Refused(_)) => RowRefusal::State(other),
            }
        } else {
            RowRefusal::NoSuchRow
        };
        refused.push((choice.model.clone(), refusal));
    }
    (ready, refused)
}

fn rows_refused(models: Vec<String>, state: &RowState) -> ImportError {
    let refusal = |model| (model, RowRefusal::State(state.clone()));
    ImportError::Rows(models.into_iter().map(refusal).collect())
}

fn before(at: Moment, applied: &str) -> Result<AppliedReview, ImportError> {
    let prices: Vec<(String, PriceId)> = serde_json::from_str(applied)
        .map_err(|error| DbError::Damaged(format!("an applied review of prices: {error}")))?;
    Ok(AppliedReview {
        at: Some(at),
        is_before: true,
        prices,
    })
}

impl Catalogue {
    /// Sets the prices of the chosen rows from a moment on, or from now. A review that was applied is not
    /// applied again: what it made is told.
    pub async fn apply_price_review(
        &self,
        actor: &Actor,
        id: &PriceReviewId,
        (choices, valid_from): (&[RowChoice], Option<Moment>),
    ) -> Result<AppliedReview, ImportError> {
        // Another replica may have set a price this second.
        self.reload().await?;
        let now = self.now();
        if valid_from.is_some_and(|from| from < now) {
            return Err(ImportError::Catalogue(CatalogueError::Invalid {
                field: "valid_from",
                rule: "a day or a moment that is still to come".to_owned(),
            }));
        }
        let list = self.price_review(id, valid_from).await?;
        if let Some((at, applied)) = &list.review.applied {
            return before(*at, applied);
        }
        let from = valid_from.unwrap_or(now);
        let (reviewed, told) = self.chosen(list, (choices, from))?;
        if reviewed.is_empty() {
            return Ok(AppliedReview {
                at: None,
                is_before: false,
                prices: Vec::new(),
            });
        }
        let apply = ApplyPrices {
            review: id,
            prices: &reviewed,
            told,
        };
        match self.0.store.apply_price_review(actor, &apply, now).await? {
            AppliedPrices::Set(prices) => {
                info!("{} prices of the list `{id}` were set", prices.len());
                self.reload().await?;
                Ok(AppliedReview {
                    at: Some(now),
                    is_before: false,
                    prices,
                })
            }
            AppliedPrices::Before(at, applied) => before(at, &applied),
            AppliedPrices::Gone => Err(ImportError::NoSuchReview),
            AppliedPrices::Changed(models) => Err(rows_refused(models, &RowState::Changed)),
            AppliedPrices::Pinned(models) => Err(rows_refused(models, &RowState::Pinned)),
        }
    }

    /// The prices to be set, and what the audit log tells of the choice.
    fn chosen(
        &self,
        list: ReviewedList,
        (choices, from): (&[RowChoice], Moment),
    ) -> Result<(Vec<ReviewedPrice>, String), ImportError> {
        let (rows, refused) = judged(list.rows, choices);
        if !refused.is_empty() {
            return Err(ImportError::Rows(refused));
        }
        let mut reviewed = Vec::with_capacity(rows.len());
        for row in &rows {
            let model = self.model(&row.model).ok_or(CatalogueError::NoSuchModel)?;
            let price = NewPrice {
                model: row.model.clone(),
                valid_from: from,
                list: check::tariff(model.operation, row.list.clone())?,
            };
            let print = row.print.clone();
            reviewed.push(ReviewedPrice { price, print });
        }
        let names = |of: &dyn Fn(&&ReviewRow) -> bool| -> Vec<&str> {
            rows.iter()
                .filter(of)
                .map(|row| row.model.as_str())
                .collect()
        };
        let told = json!({
            "file": list.review.file_name, "sha256": list.review.file_hash,
            "takes": list.terms.takes.word(), "factor_ppm": list.terms.factor_ppm,
            "currency": list.terms.currency, "group": list.group,
            "models": names(&|_| true),
            "confirmed": names(&|row| row.changes.needs_confirmation()),
        });
        Ok((reviewed, told.to_string()))
    }
}
