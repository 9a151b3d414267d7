//! How gateways are reached: settings of the link over HTTP.

use std::time::Duration;

use rustls::ClientConfig;

/// How gateways are reached.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    /// HTTP/2 connections a node: at 1 % loss eight bring the median token back to the ideal.
    pub connections: usize,
    /// How long a call waits for a link that is gone before it is given up.
    pub patience: Duration,
    /// Where bytes are saved.
    pub compression: Enablement,
    /// Where a stream that is late comes over a second connection as well.
    pub hedging: Enablement,
    /// How gateways at `https://` are spoken to, where it differs from `shared::tls::client_config`.
    pub tls: Option<ClientConfig>,
}

/// For which gateways something is done that pays where the way is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Enablement {
    /// Those on other machines.
    Auto,
    /// All.
    On,
    /// None.
    Off,
}

impl Enablement {
    pub(super) fn covers(self, is_far: bool) -> bool {
        match self {
            Self::Auto => is_far,
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            connections: 8,
            patience: Duration::from_secs(30),
            compression: Enablement::Auto,
            hedging: Enablement::Auto,
            tls: None,
        }
    }
}
