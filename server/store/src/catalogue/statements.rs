//! The statements over models and prices: each change is one transaction, with its entry.

use std::collections::HashMap;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use server_rules::catalogue::model::Model;
use server_rules::catalogue::price::Price;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::PriceId;
use shared::{on, write_tx};

use super::super::Store;
use super::super::audit::{Actor, Note, note};
use super::super::changes::{CATALOGUE, announce};
use super::super::schema::{ended_prices, models, prices};
use super::{ModelPatch, ModelRow, NewModel, NewPrice, PriceRow};

/// Adds a row with its audit entry; a macro, because it runs inside either transaction.
macro_rules! insert_row {
    ($conn:expr, $table:ident, $row:expr, ($actor:expr, $action:literal, $now:expr)) => {{
        let row = $row;
        diesel::insert_into($table::table)
            .values(row.clone())
            .execute($conn)
            .await?;
        let note = Note {
            action: $action,
            subject: &row.id,
            after: Some(row.shown()?),
            ..Note::default()
        };
        note!($conn, $actor, note, $now)
    }};
}

/// Takes the mark of the default from the other models of the same operation.
macro_rules! only_default {
    ($conn:expr, $row:expr) => {{
        let row: &ModelRow = $row;
        let others = models::table
            .filter(models::operation.eq(&row.operation))
            .filter(models::id.ne(&row.id))
            .filter(models::is_default.eq(true));
        diesel::update(others)
            .set(models::is_default.eq(false))
            .execute($conn)
            .await?;
    }};
}

/// The row of that id, inside either transaction.
macro_rules! row_of {
    ($conn:expr, $table:ident, $row:ty, $id:expr) => {{
        let row: Option<$row> = $table::table
            .find($id)
            .select(<$row>::as_select())
            .first($conn)
            .await
            .optional()?;
        row
    }};
}

/// Removes the row of that id with its audit entry, inside either transaction; whether there was one.
macro_rules! delete_row {
    ($conn:expr, $table:ident, $row:ty, $id:expr, ($actor:expr, $action:literal, $now:expr)) => {{
        announce!($conn, CATALOGUE, $now);
        let row = row_of!($conn, $table, $row, $id);
        if let Some(row) = &row {
            let old = $table::table.find($id);
            diesel::delete(old).execute($conn).await?;
            let note = Note {
                action: $action,
                subject: &row.id,
                before: Some(row.shown()?),
                ..Note::default()
            };
            note!($conn, $actor, note, $now);
        }
        row.is_some()
    }};
}

impl Store {
    /// Every model with its prices; a damaged row takes its own model out and no other.
    pub async fn catalogue(&self) -> Result<Vec<Result<Model, DbError>>, DbError> {
        // What changes between the two statements is announced, and read again.
        let price_rows: Vec<PriceRow> = on!(self.db, |conn| prices::table
            .select(PriceRow::as_select())
            .load(conn)
            .await)?;
        let model_rows: Vec<ModelRow> = on!(self.db, |conn| {
            models::table
                .order(models::id.asc())
                .select(ModelRow::as_select())
                .load(conn)
                .await
        })?;
        let mut of_model: HashMap<String, Vec<PriceRow>> = HashMap::new();
        for row in price_rows {
            of_model.entry(row.model_id.clone()).or_default().push(row);
        }
        let model = |row: ModelRow| {
            let mut parts = row.parts()?;
            let rows = of_model.remove(&parts.id).unwrap_or_default();
            parts.prices = rows
                .into_iter()
                .map(PriceRow::price)
                .collect::<Result<_, _>>()?;
            Ok(Model::new(parts))
        };
        Ok(model_rows.into_iter().map(model).collect())
    }

    /// One price, also one that was taken away: what was called with it is priced with it.
    pub async fn price(&self, id: &PriceId) -> Result<Option<Price>, DbError> {
        let valid: Option<PriceRow> = on!(self.db, |conn| {
            prices::table
                .find(id.as_str())
                .select(PriceRow::as_select())
                .first(conn)
                .await
                .optional()
        })?;
        let row = match valid {
            Some(row) => Some(row),
            None => on!(self.db, |conn| {
                ended_prices::table
                    .find(id.as_str())
                    .first::<PriceRow>(conn)
                    .await
                    .optional()
            })?,
        };
        row.map(PriceRow::price).transpose()
    }

    /// Adds a model, and its price when it has one.
    pub async fn create_model(
        &self,
        actor: &Actor,
        new: &NewModel,
        now: Moment,
    ) -> Result<(), DbError> {
        let row = ModelRow::new(new, now)?;
        let price = PriceRow::from_now(&new.id, new.price.as_ref(), now)?;
        write_tx!(self.db, |conn| -> DbError {
            announce!(conn, CATALOGUE, now);
            if row.is_default {
                only_default!(conn, &row);
            }
            insert_row!(conn, models, &row, (actor, "model.create", now));
            if let Some(price) = &price {
                insert_row!(conn, prices, price, (actor, "price.create", now));
            }
            Ok::<_, DbError>(())
        })
    }

    /// Changes a model; answers whether there is one of that name.
    pub async fn update_model(
        &self,
        actor: &Actor,
        id: &str,
        patch: &ModelPatch,
        now: Moment,
    ) -> Result<bool, DbError> {
        let price = PriceRow::from_now(id, patch.price.as_ref(), now)?;
        write_tx!(self.db, |conn| -> DbError {
            // First, because it is also the lock that makes changes of one model wait for another.
            announce!(conn, CATALOGUE, now);
            let Some(row) = row_of!(conn, models, ModelRow, id) else {
                return Ok::<_, DbError>(false);
            };
            let changed = row.patched(patch, now)?;
            if changed.is_default {
                only_default!(conn, &changed);
            }
            diesel::update(models::table.find(id))
                .set(changed.clone())
                .execute(conn)
                .await?;
            let (before, after) = (Some(row.shown()?), Some(changed.shown()?));
            if before != after {
                let note = Note {
                    tenant: None,
                    action: "model.update",
                    subject: id,
                    before,
                    after,
                };
                note!(conn, actor, note, now);
            }
            if let Some(price) = &price {
                insert_row!(conn, prices, price, (actor, "price.create", now));
            }
            Ok::<_, DbError>(true)
        })
    }

    /// Removes a model; answers whether there was one. Its prices end with it and stay for what was
    /// called with them.
    pub async fn delete_model(
        &self,
        actor: &Actor,
        id: &str,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let deleted = delete_row!(conn, models, ModelRow, id, (actor, "model.delete", now));
            Ok::<_, DbError>(deleted)
        })
    }

    /// Adds these prices; `None`, and none is added, when there is no such model.
    pub async fn create_prices(
        &self,
        actor: &Actor,
        new: &[NewPrice],
        now: Moment,
    ) -> Result<Option<Vec<PriceId>>, DbError> {
        let rows = new.iter().map(|new| PriceRow::new(new, now));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        write_tx!(self.db, |conn| -> DbError {
            announce!(conn, CATALOGUE, now);
            for row in &rows {
                let found: Option<String> = models::table
                    .find(&row.model_id)
                    .select(models::id)
                    .first(conn)
                    .await
                    .optional()?;
                if found.is_none() {
                    return Ok::<_, DbError>(None);
                }
            }
            for row in &rows {
                insert_row!(conn, prices, row, (actor, "price.create", now));
            }
            let ids = rows.iter().map(|row| PriceId::from_stored(row.id.clone()));
            Ok::<_, DbError>(Some(ids.collect()))
        })
    }

    /// Removes a price; answers whether there was one.
    pub async fn delete_price(
        &self,
        actor: &Actor,
        id: &PriceId,
        now: Moment,
    ) -> Result<bool, DbError> {
        let id = id.as_str();
        write_tx!(self.db, |conn| -> DbError {
            let deleted = delete_row!(conn, prices, PriceRow, id, (actor, "price.delete", now));
            Ok::<_, DbError>(deleted)
        })
    }
}
