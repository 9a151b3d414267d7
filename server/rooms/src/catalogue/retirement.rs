//! Models that end: which model takes a call in their stead, and the warnings that tenants get ahead. Refuses
//! no call itself and sends nothing; the warnings are rows that whoever shows or sends them reads.

use std::sync::Arc;
use std::time::Duration;

use server_rules::catalogue::model::Model;
use server_rules::catalogue::retirement::CHAIN_MAX;
pub use server_rules::catalogue::retirement::{Retirement, RetirementWords};
use server_rules::usage::sums::Grain;
use server_store::catalogue::notices::{DueNotice, KeptNotice};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::zone::Zone;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Catalogue;

/// Whoever used a model in this time is warned of its end.
pub const USED_WITHIN: Duration = Duration::from_secs(30 * 86_400);
/// An end is told of for as long afterwards.
pub const TOLD_FOR: Duration = Duration::from_secs(14 * 86_400);
/// A server that has just started has more urgent work.
const FIRST: Duration = Duration::from_secs(90);
/// Between two looks of a server.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// Between two rounds of all servers together: whoever begins to use a model is warned within this time.
const WARN_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// The name under which one server claims a round.
const TASK: &str = "model notices";

/// What a tenant is told of a model's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelNotice {
    /// The model that ends.
    pub model: String,
    /// When.
    pub retires_at: Moment,
    /// Whether it is over.
    pub is_over: bool,
    /// Days until then, begun ones counted whole; 0 when it is over.
    pub days_left: u64,
    /// How many days ahead the last warning was.
    pub warned_days: u32,
    /// When that was written down.
    pub warned_at: Moment,
    /// What tenants should use instead; a tenant may not be allowed to.
    pub successor: Option<String>,
    /// Whether that takes the calls.
    pub redirect: bool,
}

/// A model that ends, as operators see it.
#[derive(Debug, Clone)]
pub struct EndingModel {
    /// Which.
    pub model: Arc<Model>,
    /// Its end.
    pub retirement: Retirement,
    /// How many tenants were warned of it.
    pub tenants: u64,
}

impl Catalogue {
    /// The time zone in which a day that is told as an end is over.
    pub async fn platform_zone(&self) -> Zone {
        self.0.zones.platform().await
    }

    /// The first model that follows `model`, still works at `now` and `may` be used; successors that are over
    /// are stepped over. `only_redirects` asks for those alone that every step before sends its calls to.
    pub fn following(
        &self,
        model: &Model,
        (now, only_redirects): (Moment, bool),
        may: impl Fn(&Model) -> bool,
    ) -> Option<Arc<Model>> {
        let mut at = model.facts.retirement.clone()?;
        for _ in 0..CHAIN_MAX {
            if only_redirects && !at.redirect {
                return None;
            }
            let next = self.model(at.successor.as_deref()?)?;
            if next.operation != model.operation {
                return None;
            }
            match &next.facts.retirement {
                Some(end) if end.is_over(now) => at = end.clone(),
                Some(_) | None => return Some(next).filter(|next| may(next)),
            }
        }
        None
    }

    /// What a tenant is told of ends, the closest first: of models that it was warned about and that still
    /// end then.
    pub async fn notices(&self, tenant: &TenantId) -> Result<Vec<ModelNotice>, DbError> {
        let now = self.now();
        let kept = self
            .0
            .store
            .model_notices(tenant, now.before(TOLD_FOR))
            .await?;
        let mut notices: Vec<ModelNotice> = Vec::new();
        for one in kept {
            let is_told = notices.last().is_some_and(|last| last.model == one.model);
            if let Some(notice) = self.notice(one, now).filter(|_| !is_told) {
                notices.push(notice);
            }
        }
        Ok(notices)
    }

    fn notice(&self, kept: KeptNotice, now: Moment) -> Option<ModelNotice> {
        let model = self.model(&kept.model).filter(|model| model.enabled)?;
        let end = model.facts.retirement.as_ref()?;
        // An end that was moved is warned of anew.
        (end.at == kept.retires_at).then(|| ModelNotice {
            model: kept.model,
            retires_at: end.at,
            is_over: end.is_over(now),
            days_left: end.days_left(now),
            warned_days: kept.days,
            warned_at: kept.created_at,
            successor: end.successor.clone(),
            redirect: end.redirect,
        })
    }

    /// Models of which tenants are warned now or whose end is over, and that are still offered.
    pub async fn ending(&self) -> Result<Vec<EndingModel>, DbError> {
        let now = self.now();
        let mut ending = Vec::new();
        for model in self.models().iter().filter(|model| model.enabled) {
            let Some(end) = &model.facts.retirement else {
                continue;
            };
            if end.is_over(now) || end.warning(now).is_some() {
                ending.push(EndingModel {
                    model: model.clone(),
                    retirement: end.clone(),
                    tenants: self.0.store.tenants_warned(&model.id, end.at).await?,
                });
            }
        }
        Ok(ending)
    }

    /// Writes down every warning that is due and not written down; answers how many were.
    pub async fn warn_tenants(&self) -> Result<usize, DbError> {
        let now = self.now();
        let mut written = 0;
        for model in self.models().iter().filter(|model| model.enabled) {
            let Some(end) = &model.facts.retirement else {
                continue;
            };
            let Some(days) = end.warning(now) else {
                continue;
            };
            let due = DueNotice {
                model: model.id.clone(),
                retires_at: end.at,
                days,
                used_since: Grain::Day.start(now.before(USED_WITHIN)),
            };
            written += self.0.store.keep_notices(&due, now).await?;
        }
        Ok(written)
    }

    /// Warns tenants in rounds, of which one server does each, until told to stop.
    pub async fn warn_forever(self, stop: CancellationToken) {
        let mut pause = FIRST;
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            pause = LOOK_EVERY;
            match self.warn_if_due().await {
                Ok(0) => {}
                Ok(written) => info!(written, "{written} warnings of models' ends were written"),
                Err(error) => warn!(%error, "tenants were not warned of models' ends: {error}"),
            }
        }
    }

    async fn warn_if_due(&self) -> Result<usize, DbError> {
        if self
            .0
            .store
            .claim_task(TASK, WARN_EVERY, self.now())
            .await?
        {
            self.warn_tenants().await
        } else {
            Ok(0)
        }
    }
}
