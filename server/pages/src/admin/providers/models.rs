//! What a provider says it has, beside the catalogue: shown as it was told last, and asked for anew.

use admin_templates::admin::model_lists::{ListedTargetRow, ProviderModelList, UnusedModelRow};
use admin_templates::labels::ListStanding;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::check::ID_BYTES_MAX;
use server_rooms::catalogue::listed::Standing;
use server_rooms::catalogue::lists::{ComparedList, ListedTarget, ListsError, ModelLists};
use server_rooms::providers::{ProviderRef, Providers};

use super::super::super::error::{PageError, PageResult};
use super::super::super::session::Admin;
use super::super::length;
use super::{found, path, refused};

/// Rows of a page; the API tells more.
const UNUSED_MAX: usize = 500;

fn standing(of: Standing) -> ListStanding {
    match of {
        Standing::Listed => ListStanding::Listed,
        Standing::Gone => ListStanding::Gone,
        Standing::NotListed => ListStanding::NotListed,
        Standing::Unknown => ListStanding::Unknown,
    }
}

/// Those that somebody should look at first.
fn urgency(target: &ListedTarget) -> u8 {
    match target.standing {
        Standing::Gone => 0,
        Standing::NotListed => 1,
        Standing::Unknown => 2,
        Standing::Listed => 3,
    }
}

/// A name that the catalogue takes, as like the provider's as it can be.
fn id(name: &str) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || "._:/-".contains(c) {
            c
        } else {
            '-'
        }
    };
    name.chars().map(allowed).take(ID_BYTES_MAX).collect()
}

fn view(compared: ComparedList) -> ProviderModelList {
    let unused = compared.unused();
    let total = length(unused.len());
    let row = |(name, is_new): (&str, bool)| UnusedModelRow {
        name: name.to_owned(),
        is_new,
        id: id(name),
    };
    let unused = unused.into_iter().take(UNUSED_MAX).map(row).collect();
    let mut targets = compared.targets;
    targets.sort_by_key(urgency);
    let target = |target: ListedTarget| ListedTargetRow {
        model: target.model,
        provider_model: target.provider_model,
        standing: standing(target.standing),
    };
    let kept = compared.kept;
    let list = kept.as_ref().map(|kept| &kept.list);
    ProviderModelList {
        reference: compared.of.to_string(),
        name: compared.of.name,
        models: list.map_or(0, |list| length(list.names.len())),
        cut: list.is_some_and(|list| list.cut),
        asked_at: kept.as_ref().map(|kept| kept.asked_at),
        listed_at: kept.as_ref().and_then(|kept| kept.listed_at),
        failure: kept.and_then(|kept| kept.failure).unwrap_or_default(),
        targets: targets.into_iter().map(target).collect(),
        unused,
        unused_total: total,
    }
}

fn untold(error: ListsError) -> PageError {
    match error {
        ListsError::Provider(error) => refused(error),
        ListsError::Store(error) => error.into(),
    }
}

/// `GET /admin/providers/{id}/models`; asks nobody but the gateway whether there is such a provider.
#[handler]
pub(in super::super) async fn model_page(
    who: Admin,
    Path(id): Path<String>,
    providers: Data<&Providers>,
    lists: Data<&ModelLists>,
) -> PageResult {
    let of = ProviderRef::parse(&id);
    found(&providers, &of).await?;
    let compared = lists.of(&of).await?;
    who.show(&view(compared)).await
}

/// `POST /admin/providers/{id}/models`: asks the provider.
#[handler]
pub(in super::super) async fn ask(
    who: Admin<kind::EditProviders>,
    Path(id): Path<String>,
    lists: Data<&ModelLists>,
) -> PageResult {
    let of = ProviderRef::parse(&id);
    let compared = lists.ask(&of).await.map_err(untold)?;
    let back = format!("{}/models", path(&of));
    let is_told = compared.kept.is_some_and(|kept| kept.failure.is_none());
    if is_told {
        who.done(&back, &Notice::Saved)
    } else {
        // The page says why.
        who.go(&back)
    }
}
