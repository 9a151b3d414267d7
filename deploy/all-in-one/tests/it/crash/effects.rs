//! Numbers every effect of this process - statements, commits, sends over the link - and ends the
//! process without warning at the one that was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use shared::id::{BootId, GenerationId, ProviderKeyId};
use shared::link::events::EventSource;
use shared::link::{
    AdminError, Call, Fate, GatewayPlace, GatewayView, KeyTest, Link, LinkError, NewProvider,
    NewProviderKey, Parting, ProviderAdmin, ProviderKeyPatch, ProviderKeyView, ProviderPatch,
    ProviderView, Reply,
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
impl Link for Counted {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        effect();
        let reply = self.0.open(call).await;
        effect();
        reply
    }

    async fn finish(&self, generation: &GenerationId, why: Parting) -> Result<Fate, LinkError> {
        effect();
        let fate = self.0.finish(generation, why).await;
        effect();
        fate
    }

    async fn health(&self) -> Result<BootId, LinkError> {
        self.0.health().await
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        self.0.gateways().await
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        self.0.use_gateways(places)
    }

    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        self.0.event_sources()
    }
}

/// Operators' requests pass as they are.
macro_rules! pass_on {
    ($($name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl ProviderAdmin for Counted {
            $(async fn $name(&self, $($arg: $of),*) -> Result<$answer, AdminError> {
                self.0.$name($($arg),*).await
            })+
        }
    };
}

pass_on! {
    providers() -> Vec<ProviderView>;
    create_provider(new: NewProvider) -> ProviderView;
    update_provider(name: &str, patch: ProviderPatch) -> ProviderView;
    delete_provider(name: &str) -> ();
    provider_keys(provider: &str) -> Vec<ProviderKeyView>;
    create_provider_key(provider: &str, new: NewProviderKey) -> ProviderKeyView;
    update_provider_key(provider: &str, key: &ProviderKeyId, patch: ProviderKeyPatch) -> ProviderKeyView;
    delete_provider_key(provider: &str, key: &ProviderKeyId) -> ();
    test_provider_key(provider: &str, key: &ProviderKeyId, model: Option<&str>) -> KeyTest;
}
