//! bin `waule-gateway`: the gateway as a process of its own.

use std::process::ExitCode;

use clap::Args;
use gateway::config::{Config, GatewaySecrets};
use gateway::{Gateway, GatewayParts, StartError};
use shared::clock::Clock;
use shared::config::Common;
use shared::supervisor::Supervisor;
use shared::telemetry::{self, Metrics};

#[global_allocator]
static ALLOCATOR: shared::process::Allocator = shared::process::ALLOCATOR;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    gateway: Config,
}

fn main() -> ExitCode {
    shared::process::run(
        "waule-gateway",
        "Waule's gateway: talks to AI providers for servers elsewhere.",
        start,
    )
}

async fn start(settings: Settings) -> Result<(), StartError> {
    let Settings {
        common,
        gateway: config,
    } = settings;
    telemetry::start_log(&common)?;
    let (supervisor, metrics) = (Supervisor::new(), Metrics::default());
    let secrets = GatewaySecrets::take(&common)?;
    let listener = Gateway::bind(&config)?;
    telemetry::serve_metrics(&common, &metrics, &supervisor)?;
    let clock = Clock::system();
    let parts = GatewayParts {
        config: &config,
        common: &common,
        secrets,
        supervisor: &supervisor,
        metrics: &metrics,
        clock,
    };
    let gateway = Gateway::start(parts).await?;
    let serving = gateway.serve(listener, &common, &supervisor);
    shared::process::until_stopped(serving, &supervisor, common.shutdown_limit()).await?;
    Ok(())
}
