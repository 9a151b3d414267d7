//! The composition root: builds the rooms, mounts the edges, serves. Holds no rule.

mod alerting;
pub(crate) mod ledger_checks;
mod people;
mod tasks;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outbound::Outbound;
use poem::Response;
use poem::endpoint::BoxEndpoint;
use server_api::Rooms;
use server_calls::settle::CallMetrics;
use server_calls::{Calls, CallsParts, Closing, Rounds};
use server_pages::page_services::PageServices;
use server_rooms::accounts::AccountError;
use server_rooms::alerts::AlertsError;
use server_rooms::auth::Watched;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::catalogue::{Catalogue, CatalogueError};
use server_rooms::end_users::{EndUsers, EndUsersParts};
use server_rooms::ledger::{GrantError, Ledger, LedgerError};
use server_rooms::limits::{Limits, LimitsError};
use server_rooms::money::corrections::Corrections;
use server_rooms::money::recharge::Recharges;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::reports::history::UsageHistory;
use server_rooms::settings::zones::Zones;
use server_rooms::studio::StudioMemory;
use server_store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::config::{Common, ConfigError, Mode};
use shared::db::backup::BackupError;
use shared::db::{Db, DbError, migrate};
use shared::link::Link;
use shared::listen::{self, Listening};
use shared::seal::Sealer;
use shared::supervisor::Supervisor;
use shared::surface::{SURFACES, Surface};
use shared::telemetry::Metrics;
use tracing::info;

use self::alerting::{AlertRooms, alerts};
use self::people::People;
use self::tasks::{
    first_start, gateways, health, keep_catalogue, keep_records, keeping, look_after,
};
use crate::config::{Config, ServerSecrets};
use crate::front;
use crate::seed::FirstStart;

/// Why a server did not start; one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database can't be used.
    #[error("the database at {place} can't be used: {error}")]
    Database {
        /// Where it should be.
        place: String,
        /// Why not.
        error: DbError,
    },
    /// The first start could not add what a first start adds.
    #[error("the first start could not be finished: {0}")]
    Seed(String),
    /// `ledger verify` found differences; they were printed.
    #[error("the ledger has {0} differences")]
    Differences(usize),
    /// `rollup check` found differences; they were printed.
    #[error("the usage aggregates have {0} differences; `rollup rebuild` rebuilds them")]
    Sums(usize),
    /// `backup` could not save what it should.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// `rollup rebuild` had to wait too long.
    #[error("older transactions have not ended; the server aggregates the rest when they do")]
    Unfinished,
}

impl From<LimitsError> for StartError {
    fn from(error: LimitsError) -> Self {
        ConfigError::Invalid(error.to_string()).into()
    }
}

impl From<AccountError> for StartError {
    fn from(error: AccountError) -> Self {
        Self::Seed(error.to_string())
    }
}

impl From<CatalogueError> for StartError {
    fn from(error: CatalogueError) -> Self {
        Self::Seed(error.to_string())
    }
}

impl From<LedgerError> for StartError {
    fn from(error: LedgerError) -> Self {
        Self::Seed(error.to_string())
    }
}

impl From<GrantError> for StartError {
    fn from(error: GrantError) -> Self {
        Self::Seed(error.to_string())
    }
}

/// A batch of the ledger ends within 10 seconds, whatever happens to it.
const OLDER_TRANSACTIONS_WAIT: Duration = Duration::from_secs(60);

/// Between two looks whether all is filed.
const FILED_LOOK: Duration = Duration::from_millis(10);

/// What a server is started with.
pub struct ServerParts<'a> {
    /// Its settings.
    pub config: &'a Config,
    /// The common settings.
    pub common: &'a Common,
    /// Its secrets.
    pub secrets: ServerSecrets,
    /// The gateways.
    pub link: Arc<dyn Link>,
    /// Where its tasks run.
    pub supervisor: &'a Supervisor,
    /// Where its counters stand.
    pub metrics: &'a Metrics,
    /// Time.
    pub clock: Clock,
    /// Whether the gateway is a part of this process and dies with it.
    pub gateway_inside: bool,
    /// Whether a first start adds a demo tenant.
    pub demo: bool,
}

impl std::fmt::Debug for ServerParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerParts")
    }
}

/// The migrated database and what is kept of it in memory.
async fn open_database(
    config: &Config,
    common: &Common,
    clock: &Clock,
) -> Result<(Store, Catalogue), StartError> {
    let unusable = |place: String| move |error| StartError::Database { place, error };
    let target = config
        .database(&common.data_dir)
        .map_err(unusable("DATABASE_URL".to_owned()))?;
    let opened = async {
        let db = Db::connect(&target).await?;
        migrate::run(&db, MIGRATIONS).await?;
        let store = Store::new(db);
        store.fold_names().await?;
        let catalogue = Catalogue::load(store.clone(), clock.clone()).await?;
        Ok((store, catalogue))
    };
    opened.await.map_err(unusable(target.shown()))
}

/// Who may not call, as it stands now.
async fn end_users(
    store: &Store,
    secrets: &ServerSecrets,
    clock: &Clock,
) -> Result<EndUsers, StartError> {
    let loaded = EndUsers::load(EndUsersParts {
        store: store.clone(),
        clock: clock.clone(),
        secret: secrets.seal.clone(),
        sealer: Sealer::new(&secrets.seal),
    });
    let failed = |error: DbError| StartError::Seed(error.to_string());
    loaded.await.map_err(failed)
}

/// A server that is ready to serve.
#[derive(Debug)]
pub struct Server {
    rooms: Rooms,
    store: Store,
    services: PageServices,
    /// What the first start made; absent at every later one.
    pub first_start: Option<FirstStart>,
    /// The part of the time to stop that is over before the port is closed.
    notice: Duration,
}

impl Server {
    /// Takes the API's port; a busy one ends the start with a sentence.
    pub fn bind(config: &Config) -> Result<TcpListener, ConfigError> {
        listen::bind(SocketAddr::new(config.host, config.port), "PORT")
    }

    /// Connects, migrates, builds the rooms, and on a new database finishes the first start.
    #[expect(
        clippy::too_many_lines,
        reason = "the one place where the rooms come together, read as a list"
    )]
    pub async fn start(parts: ServerParts<'_>) -> Result<Self, StartError> {
        let ServerParts {
            config,
            common,
            secrets,
            link,
            supervisor,
            metrics,
            clock,
            gateway_inside,
            demo,
        } = parts;
        let (address, doors) = (config.public_address(common)?, config.doors()?);
        let cors = config.cors()?;
        let (store, catalogue) = open_database(config, common, &clock).await?;
        let limits = Limits::new(&clock, Some(&common.redis_url), supervisor)?;
        let people = People::new(&store, &secrets, &limits, &clock);
        let end_users = end_users(&store, &secrets, &clock).await?;
        let watched = Watched {
            catalogue: Some(catalogue.clone()),
            end_users: Some(end_users.clone()),
        };
        people.auth.watch(watched, supervisor);
        let settings = config.ledger(gateway_inside);
        let ledger = Ledger::start(store.clone(), clock.clone(), supervisor, settings).await?;
        let accounts = &people.accounts;
        // Only where one process is tried out: nobody is to be able to sign in that nobody added.
        let demo_person = demo && gateway_inside && common.mode == Mode::Development;
        let wanted = (config, demo, demo_person);
        let first_start = first_start(&store, accounts, (&catalogue, &ledger), wanted);
        let first_start = first_start.await?;
        let calls = Calls::new(CallsParts {
            catalogue: catalogue.clone(),
            limits: limits.clone(),
            ledger: ledger.clone(),
            zones: Zones::new(store.clone(), clock.clone()),
            end_users: end_users.clone(),
            link: link.clone(),
            clock: clock.clone(),
            supervisor: supervisor.clone(),
            metrics: CallMetrics::new(metrics),
            settle_first: gateway_inside,
            deadline: config.call_limit(),
            outcomes: Some(common.data_dir.join("outcomes")),
            unknown: config.unknown(gateway_inside),
            closing: Closing::after(config.farewell(common).limit, supervisor),
        });
        let zones = Zones::new(store.clone(), clock.clone());
        look_after(&calls, &ledger, (config, zones), supervisor).await;
        keep_records(&store, &people.accounts, (&clock, metrics), supervisor);
        let services = people.services(
            &secrets,
            address,
            (Zones::new(store.clone(), clock.clone()), &clock),
        );
        let sealer = Sealer::new(&secrets.seal);
        let keeping = keeping(
            (&store, &ledger),
            (&clock, sealer.clone()),
            config,
            supervisor,
        );
        let gateways = gateways(&link, &store, (&clock, sealer.clone()), supervisor).await;
        let providers = Providers::new(link.clone(), store.clone(), clock.clone(), sealer);
        let model_lists = ModelLists::new(
            catalogue.clone(),
            providers.clone(),
            (store.clone(), clock.clone()),
        );
        keep_catalogue(&catalogue, &model_lists, supervisor);
        let (alerts, alert_channels) = alerts(AlertRooms {
            catalogue: &catalogue,
            model_lists: &model_lists,
            gateways: &gateways,
            ledger: &ledger,
            providers: &providers,
            calls: &calls,
            store: &store,
            clock: &clock,
            sealer: &Sealer::new(&secrets.seal),
            config,
            outbound: Outbound::system(common.outbound_private),
            supervisor,
        });
        let rooms = Rooms {
            alerts,
            alert_channels: (alert_channels, !config.public_url.trim().is_empty()),
            model_lists,
            health: health(&store, limits, &ledger, (&gateways, &clock)),
            auth: people.auth,
            sessions: people.sessions,
            browsers: people.browsers,
            factors: people.factors,
            settings: people.settings,
            accounts: people.accounts,
            end_users,
            catalogue,
            recharges: Recharges::new(ledger.clone(), store.clone(), clock.clone()),
            corrections: Corrections::new(ledger.clone(), store.clone(), clock.clone()),
            reports: Reports::new(store.clone(), ledger.clone(), clock.clone()),
            ledger,
            usage: UsageHistory::new(store.clone()),
            gateways,
            providers,
            calls,
            studio: StudioMemory::new(keeping.clone(), supervisor.clone()),
            keeping,
            link,
            leaving: supervisor.leaving(),
            vital: supervisor.vital_tasks(),
            clock,
            body_bytes_max: config.body_bytes_max,
            doors,
            cors,
        };
        Ok(Self {
            rooms,
            store,
            services,
            first_start,
            notice: config.farewell(common).notice,
        })
    }

    /// Looks once after holds that nobody looks after, with no patience for silent owners; answers
    /// how many it closed. For operators' tools and tests: a server does it by itself in rounds.
    pub async fn recover_now(&self) -> usize {
        let mut rounds = Rounds::new(Duration::ZERO);
        self.rooms.calls.recover(&mut rounds).await
    }

    /// Ends as failed the responses in the background that dead processes left; answers how many. A server does
    /// it by itself in rounds.
    pub async fn fail_orphans(&self) -> Result<usize, DbError> {
        self.rooms.keeping.fail_orphans().await
    }

    /// Looks for alerts once, and writes what it saw; false where another process did meanwhile. A server does it
    /// by itself in rounds.
    pub async fn look_for_alerts(&self) -> Result<bool, AlertsError> {
        Ok(self.rooms.alerts.look_now().await?.is_some())
    }

    /// Ends the deleted tenants whose time is over; answers how many. A server does it by itself in
    /// rounds.
    pub async fn end_deleted(&self) -> Result<usize, AccountError> {
        self.rooms.accounts.end_deleted().await
    }

    /// Waits at most `limit` until every usage record that is written is filed, where lists look; tells
    /// whether it is. For tests: a server files by itself.
    pub async fn filed(&self, limit: Duration) -> Result<bool, DbError> {
        let end = Instant::now() + limit;
        while self.store.usage_waits().await? {
            if Instant::now() >= end {
                return Ok(false);
            }
            tokio::time::sleep(FILED_LOOK).await;
        }
        Ok(true)
    }

    /// Every difference between the ledger's tables, as a sentence.
    pub async fn verify(&self) -> Result<Vec<String>, LedgerError> {
        self.rooms.ledger.verify().await
    }

    /// Everything the server answers, without a socket.
    pub fn face(&self) -> BoxEndpoint<'static, Response> {
        self.face_with(&SURFACES)
    }

    /// The same with other surfaces than those of the table.
    pub fn face_with(
        &self,
        surfaces: &'static [&'static Surface],
    ) -> BoxEndpoint<'static, Response> {
        front::routes(&self.rooms, self.services.clone(), surfaces)
    }

    /// Serves API and pages until the supervisor says stop.
    pub async fn serve(
        &self,
        listener: TcpListener,
        common: &Common,
        supervisor: &Supervisor,
    ) -> Result<(), ConfigError> {
        let place = listener
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        info!("the server listens on {place}");
        let listening = Listening {
            listener,
            stop: supervisor.stopping(),
            grace: common.shutdown_limit().saturating_sub(self.notice),
            tick: None,
            tls: None,
        };
        listen::serve_on_cores(listening, self.face(), supervisor).await
    }
}
