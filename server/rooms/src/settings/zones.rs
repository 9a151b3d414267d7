//! Room: in which time zone a tenant's days begin: its own, else the platform's, which is kept in
//! memory for a short while. Reckons no day itself (`shared::zone` does).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use server_store::Store;
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::zone::Zone;
use tracing::warn;

use crate::settings::{Calendar, Settings};

/// A change of the platform's zone is seen everywhere after this.
const TRUSTED: Duration = Duration::from_secs(10);

/// Zones of tenants; cheap to clone.
#[derive(Debug, Clone)]
pub struct Zones(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    clock: Clock,
    platform: RwLock<Option<(Zone, Moment)>>,
}

impl Zones {
    /// Over a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            settings: Settings::new(store, clock.clone()),
            clock,
            platform: RwLock::default(),
        }))
    }

    /// The zone of a tenant that has `own`, or none of its own.
    pub async fn of(&self, own: Option<&Zone>) -> Zone {
        match own {
            Some(own) => own.clone(),
            None => self.platform().await,
        }
    }

    /// The same, as it was set last.
    pub async fn newest(&self, own: Option<&Zone>) -> Result<Zone, DbError> {
        match own {
            Some(own) => Ok(own.clone()),
            None => Ok(self.0.settings.get::<Calendar>().await?.zone()),
        }
    }

    /// The platform's zone. While the database is away, the one that was known last: a budget's
    /// period is fixed at its beginning, so what is a little old ends none early.
    pub async fn platform(&self) -> Zone {
        let now = self.0.clock.now();
        let known = {
            let kept = self.0.platform.read();
            kept.unwrap_or_else(PoisonError::into_inner).clone()
        };
        if let Some((zone, read_at)) = &known
            && now.since(*read_at) < TRUSTED
        {
            return zone.clone();
        }
        let zone = match self.0.settings.get::<Calendar>().await {
            Ok(calendar) => calendar.zone(),
            Err(error) => {
                warn!(%error, "the platform's time zone could not be read: {error}");
                return known.map(|(zone, _)| zone).unwrap_or_default();
            }
        };
        let mut kept = self
            .0
            .platform
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some((zone.clone(), now));
        zone
    }
}
