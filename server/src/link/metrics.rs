//! What the server counts of its links. Labels are bounded: none.

use prometheus_client::metrics::counter::Counter;
use shared::telemetry::Metrics;

/// Counters of the border link.
#[derive(Debug, Clone, Default)]
pub struct LinkMetrics {
    pub(super) resumed: Counter,
    pub(super) joined: Counter,
    pub(super) lost: Counter,
    pub(super) resent: Counter,
    pub(super) hedged: Counter,
    pub(super) hedges_won: Counter,
    pub(super) doubled: Counter,
}

impl LinkMetrics {
    /// Registers the counters.
    pub fn new(metrics: &Metrics) -> Self {
        let this = Self::default();
        let all = this.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_link_resumed",
                "Streams that went on over another connection",
                all.resumed,
            );
            registry.register(
                "waule_link_joined",
                "Calls sent again to the gateway that may have them, to join them",
                all.joined,
            );
            registry.register(
                "waule_link_lost",
                "Generations given up because their gateway was restarted or could not be reached",
                all.lost,
            );
            registry.register(
                "waule_link_resent",
                "Calls sent to another gateway because the first surely did not start them",
                all.resent,
            );
            registry.register(
                "waule_link_hedged",
                "Streams that were attached a second time because they fell behind",
                all.hedged,
            );
            registry.register(
                "waule_link_hedges_won",
                "Streams of which the second attachment was ahead of the first",
                all.hedges_won,
            );
            registry.register(
                "waule_link_doubled",
                "Streams that came over two connections because the way is bad or is measured",
                all.doubled,
            );
        });
        this
    }

    /// Streams that went on over another connection so far.
    pub fn resumed(&self) -> u64 {
        self.resumed.get()
    }

    /// Streams that were attached a second time because they fell behind, and of these those that
    /// were helped by it.
    pub fn hedged(&self) -> (u64, u64) {
        (self.hedged.get(), self.hedges_won.get())
    }

    /// Generations given up so far.
    pub fn lost(&self) -> u64 {
        self.lost.get()
    }
}
