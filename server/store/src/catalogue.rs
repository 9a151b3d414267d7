//! Models and their prices. Each change is one transaction with its audit entry and its line in
//! `changes`, so that every replica hears of it exactly when it is there.

use std::collections::HashMap;

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_rules::catalogue::model::{Model, ModelParts, WeightedTarget};
use server_rules::catalogue::price::{PlainPrice, Price, PriceList, Tariff};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::PriceId;
use shared::link::Operation;
use shared::{on, write_tx};

use super::Store;
use super::audit::{Actor, Note, note};
use super::changes::{CATALOGUE, announce};
use super::schema::{ended_prices, models, prices};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = models)]
struct ModelRow {
    id: String,
    operation: String,
    targets: String,
    max_output_tokens: i64,
    enabled: bool,
    created_at: i64,
    updated_at: i64,
    answers_public_name: bool,
    is_default: bool,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = prices)]
struct PriceRow {
    id: String,
    model_id: String,
    valid_from: i64,
    items: String,
    cost: String,
    created_at: i64,
}

/// A model to be added.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// Its public name.
    pub id: String,
    /// What it is for.
    pub operation: Operation,
    /// Where it runs.
    pub targets: Vec<WeightedTarget>,
    /// Output tokens a call can bring at most.
    pub max_output_tokens: u64,
    /// Whether tenants may call it.
    pub enabled: bool,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: bool,
    /// Whether calls that name no model go to it.
    pub is_default: bool,
    /// What it costs from now on.
    pub price: Option<PriceList>,
}

/// A change of a model; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ModelPatch {
    /// Other places to run.
    pub targets: Option<Vec<WeightedTarget>>,
    /// Another bound.
    pub max_output_tokens: Option<u64>,
    /// Shown or hidden.
    pub enabled: Option<bool>,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: Option<bool>,
    /// Whether calls that name no model go to it.
    pub is_default: Option<bool>,
    /// A new price from now on, with its cost.
    pub price: Option<PriceList>,
}

/// A price to be added.
#[derive(Debug, Clone)]
pub struct NewPrice {
    /// Of which model.
    pub model: String,
    /// From when on.
    pub valid_from: Moment,
    /// What tenants pay, and what the provider takes.
    pub list: Tariff,
}

/// A model as the audit log shows it.
#[derive(Serialize)]
struct ModelShown<'a> {
    operation: &'a str,
    targets: &'a serde_json::value::RawValue,
    max_output_tokens: i64,
    enabled: bool,
    answers_public_name: bool,
    is_default: bool,
}

/// A price as the audit log shows it.
#[derive(Serialize)]
struct PriceShown<'a> {
    model_id: &'a str,
    valid_from: i64,
    items: &'a serde_json::value::RawValue,
    cost: &'a serde_json::value::RawValue,
}

fn json(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Damaged(error.to_string()))
}

fn read_json<T: DeserializeOwned>(text: &str, place: &str, id: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Damaged(format!("{place} of `{id}`: {error}")))
}

impl ModelRow {
    fn new(new: &NewModel, now: Moment) -> Result<Self, DbError> {
        Ok(Self {
            id: new.id.clone(),
            operation: new.operation.word().to_owned(),
            targets: json(&new.targets)?,
            max_output_tokens: i64::try_from(new.max_output_tokens).unwrap_or(i64::MAX),
            enabled: new.enabled,
            created_at: now.unix_ms(),
            updated_at: now.unix_ms(),
            answers_public_name: new.answers_public_name,
            is_default: new.is_default,
        })
    }

    fn patched(&self, patch: &ModelPatch, now: Moment) -> Result<Self, DbError> {
        let mut row = self.clone();
        if let Some(targets) = &patch.targets {
            row.targets = json(targets)?;
        }
        if let Some(tokens) = patch.max_output_tokens {
            row.max_output_tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        }
        row.enabled = patch.enabled.unwrap_or(row.enabled);
        let public = patch.answers_public_name;
        row.answers_public_name = public.unwrap_or(row.answers_public_name);
        row.is_default = patch.is_default.unwrap_or(row.is_default);
        row.updated_at = now.unix_ms();
        Ok(row)
    }

    fn shown(&self) -> Result<String, DbError> {
        json(&ModelShown {
            operation: &self.operation,
            targets: &read_json::<Box<_>>(&self.targets, "targets", &self.id)?,
            max_output_tokens: self.max_output_tokens,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
        })
    }

    fn parts(self) -> Result<ModelParts, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("{what} of model `{}`", self.id));
        Ok(ModelParts {
            operation: Operation::from_word(&self.operation).ok_or_else(|| damaged("operation"))?,
            targets: read_json(&self.targets, "targets", &self.id)?,
            max_output_tokens: u64::try_from(self.max_output_tokens)
                .map_err(|_| damaged("tokens"))?,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            created_at: Moment::from_unix_ms(self.created_at),
            prices: Vec::new(),
            id: self.id,
        })
    }
}

impl PriceRow {
    fn new(new: &NewPrice, now: Moment) -> Result<Self, DbError> {
        Ok(Self {
            id: PriceId::random().into_string(),
            model_id: new.model.clone(),
            valid_from: new.valid_from.unix_ms(),
            items: json(&*new.list)?,
            // Costs stand beside the prices; versions before kept them here.
            cost: "{}".to_owned(),
            created_at: now.unix_ms(),
        })
    }

    fn from_now(
        model: &str,
        price: Option<&PriceList>,
        now: Moment,
    ) -> Result<Option<Self>, DbError> {
        let Some(list) = price.cloned() else {
            return Ok(None);
        };
        let damaged = || DbError::Damaged(format!("the price of the new model `{model}`"));
        let list = Tariff::new(list).ok_or_else(damaged)?;
        Self::new(
            &NewPrice {
                model: model.to_owned(),
                valid_from: now,
                list,
            },
            now,
        )
        .map(Some)
    }

    fn shown(&self) -> Result<String, DbError> {
        json(&PriceShown {
            model_id: &self.model_id,
            valid_from: self.valid_from,
            items: &read_json::<Box<_>>(&self.items, "items", &self.id)?,
            cost: &read_json::<Box<_>>(&self.cost, "cost", &self.id)?,
        })
    }

    /// The rates; made of what versions before rates kept, where it is of one of these. They took what
    /// was left out for free.
    fn list(&self) -> Result<PriceList, DbError> {
        #[derive(serde::Deserialize)]
        struct Form {
            rates: Option<serde::de::IgnoredAny>,
        }
        let form: Form = read_json(&self.items, "items", &self.id)?;
        if form.rates.is_some() {
            return read_json(&self.items, "items", &self.id);
        }
        let price: PlainPrice = read_json(&self.items, "items", &self.id)?;
        let cost: PlainPrice = read_json(&self.cost, "cost", &self.id)?;
        let units = Operation::ALL.into_iter().flat_map(Operation::units);
        // They wrote a cost of nothing where none was told: it is not known.
        let cost = Some(cost).filter(|cost| *cost != PlainPrice::default());
        Ok(price.list(cost.as_ref()).or_free(units.copied()))
    }

    fn price(self) -> Result<Price, DbError> {
        let damaged = || DbError::Damaged(format!("the amounts of price `{}`", self.id));
        Ok(Price {
            list: Tariff::new(self.list()?).ok_or_else(damaged)?,
            valid_from: Moment::from_unix_ms(self.valid_from),
            id: PriceId::from_stored(self.id),
        })
    }
}

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
