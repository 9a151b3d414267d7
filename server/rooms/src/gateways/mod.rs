//! Room: the gateways as a whole: which there are, how they do, what they tell. One call goes through
//! `link`; keys and providers are `providers`' business.

mod follow;
pub mod history;
mod secrets;

use std::sync::Arc;

use server_store::Store;
use server_store::audit::Actor;
pub use server_store::gateways::{KeptGateway, ToldEvent};
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::GatewayId;
use shared::link::events::GatewayEvents;
use shared::link::{GatewayFleet, GatewayPlace, GatewayView, Link};
use shared::seal::Sealer;
use shared::secret::Secret;

use self::history::{Days, HealthHistory};

/// What went wrong with a gateway's entry.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// There is none of that id.
    #[error("there is no such gateway")]
    NotFound,
    /// The address is there already.
    #[error("this address is there already")]
    Taken,
    /// It can't be used, and why.
    #[error("{0}")]
    Invalid(String),
    /// Its secret can't be, and why.
    #[error("{0}")]
    Secret(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// A gateway with what is kept of it, where operators added it.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Absent for those of the settings.
    pub kept: Option<KeptGateway>,
    /// How it is; absent for those that are switched off.
    pub view: Option<GatewayView>,
}

/// A change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct GatewayPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its priority.
    pub priority: Option<u8>,
    /// Whether calls may go there.
    pub is_active: Option<bool>,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Gateways {
    fleet: Arc<dyn GatewayFleet>,
    told: Arc<dyn GatewayEvents>,
    store: Store,
    clock: Clock,
    sealer: Sealer,
    history: HealthHistory,
}

impl std::fmt::Debug for Gateways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateways")
    }
}

impl Gateways {
    /// Over `link`.
    pub fn new(link: Arc<dyn Link>, store: Store, clock: Clock, sealer: Sealer) -> Self {
        Self {
            fleet: link.clone(),
            told: link,
            store,
            clock,
            sealer,
            history: HealthHistory::default(),
        }
    }

    /// Every gateway, asked now: those in use and those that are switched off.
    pub async fn all(&self) -> Result<Vec<Gateway>, DbError> {
        let mut kept = self.store.kept_gateways().await?;
        let mut all = Vec::new();
        for view in self.fleet.gateways().await {
            let same = |kept: &KeptGateway| kept.place.url.trim_end_matches('/') == view.url;
            let at = kept.iter().position(same);
            all.push(Gateway {
                kept: at.map(|at| kept.remove(at)),
                view: Some(view),
            });
        }
        all.extend(kept.into_iter().map(|kept| Gateway {
            kept: Some(kept),
            view: None,
        }));
        Ok(all)
    }

    /// How each did in the last day, as this process saw it since it started.
    pub fn days(&self) -> Days {
        self.history.days(self.clock.now())
    }

    /// What gateways told lately, the newest first.
    pub async fn events(&self, limit: i64) -> Result<Vec<ToldEvent>, DbError> {
        self.store.gateway_events(limit).await
    }

    /// Adds one with the secret that opens it, or with one that is made and answered this once; calls
    /// go there at once.
    pub async fn add(
        &self,
        actor: &Actor,
        place: GatewayPlace,
    ) -> Result<(KeptGateway, Secret<String>), GatewayError> {
        let mut kept = self.store.kept_gateways().await?;
        if kept.iter().any(|kept| kept.place.url == place.url) {
            return Err(GatewayError::Taken);
        }
        let secret = secrets::checked(place.secret.clone())?;
        let now = self.clock.now();
        let mut new = KeptGateway {
            id: GatewayId::random(),
            place: GatewayPlace {
                secret: None,
                ..place
            },
            is_active: true,
            created_at: now,
            sealed: None,
            fingerprint: None,
        };
        self.seal(&mut new, &secret);
        kept.push(new.clone());
        self.try_out(&kept)?;
        self.store.add_gateway(actor, &new, now).await?;
        Ok((new, secret))
    }

    /// Gives one another secret, or one that is made and answered this once. The gateway must take
    /// it before: it takes two at once.
    pub async fn rotate_secret(
        &self,
        actor: &Actor,
        id: &GatewayId,
        secret: Option<Secret<String>>,
    ) -> Result<(KeptGateway, Secret<String>), GatewayError> {
        let secret = secrets::checked(secret)?;
        let mut all = self.store.kept_gateways().await?;
        let found = all.iter_mut().find(|kept| kept.id == *id);
        let kept = found.ok_or(GatewayError::NotFound)?;
        self.seal(kept, &secret);
        let changed = kept.clone();
        self.try_out(&all)?;
        let now = self.clock.now();
        if self.store.change_gateway(actor, &changed, now).await? {
            Ok((changed, secret))
        } else {
            Err(GatewayError::NotFound)
        }
    }

    /// Changes one.
    pub async fn change(
        &self,
        actor: &Actor,
        id: &GatewayId,
        patch: GatewayPatch,
    ) -> Result<KeptGateway, GatewayError> {
        let mut all = self.store.kept_gateways().await?;
        let found = all.iter_mut().find(|kept| kept.id == *id);
        let kept = found.ok_or(GatewayError::NotFound)?;
        let place = &mut kept.place;
        place.name = patch.name.unwrap_or_else(|| place.name.clone());
        place.region = patch.region.unwrap_or_else(|| place.region.clone());
        place.priority = patch.priority.unwrap_or(place.priority);
        kept.is_active = patch.is_active.unwrap_or(kept.is_active);
        let changed = kept.clone();
        self.try_out(&all)?;
        let now = self.clock.now();
        if self.store.change_gateway(actor, &changed, now).await? {
            Ok(changed)
        } else {
            Err(GatewayError::NotFound)
        }
    }

    /// Takes one away; calls that run there come to their end.
    pub async fn remove(&self, actor: &Actor, id: &GatewayId) -> Result<(), GatewayError> {
        let now = self.clock.now();
        if !self.store.delete_gateway(actor, id, now).await? {
            return Err(GatewayError::NotFound);
        }
        self.use_kept().await;
        Ok(())
    }

    /// Uses the list before it is written: one that can't be used is refused. What is not written
    /// after all goes with the next look at the table.
    fn try_out(&self, kept: &[KeptGateway]) -> Result<(), GatewayError> {
        self.fleet
            .use_gateways(&self.active(kept))
            .map_err(GatewayError::Invalid)
    }

    /// Brings the link up to what operators said, here or at another replica.
    async fn use_kept(&self) {
        let used = match self.store.kept_gateways().await {
            Ok(kept) => self.fleet.use_gateways(&self.active(&kept)),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = used {
            tracing::warn!("the list of gateways stays as it was: {why}");
        }
    }
}
