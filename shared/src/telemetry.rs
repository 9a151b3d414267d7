//! Sets up the log and the metrics page. Names no metric: each room registers its own.
//!
//! Field names used everywhere: `request.id`, `tenant.id`, `generation.id`, `key.id`, `provider`,
//! `status`, `duration_ms`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::{Common, ConfigError, LogFormat};
use crate::listen::{self, Listening};
use crate::supervisor::Supervisor;

/// Starts the log on standard error; standard output belongs to the person who started us.
pub fn start_log(common: &Common) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&common.log)
        .map_err(|_| ConfigError::Invalid(format!("LOG=`{}` is not a log filter", common.log)))?;
    let pretty = match common.log_format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(BoxMakeWriter::new(std::io::stderr))
        // A line that could not be written would be told on the same stream, and that panics: a log on a
        // full disk would end whatever task wrote it, the ledger's writer too.
        .log_internal_errors(false)
        .with_ansi(pretty && std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first log.
    let _ = if pretty {
        log.compact().try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// The process's metrics; clones share them.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Adds metrics; called while the process is put together.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// The page in OpenMetrics text.
    pub fn page(&self) -> String {
        let mut page = String::new();
        let registry = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Writing to a String can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut page, &registry);
        page
    }
}

/// Serves `/metrics` on its own port, unless the port is 0.
pub fn serve_metrics(
    common: &Common,
    metrics: &Metrics,
    supervisor: &Supervisor,
) -> Result<(), ConfigError> {
    if common.metrics_port == 0 {
        return Ok(());
    }
    let address = SocketAddr::new(common.metrics_host, common.metrics_port);
    let listener = listen::bind(address, "METRICS_PORT")?;
    let metrics = metrics.clone();
    let page = poem::endpoint::make_sync(move |_| {
        poem::Response::builder()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(metrics.page())
    });
    let routes = poem::Route::new().at("/metrics", page);
    let stop = supervisor.stopping();
    supervisor.spawn(
        "metrics",
        listen::serve(
            Listening {
                listener,
                stop,
                grace: std::time::Duration::ZERO,
                tick: None,
                tls: None,
            },
            routes,
        ),
    );
    Ok(())
}
