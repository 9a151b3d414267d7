//! What the server counts of its links: for the page of all counters without labels, and for each
//! gateway beside it. Counts what it is told.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use shared::link::LinkCounts;
use shared::telemetry::Metrics;

/// What can happen on the way to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    Resumed,
    Joined,
    Lost,
    PassedOn,
    Hedged,
    HedgeWon,
    Doubled,
}

impl Happened {
    /// In the order of their numbers.
    const ALL: [Self; 7] = [
        Self::Resumed,
        Self::Joined,
        Self::Lost,
        Self::PassedOn,
        Self::Hedged,
        Self::HedgeWon,
        Self::Doubled,
    ];

    fn name_and_help(self) -> (&'static str, &'static str) {
        match self {
            Self::Resumed => (
                "waule_link_resumed",
                "Streams that went on over another connection",
            ),
            Self::Joined => (
                "waule_link_joined",
                "Calls sent again to the gateway that may have them, to join them",
            ),
            Self::Lost => (
                "waule_link_lost",
                "Generations given up because their gateway was restarted or could not be reached",
            ),
            Self::PassedOn => (
                "waule_link_resent",
                "Calls sent to another gateway because the first surely did not start them",
            ),
            Self::Hedged => (
                "waule_link_hedged",
                "Streams that were attached a second time because they fell behind",
            ),
            Self::HedgeWon => (
                "waule_link_hedges_won",
                "Streams of which the second attachment was ahead of the first",
            ),
            Self::Doubled => (
                "waule_link_doubled",
                "Streams that came over two connections because the way is bad or is measured",
            ),
        }
    }
}

/// Counts of one gateway.
#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; Happened::ALL.len()]);

impl Tally {
    fn of(&self, what: Happened) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }

    pub(super) fn counts(&self) -> LinkCounts {
        LinkCounts {
            resumed: self.of(Happened::Resumed),
            joined: self.of(Happened::Joined),
            lost: self.of(Happened::Lost),
            passed_on: self.of(Happened::PassedOn),
            hedged: self.of(Happened::Hedged),
            hedges_won: self.of(Happened::HedgeWon),
            doubled: self.of(Happened::Doubled),
        }
    }
}

/// Counters of the border link.
#[derive(Debug, Clone, Default)]
pub struct LinkMetrics {
    all: [Counter; Happened::ALL.len()],
    waited: Counter,
}

impl LinkMetrics {
    /// Registers the counters.
    pub fn new(metrics: &Metrics) -> Self {
        let this = Self::default();
        metrics.register(|registry| {
            for what in Happened::ALL {
                let (name, help) = what.name_and_help();
                registry.register(name, help, this.of(what).clone());
            }
            let (name, help) = (
                "waule_link_waited",
                "New calls that waited because no gateway could be reached",
            );
            registry.register(name, help, this.waited.clone());
        });
        this
    }

    fn of(&self, what: Happened) -> &Counter {
        &self.all[what as usize]
    }

    /// A new call waits for a link.
    pub(super) fn waited(&self) {
        self.waited.inc();
    }

    /// New calls that waited for a link so far.
    pub fn calls_that_waited(&self) -> u64 {
        self.waited.get()
    }

    /// Something happened on the way to the gateway of this tally.
    pub(super) fn count(&self, tally: &Tally, what: Happened) {
        self.of(what).inc();
        tally.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Streams that went on over another connection so far.
    pub fn resumed(&self) -> u64 {
        self.of(Happened::Resumed).get()
    }

    /// Streams that were attached a second time because they fell behind, and of these those that
    /// were helped by it.
    pub fn hedged(&self) -> (u64, u64) {
        let (hedged, won) = (self.of(Happened::Hedged), self.of(Happened::HedgeWon));
        (hedged.get(), won.get())
    }

    /// Generations given up so far.
    pub fn lost(&self) -> u64 {
        self.of(Happened::Lost).get()
    }
}
