//! What a provider says it has: the answer to a gateway's question for its list of models.

use serde::{Deserialize, Serialize};

/// Names that are read of a list at most; the longest of November 2026 has some hundreds.
pub const NAMES_MAX: usize = 5_000;
/// Of all names of a list together, which cross the link as one answer.
pub const NAMES_BYTES_MAX: usize = 512 * 1024;
/// Of a name; longer ones can't be a target's.
pub const NAME_BYTES_MAX: usize = 200;

/// The models of a provider, by the names that targets have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProviderModels {
    /// Each once, in the provider's order.
    pub names: Vec<String>,
    /// Entries that are no names: too long, none, or with characters that a target can't have.
    #[serde(default)]
    pub odd: u64,
    /// Whether there was more than is read of a list.
    #[serde(default)]
    pub cut: bool,
    /// Why there is no list, without any secret; empty where there is one.
    #[serde(default)]
    pub failure: String,
}
