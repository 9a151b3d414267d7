//! Where a model runs: targets added, changed and removed one by one, each by what it leads to.

use admin_templates::admin::catalogue::TargetChange;
use admin_templates::form::FieldError;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::{Catalogue, Model, ModelPatch};

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::Admin;
use super::super::form_errors::{FormErrors, again};
use super::{ModelRooms, field_error, form, found, path, show_wrong};

type Who = Admin<kind::EditModels>;

/// A target's name in its forms. Two that lead to the same are the same.
pub(super) fn id(target: &WeightedTarget) -> String {
    let gateway = target.gateway.as_deref().unwrap_or_default();
    format!("{}:{gateway}:{}", target.provider, target.model)
}

fn place(targets: &[WeightedTarget], wanted: &str) -> Result<usize, PageError> {
    let found = targets.iter().position(|target| id(target) == wanted);
    found.ok_or(PageError::NotFound)
}

/// Whether a target leads where another of them does.
fn is_doubled(targets: &[WeightedTarget], target: &WeightedTarget) -> bool {
    let same = targets.iter().filter(|other| id(other) == id(target));
    same.count() > 1
}

async fn keep(
    who: &Who,
    catalogue: &Catalogue,
    model: &Model,
    targets: Vec<WeightedTarget>,
) -> Result<Option<FieldProblem>, PageError> {
    let patch = ModelPatch {
        targets: Some(targets),
        ..ModelPatch::default()
    };
    let actor = who.actor();
    match catalogue.update_model(&actor, &model.id, patch).await {
        Ok(_) => Ok(None),
        Err(error) => field_error(error, "model").map(Some),
    }
}

/// `POST /admin/models/{id}/targets`
#[handler]
pub(in super::super) async fn add(
    who: Who,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let mut errors = FormErrors::default();
    let target = form::target(&posted, &mut errors);
    let wrong = match errors.unless(target) {
        Ok(target) => {
            let targets = [&model.targets[..], std::slice::from_ref(&target)].concat();
            if is_doubled(&targets, &target) {
                vec![("model", FieldError::Taken)]
            } else {
                match keep(&who, &rooms.catalogue, &model, targets).await? {
                    None => return who.done(&path(&id), &Notice::Created),
                    Some(wrong) => vec![wrong],
                }
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &form::TARGET, wrong);
    show_wrong(&who, &rooms, &model, |view| view.target = form).await
}

/// `POST /admin/models/{id}/targets/{target}`
#[handler]
pub(in super::super) async fn change(
    who: Who,
    Path((id, target)): Path<(String, String)>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let at = place(&model.targets, &target)?;
    let mut errors = FormErrors::default();
    let way = form::way(&posted, &mut errors);
    let wrong = match errors.unless(way) {
        Ok(way) => {
            let mut targets = model.targets.clone();
            let changed = targets.get_mut(at).ok_or(PageError::NotFound)?;
            way.put_into(changed);
            let changed = changed.clone();
            if is_doubled(&targets, &changed) {
                vec![("gateway", FieldError::Taken)]
            } else {
                match keep(&who, &rooms.catalogue, &model, targets).await? {
                    None => return who.done(&path(&id), &Notice::Saved),
                    Some(wrong) => vec![wrong],
                }
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &form::WAY, wrong);
    let change = TargetChange { id: target, form };
    show_wrong(&who, &rooms, &model, |view| view.changing = Some(change)).await
}

/// `POST /admin/models/{id}/targets/{target}/delete`; the last one stays: a model runs somewhere.
#[handler]
pub(in super::super) async fn remove(
    who: Who,
    Path((id, target)): Path<(String, String)>,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let at = place(&model.targets, &target)?;
    let mut targets = model.targets.clone();
    targets.remove(at);
    if targets.is_empty() {
        return show_wrong(&who, &rooms, &model, |view| {
            view.target.error = Some(FieldError::InUse);
        })
        .await;
    }
    match keep(&who, &rooms.catalogue, &model, targets).await? {
        None => who.done(&path(&id), &Notice::Deleted),
        Some(_) => who.go_saying(&path(&id), false, &Notice::Stale),
    }
}
