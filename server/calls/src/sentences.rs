//! What tenants read about money when a call did not end well. Each is a promise: the test that holds
//! us to it stands in `deploy/all-in-one/tests/it/promises.rs`.

use shared::id::GenerationId;

/// Nothing was sent to a gateway, or nothing of the answer reached the tenant: the hold is given
/// back, whatever the provider does.
pub const LINK_BROKE: &str =
    "The region of the providers can't be reached just now; try again. Nothing was charged.";
/// The process ends before there was an answer: the hold is given back.
pub const STOPPING: &str = "The server is being restarted; try again. Nothing was charged.";

/// A stream broke off: what the tenant had received may be charged, and where it can be looked up.
pub fn broke_off(generation: &GenerationId) -> String {
    format!(
        "The provider's answer broke off. What you received may be charged; look up `{generation}` in your usage."
    )
}

/// A stream was cut because the provider stopped answering; the same holds.
pub fn timed_out(generation: &GenerationId) -> String {
    format!(
        "The provider stopped answering in time. What you received may be charged; look up `{generation}` in your usage."
    )
}

/// The link to the gateway was lost in the middle of a stream; the same holds.
pub fn link_lost(generation: &GenerationId) -> String {
    format!(
        "The connection to the provider's region broke. What you received may be charged; look up `{generation}` in your usage."
    )
}
