//! Why a call went on as it did after a try that failed, which gateway made its tries, and how the way
//! there was: what travels with the record of a call. It is for operators; tenants never see it.

use serde::{Deserialize, Serialize};

/// What followed a try that failed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextStep {
    /// Another key of the same target: the fault says nothing of its other keys.
    OtherKey,
    /// The next target: the host did not answer, which another key does not cure.
    HostDown,
    /// The next target: the request can't be said in this provider's format.
    CannotSay,
    /// The next target: as many keys were tried as one target has tries.
    TriesUsed,
    /// The next target: too much of the call's time was used for another try here.
    TimeUsed,
    /// The next target: no other key could take the call.
    NoOtherKey,
    /// The next target: the other keys rest.
    KeysRest,
    /// The same target, after a wait: every key was full, and nothing was sent. What is told so is no try.
    Waited,
    /// The next target: too many calls of this provider were tried again lately.
    RetriesUsed,
    /// Another gateway, before any provider was called: this one did not take the call.
    OtherGateway,
    /// None: no other key and no other target cures such a fault.
    Final,
}

impl NextStep {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::OtherKey,
        Self::HostDown,
        Self::CannotSay,
        Self::TriesUsed,
        Self::TimeUsed,
        Self::NoOtherKey,
        Self::KeysRest,
        Self::Waited,
        Self::RetriesUsed,
        Self::OtherGateway,
        Self::Final,
    ];

    /// Stable word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::OtherKey => "other_key",
            Self::HostDown => "host_down",
            Self::CannotSay => "cannot_say",
            Self::TriesUsed => "tries_used",
            Self::TimeUsed => "time_used",
            Self::NoOtherKey => "no_other_key",
            Self::KeysRest => "keys_rest",
            Self::Waited => "waited",
            Self::RetriesUsed => "retries_used",
            Self::OtherGateway => "other_gateway",
            Self::Final => "final",
        }
    }

    /// From its stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }
}

/// Why a gateway did not take a call: it surely began nothing, so that another could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotTaken {
    /// There was no way to it, or it was stopping.
    Away,
    /// It had as many calls as it takes.
    Full,
}

impl NotTaken {
    /// Stable word, as the records of calls keep it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Away => "gateway_away",
            Self::Full => "gateway_full",
        }
    }
}

/// Which gateway made a call's tries. The server that asked the gateways notes it; what a gateway says of
/// itself here is not believed, as it knows neither its name nor who was asked before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Its name; its address where it has none.
    pub gateway: String,
    /// Those that were asked before and did not take the call, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedBy>,
    /// How the way was; absent where the server did not see it to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Box<Way>>,
}

/// How many cuts of one call are noted; a way that breaks more often is told by its first ones.
pub const CUTS_MAX: usize = 16;

/// How the way to a gateway and back was, as the server saw it: its clocks, not the gateway's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Way {
    /// When the call was sent, in milliseconds since the epoch.
    pub sent_at: i64,
    /// From then until the head of an answer was here.
    pub head_ms: u64,
    /// From then until its end was here.
    pub end_ms: u64,
    /// Where it was cut, at most [`CUTS_MAX`] times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
}

/// A connection that broke under a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// From when the call was sent until it broke.
    pub at_ms: u64,
    /// How long nothing was attached; 0 where another connection was there already.
    pub gap_ms: u64,
    /// How many of the answer's bytes had come before.
    pub byte: u64,
    /// Whether nothing was attached any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_good: bool,
}

/// A gateway that did not take a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedBy {
    /// Its name; its address where it has none.
    pub gateway: String,
    /// The word of a [`NotTaken`].
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back() {
        for step in NextStep::ALL {
            assert_eq!(NextStep::from_word(step.word()), Some(step));
        }
        assert_eq!(NextStep::from_word("asked_the_oracle"), None);
    }
}
