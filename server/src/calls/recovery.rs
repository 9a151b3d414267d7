//! Closes holds that an earlier life left open: asks the gateway how each generation ended, then
//! settles or releases it. A hold whose fate can't be learned stays.

use std::time::Duration;

use tracing::{info, warn};

use super::Calls;
use super::finish::{CallFacts, KeptFacts};
use crate::ledger::Hold;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);

impl Calls {
    /// Looks after overdue holds at start and every minute, until told to stop.
    pub async fn recover_forever(self, stop: tokio_util::sync::CancellationToken) {
        while !stop.is_cancelled() {
            self.recover().await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One round; answers how many holds it closed.
    pub async fn recover(&self) -> usize {
        let overdue = match self.ledger.overdue().await {
            Ok(overdue) => overdue,
            Err(error) => {
                warn!(%error, "overdue holds could not be read: {error}");
                return 0;
            }
        };
        let mut closed = 0;
        for hold in overdue {
            let Some(facts) = self.facts_of(&hold) else {
                warn!("hold `{}` can't be priced any more and stays open", hold.id);
                continue;
            };
            let Some(outcome) = self.finisher.ask(&facts).await else {
                // The gateway is away: the next round asks again.
                break;
            };
            self.finisher.settle(&facts, &outcome).await;
            closed += 1;
        }
        if closed > 0 {
            info!("closed {closed} holds that were left open");
        }
        closed
    }

    fn facts_of(&self, hold: &Hold) -> Option<CallFacts> {
        let kept: KeptFacts = serde_json::from_str(&hold.call).ok()?;
        let model = self.catalogue.model(&kept.model)?;
        let price = model
            .prices
            .iter()
            .find(|price| price.id == kept.price)?
            .clone();
        Some(CallFacts {
            generation: hold.id.clone(),
            tenant: hold.tenant.clone(),
            user: kept.user,
            key: kept.key,
            test: false,
            operation: kept.operation,
            model: kept.model,
            price: Some(price),
            multiplier_ppm: kept.multiplier_ppm,
            image: kept.image,
            provider: kept.provider,
            created_at: hold.created_at,
        })
    }
}
