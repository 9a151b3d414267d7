//! Providers with their key pools.

use shared::clock::Moment;
use shared::credits::Credits;

use super::alerts::ConditionView;
use super::provider_keys::KeyTermsShown;
use crate::chart::Chart;
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::html::url_part;
use crate::labels::{BalanceWord, Health, PoolKeyStatus, Switch, VendorPlace};
use crate::list::ListState;
use crate::parts::KnownCost;

sampled! {
    /// A provider in the list.
    pub struct ProviderRow {
        /// Its name.
        pub name: String,
        /// How its page is addressed.
        pub reference: String,
        /// The gateway that has it; empty where all share their providers.
        pub gateway: String,
        /// Its connector.
        pub kind: String,
        /// Where it answers.
        pub base_url: String,
        /// In which formats it is asked, by their codes.
        pub speaks: Vec<String>,
        /// Whether it takes calls.
        pub state: Switch,
        /// Whether it answers.
        pub health: Health,
        /// How it does, in words.
        pub condition: ConditionView,
        /// Keys that take calls.
        pub active: u64,
        /// Keys that cool down.
        pub cooling: u64,
        /// Keys that are disabled.
        pub disabled: u64,
        /// Calls that run now.
        pub in_flight: u64,
        /// Calls in the last 24 hours.
        pub calls: u64,
        /// Those that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// To the first token, half of all, in milliseconds.
        pub first_token_p50_ms: u64,
        /// To the first token, 95 in a hundred, in milliseconds.
        pub first_token_ms: u64,
        /// What it took in the last 24 hours.
        pub cost: KnownCost,
        /// What it took in the last 7 days.
        pub cost_week: KnownCost,
        /// Keys whose account is at its floor.
        pub parked: u64,
        /// The lowest balance of its keys, with its currency; empty where nobody told.
        pub balance: String,
        /// How the worst of its balances stands.
        pub balance_state: BalanceWord,
        /// Words of operators for its keys.
        pub tags: Vec<String>,
    }

    /// What came of trying a provider.
    pub struct ProviderTried {
        /// Which.
        pub name: String,
        /// How the key ends that was used.
        pub last4: String,
        /// The model's name there; empty where its list of models was asked for instead.
        pub model: String,
        /// What it told.
        pub test: KeyTest,
        /// What it cost, where that is known.
        pub cost: Option<Credits>,
    }

    /// `GET /admin/providers` with `q`, `state`, `tag`. `POST /admin/providers/{name}/test`.
    pub struct ProviderList {
        /// How it is looked at.
        pub list: ListState,
        /// All that fit.
        pub rows: Vec<ProviderRow>,
        /// Words to choose from.
        pub tags: Vec<String>,
        /// A test that was just made.
        pub tried: Option<ProviderTried>,
        /// Gateways that did not answer, so that their providers are missing.
        pub missing: Vec<String>,
    }

    /// A vendor to begin a provider with, or a connector that no vendor stands for.
    pub struct VendorRow {
        /// Its word in `?vendor=`, or in `?kind=`.
        pub name: String,
        /// What people call it.
        pub label: String,
        /// Whether it is a connector.
        pub is_connector: bool,
        /// In which formats it is asked, by their codes.
        pub speaks: Vec<String>,
        /// Where its keys are made; may be empty.
        pub keys_url: String,
        /// Some of its models; may be empty.
        pub models: String,
    }

    /// Vendors of one place.
    pub struct VendorGroup {
        /// The place.
        pub place: VendorPlace,
        /// In the order in which they are offered.
        pub rows: Vec<VendorRow>,
    }

    /// `GET /admin/providers/new?q=`.
    pub struct ProviderPick {
        /// What is looked for.
        pub list: ListState,
        /// Those that fit.
        pub groups: Vec<VendorGroup>,
    }

    /// How a provider may differ from its kind, beside the values of the form.
    pub struct SettingsChoices {
        /// Formats to choose from, the preferred ones first, by their codes.
        pub dialects: Vec<String>,
        /// Whether something is set there, or wrong.
        pub is_open: bool,
    }

    /// `GET /admin/providers/new?vendor=` or `?kind=`. `POST /admin/providers/new` with `vendor`, `kind`,
    /// `name`, `base_url`, `gateway`, and the settings: `dialects` (several), `key_header`, `key_prefix`,
    /// `headers` and `rename` (one a line), `api_version`, `region`, `leave_out`, `no_usage_option`, `maximum`.
    pub struct ProviderNew {
        /// What was typed.
        pub form: Form,
        /// What it begins with; absent where the gateways never said what they have.
        pub vendor: Option<VendorRow>,
        /// The connector; empty where it is to be typed.
        pub kind: String,
        /// Whether providers of it have an address.
        pub has_address: bool,
        /// Gateways to choose from; empty where all share their providers.
        pub gateways: Vec<String>,
        /// More settings.
        pub settings: SettingsChoices,
    }

    /// How a provider differs from its kind, as it is read; what is empty is as the kind says.
    pub struct OptionsShown {
        /// The header that holds a key.
        pub key_header: String,
        /// Headers that every request has, with their values.
        pub headers: Vec<String>,
        /// The version of the interface.
        pub api_version: String,
        /// The region of its address.
        pub region: String,
        /// Fields that are left out.
        pub leave_out: Vec<String>,
        /// Fields with another name there.
        pub rename: Vec<String>,
        /// Whether the usage of streams is not asked for.
        pub no_usage_option: bool,
        /// The only field for the limit of output tokens.
        pub maximum: String,
    }

    /// What came of testing a key.
    pub struct KeyTest {
        /// Whether the provider accepted it.
        pub accepted: bool,
        /// Whether the provider could be asked in this way.
        pub can_be_told: bool,
        /// The provider's status; 0 when there was none.
        pub status: u16,
        /// How long the answer took, in milliseconds.
        pub latency_ms: u64,
        /// What went wrong.
        pub detail: String,
    }

    /// A key of a provider's pool.
    pub struct PoolKeyRow {
        /// Its id.
        pub id: String,
        /// The operator's name for it.
        pub label: String,
        /// How the secret ends.
        pub last4: String,
        /// Its share.
        pub weight: u64,
        /// Whether it takes calls.
        pub status: PoolKeyStatus,
        /// Why not.
        pub reason: Option<String>,
        /// Until when it cools.
        pub cooling_until: Option<Moment>,
        /// Calls that run on it now.
        pub in_flight: u64,
        /// Calls in the last 24 hours.
        pub calls: u64,
        /// Those that failed because of it.
        pub errors: u64,
        /// What it took in the last 24 hours.
        pub spent: KnownCost,
        /// To the first token, 95 in a hundred, in milliseconds.
        pub first_token_ms: u64,
        /// When it was added.
        pub created_at: Moment,
        /// A test that was just made.
        pub test: Option<KeyTest>,
        /// On what terms it is used.
        pub terms: KeyTermsShown,
        /// Whether it was chosen in a form that was sent and was wrong.
        pub is_chosen: bool,
    }

    /// `GET /admin/providers/{name}/data`. `POST …/data` with `never_trains`, `retention_days`, `region`.
    pub struct ProviderData {
        /// Its name.
        pub name: String,
        /// How its page is addressed.
        pub reference: String,
        /// What it does with data.
        pub data: Form,
    }

    /// `GET /admin/providers/{name}`. `POST …/edit` with `base_url`, `enabled` and, where `settings` is `on`,
    /// the settings as with a new one;
    /// `POST …/delete`; `POST …/copy` with `name`; `GET …/export.json`; `POST …/keys` with `label`, `secret`, `weight` and
    /// the terms; `POST …/keys/batch` with `key` (several) or `tag`, `do` and what is to be changed;
    /// `POST …/keys/{key}/test` with `model` for a small call, `/disable`, `/enable`, `/delete`; `POST …/keys/{key}/rotate` with
    /// `secret`.
    pub struct ProviderDetail {
        /// Its name.
        pub name: String,
        /// How its page is addressed.
        pub reference: String,
        /// The gateway that has it; empty where all share their providers.
        pub gateway: String,
        /// Its connector.
        pub kind: String,
        /// Where it answers.
        pub base_url: String,
        /// In which formats it is asked, by their codes.
        pub speaks: Vec<String>,
        /// How it differs from its kind.
        pub options: OptionsShown,
        /// Whether it takes calls.
        pub state: Switch,
        /// Whether it answers.
        pub health: Health,
        /// Calls that run now.
        pub in_flight: u64,
        /// Calls in the last 24 hours.
        pub calls: u64,
        /// Those that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// What it took in the last 24 hours.
        pub cost: KnownCost,
        /// Calls by result; shown stacked.
        pub traffic: Chart,
        /// Address, whether it takes calls, and the settings.
        pub edit: Form,
        /// More settings.
        pub settings: SettingsChoices,
        /// Its keys.
        pub keys: Vec<PoolKeyRow>,
        /// A new key.
        pub add: Form,
        /// Another secret for the key named in `rotating`.
        pub rotate: Form,
        /// The key whose rotation was sent and was wrong.
        pub rotating: String,
        /// A change of several keys.
        pub batch: Form,
        /// The name of a copy.
        pub copy: Form,
    }
}

impl ProviderRow {
    /// Keys that take no calls until somebody does something.
    pub(crate) fn unusable(&self) -> u64 {
        self.disabled.saturating_add(self.parked)
    }

    /// All of its keys.
    pub(crate) fn all_keys(&self) -> u64 {
        let usable = self.active.saturating_add(self.cooling);
        usable.saturating_add(self.unusable())
    }
}

impl VendorRow {
    /// The page that begins with it.
    pub(crate) fn href(&self) -> String {
        let name = if self.is_connector { "kind" } else { "vendor" };
        format!("/admin/providers/new?{name}={}", url_part(&self.name))
    }

    /// Whether it is whatever the operator says.
    pub(crate) fn is_any(&self) -> bool {
        self.name == "custom"
    }

    /// Whether there is a page of the vendor's that makes keys.
    pub(crate) fn leads_to_keys(&self) -> bool {
        self.keys_url.starts_with("https://")
    }
}
