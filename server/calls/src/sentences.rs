//! What tenants read about money when a call did not end well. Each is a promise: the test that holds
//! us to it stands in `deploy/all-in-one/tests/it/promises.rs`.

use shared::id::GenerationId;

/// Nothing was sent to a gateway, or nothing of the answer reached the tenant: the hold is given
/// back, whatever the provider does.
pub const LINK_BROKE: &str =
    "The providers' region can't be reached right now; try again. Nothing was charged.";
/// The process ends before there was an answer: the hold is given back.
pub const STOPPING: &str = "The server is restarting; try again. Nothing was charged.";

/// A stream broke off: what the tenant had received may be charged, and where it can be looked up.
pub fn broke_off(generation: &GenerationId) -> String {
    format!(
        "The provider's answer was interrupted. What you received may be charged; look up `{generation}` in your usage."
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
        "The connection to the provider's region was lost. What you received may be charged; look up `{generation}` in your usage."
    )
}

/// The provider ended a stream because of what was asked or said in it; the same holds.
pub fn content_refused(generation: &GenerationId) -> String {
    format!(
        "The provider ended its answer because of its content policy. What you received may be charged; look up `{generation}` in your usage."
    )
}

/// The provider refuses the person who asked, in the middle of a stream; the same holds.
pub fn person_refused(generation: &GenerationId) -> String {
    format!(
        "The provider refused this end user because of the content of their requests, so they are suspended. Your other end users are not affected. What you received may be charged; look up `{generation}` in your usage."
    )
}

/// The provider found in the middle of a stream that the request is wrong; the same holds.
pub fn request_refused(generation: &GenerationId) -> String {
    format!(
        "The provider refused the request in the middle of its answer. What you received may be charged; look up `{generation}` in your usage."
    )
}
