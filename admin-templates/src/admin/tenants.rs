//! Tenants: the list, a new one, and one with its tabs.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::chart::Chart;
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{Range, TenantStatus};
use crate::list::ListState;
use crate::parts::{
    Balance, BooksNote, CallRow, GrantRow, KeyRow, KnownCost, LedgerLine, MemberRow, ModelSum,
    SpentGrant,
};

sampled! {
    /// A tenant in the list.
    pub struct TenantRow {
        /// Its id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// Whether its calls are taken.
        pub status: TenantStatus,
        /// Can be spent now.
        pub available: Credits,
        /// Charged in the last 30 days.
        pub spent: Credits,
        /// Calls in the last 30 days.
        pub calls: u64,
        /// The tenant's price multiplier in millionths.
        pub multiplier_ppm: i64,
        /// When it last called.
        pub called_at: Option<Moment>,
        /// When it was made.
        pub created_at: Moment,
    }

    /// `GET /admin/tenants`. Filters `q` and `status`; sorts `name` and `created`.
    pub struct TenantList {
        /// How it is looked at.
        pub list: ListState,
        /// A page of tenants.
        pub rows: Vec<TenantRow>,
    }

    /// `POST /admin/tenants/new` with `name`, `username`, `password`, `credits`, `expires_at`,
    /// `note`.
    pub struct TenantNew {
        /// What was typed.
        pub form: Form,
    }

    /// What stands above every tab of a tenant.
    pub struct TenantHead {
        /// Its id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// Whether its calls are taken.
        pub status: TenantStatus,
        /// Can be spent now.
        pub available: Credits,
        /// Set aside for running calls.
        pub held: Credits,
        /// When it goes away.
        pub delete_at: Option<Moment>,
    }

    /// `GET /admin/tenants/{id}`. `POST …/rename` with `name`; `POST …/suspend` with `reason`;
    /// `POST …/resume`; `POST …/delete` with `confirm` (the name) and `reason`; `POST …/restore`.
    pub struct TenantInfo {
        /// Above the tabs.
        pub head: TenantHead,
        /// When it was made.
        pub created_at: Moment,
        /// When it last called.
        pub called_at: Option<Moment>,
        /// What it has.
        pub balance: Balance,
        /// How many people.
        pub members: u64,
        /// How many keys that work.
        pub keys: u64,
        /// Calls in the last 30 days.
        pub calls: u64,
        /// Calls in the last 30 days that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// What providers took in the last 30 days, and what was left.
        pub cost: KnownCost,
        /// Credits by day; shown as bars.
        pub spend: Chart,
        /// Another name.
        pub rename: Form,
        /// Where its days begin.
        pub zone: Form,
        /// For how long answers are kept.
        pub keeping: Form,
        /// Whether and for how long the studio is.
        pub studio: Form,
        /// Why it is suspended.
        pub suspend: Form,
        /// The name again, and why.
        pub delete: Form,
        /// How many days a deleted tenant can be brought back.
        pub grace_days: u64,
    }

    /// `GET …/members`. `POST …/members` with `username`, `password`, `role`;
    /// `POST …/members/{member}/disable`, `/enable`, `/password` (answers with a new one once).
    pub struct TenantMembers {
        /// Above the tabs.
        pub head: TenantHead,
        /// How it is looked at; filter `q`.
        pub list: ListState,
        /// A page of people.
        pub rows: Vec<MemberRow>,
        /// A new one.
        pub add: Form,
    }

    /// `GET …/keys`. `POST …/keys` with `name`, `kind`, `models`, `addresses`, `expires_at`,
    /// `requests_per_minute`, `tokens_per_minute`, `budget`, `budget_period`;
    /// `POST …/keys/{key}/rotate` with `grace_hours`; `POST …/keys/{key}/revoke`.
    pub struct TenantKeys {
        /// What was wrong with a rotation.
        pub rotate: Form,
        /// Above the tabs.
        pub head: TenantHead,
        /// How it is looked at; filter `q`.
        pub list: ListState,
        /// A page of keys.
        pub rows: Vec<KeyRow>,
        /// A new one.
        pub add: Form,
        /// Models to choose from.
        pub models: Vec<String>,
    }

    /// `GET …/usage?range=7d`.
    pub struct TenantUsage {
        /// Above the tabs.
        pub head: TenantHead,
        /// What is looked at.
        pub range: Range,
        /// How the calls are looked at; filters `model`, `status`.
        pub list: ListState,
        /// Credits by day and model; shown stacked.
        pub spend: Chart,
        /// The whole stretch by model.
        pub sums: Vec<ModelSum>,
        /// A page of calls.
        pub rows: Vec<CallRow>,
    }

    /// `GET …/money`. `POST …/recharge` with `amount`, `expires_at`, `note`; `POST …/adjust` with
    /// `direction` (`give`, `take`), `amount`, `reason`, `into_debt`.
    pub struct TenantMoney {
        /// Above the tabs.
        pub head: TenantHead,
        /// What it has.
        pub balance: Balance,
        /// What is left of it, the next to lapse first.
        pub grants: Vec<GrantRow>,
        /// How its books were found.
        pub books: BooksNote,
        /// What is not, newest first.
        pub spent: Vec<SpentGrant>,
        /// Whether these are shown at once.
        pub spent_open: bool,
        /// Behind which of them older ones go on.
        pub spent_next: Option<String>,
        /// How the ledger is looked at; filter `kind`.
        pub list: ListState,
        /// The line whose entries are shown; may be empty.
        pub opened: String,
        /// A page of lines, newest first.
        pub lines: Vec<LedgerLine>,
        /// Credits to give.
        pub recharge: Form,
        /// A correction.
        pub adjust: Form,
        /// The recharge's key against doing it twice; sent as `once`.
        pub once: String,
    }

    /// `GET …/limits`. `POST …/limits` with `requests_per_minute`, `tokens_per_minute`,
    /// `concurrent`; `POST …/models` with `only` and `models`; `POST …/multiplier` with `factor`.
    pub struct TenantLimits {
        /// Above the tabs.
        pub head: TenantHead,
        /// Limits over all its keys and people.
        pub limits: Form,
        /// The models it may use.
        pub allowed: Form,
        /// Models to choose from.
        pub models: Vec<String>,
        /// What prices are multiplied by.
        pub multiplier: Form,
        /// Its data policy; `POST …/data`.
        pub data: Form,
    }
}
