//! How much a key or a tenant may do at a time. Counts nothing; the room `limits` does.

use serde::{Deserialize, Serialize};

/// The limits of a key or a tenant; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitSettings {
    /// Calls a minute.
    pub requests_per_minute: Option<u32>,
    /// Input and output tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Calls at the same time.
    pub concurrency: Option<u32>,
}

impl LimitSettings {
    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}
