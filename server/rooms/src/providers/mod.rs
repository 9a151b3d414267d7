//! Room: providers and their keys at the gateways, with an audit entry for each change. The gateways
//! keep them, each database its own; here they only pass by, and a secret is never written down.

pub mod balances;
mod batch;
mod changes;
pub mod choices;
mod copies;
mod drafts;
pub mod import;
mod keys;
mod places;
pub mod trial;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use server_store::Store;
use shared::clock::Clock;
use shared::link::connectors::GatewayFacts;
use shared::link::{AdminError, ProviderAdmin, ProviderAdmins, ProviderView};
use shared::seal::Sealer;
use tracing::warn;

pub use self::copies::ProviderExport;
use self::places::{Database, Said};

/// Why what an operator asked was not done.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The gateway's word.
    #[error(transparent)]
    Gateway(#[from] AdminError),
    /// Nobody is called so.
    #[error("there is no gateway `{0}`")]
    NoSuchGateway(String),
    /// The gateways have several databases: one of these must be named.
    #[error("say which gateway: {}", .0.join(", "))]
    SayWhich(Vec<String>),
}

impl ProviderError {
    /// Whether there is no such provider or key.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Gateway(AdminError::NotFound))
    }
}

/// How long one of several databases keeps the list of all waiting.
const LIST_MAX: Duration = Duration::from_secs(5);

type Answer<T> = Result<T, ProviderError>;

/// A provider as operators address it; as text `name`, or `name@gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderRef {
    /// Its name, unique at gateways that share a database.
    pub name: String,
    /// A gateway that has it; any where all share a database.
    pub gateway: Option<String>,
}

impl ProviderRef {
    /// `name` at `gateway`, if one is named.
    pub fn new(name: impl Into<String>, gateway: Option<String>) -> Self {
        let gateway = gateway.filter(|gateway| !gateway.is_empty());
        Self {
            name: name.into(),
            gateway,
        }
    }

    /// Reads its text.
    pub fn parse(text: &str) -> Self {
        match text.split_once('@') {
            Some((name, gateway)) => Self::new(name, Some(gateway.to_owned())),
            None => Self::new(text, None),
        }
    }
}

impl std::fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        match &self.gateway {
            Some(gateway) => write!(f, "@{gateway}"),
            None => Ok(()),
        }
    }
}

/// What a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayAnswer<T> {
    /// Which one: its name, or its host and port where it has none.
    pub gateway: String,
    /// What it said.
    pub answer: T,
}

/// Providers of all databases that were reached.
#[derive(Debug, Clone, Default)]
pub struct ProviderList {
    /// By database and name.
    pub providers: Vec<GatewayAnswer<ProviderView>>,
    /// Gateways one of each database whose providers are missing, since none of them answered.
    pub missing: Vec<String>,
    /// Whether there are several databases, so that a provider's name alone may mean two.
    pub has_several: bool,
}

impl ProviderList {
    /// How to address one of them.
    pub fn address(&self, provider: &GatewayAnswer<ProviderView>) -> ProviderRef {
        let gateway = self.has_several.then(|| provider.gateway.clone());
        ProviderRef::new(&provider.answer.name, gateway)
    }
}

/// What gateways that share a database say of their connectors.
#[derive(Debug, Clone)]
pub struct Connectors {
    /// One of them.
    pub gateway: String,
    /// What it said last; absent where it was never reached.
    pub facts: Option<Arc<GatewayFacts>>,
}

/// What is asked of the gateways; cheap to clone.
#[derive(Clone)]
pub struct Providers {
    link: Arc<dyn ProviderAdmins>,
    said: Arc<Said>,
    store: Store,
    clock: Clock,
    sealer: Sealer,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}

/// Asks gateways that share a database in turn, until one could be asked. Whoever may have done it is
/// not asked again elsewhere.
async fn ask<T, F: Future<Output = Result<T, AdminError>>>(
    admins: &[Arc<dyn ProviderAdmin>],
    question: impl Fn(Arc<dyn ProviderAdmin>) -> F,
) -> Answer<GatewayAnswer<T>> {
    let mut last = AdminError::Unreachable("there is no gateway".to_owned());
    for admin in admins {
        match question(admin.clone()).await {
            Err(error @ AdminError::Unreachable(_)) => last = error,
            Err(error) => return Err(error.into()),
            Ok(answer) => {
                let gateway = admin.gateway().shown().to_owned();
                return Ok(GatewayAnswer { gateway, answer });
            }
        }
    }
    Err(last.into())
}

impl Providers {
    /// Over the link to the gateways. The sealer is for what an operator pasted, while it is looked at.
    pub fn new(link: Arc<dyn ProviderAdmins>, store: Store, clock: Clock, sealer: Sealer) -> Self {
        Self {
            link,
            said: Arc::default(),
            store,
            clock,
            sealer,
        }
    }

    /// Those that may be asked: those of that name, or all. They share a database, or it must be said
    /// which.
    async fn admins(&self, gateway: Option<&str>) -> Answer<Vec<Arc<dyn ProviderAdmin>>> {
        let mut admins = self.link.provider_admins();
        if let Some(word) = gateway {
            admins.retain(|admin| admin.gateway().is_called(word));
            if admins.is_empty() {
                return Err(ProviderError::NoSuchGateway(word.to_owned()));
            }
        }
        if admins.len() < 2 {
            return Ok(admins);
        }
        let mut databases = self.said.databases(admins).await;
        match databases.len() {
            0 | 1 => Ok(databases.pop().map(|of| of.admins).unwrap_or_default()),
            _ => {
                let names = databases.iter().map(Database::name);
                Err(ProviderError::SayWhich(names.collect()))
            }
        }
    }

    /// Those that may be asked about a provider. Of several databases the one that has it, where it is
    /// the only one.
    async fn admins_of(&self, of: &ProviderRef) -> Answer<Vec<Arc<dyn ProviderAdmin>>> {
        let several = match self.admins(of.gateway.as_deref()).await {
            Err(ProviderError::SayWhich(names)) => names,
            admins => return admins,
        };
        let list = self.all().await?;
        let named = |one: &&GatewayAnswer<ProviderView>| one.answer.name == of.name;
        let found: Vec<_> = list.providers.iter().filter(named).collect();
        match found.as_slice() {
            // One that is missing may have it too.
            [only] if list.missing.is_empty() => self.admins(Some(&only.gateway)).await,
            [] if list.missing.is_empty() => Err(AdminError::NotFound.into()),
            _ => Err(ProviderError::SayWhich(several)),
        }
    }

    /// Of each database by itself; one that does not answer hides no other.
    pub async fn all(&self) -> Answer<ProviderList> {
        let mut admins = self.link.provider_admins();
        let databases = match admins.len() {
            0 | 1 => vec![std::mem::take(&mut admins)],
            _ => {
                let databases = self.said.databases(admins).await;
                databases.into_iter().map(|of| of.admins).collect()
            }
        };
        let asked = databases.iter().map(async |admins| {
            let asking = ask(admins, |admin| async move { admin.providers().await });
            if databases.len() < 2 {
                return asking.await;
            }
            let late = |_| Err(AdminError::Unanswered("no answer in time".to_owned()).into());
            tokio::time::timeout(LIST_MAX, asking)
                .await
                .unwrap_or_else(late)
        });
        let answers = join_all(asked).await;
        let mut list = ProviderList {
            has_several: databases.len() > 1,
            ..ProviderList::default()
        };
        for (admins, answer) in databases.iter().zip(answers) {
            match answer {
                Ok(told) => {
                    let each = told.answer.into_iter().map(|answer| GatewayAnswer {
                        gateway: told.gateway.clone(),
                        answer,
                    });
                    list.providers.extend(each);
                }
                Err(error) if !list.has_several => return Err(error),
                Err(error) => {
                    let names = admins
                        .first()
                        .map(|admin| admin.gateway().shown().to_owned());
                    let gateway = names.unwrap_or_default();
                    warn!(
                        gateway,
                        "the providers of gateway `{gateway}` are missing: {error}"
                    );
                    list.missing.push(gateway);
                }
            }
        }
        Ok(list)
    }

    /// What each database's gateways say of their connectors, or said last.
    pub async fn connectors(&self) -> Vec<Connectors> {
        let databases = self.said.databases(self.link.provider_admins()).await;
        let connectors = databases.into_iter().map(|database| Connectors {
            gateway: database.name(),
            facts: database.facts,
        });
        connectors.collect()
    }

    /// One of them.
    pub async fn one(&self, of: &ProviderRef) -> Answer<GatewayAnswer<ProviderView>> {
        let admins = self.admins_of(of).await?;
        let told = ask(&admins, |admin| async move { admin.providers().await }).await?;
        let found = told.answer.into_iter().find(|one| one.name == of.name);
        Ok(GatewayAnswer {
            answer: found.ok_or(AdminError::NotFound)?,
            gateway: told.gateway,
        })
    }
}
