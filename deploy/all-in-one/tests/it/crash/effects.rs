//! Numbers every effect of this process - statements, commits, sends over the link - and ends the
//! process without warning at the one that was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, Link, LinkError,
    Parting, ProviderAdmin, ProviderAdmins, Reply, Target,
};

/// Effects so far, once counting has begun.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// The effect at which the process ends; 0 while nothing is counted.
static END_AT: AtomicU64 = AtomicU64::new(0);

/// From here on effects are counted, and the process ends at number `end_at`.
pub(super) fn arm(end_at: u64) {
    COUNT.store(0, Ordering::SeqCst);
    END_AT.store(end_at, Ordering::SeqCst);
}

/// Stops counting; answers how many there were.
pub(super) fn disarm() -> u64 {
    END_AT.store(0, Ordering::SeqCst);
    COUNT.load(Ordering::SeqCst)
}

fn effect() {
    let end_at = END_AT.load(Ordering::SeqCst);
    if end_at != 0 && COUNT.fetch_add(1, Ordering::SeqCst) + 1 == end_at {
        std::process::abort();
    }
}

struct Statements;

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if !matches!(event, InstrumentationEvent::CacheQuery { .. }) {
            effect();
        }
    }
}

/// Every connection made after this counts its statements.
pub(super) fn count_statements() {
    set_default_instrumentation(|| Some(Box::new(Statements))).expect("set");
}

/// A link whose sends are effects, before and after.
pub(super) struct Counted(pub(super) Arc<dyn Link>);

#[async_trait]
impl Generations for Counted {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        effect();
        let reply = self.0.open(call).await;
        effect();
        reply
    }

    fn route(&self, generation: &GenerationId, targets: &[Target]) -> Vec<String> {
        self.0.route(generation, targets)
    }

    async fn cancel(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        effect();
        let status = self.0.cancel(gateways, generation, why).await;
        effect();
        status
    }
}

#[async_trait]
impl GatewayFleet for Counted {
    async fn health(&self) -> Result<BootId, LinkError> {
        self.0.health().await
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        self.0.gateways().await
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        self.0.use_gateways(places)
    }
}

impl GatewayEvents for Counted {
    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        self.0.event_sources()
    }
}

impl ProviderAdmins for Counted {
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>> {
        self.0.provider_admins()
    }
}
