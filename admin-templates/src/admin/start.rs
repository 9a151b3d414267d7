//! What a new platform needs, ticked as it is there. A part of the console's first page.

use crate::fixtures::maker::sampled;
use crate::labels::{StartState, StartStep};

sampled! {
    /// One thing that it needs.
    pub struct StartRow {
        /// What.
        pub step: StartStep,
        /// How far it is.
        pub state: StartState,
    }
}

impl StartStep {
    /// Where it is done; a page that every superadmin may see.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Provider => "/admin/providers",
            Self::Model | Self::Price => "/admin/models",
            Self::Tenant => "/admin/tenants",
            Self::Call => "/admin/docs",
        }
    }
}

impl StartRow {
    /// Whether it is there, and not for a demonstration alone.
    pub fn is_done(&self) -> bool {
        self.state == StartState::Done
    }

    /// Whether it is there at all.
    pub fn is_ticked(&self) -> bool {
        self.state != StartState::Open
    }
}
