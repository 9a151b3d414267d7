//! The door inside one process: the link for the gateway itself. Holds no logic of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, LinkCounts,
    LinkError, Parting, ProviderAdmin, ProviderAdmins, Reply,
};

use crate::events::Events;
use crate::generations::Coming;
use crate::{Gateway, generations};

/// What operators call it by.
pub(crate) const INSIDE: &str = "inside";

/// A gateway in the same process.
#[derive(Debug, Clone)]
pub(crate) struct Local(pub(crate) Arc<Gateway>);

#[async_trait]
impl Generations for Local {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        generations::open(&self.0, call, Coming::inside(), None).await
    }

    async fn cancel(
        &self,
        _gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        // Only what a process left behind that died can be older than this one.
        let may_be_older = why == Parting::Abandoned;
        Ok(generations::cancel(&self.0, generation, why, may_be_older).await)
    }
}

#[async_trait]
impl GatewayFleet for Local {
    async fn health(&self) -> Result<BootId, LinkError> {
        Ok(self.0.boot.clone())
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        vec![GatewayView {
            url: String::new(),
            name: INSIDE.to_owned(),
            region: String::new(),
            priority: 0,
            is_well: true,
            answered: Some((self.0.alive(), Duration::ZERO)),
            connections: 0,
            streams: self.0.register.running(),
            is_way_bad: false,
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
        vec![Arc::new(Events(self.0.clone()))]
    }
}

impl ProviderAdmins for Local {
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>> {
        vec![self.0.clone()]
    }
}
