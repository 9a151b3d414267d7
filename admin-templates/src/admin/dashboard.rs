//! The first page of the console: how the platform is doing.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::admin::start::StartRow;
use crate::chart::{Chart, Spark};
use crate::fixtures::maker::sampled;
use crate::labels::{AlertKind, Operation, Range, Severity};
use crate::parts::{BooksNote, KnownCost, Quantiles, TopRow};

sampled! {
    /// A call that runs now.
    pub struct LiveCall {
        /// Its generation id.
        pub id: String,
        /// Whose.
        pub tenant: String,
        /// The model's name.
        pub model: String,
        /// Who answers.
        pub provider: String,
        /// What was asked for.
        pub operation: Operation,
        /// What is held for it.
        pub held: Credits,
        /// When it came.
        pub at: Moment,
    }

    /// Something that somebody should look at. `POST /admin/alerts/{id}/mute` with `span` tells nobody of it
    /// for a while, `POST /admin/alerts/{id}/unmute` lets it be heard again.
    pub struct AlertRow {
        /// Its id.
        pub id: String,
        /// How much it presses.
        pub severity: Severity,
        /// What it is.
        pub kind: AlertKind,
        /// What it is about, for example a key's label.
        pub subject: String,
        /// Where to act, a path below `/admin` without its first slash: `providers/openai`.
        pub path: String,
        /// Since when.
        pub since: Moment,
        /// Calls that failed since then; absent where none are counted.
        pub failed_calls: Option<u64>,
        /// Whether there may be more.
        pub at_least: bool,
        /// The model it is about; else empty.
        pub model: String,
        /// The provider it is about, as it is addressed; else empty.
        pub provider: String,
        /// The id of the provider's key it is about; else empty.
        pub key: String,
        /// Until when nobody is told of it; absent where that is until it ends.
        pub muted_until: Option<Moment>,
        /// Who muted it; empty where nobody did.
        pub muted_by: String,
    }

    /// `GET /admin?range=24h`. With a script the figures marked `data-live` follow
    /// `GET /admin/live?range=24h` (server-sent events `event: numbers`, each a JSON object from a
    /// figure's name to its text, in the reader's language: `live_count`, `calls`, `credits`,
    /// `success`; and `event: calls`, each a JSON list of the running calls with `id`, `since`,
    /// `tenant`, `model`, `provider`, `operation`, `held`).
    pub struct Dashboard {
        /// What is looked at.
        pub range: Range,
        /// How many calls.
        pub calls: u64,
        /// Against the stretch before, in hundredths of a per cent.
        pub calls_change: i64,
        /// Their course.
        pub calls_course: Spark,
        /// Charged.
        pub credits: Credits,
        /// Against the stretch before, in hundredths of a per cent.
        pub credits_change: i64,
        /// Its course.
        pub credits_course: Spark,
        /// What providers take, and what is left.
        pub cost: KnownCost,
        /// What is left in hundredths of a per cent of the credits.
        pub margin_share: Option<i64>,
        /// Its course.
        pub margin_course: Spark,
        /// Calls that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// Its course.
        pub success_course: Spark,
        /// How many calls run now.
        pub live_count: u64,
        /// Of the whole answer.
        pub latency: Quantiles,
        /// Of the first token.
        pub first_token: Quantiles,
        /// Calls that succeeded and failed; shown stacked.
        pub traffic: Chart,
        /// Credits, cost and margin; shown as lines.
        pub money: Chart,
        /// p50, p95 and p99 of the first token; shown as lines.
        pub first_token_course: Chart,
        /// p50, p95 and p99 of the whole answer; shown as lines.
        pub latency_course: Chart,
        /// By credits.
        pub top_models: Vec<TopRow>,
        /// By credits.
        pub top_tenants: Vec<TopRow>,
        /// By calls; `credits` is what they take.
        pub top_providers: Vec<TopRow>,
        /// The newest of those that run.
        pub live: Vec<LiveCall>,
        /// The most pressing first.
        pub alerts: Vec<AlertRow>,
        /// What a new platform needs; empty once it has all of it or the list was put away.
        pub start: Vec<StartRow>,
        /// How the books were found.
        pub books: BooksNote,
    }
}

impl AlertRow {
    /// Whether a price would end it.
    pub(crate) fn wants_price(&self) -> bool {
        matches!(self.kind, AlertKind::NoPrice | AlertKind::Unpriced)
    }

    /// Whether another target would end it.
    pub(crate) fn wants_target(&self) -> bool {
        matches!(
            self.kind,
            AlertKind::ModelGone | AlertKind::ModelEnds | AlertKind::ModelEnded
        )
    }
}
