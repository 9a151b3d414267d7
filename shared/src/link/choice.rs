//! Where a call would go: what a server asks a gateway about targets, and what that answers of its pools.
//! Nothing is called by it and nothing changes.

use serde::{Deserialize, Serialize};

use super::Target;
use crate::id::ProviderKeyId;

/// Targets that one question may have.
pub const CHOICE_TARGETS_MAX: usize = 50;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceQuery {
    /// The targets, in their order.
    pub targets: Vec<Target>,
    /// The number of whose call it would be; of nobody's where it is 0.
    #[serde(default)]
    pub caller: u64,
    /// About how many tokens it would read.
    #[serde(default)]
    pub input: u64,
    /// How many it may bring at most.
    #[serde(default)]
    pub output_max: u64,
}

/// How it stands with a target at a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// A key would take the call.
    Ready,
    /// There is no such provider.
    NoProvider,
    /// The provider is switched off.
    ProviderOff,
    /// The provider failed too often lately, and rests.
    CircuitOpen,
    /// Its host does not answer.
    HostDown,
    /// Every key that could take it rests.
    KeysRest,
    /// No key could take it.
    NoKey,
    /// Another one than this version knows.
    #[default]
    #[serde(other)]
    Other,
}

impl TargetState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Other,
        Self::Ready,
        Self::NoProvider,
        Self::ProviderOff,
        Self::CircuitOpen,
        Self::HostDown,
        Self::KeysRest,
        Self::NoKey,
    ];

    /// Stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Ready => "ready",
            Self::NoProvider => "no_provider",
            Self::ProviderOff => "provider_off",
            Self::CircuitOpen => "circuit_open",
            Self::HostDown => "host_down",
            Self::KeysRest => "keys_rest",
            Self::NoKey => "no_key",
        }
    }
}

/// The key that would be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenKey {
    /// Its id.
    pub key: ProviderKeyId,
    /// The operator's name for it.
    #[serde(default)]
    pub label: String,
    /// How its secret ends.
    pub last4: String,
}

/// Keys of a target by what keeps them from the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyRooms {
    /// All of them.
    pub all: u32,
    /// Those that could take it.
    pub ready: u32,
    /// Those that rest after a fault.
    pub resting: u32,
    /// Those whose own limits are reached.
    pub full: u32,
    /// Those with no balance.
    pub parked: u32,
    /// Those that are switched off.
    pub off: u32,
    /// Those that are for other models.
    pub other_models: u32,
    /// Those whose host does not answer.
    pub down: u32,
}

/// What a gateway would do with one target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetChoice {
    /// How it stands.
    pub state: TargetState,
    /// Its keys.
    pub keys: KeyRooms,
    /// The key that would be used; of several that are as good, one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<ChosenKey>,
    /// In how many milliseconds it is ready, where it waits for something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// What the key that is ready first rests for: the word of a fault's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One answer a target, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChoiceTold {
    /// The answers.
    pub targets: Vec<TargetChoice>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_and_those_of_later_versions_are_told_apart() {
        for state in TargetState::ALL {
            let json = serde_json::to_string(&state).expect("JSON");
            assert_eq!(json, format!("\"{}\"", state.word()));
            assert_eq!(serde_json::from_str::<TargetState>(&json).ok(), Some(state));
        }
        let later: TargetState = serde_json::from_str("\"paused\"").expect("a word");
        assert_eq!(later, TargetState::Other);
    }
}
