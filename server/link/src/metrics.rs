//! What the server counts of its links: for the page of all counters without labels, and for each
//! gateway beside it. Counts what it is told.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use shared::link::LinkCounts;
use shared::telemetry::Metrics;

/// What can happen on the way to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkEvent {
    Resumed,
    Joined,
    Lost,
    PassedOn,
    Hedged,
    HedgeWon,
    Doubled,
    Checked,
    BytesLost,
}

impl LinkEvent {
    /// In the order of their numbers.
    const ALL: [Self; 9] = [
        Self::Resumed,
        Self::Joined,
        Self::Lost,
        Self::PassedOn,
        Self::Hedged,
        Self::HedgeWon,
        Self::Doubled,
        Self::Checked,
        Self::BytesLost,
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
            Self::Checked => (
                "waule_link_streams_checked",
                "Streams whose length was compared with what their gateway sent",
            ),
            Self::BytesLost => (
                "waule_link_bytes_lost",
                "Bytes by which those streams differed; must stay 0",
            ),
        }
    }
}

/// Counts of one gateway.
#[derive(Debug, Default)]
pub(super) struct LinkCounters([AtomicU64; LinkEvent::ALL.len()]);

impl LinkCounters {
    fn of(&self, what: LinkEvent) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }

    pub(super) fn counts(&self) -> LinkCounts {
        LinkCounts {
            resumed: self.of(LinkEvent::Resumed),
            joined: self.of(LinkEvent::Joined),
            lost: self.of(LinkEvent::Lost),
            passed_on: self.of(LinkEvent::PassedOn),
            hedged: self.of(LinkEvent::Hedged),
            hedges_won: self.of(LinkEvent::HedgeWon),
            doubled: self.of(LinkEvent::Doubled),
            checked: self.of(LinkEvent::Checked),
            bytes_lost: self.of(LinkEvent::BytesLost),
        }
    }
}

/// Counters of the border link.
#[derive(Debug, Clone, Default)]
pub struct LinkMetrics {
    all: [Counter; LinkEvent::ALL.len()],
    waited: Counter,
}

impl LinkMetrics {
    /// Registers the counters.
    pub fn new(metrics: &Metrics) -> Self {
        let this = Self::default();
        metrics.register(|registry| {
            for what in LinkEvent::ALL {
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

    fn of(&self, what: LinkEvent) -> &Counter {
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

    /// Something happened on the way to the gateway of these counters.
    pub(super) fn count(&self, counters: &LinkCounters, what: LinkEvent) {
        self.count_many(counters, what, 1);
    }

    fn count_many(&self, counters: &LinkCounters, what: LinkEvent, number: u64) {
        self.of(what).inc_by(number);
        counters.0[what as usize].fetch_add(number, Ordering::Relaxed);
    }

    /// A stream ended of which `sent` bytes were sent and `passed` were passed on.
    pub(super) fn checked(&self, counters: &LinkCounters, sent: u64, passed: u64) {
        self.count(counters, LinkEvent::Checked);
        self.count_many(counters, LinkEvent::BytesLost, sent.abs_diff(passed));
    }

    /// Streams whose length was compared with what their gateway sent, and by how many bytes they differed
    /// in all.
    pub fn compared(&self) -> (u64, u64) {
        let (checked, lost) = (self.of(LinkEvent::Checked), self.of(LinkEvent::BytesLost));
        (checked.get(), lost.get())
    }

    /// Streams that went on over another connection so far.
    pub fn resumed(&self) -> u64 {
        self.of(LinkEvent::Resumed).get()
    }

    /// Streams that were attached a second time because they fell behind, and of these those that
    /// were helped by it.
    pub fn hedged(&self) -> (u64, u64) {
        let (hedged, won) = (self.of(LinkEvent::Hedged), self.of(LinkEvent::HedgeWon));
        (hedged.get(), won.get())
    }

    /// Generations given up so far.
    pub fn lost(&self) -> u64 {
        self.of(LinkEvent::Lost).get()
    }
}
