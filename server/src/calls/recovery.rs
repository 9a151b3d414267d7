//! Closes holds that nobody looks after: asks the gateway how each generation ended, then settles or
//! releases it. A hold whose fate can't be learned yet stays until it can.

use std::time::Duration;

use shared::link::Parting;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Calls;
use super::finish::{CallFacts, KeptFacts};
use crate::ledger::Hold;
use crate::ledger::recovery::Watch;

/// How recovery looks for abandoned holds.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryPace {
    /// Between two rounds.
    pub every: Duration,
    /// A process that shows no sign of life for so long is gone.
    pub silent: Duration,
}

impl Calls {
    /// Looks after abandoned holds at start and round after round, until told to stop.
    pub async fn recover_forever(self, pace: RecoveryPace, stop: CancellationToken) {
        let mut watch = Watch::new(pace.silent);
        while !stop.is_cancelled() {
            self.recover(&mut watch).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pace.every) => {}
            }
        }
    }

    /// One round; answers how many holds it closed.
    pub async fn recover(&self, watch: &mut Watch) -> usize {
        let abandoned = match self.ledger.abandoned(watch).await {
            Ok(abandoned) => abandoned,
            Err(error) => {
                warn!(%error, "abandoned holds could not be read: {error}");
                return 0;
            }
        };
        let mut closed = 0;
        for hold in abandoned {
            let Some(facts) = self.facts_of(&hold) else {
                // Its model was deleted meanwhile: the loss is the platform's, not the tenant's.
                error!(
                    "hold `{}` can't be priced any more and is released",
                    hold.id
                );
                if let Err(error) = self.ledger.release(&hold.id, &hold.tenant, None).await {
                    warn!(%error, "hold `{}` was not released: {error}", hold.id);
                }
                continue;
            };
            let Some(outcome) = self.finisher.ask(&facts, Parting::Abandoned).await else {
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
            request: kept.request,
            created_at: hold.created_at,
        })
    }
}
