//! End users of tenants who may make no calls: for superadmins, and for the tenant's own administrators.

use shared::clock::Moment;

use crate::fixtures::Typical;
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::SuspensionWhy;
use crate::list::ListState;

sampled! {
    /// A suspended end user, as superadmins see them.
    pub struct EndUserRow {
        /// The name that providers know them by.
        pub identity: String,
        /// Whose they are.
        pub tenant_id: String,
        /// The tenant's name.
        pub tenant: String,
        /// The ends of the tenant's word for them; empty where none is known.
        pub shown: String,
        /// Why.
        pub why: SuspensionWhy,
        /// The provider that refused them; may be empty.
        pub provider: String,
        /// What the provider or the operator said.
        pub reason: String,
        /// Since when.
        pub since: Moment,
        /// Until when; until somebody lifts it where it is absent.
        pub until: Option<Moment>,
        /// Whether it is in force.
        pub in_force: bool,
    }

    /// `GET /admin/end-users`. Filters `tenant` (an id) and `all`. `POST /admin/end-users` with `tenant`,
    /// `end_user`, `reason`, `hours`; `POST …/{identity}/lift` with `tenant`.
    pub struct EndUserList {
        /// How it is looked at.
        pub list: ListState,
        /// A page of them, the newest first.
        pub rows: Vec<EndUserRow>,
        /// Somebody to suspend.
        pub add: Form,
    }

    /// A suspended end user, as their tenant sees them.
    pub struct OwnEndUserRow {
        /// The name that providers know them by.
        pub identity: String,
        /// The tenant's own word for them; empty where none is known.
        pub named: String,
        /// Why.
        pub why: SuspensionWhy,
        /// Since when.
        pub since: Moment,
        /// Until when; until the operator lifts it where it is absent.
        pub until: Option<Moment>,
    }

    /// `GET /portal/end-users`.
    pub struct OwnEndUsers {
        /// How it is looked at.
        pub list: ListState,
        /// A page of them, the newest first.
        pub rows: Vec<OwnEndUserRow>,
    }
}

fn at(days: u64) -> Moment {
    crate::fixtures::days_ago(days)
}

impl Typical for EndUserList {
    fn typical() -> Vec<Self> {
        let row = |n: u64, shown: &str, why, in_force| EndUserRow {
            identity: format!("wu_0a1b2c3d4e5f_{n:032x}"),
            tenant_id: "ten_a1".to_owned(),
            tenant: "Acme".to_owned(),
            shown: shown.to_owned(),
            why,
            provider: "openai".to_owned(),
            reason: "status 403, type `invalid_request_error`, code `identifier_blocked`"
                .to_owned(),
            since: at(n),
            until: (why == SuspensionWhy::Flagged).then(|| at(0)),
            in_force,
        };
        vec![Self {
            list: ListState::whole(),
            rows: vec![
                row(1, "ad…m", SuspensionWhy::Provider, true),
                row(2, "usr_a3", SuspensionWhy::Flagged, false),
                row(3, "", SuspensionWhy::Operator, true),
            ],
            add: Form::default(),
        }]
    }
}

impl Typical for OwnEndUsers {
    fn typical() -> Vec<Self> {
        vec![Self {
            list: ListState::whole(),
            rows: vec![OwnEndUserRow {
                identity: format!("wu_0a1b2c3d4e5f_{:032x}", 7),
                named: "ada@example.com".to_owned(),
                why: SuspensionWhy::Provider,
                since: at(2),
                until: None,
            }],
        }]
    }
}
