//! How things do beside what operators set, and where alerts are sent to.

use shared::clock::Moment;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{ChannelWord, ConditionWord, DeliveryWord, LangWord, Severity, Switch};

sampled! {
    /// How a model or a provider does.
    pub struct ConditionView {
        /// In a word.
        pub word: ConditionWord,
        /// Calls that succeeded in this hour and the last one, in hundredths of a per cent.
        pub success: i64,
        /// Of how many; 0 where the word says enough.
        pub calls: u64,
    }

    /// A message to a channel.
    pub struct DeliveryRow {
        /// Its id; receivers know a repetition by it.
        pub id: String,
        /// What became of it.
        pub state: DeliveryWord,
        /// When it was written.
        pub at: Moment,
        /// How often it was tried.
        pub attempts: u64,
        /// The HTTP status of the last answer; 0 where there was none.
        pub http_status: u64,
        /// What was answered.
        pub answer: String,
    }

    /// A channel.
    pub struct ChannelRow {
        /// Its id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// What receives.
        pub kind: ChannelWord,
        /// Whether it is told.
        pub state: Switch,
        /// What is shown of its address.
        pub address: String,
        /// Nothing less urgent is sent.
        pub severity: Severity,
        /// In which language.
        pub lang: LangWord,
        /// Since when its deliveries fail.
        pub failing_since: Option<Moment>,
        /// When a message was last given up.
        pub gave_up_at: Option<Moment>,
        /// What it may be changed to.
        pub form: Form,
        /// Its last messages, the newest first.
        pub deliveries: Vec<DeliveryRow>,
    }

    /// `GET /admin/alert-channels`. `POST` with `name`, `kind`, `url`, `secret`, `severity`, `kinds`, `lang`,
    /// `remind_hours` adds one; `POST /admin/alert-channels/{id}/edit` changes one, and leaves its address as it
    /// is where `url` is empty.
    pub struct AlertChannelList {
        /// The channels.
        pub rows: Vec<ChannelRow>,
        /// A new one.
        pub add: Form,
        /// Whether links of messages lead anywhere: whether `PUBLIC_URL` is set.
        pub has_links: bool,
    }
}
