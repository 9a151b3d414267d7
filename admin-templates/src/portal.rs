//! Pages of the tenant's portal, one struct each.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::admin::usage::Counts;
use crate::chart::Chart;
use crate::form::Form;
use crate::list::ListState;
use crate::parts::{
    Arithmetic, Balance, CallRow, EntryRow, GrantRow, KeyRow, MemberRow, ModelSum, TopRow,
};
use crate::sample::sampled;
use crate::words::{CallStatus, Operation, Range, Speaker};

sampled! {
    /// `GET /portal`, for owners and admins.
    pub struct Overview {
        /// What the tenant has.
        pub balance: Balance,
        /// Whether what is left is less than the tenant wants to be told of.
        pub low: bool,
        /// Charged today.
        pub spent_today: Credits,
        /// Charged in the last 30 days.
        pub spent_month: Credits,
        /// Calls in the last 30 days.
        pub calls: u64,
        /// Calls in the last 30 days that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// How many days what is left will last at the pace of the last seven; `None` without
        /// spending.
        pub days_left: Option<u64>,
        /// When it will be used up.
        pub empty_at: Option<Moment>,
        /// Credits by day and model; shown stacked.
        pub spend: Chart,
        /// What is left, the next to lapse first.
        pub grants: Vec<GrantRow>,
        /// By credits, in the last 30 days.
        pub top_models: Vec<TopRow>,
        /// By credits, in the last 30 days.
        pub top_members: Vec<TopRow>,
    }

    /// `GET /portal/members`. Filter `q`. `POST …/{id}/disable`, `/enable`, `/password` (answers
    /// with a new one once).
    pub struct MemberList {
        /// How it is looked at.
        pub list: ListState,
        /// A page of people.
        pub rows: Vec<MemberRow>,
    }

    /// `POST /portal/members/new` with `username`, `password`, `role`, `budget`, `budget_period`;
    /// `POST /portal/members/{id}` without `username` and `password`.
    pub struct MemberForm {
        /// Whose; `None` for a new one.
        pub id: Option<String>,
        /// Their username; empty for a new one.
        pub name: String,
        /// What was typed.
        pub form: Form,
    }

    /// `GET /portal/keys`. Filter `q`. `POST …/{id}/rotate` with `grace_hours`, `POST …/{id}/revoke`.
    pub struct KeyList {
        /// How it is looked at.
        pub list: ListState,
        /// A page of keys.
        pub rows: Vec<KeyRow>,
    }

    /// `POST /portal/keys/new` with `name`, `kind`, `scopes`, `models`, `addresses`,
    /// `requests_per_minute`, `tokens_per_minute`, `budget`, `budget_period`, `expires_at`;
    /// `POST /portal/keys/{id}` without `kind`.
    pub struct KeyForm {
        /// Which; `None` for a new one.
        pub id: Option<String>,
        /// Its name; empty for a new one.
        pub name: String,
        /// What was typed.
        pub form: Form,
        /// Models to choose from.
        pub models: Vec<String>,
    }

    /// `GET /portal/usage?range=7d`. Filters `model`, `status`, `caller`. The same query on
    /// `/portal/usage.csv` is the export.
    pub struct PortalUsage {
        /// What is looked at.
        pub range: Range,
        /// How the calls are looked at.
        pub list: ListState,
        /// Charged in the stretch.
        pub credits: Credits,
        /// Calls in the stretch.
        pub calls: u64,
        /// Credits by day and model; shown stacked.
        pub spend: Chart,
        /// The whole stretch by model.
        pub sums: Vec<ModelSum>,
        /// A page of calls, newest first.
        pub rows: Vec<CallRow>,
    }

    /// `GET /portal/usage/{id}`: a call as its tenant sees it.
    pub struct OwnCall {
        /// Its generation id.
        pub id: String,
        /// Its request id.
        pub request_id: String,
        /// How it ended.
        pub status: CallStatus,
        /// Why it did not succeed.
        pub fault: Option<String>,
        /// What was asked for.
        pub operation: Operation,
        /// The model's name.
        pub model: String,
        /// The person or the key that called.
        pub caller: String,
        /// Made with a test key.
        pub test: bool,
        /// When it came.
        pub at: Moment,
        /// To the first byte, in milliseconds.
        pub first_byte_ms: u64,
        /// In all, in milliseconds.
        pub duration_ms: u64,
        /// Set aside before it.
        pub held: Credits,
        /// By kind.
        pub counts: Counts,
        /// How the charge was reckoned.
        pub charge: Arithmetic,
    }

    /// `GET /portal/ledger`. Filter `kind`.
    pub struct PortalLedger {
        /// What the tenant has.
        pub balance: Balance,
        /// What is left, the next to lapse first.
        pub grants: Vec<GrantRow>,
        /// How it is looked at.
        pub list: ListState,
        /// A page of the ledger, newest first.
        pub entries: Vec<EntryRow>,
    }

    /// `GET /portal/settings`. `POST /portal/settings` with `alert_below` and `alert_url`;
    /// `POST /portal/settings/security` with `require_second_factor`.
    pub struct PortalSettings {
        /// The tenant's id.
        pub tenant_id: String,
        /// The tenant's name.
        pub tenant: String,
        /// What a client uses as base URL.
        pub base_url: String,
        /// When to be told that credits run low.
        pub alerts: Form,
        /// What is asked of members.
        pub security: Form,
    }

    /// A message of a conversation.
    pub struct Message {
        /// Who said it.
        pub speaker: Speaker,
        /// What was said.
        pub text: String,
        /// What an answer cost.
        pub credits: Option<Credits>,
    }

    /// A model to choose in the studio.
    pub struct StudioModel {
        /// Its name.
        pub id: String,
        /// A line about its price, in the reader's language.
        pub price: String,
    }

    /// `GET /portal/studio/chat`. Without a script `POST /portal/studio/chat` with `model`,
    /// `message`, `history` (the conversation as JSON) answers with the page. With one,
    /// `POST /portal/studio/chat/stream` (JSON `model`, `messages`; header `x-csrf-token`) answers
    /// with server-sent events: `{"text"}` as it comes, at last `{"charged","balance"}`, or
    /// `{"error"}`; `POST /portal/studio/estimate` (JSON) answers `{"estimate"}`.
    pub struct StudioChat {
        /// Models to choose from.
        pub models: Vec<StudioModel>,
        /// `model` and `message`.
        pub form: Form,
        /// What was said so far.
        pub messages: Vec<Message>,
        /// The same as JSON, for the form.
        pub history: String,
        /// Can be spent now.
        pub available: Credits,
        /// What an answer will cost at most, for the model that is chosen.
        pub estimate: Option<Credits>,
    }

    /// An image that was made.
    pub struct Picture {
        /// Its id; the image is at `/portal/studio/image/{id}`.
        pub id: String,
        /// What was asked for.
        pub prompt: String,
        /// The model's name.
        pub model: String,
        /// For example `1024x1024`.
        pub size: String,
        /// What it cost.
        pub credits: Credits,
        /// When it was made.
        pub at: Moment,
    }

    /// `GET` and `POST /portal/studio/image` with `model`, `prompt`, `size`, `quality`, `count`;
    /// `POST /portal/studio/estimate` (JSON of the same) answers `{"estimate"}`.
    pub struct StudioImage {
        /// Models to choose from.
        pub models: Vec<StudioModel>,
        /// Sizes to choose from.
        pub sizes: Vec<String>,
        /// Qualities to choose from.
        pub qualities: Vec<String>,
        /// What was typed.
        pub form: Form,
        /// Newest first.
        pub pictures: Vec<Picture>,
        /// Can be spent now.
        pub available: Credits,
        /// What the images will cost, for what is chosen.
        pub estimate: Option<Credits>,
    }

    /// `GET /portal/history`: a person's own calls. Filters `model`, `status`.
    pub struct History {
        /// Charged in the last 30 days.
        pub spent: Credits,
        /// What they may spend.
        pub budget: Option<crate::parts::BudgetView>,
        /// Credits by day; shown as bars.
        pub spend: Chart,
        /// How it is looked at.
        pub list: ListState,
        /// A page of calls, newest first.
        pub rows: Vec<CallRow>,
    }
}

impl PortalSettings {
    /// What a client is told to use.
    pub fn api_base(&self) -> String {
        format!("{}/api/v1", self.base_url)
    }
}
