//! What providers say they have, beside the catalogue, for the superadmin.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::listed::Standing;
use server_rooms::catalogue::lists::{ComparedList, ListedTarget, ListsError, ModelLists};
use server_rooms::providers::ProviderRef;

use crate::error::ApiError;
use crate::manage::Page;
use crate::principal::SuperadminCaller;

/// Names of one answer; `unused_total` tells how many there are.
const UNUSED_MAX: usize = 1_000;

/// A target and what its provider's list says of it.
#[derive(Debug, Clone, Object)]
pub struct ListedTargetView {
    /// The model that it is of.
    pub model: String,
    /// What it names at the provider.
    pub provider_model: String,
    /// `listed`, `gone` when an earlier list had it, `not_listed` when none had it, `unknown` without a whole list.
    pub standing: String,
}

/// What a provider says it has.
#[derive(Debug, Clone, Object)]
pub struct ModelListView {
    /// The provider.
    pub provider: String,
    /// The gateway that has it, where its name alone may mean two.
    pub gateway: Option<String>,
    /// When it was last asked, in RFC 3339; absent where it never was.
    pub asked_at: Option<String>,
    /// When it last told a list, in RFC 3339.
    pub listed_at: Option<String>,
    /// Why the last question brought no list, where it did not. The list of before stays.
    pub failure: Option<String>,
    /// How many models it has.
    pub models: u64,
    /// Whether its list is longer than what is read of one; then nothing is told to be gone.
    pub cut: bool,
    /// The targets that lead there.
    pub targets: Vec<ListedTargetView>,
    /// What the newest list has and the one before had not.
    pub new: Vec<String>,
    /// What an earlier list had and the newest has not.
    pub gone: Vec<String>,
    /// What it has and no target names, new ones first, at most 1,000.
    pub unused: Vec<String>,
    /// How many these are in all.
    pub unused_total: u64,
}

fn standing(of: Standing) -> &'static str {
    match of {
        Standing::Listed => "listed",
        Standing::Gone => "gone",
        Standing::NotListed => "not_listed",
        Standing::Unknown => "unknown",
    }
}

impl From<&ListedTarget> for ListedTargetView {
    fn from(target: &ListedTarget) -> Self {
        Self {
            model: target.model.clone(),
            provider_model: target.provider_model.clone(),
            standing: standing(target.standing).to_owned(),
        }
    }
}

fn length(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

impl From<ComparedList> for ModelListView {
    fn from(compared: ComparedList) -> Self {
        let unused = compared.unused();
        let kept = compared.kept.as_ref();
        let list = kept.map(|kept| &kept.list);
        let names = |of: Option<&std::collections::BTreeSet<String>>| {
            of.map(|names| names.iter().take(UNUSED_MAX).cloned().collect())
                .unwrap_or_default()
        };
        Self {
            provider: compared.of.name.clone(),
            gateway: compared.of.gateway.clone(),
            asked_at: kept.map(|kept| date::text(kept.asked_at)),
            listed_at: kept.and_then(|kept| kept.listed_at).map(date::text),
            failure: kept.and_then(|kept| kept.failure.clone()),
            models: list.map_or(0, |list| length(list.names.len())),
            cut: list.is_some_and(|list| list.cut),
            targets: compared.targets.iter().map(Into::into).collect(),
            new: names(list.map(|list| &list.new)),
            gone: names(list.map(|list| &list.gone)),
            unused_total: length(unused.len()),
            unused: unused
                .into_iter()
                .take(UNUSED_MAX)
                .map(|(name, _)| name.to_owned())
                .collect(),
        }
    }
}

impl From<ListsError> for ApiError {
    fn from(error: ListsError) -> Self {
        match error {
            ListsError::Provider(error) => error.into(),
            ListsError::Store(error) => error.into(),
        }
    }
}

/// Lists of providers for the superadmin.
#[derive(Debug, Clone)]
pub struct ModelListsApi {
    /// What providers say they have.
    pub lists: ModelLists,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl ModelListsApi {
    /// List providers' models
    ///
    /// The last model list of every provider that was queried, beside the targets of the catalogue. Queries
    /// nobody: each provider is queried once a day, and on request.
    #[oai(
        path = "/model-lists",
        method = "get",
        operation_id = "admin_list_model_lists"
    )]
    async fn known(
        &self,
        _caller: SuperadminCaller,
    ) -> Result<Json<Page<ModelListView>>, ApiError> {
        let known = self.lists.known().await?;
        Ok(Json(Page::whole(known)))
    }

    /// Query a provider's models
    ///
    /// With an active key of its pool; costs nothing. The result is stored; a failed query or an empty list
    /// leaves the previous one.
    #[oai(
        path = "/providers/:name/models",
        method = "post",
        operation_id = "admin_ask_provider_models"
    )]
    async fn ask(
        &self,
        _caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Json<ModelListView>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        Ok(Json(self.lists.ask(&of).await?.into()))
    }
}
