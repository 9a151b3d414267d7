//! Calls for the tests of this crate. A test says what of a call it is about; the rest is here.

use std::time::Duration;

use bytes::Bytes;
use shared::id::{GenerationId, RequestId};
use shared::link::{Call, Operation};
use shared::surface::Surface;

/// A whole answer is asked for, without targets or bounds.
pub(crate) fn call(operation: Operation, body: impl Into<Bytes>) -> Call {
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(operation),
        targets: [].into(),
        body: body.into(),
        stream: false,
        show_usage: false,
        headers: Vec::new(),
        tenant: None,
        caller: 0,
        end_user: None,
        bounds: None,
        answer_model: None,
        says_all: false,
        deadline: Duration::from_secs(60),
    }
}
