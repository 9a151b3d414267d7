//! The gateway overseas: provider keys in pools, connectors, one generation at a time or thousands.
//! [`Gateway::start`] makes it, [`Gateway::local`] is its door inside a process, [`Gateway::serve`]
//! the one over HTTP. It knows no tenant and no credit.

mod admin;
pub mod config;
mod events;
#[cfg(test)]
mod fixture;
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
use std::time::{Duration, Instant};

use shared::clock::Clock;
use shared::config::{Common, ConfigError};
use shared::db::{Db, DbError, migrate};
use shared::link::Link;
use shared::listen::{self, Listening};
use shared::seal::Sealer;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::admin::ProviderList;
use self::config::{Config, GatewaySecrets};
use self::events::Journal;
use self::generations::GenerationContext;
use self::link::Local;
use self::link::http::HttpDoor;
use self::pool::{JointMeters, Pools};
use self::store::Store;

/// A server takes a link on which nothing comes for twice this as cut.
const TICK: Duration = Duration::from_millis(500);
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

impl GatewayParts<'_> {
    /// Where several gateways count together, if they do.
    fn joint_meters(&self) -> Result<Option<Arc<JointMeters>>, ConfigError> {
        let url = Some(self.config.gateway_redis_url.trim()).filter(|url| !url.is_empty());
        url.map(|url| JointMeters::start(url, self.metrics, self.supervisor))
            .transpose()
    }
}

/// One gateway: starts its parts, gives each what it needs of the others, and stops them in order.
pub struct Gateway {
    generations: Arc<GenerationContext>,
    providers: Arc<ProviderList>,
    door: HttpDoor,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("boot", &self.generations.boot)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Connects, migrates, reads the providers; a new database gets the sandbox.
    pub async fn start(parts: GatewayParts<'_>) -> Result<Arc<Self>, StartError> {
        let target = (parts.config)
            .database(&parts.common.data_dir)
            .map_err(unusable("GATEWAY_DATABASE_URL".to_owned()))?;
        let db = Db::connect(&target)
            .await
            .map_err(unusable(target.shown()))?;
        migrate::run(&db, store::MIGRATIONS)
            .await
            .map_err(unusable(target.shown()))?;
        let store = Store::new(db);
        let (events, told) = mpsc::channel(admin::WAITING_MAX);
        let pools = Pools::new(parts.clock.clone(), events).counting_with(parts.joint_meters()?);
        let pools = Arc::new(pools);
        pools.waits.register(parts.metrics);
        let providers = ProviderList::new(
            store.clone(),
            Journal::open(store)
                .await
                .map_err(unusable(target.shown()))?,
            pools.clone(),
            Sealer::new(&parts.secrets.encryption),
            (parts.clock.clone(), parts.config.balance_pace()),
        );
        let generations = GenerationContext::open(&parts, pools)?;
        let door = HttpDoor::new(parts.config, &parts.secrets.internal)?;
        providers.reload().await.map_err(unusable(target.shown()))?;
        let restored = providers.restore_days().await;
        restored.map_err(unusable(target.shown()))?;
        providers.add_sandbox().await.map_err(|error| {
            ConfigError::Invalid(format!("the sandbox can't be added: {error}"))
        })?;
        providers
            .write_start()
            .await
            .map_err(unusable(target.shown()))?;
        providers.watch(told, parts.supervisor);
        generations.watch();
        Ok(Arc::new(Self {
            generations,
            providers,
            door,
        }))
    }

    /// Brings the gauges of what is kept up to date, which otherwise happens every few seconds.
    pub fn count_kept(&self) {
        self.generations.count_kept();
    }

    /// The door inside this process.
    pub fn local(self: &Arc<Self>) -> Arc<dyn Link> {
        let (generations, providers) = (self.generations.clone(), self.providers.clone());
        Arc::new(Local::of(generations, providers))
    }

    /// Takes the gateway's port; a busy one ends the start with a sentence.
    pub fn bind(config: &Config) -> Result<TcpListener, ConfigError> {
        listen::bind_link(
            SocketAddr::new(config.gateway_host, config.gateway_port),
            "GATEWAY_PORT",
        )
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
            tls: self.door.tls.clone(),
        };
        let (generations, journal) = (self.generations.clone(), self.providers.journal.clone());
        let drain = drain(generations, journal, limit, flush, drained);
        supervisor.spawn("drain", drain);
        listen::serve_on_cores(
            listening,
            self.door.routes(&self.generations, &self.providers),
            supervisor,
        )
        .await
    }
}

fn unusable(place: String) -> impl FnOnce(DbError) -> StartError {
    move |error| StartError::Database { place, error }
}

/// Told to stop, starts nothing new, lets what runs come to its end and be read, until only
/// `flush` of `limit` is left for the last bytes.
async fn drain(
    generations: Arc<GenerationContext>,
    journal: Arc<Journal>,
    limit: Duration,
    flush: Duration,
    drained: CancellationToken,
) {
    let register = &generations.register;
    generations.supervisor.stopping().cancelled().await;
    register.drain();
    journal.close();
    let idle = async {
        // The port stays open for so long at least: whoever looks is told that this one drains.
        tokio::time::sleep((limit / SHOWN_PART).min(SHOWN_MAX)).await;
        while register.running() > 0 {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
    };
    let begun = Instant::now();
    let until_cut = limit.saturating_sub(flush);
    if tokio::time::timeout(until_cut, idle).await.is_err() {
        warn!("{} generations are cut off", register.running());
        generations::cancel_all(register);
    }
    drained.cancel();
    // Their outcomes are what servers settle by.
    let rest = limit.saturating_sub(begun.elapsed());
    if tokio::time::timeout(rest, generations.outcomes.flush())
        .await
        .is_err()
    {
        warn!("the last outcomes are not on disk");
    }
}
