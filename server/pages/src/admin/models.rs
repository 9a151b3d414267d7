//! Models: the list, and one with its settings and prices. A new one, where it runs, what a call would cost
//! and trying it are below.

pub(super) mod draft;
pub(super) mod facts;
pub(super) mod form;
mod list;
pub(super) mod new;
pub(super) mod order;
mod preview;
mod rates;
pub(super) mod route;
pub(super) mod targets;
pub(super) mod trial;
mod view;

use std::collections::BTreeSet;

use admin_templates::admin::catalogue::ModelDetail;
use admin_templates::form::FieldError;
use admin_templates::html::url_part;
use admin_templates::labels::Word;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::alerts::Alerts;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::{Catalogue, CatalogueError, Model, ModelPatch};
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use shared::id::PriceId;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::session::{Admin, Confirmed};
use super::{Asked, providers};

/// What a model's page is filled from.
#[derive(Debug, Clone)]
pub(super) struct ModelRooms {
    pub(super) catalogue: Catalogue,
    pub(super) providers: Providers,
    pub(super) reports: Reports,
}

/// One model's path; names may hold slashes.
fn path(id: &str) -> String {
    format!("/admin/models/{}", url_part(id))
}

/// A refusal of the catalogue as the error of a form's field, where it is one.
fn field_error(error: CatalogueError, taken: &'static str) -> Result<FieldProblem, PageError> {
    match error {
        CatalogueError::NoSuchModel | CatalogueError::NoSuchPrice => Err(PageError::NotFound),
        CatalogueError::Duplicate => Ok((taken, FieldError::Taken)),
        CatalogueError::Invalid { field, rule } => {
            let field = match field {
                "targets" | "targets.provider" => "provider",
                "targets.model" => "model",
                "targets.weight" => "weight",
                "targets.priority" => "priority",
                "targets.gateway" => "gateway",
                "targets.cost" => "cost",
                other => other,
            };
            Ok((field, FieldError::Words(rule)))
        }
        CatalogueError::Store(error) => Err(error.into()),
    }
}

/// Names of providers to choose from: those of the gateway, where it tells them in time, and those
/// that models run at.
async fn provider_names(catalogue: &Catalogue, providers: &Providers) -> Vec<String> {
    let known = providers::known(providers).await.providers.into_iter();
    let mut names: BTreeSet<String> = known.map(|provider| provider.answer.name).collect();
    for model in catalogue.models().iter() {
        let of = model.targets.iter();
        names.extend(of.map(|target| target.provider.clone()));
    }
    names.into_iter().collect()
}

fn found(catalogue: &Catalogue, id: &str) -> Result<std::sync::Arc<Model>, PageError> {
    catalogue.model(id).ok_or(PageError::NotFound)
}

/// `GET /admin/models`
#[handler]
pub(super) async fn model_list(
    who: Admin,
    asked: Asked,
    rooms: Data<&ModelRooms>,
    alerts: Data<&Alerts>,
) -> PageResult {
    let view = list::view(&rooms, &alerts, &asked, who.now()).await?;
    who.show(&view).await
}

/// `GET /admin/models/{id}`
#[handler]
pub(super) async fn model_page(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let mut view = view::view(&rooms, &model, who.now()).await?;
    preview::fill(&mut view, &model, (&asked, who.now(), who.lang()));
    who.show(&view).await
}

/// The page again, with what was wrong.
async fn show_wrong(
    who: &super::super::page_context::PageContext,
    rooms: &ModelRooms,
    model: &Model,
    fill: impl FnOnce(&mut ModelDetail),
) -> PageResult {
    let mut view = view::view(rooms, model, who.now()).await?;
    fill(&mut view);
    who.show_again(&view).await
}

/// `POST /admin/models/{id}/edit`
#[handler]
pub(super) async fn edit(
    who: Admin<kind::EditModels>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let (field, error) = match form::max_output(&posted, model.operation) {
        Ok(tokens) => {
            let patch = ModelPatch {
                max_output_tokens: Some(tokens),
                enabled: Some(posted.is_ticked("enabled")),
                answers_public_name: Some(posted.is_ticked("answers_public_name")),
                is_default: (!model.operation.names_model())
                    .then(|| posted.is_ticked("is_default")),
                ..ModelPatch::default()
            };
            match rooms.catalogue.update_model(&who.actor(), &id, patch).await {
                Ok(_) => return who.done(&path(&id), &Notice::Saved),
                Err(error) => field_error(error, "max_output_tokens")?,
            }
        }
        Err(wrong) => wrong,
    };
    let form = posted.again(&form::EDIT).wrong(field, error);
    show_wrong(&who, &rooms, &model, |view| view.edit = form).await
}

/// `POST /admin/models/{id}/delete`
#[handler]
pub(super) async fn delete(
    who: Confirmed<Admin<kind::EditModels>>,
    Path(id): Path<String>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let deleted = catalogue.delete_model(&who.actor(), &id).await;
    match deleted {
        Ok(()) => who.done("/admin/models", &Notice::Deleted),
        Err(error) => {
            field_error(error, "id")?;
            who.go_saying(&path(&id), false, &Notice::Stale)
        }
    }
}

/// `POST /admin/models/{id}/prices`
#[handler]
pub(super) async fn add_price(
    who: Confirmed<Admin<kind::SetPrices>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let mut draft = rates::Draft::posted(&posted);
    let from = match form::valid_from(&posted, who.here()) {
        Ok(from) => from,
        Err((field, error)) => {
            draft.wrong(field.to_owned(), error);
            None
        }
    };
    let list = draft.read(model.operation);
    if let Some(list) = list.filter(|_| !draft.has_errors()) {
        let (catalogue, actor) = (&rooms.catalogue, who.actor());
        match catalogue.create_price(&actor, id.clone(), from, list).await {
            Ok(_) => return who.done(&path(&id), &Notice::Saved),
            Err(error) => {
                let (field, error) = field_error(error, "valid_from")?;
                if field == "valid_from" {
                    draft.wrong(field.to_owned(), error);
                } else {
                    draft.wrong_above(error);
                }
            }
        }
    }
    let table = draft.table(true);
    show_wrong(&who, &rooms, &model, |view| view.price = table).await
}

/// `POST /admin/models/{id}/prices/{price}/delete`; only of one that has not begun.
#[handler]
pub(super) async fn withdraw(
    who: Confirmed<Admin<kind::SetPrices>>,
    Path((id, price)): Path<(String, String)>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let model = found(&catalogue, &id)?;
    let price: PriceId = parsed(&price)?;
    let of = model.prices.iter().find(|one| one.id == price);
    let of = of.ok_or(PageError::NotFound)?;
    if of.valid_from <= who.now() {
        return who.go_saying(&path(&id), false, &Notice::Stale);
    }
    match catalogue.delete_price(&who.actor(), &price).await {
        Ok(()) => who.done(&path(&id), &Notice::Deleted),
        Err(error) => {
            field_error(error, "valid_from")?;
            who.go_saying(&path(&id), false, &Notice::Stale)
        }
    }
}

/// `POST /admin/models/{id}/pin` with `pinned`: `on` or `off`.
#[handler]
pub(super) async fn pin_price(
    who: Admin<kind::SetPrices>,
    Path(id): Path<String>,
    posted: FormData,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let pin = posted.is_ticked("pinned");
    match catalogue.pin_price(&who.actor(), &id, pin).await {
        Ok(()) => who.done(&path(&id), &Notice::Saved),
        Err(error) => {
            field_error(error, "id")?;
            who.go_saying(&path(&id), false, &Notice::Stale)
        }
    }
}

/// A model's operation as the word of a page.
fn operation(model: &Model) -> admin_templates::labels::Operation {
    use admin_templates::labels::Operation;
    Operation::from_code(model.operation.word()).unwrap_or(Operation::Chat)
}
