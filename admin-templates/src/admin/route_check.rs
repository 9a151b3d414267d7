//! Where a call of a model would go: a dry run.

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{KeyKept, RouteLeftOut, RouteState};

sampled! {
    /// Keys that the same keeps from the call.
    pub struct KeptRow {
        /// What.
        pub why: KeyKept,
        /// How many.
        pub count: u64,
    }

    /// What a gateway would do with a target.
    pub struct RouteGatewayRow {
        /// Which one.
        pub gateway: String,
        /// How it stands.
        pub state: RouteState,
        /// The key that would be used, by its name and how it ends; empty where none would.
        pub key: String,
        /// Keys that could take the call.
        pub ready: u64,
        /// All of them.
        pub all: u64,
        /// What keeps the others.
        pub others: Vec<KeptRow>,
        /// In how many milliseconds it is ready; 0 where it waits for nothing.
        pub wait_ms: u64,
    }

    /// A target of the model.
    pub struct RouteTargetRow {
        /// The provider's name.
        pub provider: String,
        /// The model's name there.
        pub model: String,
        /// Lower ones are tried first.
        pub priority: u64,
        /// Its part of the calls among those of its priority, in hundredths of a per cent.
        pub share: i64,
        /// Whether a call would go there now, of those of its priority by its share.
        pub goes: bool,
        /// Why no such call goes there; absent where one may.
        pub left_out: Option<RouteLeftOut>,
        /// What each gateway would do.
        pub gateways: Vec<RouteGatewayRow>,
    }

    /// `GET /admin/models/{id}/route` with `tenant`, `input`, `output`.
    pub struct RouteCheckPage {
        /// The model.
        pub id: String,
        /// How large the call would be, and whose.
        pub form: Form,
        /// Whether the tenant that is named may not call it.
        pub is_closed: bool,
        /// Whether the model costs more than a rule allows.
        pub is_too_dear: bool,
        /// The targets in the order in which they are tried.
        pub rows: Vec<RouteTargetRow>,
    }
}
