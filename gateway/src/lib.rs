//! The gateway overseas: provider keys in pools, connectors, one generation at a time or thousands.
//! [`Gateway::start`] makes it, [`Gateway::local`] is its door inside a process, [`Gateway::serve`]
//! the one over HTTP. It knows no tenant and no credit.

mod admin;
pub mod config;
mod events;
mod generations;
mod keys;
mod link;
mod metrics;
mod pool;
pub mod program;
mod providers;
pub mod store;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use shared::clock::Clock;
use shared::config::{Common, ConfigError};
use shared::db::{Db, DbError, migrate};
use shared::id::BootId;
use shared::link::{AdminError, Alive, Link, NewProvider, NewProviderKey, ProviderAdmin};
use shared::listen::{self, Listening};
use shared::seal::Sealer;
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::config::{Config, GatewaySecrets};
use self::events::Journal;
use self::generations::Leavers;
use self::generations::journal::{JournalMetrics, OutcomeJournal};
use self::generations::register::Register;
use self::link::Local;
use self::link::body_decoder::BodyDecoder;
use self::metrics::GatewayMetrics;
use self::pool::Pools;
use self::providers::Patience;
use self::store::Store;

/// How often a gateway looks whether another one changed the providers.
const RELOAD_EVERY: Duration = Duration::from_secs(2);
/// A server takes a link on which nothing comes for twice this as cut.
const TICK: Duration = Duration::from_millis(500);
/// How late a deadline may be noticed of a generation that nobody polls.
const DEADLINES_EVERY: Duration = Duration::from_secs(1);
/// What a killed process had handed out since, nobody pays.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How often a draining gateway looks whether it is done.
const DRAIN_LOOK: Duration = Duration::from_millis(20);
/// The part of the time to stop that is kept for the last bytes, and the most of it.
const FLUSH_PART: u32 = 10;
const FLUSH_MAX: Duration = Duration::from_secs(1);
/// The part of that time for which an idle gateway says that it drains, and the most of it.
const SHOWN_PART: u32 = 10;
const SHOWN_MAX: Duration = Duration::from_secs(2);

/// Why a gateway did not start; one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database can't be used.
    #[error("the gateway's database at {place} can't be used: {error}")]
    Database {
        /// Where it should be.
        place: String,
        /// Why not.
        error: DbError,
    },
}

/// What a gateway is started with.
#[derive(Debug)]
pub struct GatewayParts<'a> {
    /// Its settings.
    pub config: &'a Config,
    /// The common settings.
    pub common: &'a Common,
    /// Its secrets.
    pub secrets: GatewaySecrets,
    /// Where its tasks run.
    pub supervisor: &'a Supervisor,
    /// Where its counters stand.
    pub metrics: &'a Metrics,
    /// Time.
    pub clock: Clock,
}

/// One gateway.
pub struct Gateway {
    boot: BootId,
    journal: Journal,
    store: Store,
    pools: Pools,
    /// Held while the list of providers is read.
    reloading: tokio::sync::Mutex<()>,
    register: Register,
    decoder: Arc<BodyDecoder>,
    supervisor: Supervisor,
    outcomes: OutcomeJournal,
    leavers: Leavers,
    /// How long a generation runs on without a reader: where its server does not say it, and at most.
    detached: (Duration, Duration),
    read_on: Duration,
    sealer: Sealer,
    secrets: Vec<Secret<String>>,
    clock: Clock,
    metrics: GatewayMetrics,
    patience: Patience,
    body_bytes_max: usize,
    version: AtomicI64,
    tls: Option<Arc<ServerConfig>>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("boot", &self.boot)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Connects, migrates, reads the providers; a new database gets the sandbox.
    #[expect(
        clippy::too_many_lines,
        reason = "the one place where the parts come together, read as a list"
    )]
    pub async fn start(parts: GatewayParts<'_>) -> Result<Arc<Self>, StartError> {
        let GatewayParts {
            config,
            common,
            secrets,
            supervisor,
            metrics,
            clock,
        } = parts;
        let unusable = |place: String| move |error| StartError::Database { place, error };
        let target = config
            .database(&common.data_dir)
            .map_err(unusable("GATEWAY_DATABASE_URL".to_owned()))?;
        let db = Db::connect(&target)
            .await
            .map_err(unusable(target.shown()))?;
        migrate::run(&db, store::MIGRATIONS)
            .await
            .map_err(unusable(target.shown()))?;
        let (events, told) = mpsc::channel(events::WAITING_MAX);
        let accepted = secrets.internal.expose().split(',');
        let boot = BootId::random();
        let register = Register::new(
            boot.clone(),
            clock.clone(),
            config.output_kept_bytes,
            config.detached().1,
        );
        let store = Store::new(db);
        let journal = store.journal().await;
        let gateway = Arc::new(Self {
            boot: boot.clone(),
            journal: Journal::new(journal.map_err(unusable(target.shown()))?),
            store,
            pools: Pools::new(clock.clone(), events),
            reloading: tokio::sync::Mutex::default(),
            register,
            decoder: Arc::new(BodyDecoder::new(
                config.prefix_kept_bytes,
                config.gateway_body_bytes_max,
            )),
            supervisor: supervisor.clone(),
            outcomes: OutcomeJournal::open(
                config.journal(&common.data_dir)?,
                &boot,
                clock.clone(),
                JournalMetrics::new(metrics),
            )
            .map_err(|e| ConfigError::Invalid(format!("can't start the journal: {e}")))?,
            leavers: Leavers::default(),
            detached: config.detached(),
            read_on: config.read_on(),
            sealer: Sealer::new(&secrets.encryption),
            secrets: accepted
                .map(|secret| Secret::new(secret.trim().to_owned()))
                .collect(),
            clock,
            metrics: GatewayMetrics::new(metrics),
            patience: Patience {
                first_byte: config.first_byte(),
                silence: config.silence(),
            },
            body_bytes_max: config.gateway_body_bytes_max,
            version: AtomicI64::new(-1),
            tls: config.tls()?,
        });
        gateway.reload().await.map_err(unusable(target.shown()))?;
        gateway.seed().await?;
        let written = gateway.write_start().await;
        written.map_err(unusable(target.shown()))?;
        supervisor.spawn("providers", gateway.clone().watch(supervisor.stopping()));
        let stop = supervisor.stopping();
        supervisor.spawn("events", gateway.clone().write_events(told, stop));
        supervisor.spawn(
            "deadlines",
            gateway.clone().watch_deadlines(supervisor.stopping()),
        );
        supervisor.spawn(
            "progress",
            gateway.clone().watch_progress(supervisor.stopping()),
        );
        Ok(gateway)
    }

    /// Every gateway has the sandbox: `wk_test_` keys reach nothing else.
    async fn seed(&self) -> Result<(), StartError> {
        if self.pools.all().contains_key("sandbox") {
            return Ok(());
        }
        let provider = NewProvider {
            name: "sandbox".to_owned(),
            kind: "sandbox".to_owned(),
            base_url: String::new(),
        };
        let key = NewProviderKey {
            secret: Secret::new("sandbox-needs-no-key".to_owned()),
            label: "made at start".to_owned(),
            weight: 1,
        };
        let made = match self.create_provider(provider).await {
            Ok(_) => self.create_provider_key("sandbox", key).await.map(drop),
            // Another gateway on the same database was first.
            Err(AdminError::Duplicate) => Ok(()),
            Err(error) => Err(error),
        };
        made.map_err(|error| {
            StartError::Config(ConfigError::Invalid(format!(
                "the sandbox can't be added: {error}"
            )))
        })
    }

    /// Keeps the pools as the database says.
    async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let pause = || stop.run_until_cancelled(tokio::time::sleep(RELOAD_EVERY));
        while pause().await.is_some() {
            self.register.sweep();
            self.count_kept();
            self.reload_if_changed().await;
            self.probe_due();
        }
    }

    /// Ends generations whose time is over while nobody polls them.
    async fn watch_deadlines(self: Arc<Self>, stop: CancellationToken) {
        let pause = || stop.run_until_cancelled(tokio::time::sleep(DEADLINES_EVERY));
        while pause().await.is_some() {
            generations::expire(&self);
        }
    }

    /// Writes down how far streams have come, which nobody else knows when this process is killed.
    async fn watch_progress(self: Arc<Self>, stop: CancellationToken) {
        let pause = || stop.run_until_cancelled(tokio::time::sleep(PROGRESS_EVERY));
        while pause().await.is_some() {
            generations::write_progress(&self);
        }
    }

    /// How long a generation runs on without a reader whose server says that it waits for `told`.
    pub(crate) fn detached(&self, told: Option<Duration>) -> Duration {
        let (usual, most) = self.detached;
        told.map_or(usual, |told| told.min(most))
    }

    /// Brings the gauges of what is kept up to date, which otherwise happens every few seconds.
    pub fn count_kept(&self) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics
            .kept_bytes
            .set(gauge(self.register.budget().held()));
        self.metrics.running.set(gauge(self.register.running()));
    }

    async fn reload_if_changed(&self) {
        let outcome = match self.store.version().await {
            Ok(version) if version == self.version.load(Ordering::Acquire) => Ok(()),
            Ok(_) => self.reload().await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            warn!(%error, "the providers were not read again: {error}");
        }
    }

    /// Whether `candidate` is one of the accepted secrets; each is compared in constant time.
    pub(crate) fn opens(&self, candidate: &[u8]) -> bool {
        let Ok(candidate) = std::str::from_utf8(candidate) else {
            return false;
        };
        self.secrets
            .iter()
            .fold(false, |opens, secret| secret.matches(candidate) | opens)
    }

    /// Which gateway this is.
    pub(crate) fn alive(&self) -> Alive {
        Alive {
            boot: self.boot.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The door inside this process.
    pub fn local(self: &Arc<Self>) -> Arc<dyn Link> {
        Arc::new(Local::of(self.clone()))
    }

    /// Takes the gateway's port; a busy one ends the start with a sentence.
    pub fn bind(config: &Config) -> Result<TcpListener, ConfigError> {
        listen::bind_link(
            SocketAddr::new(config.gateway_host, config.gateway_port),
            "GATEWAY_PORT",
        )
    }

    /// Told to stop, starts nothing new, lets what runs come to its end and be read, until only
    /// `flush` of `limit` is left for the last bytes.
    async fn drain(self: Arc<Self>, limit: Duration, flush: Duration, drained: CancellationToken) {
        self.supervisor.stopping().cancelled().await;
        self.register.drain();
        self.journal.close();
        let idle = async {
            // The port stays open for so long at least: whoever looks is told that this one drains.
            tokio::time::sleep((limit / SHOWN_PART).min(SHOWN_MAX)).await;
            while self.register.running() > 0 {
                tokio::time::sleep(DRAIN_LOOK).await;
            }
        };
        let begun = Instant::now();
        let until_cut = limit.saturating_sub(flush);
        if tokio::time::timeout(until_cut, idle).await.is_err() {
            warn!("{} generations are cut off", self.register.running());
            generations::cancel_all(&self);
        }
        drained.cancel();
        // Their outcomes are what servers settle by.
        let rest = limit.saturating_sub(begun.elapsed());
        if tokio::time::timeout(rest, self.outcomes.flush())
            .await
            .is_err()
        {
            warn!("the last outcomes are not on disk");
        }
    }

    /// Serves the door over HTTP until the supervisor says stop.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        common: &Common,
        supervisor: &Supervisor,
    ) -> Result<(), ConfigError> {
        let place = listener
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        info!("the gateway listens on {place}");
        let limit = common.shutdown_limit();
        let flush = (limit / FLUSH_PART).min(FLUSH_MAX);
        let drained = CancellationToken::new();
        let listening = Listening {
            listener,
            stop: drained.clone(),
            grace: flush,
            tick: Some(TICK),
            tls: self.tls.clone(),
        };
        let drain = self.clone().drain(limit, flush, drained);
        supervisor.spawn("drain", drain);
        listen::serve_on_cores(listening, link::http::routes(self), supervisor).await
    }
}
