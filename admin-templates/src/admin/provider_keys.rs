//! Keys of a provider: their terms, one of them by itself, and many at once.

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::KeyLineState;

sampled! {
    /// On what terms a key is used, as it is read; a limit of 0 is none.
    pub struct KeyTermsShown {
        /// Lower ones are used first.
        pub priority: u64,
        /// Calls in a minute.
        pub requests_per_minute: u64,
        /// Tokens in a minute.
        pub tokens_per_minute: u64,
        /// Calls at the same time.
        pub calls_at_once: u64,
        /// Calls in a day.
        pub requests_per_day: u64,
        /// Tokens in a day.
        pub tokens_per_day: u64,
        /// The only models that it serves.
        pub models: Vec<String>,
        /// An address of its own.
        pub base_url: String,
        /// The names of its headers.
        pub header_names: Vec<String>,
        /// The operator's words for it.
        pub tags: Vec<String>,
    }

    /// `GET` and `POST /admin/providers/{name}/keys/{key}/edit` with `label`, `weight`, the terms (`priority`,
    /// `requests_per_minute`, `tokens_per_minute`, `calls_at_once`, `requests_per_day`, `tokens_per_day`, `models`,
    /// `key_url`, `key_headers`, `tags`), `drop_headers`, and `secret` where it moves.
    pub struct ProviderKeyEdit {
        /// The provider.
        pub provider: String,
        /// How its page is addressed.
        pub reference: String,
        /// The key.
        pub id: String,
        /// How its secret ends.
        pub last4: String,
        /// What was typed; what headers say is never filled in again.
        pub form: Form,
        /// The names of its headers.
        pub header_names: Vec<String>,
    }

    /// What came of one line of a bulk.
    pub struct BulkLine {
        /// The line, from 1.
        pub number: u64,
        /// The operator's name for it.
        pub label: String,
        /// How the secret ends.
        pub last4: String,
        /// Its share.
        pub weight: u64,
        /// The operator's words for it.
        pub tags: Vec<String>,
        /// What came of it, or would.
        pub state: KeyLineState,
        /// Why not, or what a test brought.
        pub detail: String,
    }

    /// `GET` and `POST /admin/providers/{name}/keys/bulk` with `secrets` (one a line), `weight`, the terms, `test`, and
    /// `do`: `preview`, or `add` with `draft` or with the fields.
    pub struct BulkAdd {
        /// The provider.
        pub provider: String,
        /// How its page is addressed.
        pub reference: String,
        /// What was typed; secrets are never filled in again.
        pub form: Form,
        /// What came of it, line by line.
        pub results: Vec<BulkLine>,
        /// Lines that can be added, of a preview.
        pub good: u64,
        /// What was previewed, sealed; empty where there is nothing to add.
        pub draft: String,
    }
}
