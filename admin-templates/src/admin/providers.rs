//! Providers with their key pools.

use shared::clock::Moment;

use crate::chart::{Chart, Spark};
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{Health, PoolKeyStatus, Switch};
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
        /// Whether it takes calls.
        pub state: Switch,
        /// Whether it answers.
        pub health: Health,
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
        /// Their course.
        pub course: Spark,
        /// Those that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// To the first token, 95 in a hundred, in milliseconds.
        pub first_token_ms: u64,
        /// What it took in the last 24 hours.
        pub cost: KnownCost,
    }

    /// `GET /admin/providers`.
    pub struct ProviderList {
        /// All of them.
        pub rows: Vec<ProviderRow>,
        /// Gateways that did not answer, so that their providers are missing.
        pub missing: Vec<String>,
    }

    /// A vendor to begin a provider with.
    pub struct PresetRow {
        /// Its word in `?preset=`.
        pub name: String,
        /// What people call it.
        pub label: String,
        /// Some of its models; may be empty.
        pub models: String,
    }

    /// `GET /admin/providers/new?preset=`. `POST /admin/providers/new` with `name`, `kind`, `base_url`,
    /// `gateway`.
    pub struct ProviderNew {
        /// What was typed.
        pub form: Form,
        /// Connectors to choose from.
        pub kinds: Vec<String>,
        /// Gateways to choose from; empty where all share their providers.
        pub gateways: Vec<String>,
        /// Vendors to begin with.
        pub presets: Vec<PresetRow>,
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
    }

    /// `GET /admin/providers/{name}`. `POST …/edit` with `base_url` and `enabled`;
    /// `POST …/delete`; `POST …/keys` with `label`, `secret`, `weight`;
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
        /// Address and whether it takes calls.
        pub edit: Form,
        /// Its keys.
        pub keys: Vec<PoolKeyRow>,
        /// A new key.
        pub add: Form,
        /// Another secret for the key named in `rotating`.
        pub rotate: Form,
        /// The key whose rotation was sent and was wrong.
        pub rotating: String,
    }

    /// What came of one line of a bulk.
    pub struct BulkLine {
        /// The line, from 1.
        pub number: u64,
        /// How the secret ends.
        pub last4: String,
        /// Whether it was added.
        pub added: bool,
        /// Why not.
        pub detail: String,
    }

    /// `GET` and `POST /admin/providers/{name}/keys/bulk` with `secrets` (one a line, a label may
    /// follow after a blank), `weight`, `test`.
    pub struct BulkAdd {
        /// The provider.
        pub provider: String,
        /// How its page is addressed.
        pub reference: String,
        /// What was typed; secrets are never filled in again.
        pub form: Form,
        /// What came of it, line by line.
        pub results: Vec<BulkLine>,
    }
}
