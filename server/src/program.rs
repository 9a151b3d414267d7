//! The server as a process of its own: `waule server`.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use server_link::http::HttpLink;
use server_link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::config::Common;
use shared::process::Program;
use shared::supervisor::Supervisor;
use shared::telemetry::{self, Metrics};

use crate::app::{Server, ServerParts, StartError};
use crate::command::Command;
use crate::config::{Config, GatewayUrls, ServerSecrets};
use crate::seed;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: Config,
    #[command(flatten)]
    gateways: GatewayUrls,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Runs it until it is told to stop; the first of `arguments` is the program.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let program = Program {
        name: "waule server",
        about: "Waule's server: tenants, credits and the OpenAI-compatible API.",
        arguments,
    };
    shared::process::run(program, start)
}

async fn start(settings: Settings, supervisor: Supervisor) -> Result<(), StartError> {
    let Settings {
        common,
        server: config,
        gateways,
        command,
    } = settings;
    telemetry::start_log(&common)?;
    if let Some(command) = command {
        return command.run(&config, &common).await;
    }
    let (metrics, clock) = (Metrics::default(), Clock::system());
    let secrets = ServerSecrets::take(&config, &common)?;
    let listener = Server::bind(&config)?;
    telemetry::serve_metrics(&common, &metrics, &supervisor)?;
    let link = Arc::new(HttpLink::new(
        &gateways.gateway_urls,
        &secrets.internal,
        clock.clone(),
        gateways.link()?,
        LinkMetrics::new(&metrics),
    )?);
    link.warm();
    let demo = config.demo_tenant_key.is_some();
    let server = Server::start(ServerParts {
        config: &config,
        common: &common,
        secrets,
        link,
        supervisor: &supervisor,
        metrics: &metrics,
        clock,
        gateway_inside: false,
        demo,
    })
    .await?;
    if let Some(first) = &server.first_start {
        shared::process::say(&seed::greeting(first, &config));
    }
    let serving = server.serve(listener, &common, &supervisor);
    shared::process::until_parted(serving, &supervisor, config.farewell(&common)).await?;
    Ok(())
}
