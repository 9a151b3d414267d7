//! Price lists that wait to be looked through, the prices that come of them, and models whose price no
//! import changes. Setting the prices of a review is one transaction: all that were chosen, or none.

use diesel::prelude::{Insertable, Queryable, Selectable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{PriceId, PriceReviewId};
use shared::{on, write_tx};

use super::super::Store;
use super::super::audit::{Actor, Note, note};
use super::super::changes::{CATALOGUE, announce};
use super::super::schema::{models, price_pins, price_reviews, prices};
use super::{NewPrice, PriceRow, json};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = price_reviews)]
struct PriceReviewRow {
    id: String,
    created_at: i64,
    expires_at: i64,
    author: String,
    file_name: String,
    file_hash: String,
    body: String,
    applied_at: Option<i64>,
    applied: Option<String>,
}

/// A review to be kept.
#[derive(Debug, Clone)]
pub struct NewPriceReview {
    /// Its id.
    pub id: PriceReviewId,
    /// Until when it can be looked at.
    pub expires_at: Moment,
    /// The file's name, for people.
    pub file_name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub file_hash: String,
    /// What was read, as JSON.
    pub body: String,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceReview {
    /// Its id.
    pub id: PriceReviewId,
    /// When the file was uploaded.
    pub created_at: Moment,
    /// Until when it can be looked at.
    pub expires_at: Moment,
    /// Who uploaded it.
    pub author: String,
    /// The file's name, for people.
    pub file_name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub file_hash: String,
    /// What was read, as JSON.
    pub body: String,
    /// When its prices were set, and which: `model` to the id of its price, as JSON.
    pub applied: Option<(Moment, String)>,
}

/// A price of a review.
#[derive(Debug, Clone)]
pub struct ReviewedPrice {
    /// The price.
    pub price: NewPrice,
    /// The model's prices that it was compared with, as [`prices_print`] writes them.
    pub print: String,
}

/// Prices of a review to be set.
#[derive(Debug, Clone)]
pub struct ApplyPrices<'a> {
    /// Which review.
    pub review: &'a PriceReviewId,
    /// Its prices that were chosen.
    pub prices: &'a [ReviewedPrice],
    /// What the audit log tells of the choice, as JSON.
    pub told: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppliedPrices {
    /// The prices are set.
    Set(Vec<(String, PriceId)>),
    /// They were set before, and nothing was done.
    Before(Moment, String),
    /// There is no such review, or not any more.
    Gone,
    /// The prices of these models have changed, or their models are gone.
    Changed(Vec<String>),
    /// The prices of these models are pinned.
    Pinned(Vec<String>),
}

/// The prices of a model as a short text: another one, or one less, and it is another text. A price itself
/// never changes.
pub fn prices_print<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut ids: Vec<&str> = ids.into_iter().collect();
    ids.sort_unstable();
    let newest = ids.last().copied().unwrap_or_default();
    // FNV-1a (RFC 9923): tells apart what people do, and hides nothing.
    let hash = ids.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, id| {
        id.bytes().chain([b' ']).fold(hash, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    });
    format!("{}:{newest}:{hash:016x}", ids.len())
}

impl From<PriceReviewRow> for PriceReview {
    fn from(row: PriceReviewRow) -> Self {
        let at = row.applied_at.map(Moment::from_unix_ms);
        Self {
            id: PriceReviewId::from_stored(row.id),
            created_at: Moment::from_unix_ms(row.created_at),
            expires_at: Moment::from_unix_ms(row.expires_at),
            author: row.author,
            file_name: row.file_name,
            file_hash: row.file_hash,
            body: row.body,
            applied: at.map(|at| (at, row.applied.unwrap_or_default())),
        }
    }
}

impl Store {
    /// Keeps a review; the oldest make room where there would be more than `most`.
    pub async fn keep_price_review(
        &self,
        actor: &Actor,
        (new, most): (&NewPriceReview, i64),
        now: Moment,
    ) -> Result<(), DbError> {
        let row = PriceReviewRow {
            id: new.id.to_string(),
            created_at: now.unix_ms(),
            expires_at: new.expires_at.unix_ms(),
            author: actor.name.clone(),
            file_name: new.file_name.clone(),
            file_hash: new.file_hash.clone(),
            body: new.body.clone(),
            applied_at: None,
            applied: None,
        };
        let told = json(&[("file", &new.file_name), ("sha256", &new.file_hash)])?;
        write_tx!(self.db, |conn| -> DbError {
            let over = price_reviews::table.filter(price_reviews::expires_at.le(now.unix_ms()));
            diesel::delete(over).execute(conn).await?;
            let beyond: Vec<String> = price_reviews::table
                .order((price_reviews::created_at.desc(), price_reviews::id.desc()))
                .offset(most.saturating_sub(1))
                .limit(1_000)
                .select(price_reviews::id)
                .load(conn)
                .await?;
            let beyond = price_reviews::table.filter(price_reviews::id.eq_any(beyond));
            diesel::delete(beyond).execute(conn).await?;
            diesel::insert_into(price_reviews::table)
                .values(row.clone())
                .execute(conn)
                .await?;
            let entry = Note {
                action: "price_review.create",
                subject: &row.id,
                after: Some(told.clone()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok::<_, DbError>(())
        })
    }

    /// A review that has not expired.
    pub async fn price_review(
        &self,
        id: &PriceReviewId,
        now: Moment,
    ) -> Result<Option<PriceReview>, DbError> {
        let row: Option<PriceReviewRow> = on!(self.db, |conn| {
            price_reviews::table
                .find(id.as_str())
                .filter(price_reviews::expires_at.gt(now.unix_ms()))
                .select(PriceReviewRow::as_select())
                .first(conn)
                .await
                .optional()
        })?;
        Ok(row.map(PriceReview::from))
    }

    /// The reviews that have not expired, newest first, without what was read.
    pub async fn price_reviews(&self, now: Moment) -> Result<Vec<PriceReview>, DbError> {
        let rows: Vec<PriceReviewRow> = on!(self.db, |conn| {
            use price_reviews as r;
            r::table
                .filter(r::expires_at.gt(now.unix_ms()))
                .order(r::created_at.desc())
                .limit(1_000)
                .select((
                    r::id,
                    r::created_at,
                    r::expires_at,
                    r::author,
                    r::file_name,
                    r::file_hash,
                    // Megabytes that the list does not show.
                    diesel::dsl::sql::<diesel::sql_types::Text>("''"),
                    r::applied_at,
                    r::applied,
                ))
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(PriceReview::from).collect())
    }

    /// Sets prices of a review, unless it was done before, or one of them would change what nobody looked
    /// at.
    #[expect(
        clippy::too_many_lines,
        reason = "one transaction, read from its lock to its entry"
    )]
    pub async fn apply_price_review(
        &self,
        actor: &Actor,
        apply: &ApplyPrices<'_>,
        now: Moment,
    ) -> Result<AppliedPrices, DbError> {
        let id = apply.review.as_str();
        let rows = apply
            .prices
            .iter()
            .map(|one| PriceRow::new(&one.price, now));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let made = rows.iter().map(|row| {
            let id = PriceId::from_stored(row.id.clone());
            (row.model_id.clone(), id)
        });
        let made: Vec<(String, PriceId)> = made.collect();
        let applied = json(&made)?;
        write_tx!(self.db, |conn| -> DbError {
            // First, because it is also the lock that makes changes of prices wait for each other.
            announce!(conn, CATALOGUE, now);
            let review: Option<PriceReviewRow> = price_reviews::table
                .find(id)
                .filter(price_reviews::expires_at.gt(now.unix_ms()))
                .select(PriceReviewRow::as_select())
                .first(conn)
                .await
                .optional()?;
            let Some(review) = review else {
                return Ok::<_, DbError>(AppliedPrices::Gone);
            };
            let hash = review.file_hash.clone();
            if let Some((at, applied)) = PriceReview::from(review).applied {
                return Ok(AppliedPrices::Before(at, applied));
            }
            let wanted: Vec<&str> = rows.iter().map(|row| row.model_id.as_str()).collect();
            let pinned: Vec<String> = price_pins::table
                .filter(price_pins::model_id.eq_any(wanted))
                .order(price_pins::model_id.asc())
                .select(price_pins::model_id)
                .load(conn)
                .await?;
            if !pinned.is_empty() {
                return Ok(AppliedPrices::Pinned(pinned));
            }
            let mut changed = Vec::new();
            for one in apply.prices {
                let model = &one.price.model;
                let ids: Vec<String> = prices::table
                    .filter(prices::model_id.eq(model))
                    .select(prices::id)
                    .load(conn)
                    .await?;
                let known: Option<String> = models::table
                    .find(model)
                    .select(models::id)
                    .first(conn)
                    .await
                    .optional()?;
                let print = prices_print(ids.iter().map(String::as_str));
                if known.is_none() || print != one.print {
                    changed.push(model.clone());
                }
            }
            if !changed.is_empty() {
                return Ok(AppliedPrices::Changed(changed));
            }
            for row in &rows {
                diesel::insert_into(prices::table)
                    .values(row.clone())
                    .execute(conn)
                    .await?;
                let entry = Note {
                    action: "price.create",
                    subject: &row.id,
                    after: Some(row.shown()?),
                    ..Note::default()
                };
                note!(conn, actor, entry, now);
            }
            diesel::update(price_reviews::table.find(id))
                .set((
                    price_reviews::applied_at.eq(now.unix_ms()),
                    price_reviews::applied.eq(&applied),
                ))
                .execute(conn)
                .await?;
            let entry = Note {
                action: "price_review.apply",
                subject: id,
                before: Some(json(&[("sha256", &hash)])?),
                after: Some(apply.told.clone()),
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(AppliedPrices::Set(made.clone()))
        })
    }

    /// Models whose price no import changes, by name.
    pub async fn price_pins(&self) -> Result<Vec<String>, DbError> {
        on!(self.db, |conn| {
            price_pins::table
                .order(price_pins::model_id.asc())
                .select(price_pins::model_id)
                .load(conn)
                .await
        })
    }

    /// Pins a model's price, or lets it go; answers whether that changed anything.
    pub async fn pin_price(
        &self,
        actor: &Actor,
        (model, pin): (&str, bool),
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let old = price_pins::table.find(model);
            let known: Option<String> = old
                .select(price_pins::model_id)
                .first(conn)
                .await
                .optional()?;
            if known.is_some() == pin {
                return Ok::<_, DbError>(false);
            }
            if pin {
                diesel::insert_into(price_pins::table)
                    .values((
                        price_pins::model_id.eq(model),
                        price_pins::pinned_at.eq(now.unix_ms()),
                        price_pins::pinned_by.eq(&actor.name),
                    ))
                    .execute(conn)
                    .await?;
            } else {
                diesel::delete(price_pins::table.find(model))
                    .execute(conn)
                    .await?;
            }
            let entry = Note {
                action: if pin { "price.pin" } else { "price.unpin" },
                subject: model,
                ..Note::default()
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }
}
