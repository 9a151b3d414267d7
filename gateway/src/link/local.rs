//! The door inside one process: the link for the gateway itself. Holds no logic of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, LinkCounts,
    LinkError, Parting, ProviderAdmin, ProviderAdmins, Reply, Target,
};

use super::alive;
use crate::admin::ProviderList;
use crate::events::Events;
use crate::generations::{self, Coming, GenerationContext};

/// What operators call it by.
pub(crate) const INSIDE: &str = "inside";

/// A gateway in the same process.
pub(crate) struct Local {
    generations: Arc<GenerationContext>,
    providers: Arc<ProviderList>,
    /// Kept with each call: the next process in this folder knows it, one elsewhere does not.
    place: String,
}

impl Local {
    pub(crate) fn of(generations: Arc<GenerationContext>, providers: Arc<ProviderList>) -> Self {
        let place = format!("{INSIDE}-{}", generations.outcomes.place());
        Self {
            generations,
            providers,
            place,
        }
    }
}

#[async_trait]
impl Generations for Local {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        generations::open(&self.generations, call, Coming::inside(), None).await
    }

    fn route(&self, _generation: &GenerationId, _targets: &[Target]) -> Vec<String> {
        vec![self.place.clone()]
    }

    async fn cancel(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        // Only what a process left behind that died can be older than this one.
        let may_be_older = why == Parting::Abandoned;
        let status = generations::cancel(&self.generations, generation, why, may_be_older).await;
        let is_elsewhere = !gateways.is_empty() && !gateways.contains(&self.place);
        if is_elsewhere && matches!(status, GenerationStatus::Unknown { .. }) {
            let why = "the gateway that may have taken it is in another process";
            return Err(LinkError::NotSent(why.to_owned()));
        }
        Ok(status)
    }
}

#[async_trait]
impl GatewayFleet for Local {
    async fn health(&self) -> Result<BootId, LinkError> {
        Ok(self.generations.boot.clone())
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        vec![GatewayView {
            url: String::new(),
            name: INSIDE.to_owned(),
            region: String::new(),
            priority: 0,
            is_well: true,
            answered: Some((alive(&self.generations.boot), Duration::ZERO)),
            connections: 0,
            streams: self.generations.register.running(),
            is_way_bad: false,
            late_ppm: None,
            counts: LinkCounts::default(),
        }]
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        match places {
            [] => Ok(()),
            [..] => Err("this server has its gateway inside and reaches no other".to_owned()),
        }
    }
}

impl GatewayEvents for Local {
    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        vec![Arc::new(Events(self.providers.journal.clone()))]
    }
}

impl ProviderAdmins for Local {
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>> {
        vec![self.providers.clone()]
    }
}
