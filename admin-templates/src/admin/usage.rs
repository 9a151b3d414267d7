//! The log of all calls, and the details of one.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{CallNote, CallStatus, NextWhy, Operation, TryResult};
use crate::lanes::LaneRow;
use crate::list::ListState;
use crate::parts::{Arithmetic, CallRow, EntryRow};

sampled! {
    /// `GET /admin/usage`. Filters `tenant`, `model`, `provider`, `status`, `from`, `to`. The same
    /// query on `/admin/usage.csv` is the export.
    pub struct UsageLog {
        /// How it is looked at.
        pub list: ListState,
        /// What may be meant by its filters.
        pub suggest: Suggestions,
        /// A page of calls, newest first.
        pub rows: Vec<CallRow>,
    }

    /// Names that the filters of a list offer while somebody types; others are taken as well.
    pub struct Suggestions {
        /// Tenants.
        pub tenants: Vec<String>,
        /// Models.
        pub models: Vec<String>,
        /// Providers.
        pub providers: Vec<String>,
    }

    /// A try at a provider.
    pub struct TryRow {
        /// Which, from 1; 0 of a gateway that called no provider.
        pub number: u64,
        /// The provider's name; empty where none was called.
        pub provider: String,
        /// The region where it works; empty where it was not known.
        pub region: String,
        /// The model's name there.
        pub model: String,
        /// The gateway it went through; empty where it is inside the server, or nobody noted it.
        pub gateway: String,
        /// How the provider's key ends.
        pub key_last4: String,
        /// After the call came, in milliseconds.
        pub started_ms: u64,
        /// How long it took, in milliseconds.
        pub duration_ms: u64,
        /// Of HTTP; 0 when there was none.
        pub status: u16,
        /// What it came to.
        pub result: TryResult,
        /// What the provider said.
        pub detail: String,
        /// Why the call went on as it did; absent where it answered, or nobody told.
        pub why: Option<NextWhy>,
    }

    /// Tokens and other things by kind.
    pub struct Counts {
        /// At the full price.
        pub input: u64,
        /// Read from the provider's cache.
        pub cached_input: u64,
        /// Written to the provider's cache.
        pub cache_write: u64,
        /// Without reasoning.
        pub output: u64,
        /// Spent on reasoning.
        pub reasoning: u64,
        /// Made.
        pub images: u64,
        /// Of audio or video, in milliseconds.
        pub media_ms: u64,
        /// Read aloud.
        pub characters: u64,
        /// Whether they are estimated, because the provider told none.
        pub estimated: bool,
    }

    /// What was set aside before the call.
    pub struct HoldView {
        /// How much: the worst case.
        pub amount: Credits,
        /// What the output was bounded to, when the balance was short of the worst case.
        pub lowered_to: Option<u64>,
        /// What was given back.
        pub released: Credits,
    }

    /// A call whose end nobody knows: its credits were given back.
    pub struct UnknownEnd {
        /// What was held.
        pub held: Credits,
        /// Until when the gateways are asked.
        pub ask_until: Moment,
        /// Whether the tenant was told that nothing is charged.
        pub promised: bool,
        /// `POST /admin/usage/{id}/settle`: `credits`, `reason`.
        pub settle: Form,
        /// `POST /admin/usage/{id}/release`: `reason`.
        pub release: Form,
    }

    /// What was demanded of whoever got a call's data.
    pub struct DemandView {
        /// That nobody trains on it.
        pub no_training: bool,
        /// That nobody keeps it.
        pub zero_retention: bool,
        /// The regions that it might go to; any when empty.
        pub regions: String,
    }

    /// `GET /admin/usage/{id}`.
    pub struct CallPage {
        /// Its generation id.
        pub id: String,
        /// Its request id.
        pub request_id: String,
        /// How it ended.
        pub status: CallStatus,
        /// Why it did not succeed.
        pub fault: Option<String>,
        /// The provider where it failed; empty where none is known.
        pub blamed: String,
        /// What is odd about its counts or its charge.
        pub notes: Vec<CallNote>,
        /// What it came to and the platform bears.
        pub lost: Credits,
        /// What may be decided where nobody knows how it ended.
        pub unknown: Option<UnknownEnd>,
        /// What was asked for.
        pub operation: Operation,
        /// Made with a test key.
        pub test: bool,
        /// When it came.
        pub at: Moment,
        /// Whose.
        pub tenant_id: String,
        /// Their name.
        pub tenant: String,
        /// The person who called.
        pub person: Option<String>,
        /// The API key that called.
        pub key: Option<String>,
        /// How that key ends.
        pub key_last4: Option<String>,
        /// The model's name.
        pub model: String,
        /// The price that was applied.
        pub price_id: String,
        /// What was demanded of whoever got its data.
        pub demanded: DemandView,
        /// The region where it was answered; empty where it is not known.
        pub region: String,
        /// To the first byte, in milliseconds.
        pub first_byte_ms: u64,
        /// In all, in milliseconds.
        pub duration_ms: u64,
        /// What was set aside.
        pub hold: HoldView,
        /// Who had it when.
        pub lanes: Vec<LaneRow>,
        /// Tries, in order.
        pub tries: Vec<TryRow>,
        /// By kind.
        pub counts: Counts,
        /// How the charge was reckoned.
        pub charge: Arithmetic,
        /// How the provider's price was reckoned; `None` where it is not known.
        pub cost: Option<Arithmetic>,
        /// What is left, where that is known.
        pub margin: Option<Credits>,
        /// Its lines in the ledger.
        pub entries: Vec<EntryRow>,
    }
}

impl DemandView {
    /// Whether nothing was demanded.
    pub fn is_nothing(&self) -> bool {
        !self.no_training && !self.zero_retention && self.regions.is_empty()
    }
}

impl CallPage {
    /// What the provider takes, where that is known.
    pub fn cost_total(&self) -> Option<Credits> {
        self.cost.as_ref().map(|cost| cost.total)
    }
}
