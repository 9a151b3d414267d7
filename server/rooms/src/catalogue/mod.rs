//! Room: models, their targets and prices, kept in memory and published to every replica.
//! Holds no SQL; `price`, `model` and `check` are its pure parts.
//!
//! Readers take the present snapshot and keep it as long as they like; a change reads the whole
//! catalogue again (a few hundred rows) and swaps the snapshot.

mod changes;
pub mod check;
pub mod lists;
pub mod price_import;
pub mod retirement;
mod routing;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;
pub use server_rules::catalogue::model::Model;
pub use server_rules::catalogue::{facts, listed, model, price, price_list, typical};
use server_store::audit::{Actor, Note};
pub use server_store::catalogue::{ModelPatch, NewModel, PriceReview};
use server_store::{Store, duplicate_or};
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{GenerationId, PriceId, TenantId};
use shared::link::Operation;
use tokio::sync::Mutex;
use tracing::error;

use self::price::Price;
pub use self::routing::Routing;
use crate::settings::zones::Zones;

/// Why the catalogue was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is no such model.
    #[error("there is no such model")]
    NoSuchModel,
    /// There is no such price.
    #[error("there is no such price")]
    NoSuchPrice,
    /// The name or the moment is taken.
    #[error("there is one already")]
    Duplicate,
    /// A field breaks its rule.
    #[error("`{field}` must be {rule}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(DbError),
}

impl From<DbError> for CatalogueError {
    fn from(error: DbError) -> Self {
        duplicate_or(error, Self::Duplicate, Self::Store)
    }
}

/// The models of one moment.
#[derive(Debug, Default)]
struct Snapshot {
    by_id: HashMap<String, Arc<Model>>,
    /// By the name in lower case, where only one model has it so.
    without_case: HashMap<String, Option<Arc<Model>>>,
    all: Arc<[Arc<Model>]>,
    routing: Arc<Routing>,
}

/// The models; cheap to clone, cheap to read.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    // Held for as long as a pointer is copied, never across an await.
    snapshot: RwLock<Arc<Snapshot>>,
    // Two readings at once could be swapped in in the wrong order.
    reading: Mutex<()>,
    zones: Zones,
}

impl Catalogue {
    /// Reads the catalogue for the first time.
    pub async fn load(store: Store, clock: Clock) -> Result<Self, DbError> {
        let snapshot = RwLock::default();
        let zones = Zones::new(store.clone(), clock.clone());
        let this = Self(Arc::new(Inner {
            zones,
            store,
            clock,
            snapshot,
            reading: Mutex::default(),
        }));
        this.reload().await?;
        Ok(this)
    }

    /// The model of that name, hidden ones included.
    pub fn model(&self, id: &str) -> Option<Arc<Model>> {
        self.snapshot().by_id.get(id).cloned()
    }

    /// The model that a tenant means by a name: the one of exactly that name, else the only one whose
    /// name differs in case alone. Hidden ones included.
    pub fn meant(&self, name: &str) -> Option<Arc<Model>> {
        let snapshot = self.snapshot();
        if let Some(model) = snapshot.by_id.get(name) {
            return Some(model.clone());
        }
        let found = snapshot.without_case.get(&name.to_ascii_lowercase())?;
        found.clone()
    }

    /// The model that takes calls of `operation` that name none, among those that `may` be used: the
    /// one that is marked so, else the oldest.
    pub fn default_of(
        &self,
        operation: Operation,
        may: impl Fn(&Model) -> bool,
    ) -> Option<Arc<Model>> {
        let models = self.models();
        let usable = models
            .iter()
            .filter(|model| model.operation == operation && may(model));
        let first = usable.min_by_key(|model| (!model.is_default, model.created_at, &model.id));
        first.cloned()
    }

    /// Every model by name, hidden ones included.
    pub fn models(&self) -> Arc<[Arc<Model>]> {
        self.snapshot().all.clone()
    }

    /// What is said of where calls of models go, and of what providers do with data.
    pub fn routing(&self) -> Arc<Routing> {
        self.snapshot().routing.clone()
    }

    /// A price by its id, wherever it is.
    pub async fn price(&self, id: &PriceId) -> Result<Option<Price>, DbError> {
        self.0.store.price(id).await
    }

    /// Reads everything again; called when this or another replica changed something.
    pub async fn reload(&self) -> Result<(), DbError> {
        let _one_at_a_time = self.0.reading.lock().await;
        let routing = Routing::of(self.0.store.platform_routes().await?);
        let read = self.0.store.catalogue().await?.into_iter();
        let models: Vec<Arc<Model>> = read
            .filter_map(|model| sound(model).map(Arc::new))
            .collect();
        let by_id = models
            .iter()
            .map(|model| (model.id.clone(), model.clone()))
            .collect();
        let fresh = Arc::new(Snapshot {
            by_id,
            without_case: without_case(&models),
            all: models.into(),
            routing: Arc::new(routing),
        });
        *self
            .0
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Writes down who tried a model at whose expense.
    pub async fn note_try(
        &self,
        actor: &Actor,
        (model, tenant): (&str, &TenantId),
        generation: &GenerationId,
    ) -> Result<(), DbError> {
        let note = Note {
            tenant: Some(tenant.as_str()),
            action: "model.try",
            subject: model,
            before: None,
            after: Some(json!({"generation": generation}).to_string()),
        };
        self.0.store.note_done(actor, note, self.now()).await
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.0
            .snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn now(&self) -> Moment {
        self.0.clock.now()
    }
}

/// Models by their names in lower case; nothing where two differ in case alone.
fn without_case(models: &[Arc<Model>]) -> HashMap<String, Option<Arc<Model>>> {
    let mut found = HashMap::with_capacity(models.len());
    for model in models {
        found
            .entry(model.id.to_ascii_lowercase())
            .and_modify(|only| *only = None)
            .or_insert_with(|| Some(model.clone()));
    }
    found
}

/// Calling a model at a price that can't be read is worse than not calling it.
fn sound(model: Result<Model, DbError>) -> Option<Model> {
    model
        .inspect_err(|error| error!(%error, "a model is left out of the catalogue: {error}"))
        .ok()
}
