//! Room: what providers say they have, beside what the catalogue's targets name: what is new, what is gone, and
//! which models stand on it. Asks on demand, and once a day by itself, on one server of all.

use std::time::Duration;

use server_rules::catalogue::listed::{KnownList, Standing};
use server_rules::catalogue::model::WeightedTarget;
use server_store::Store;
use server_store::catalogue::provider_lists::{KeptList, ListPlace};
use shared::clock::Clock;
use shared::db::DbError;
use shared::link::models::ProviderModels;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Catalogue;
use crate::providers::{ProviderError, ProviderRef, Providers};

/// A server that has just started has more urgent work.
const FIRST: Duration = Duration::from_secs(120);
/// Between two looks of a server whether a provider is due.
const LOOK_EVERY: Duration = Duration::from_secs(1_800);
/// Vendors change their lists some times a month.
const ASK_EVERY: Duration = Duration::from_secs(86_400);
/// A sentence on a page.
const FAILURE_CHARS_MAX: usize = 500;

/// A target and what its provider's list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTarget {
    /// The model that it is of.
    pub model: String,
    /// What it names at the provider.
    pub provider_model: String,
    /// What the list says of that.
    pub standing: Standing,
}

/// A provider's list beside the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedList {
    /// Which provider.
    pub of: ProviderRef,
    /// What it told last; absent where it was never asked.
    pub kept: Option<KeptList>,
    /// The targets that lead there, by model.
    pub targets: Vec<ListedTarget>,
}

impl ComparedList {
    /// Targets whose model is gone there.
    pub fn gone(&self) -> impl Iterator<Item = &ListedTarget> {
        let gone = |target: &&ListedTarget| target.standing == Standing::Gone;
        self.targets.iter().filter(gone)
    }

    /// What the provider has and no target names, by name; those that its newest list brought first.
    pub fn unused(&self) -> Vec<(&str, bool)> {
        let Some(kept) = &self.kept else {
            return Vec::new();
        };
        let used = |name: &str| self.targets.iter().any(|one| one.provider_model == name);
        let list = &kept.list;
        let all = list
            .names
            .iter()
            .map(|name| (name.as_str(), list.new.contains(name)));
        let mut unused: Vec<(&str, bool)> = all.filter(|(name, _)| !used(name)).collect();
        // Stable: names stay in their order.
        unused.sort_by_key(|(_, is_new)| !is_new);
        unused
    }
}

/// Why a list can't be told.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// The gateways' word.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Lists of providers; cheap to clone.
#[derive(Debug, Clone)]
pub struct ModelLists {
    catalogue: Catalogue,
    providers: Providers,
    store: Store,
    clock: Clock,
}

fn place(of: &ProviderRef) -> ListPlace {
    ListPlace {
        gateway: of.gateway.clone().unwrap_or_default(),
        provider: of.name.clone(),
    }
}

fn whose(place: &ListPlace) -> ProviderRef {
    ProviderRef::new(&place.provider, Some(place.gateway.clone()))
}

impl ModelLists {
    /// Over the catalogue and the gateways.
    pub fn new(catalogue: Catalogue, providers: Providers, (store, clock): (Store, Clock)) -> Self {
        Self {
            catalogue,
            providers,
            store,
            clock,
        }
    }

    /// What is known of every provider that was asked, beside the catalogue. Asks nobody.
    pub async fn known(&self) -> Result<Vec<ComparedList>, DbError> {
        let kept = self.store.provider_lists().await?;
        Ok(kept.into_iter().map(|kept| self.compared(kept)).collect())
    }

    /// What is known of one. Asks nobody.
    pub async fn of(&self, of: &ProviderRef) -> Result<ComparedList, DbError> {
        let kept = self.store.provider_list(&place(of)).await?;
        let none = ComparedList {
            of: of.clone(),
            targets: self.targets(of, &KnownList::default()),
            kept: None,
        };
        Ok(kept.map_or(none, |kept| self.compared(kept)))
    }

    fn compared(&self, kept: KeptList) -> ComparedList {
        let of = whose(&kept.place);
        ComparedList {
            targets: self.targets(&of, &kept.list),
            of,
            kept: Some(kept),
        }
    }

    /// The targets that lead to a provider. One that is pinned to another gateway leads to another one's, whose
    /// list is another.
    fn targets(&self, of: &ProviderRef, list: &KnownList) -> Vec<ListedTarget> {
        let there = |target: &&WeightedTarget| {
            target.provider == of.name && self.providers.leads_to(of, target)
        };
        let mut listed = Vec::new();
        for model in self.catalogue.models().iter() {
            let targets = model.targets.iter().filter(there);
            listed.extend(targets.map(|target| ListedTarget {
                model: model.id.clone(),
                provider_model: target.model.clone(),
                standing: list.standing(&target.model),
            }));
        }
        listed
    }

    /// Asks a provider for its list and keeps what came; a question that failed leaves what was known.
    pub async fn ask(&self, of: &ProviderRef) -> Result<ComparedList, ListsError> {
        // Only a provider that there is gets a row.
        self.providers.one(of).await?;
        let told = match self.providers.models(of).await {
            Ok(told) => told.answer,
            Err(error) => ProviderModels {
                failure: error.to_string(),
                ..ProviderModels::default()
            },
        };
        let before = self.store.provider_list(&place(of)).await?;
        let kept = self.after(of, before, &told);
        self.store.keep_provider_list(&kept).await?;
        Ok(self.compared(kept))
    }

    fn after(&self, of: &ProviderRef, before: Option<KeptList>, told: &ProviderModels) -> KeptList {
        let now = self.clock.now();
        let (list, listed_at) = before
            .map(|before| (before.list, before.listed_at))
            .unwrap_or_default();
        let fresh = Some(told).filter(|told| told.failure.is_empty());
        let fresh = fresh.and_then(|told| list.after(told));
        let failure = match (&fresh, told.failure.as_str()) {
            (Some(_), _) => None,
            (None, "") => Some("the list was empty".to_owned()),
            (None, why) => Some(why.chars().take(FAILURE_CHARS_MAX).collect()),
        };
        KeptList {
            place: place(of),
            asked_at: now,
            listed_at: if fresh.is_some() {
                Some(now)
            } else {
                listed_at
            },
            failure,
            list: fresh.unwrap_or(list),
        }
    }

    /// Asks every provider once a day, of which one server does each, until told to stop.
    pub async fn ask_forever(self, stop: CancellationToken) {
        let mut pause = FIRST;
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            pause = LOOK_EVERY;
            match stop.run_until_cancelled(self.ask_due()).await {
                None | Some(Ok(0)) => {}
                Some(Ok(asked)) => info!(asked, "{asked} providers were asked for their models"),
                Some(Err(error)) => {
                    warn!(%error, "providers were not asked for their models: {error}");
                }
            }
        }
    }

    /// Asks every provider that is due and that no other server asks; answers how many.
    pub async fn ask_due(&self) -> Result<usize, ListsError> {
        let list = self.providers.all().await?;
        let mut asked = 0;
        for one in list.providers.iter().filter(|one| one.answer.enabled) {
            let of = list.address(one);
            let name = format!("models of {of}");
            if !self
                .store
                .claim_task(&name, ASK_EVERY, self.clock.now())
                .await?
            {
                continue;
            }
            // One that can't be asked keeps no other waiting.
            match self.ask(&of).await {
                Ok(compared) => {
                    asked += 1;
                    tell(&compared);
                }
                Err(error) => warn!(%error, provider = %of, "`{of}` was not asked: {error}"),
            }
        }
        Ok(asked)
    }
}

fn tell(compared: &ComparedList) {
    let of = &compared.of;
    for target in compared.gone() {
        let ListedTarget {
            model,
            provider_model,
            ..
        } = target;
        warn!(
            provider = %of, model, provider_model,
            "`{provider_model}` is gone from `{of}`, and `{model}` stands on it"
        );
    }
}
