//! Gateways, the links to them, and what they told.

use shared::clock::Moment;
use shared::secret::Secret;

use crate::chart::{Chart, Spark};
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{GatewayNews, Health, Switch};

sampled! {
    /// A gateway's own secret, shown this once.
    pub struct GatewaySecret {
        /// Which gateway.
        pub name: String,
        /// What is shown of the secret later.
        pub fingerprint: String,
        /// The secret.
        pub secret: Secret<String>,
    }

    /// What this server measured of the way to a gateway since it started.
    pub struct MeasuredWay {
        /// Of the second copies of streams that come twice, so many in a million are late; absent before any
        /// was compared.
        pub late_ppm: Option<u64>,
        /// Streams that went on over another connection.
        pub resumed: u64,
        /// Streams whose length was compared with what the gateway sent.
        pub checked: u64,
        /// Bytes by which they differed.
        pub bytes_lost: u64,
    }

    /// A gateway and the link to it.
    pub struct GatewayRow {
        /// Its id; empty for those of the settings, which can't be changed here.
        pub id: String,
        /// Its name; may be empty.
        pub name: String,
        /// Its region; may be empty.
        pub region: String,
        /// Lower ones are used first.
        pub priority: u64,
        /// Where it answers; empty for one inside the server.
        pub address: String,
        /// What is shown of its own secret; empty for those that share the one of the settings.
        pub fingerprint: String,
        /// Whether calls may go there.
        pub state: Switch,
        /// Whether it answers, where they may.
        pub health: Health,
        /// Its version; empty when it does not answer.
        pub version: String,
        /// Which start of it; empty when it does not answer.
        pub boot_id: String,
        /// How long it took to answer just now, in milliseconds.
        pub latency_ms: u64,
        /// Half of the round trips are shorter, in milliseconds.
        pub round_trip_ms: u64,
        /// 95 in a hundred round trips are shorter, in milliseconds.
        pub round_trip_p95_ms: u64,
        /// Their course.
        pub course: Spark,
        /// The way there.
        pub way: MeasuredWay,
        /// Warm connections.
        pub connections: u64,
        /// Calls that run on it.
        pub in_flight: u64,
        /// Streams that went on over another connection.
        pub resumes: u64,
        /// Calls sent again to join those that run.
        pub joins: u64,
        /// Streams attached a second time because they fell behind.
        pub hedges: u64,
        /// Of these, those that were helped by it.
        pub hedges_won: u64,
        /// Streams that came over two connections because of the way.
        pub doubled: u64,
        /// Generations that were lost.
        pub lost: u64,
        /// Calls that went to another gateway instead.
        pub resent: u64,
        /// When it last answered.
        pub seen_at: Option<Moment>,
        /// When it was started.
        pub started_at: Option<Moment>,
    }

    /// What a gateway told.
    pub struct GatewayEventRow {
        /// When, by its own clock.
        pub at: Moment,
        /// Its name or address.
        pub gateway: String,
        /// What happened.
        pub kind: GatewayNews,
        /// The provider whose key it is about.
        pub provider: String,
        /// How that key ends.
        pub last4: String,
        /// More about it.
        pub detail: String,
    }

    /// A gateway's change that was not taken.
    pub struct GatewayChange {
        /// The gateway.
        pub id: String,
        /// What was typed, and what is wrong with it.
        pub form: Form,
    }

    /// `GET /admin/gateways`. `POST /admin/gateways` with `url`, `name`, `region`, `priority`;
    /// `POST …/{id}/edit` with `name`, `region`, `priority`; `POST …/{id}/enable`, `/disable`,
    /// `/delete`.
    pub struct GatewayList {
        /// All of them.
        pub rows: Vec<GatewayRow>,
        /// Round trips by gateway; shown as lines.
        pub round_trips: Chart,
        /// Resumes, hedges and lost ones; shown stacked.
        pub repairs: Chart,
        /// What they told lately, the newest first.
        pub events: Vec<GatewayEventRow>,
        /// A new one.
        pub add: Form,
        /// The one whose change was sent and was wrong.
        pub changing: Option<GatewayChange>,
        /// Whether gateways can be added: not where there is one inside the server.
        pub open: bool,
    }
}
