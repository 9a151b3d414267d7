//! The gateway's settings and defaults; the common ones are in `shared::config`.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::ServerConfig;
use shared::config::{Common, ConfigError, Secrets};
use shared::db::{DbError, DbTarget};
use shared::link::READ_ON_SECONDS_MAX;
use shared::secret::Secret;
use shared::tls::{self, Identity};

use crate::admin::balances::BalancePace;
use crate::generations::journal::JournalSettings;
use crate::generations::register::REMEMBERED;

/// Settings of the gateway.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gateway")]
#[group(id = "gateway")]
pub struct Config {
    /// Port on which servers reach the gateway
    #[arg(long, env = "GATEWAY_PORT", default_value_t = 9000)]
    pub gateway_port: u16,
    /// Address the gateway listens on
    #[arg(long, env = "GATEWAY_HOST", default_value = "127.0.0.1")]
    pub gateway_host: IpAddr,
    /// PEM file of the gateway's certificate with its chain, for TLS; empty: plain HTTP
    #[arg(long, env = "GATEWAY_TLS_CERT", default_value = "")]
    pub gateway_tls_cert: String,
    /// PEM file of that certificate's private key
    #[arg(long, env = "GATEWAY_TLS_KEY", default_value = "")]
    pub gateway_tls_key: String,
    /// PEM file of the authority that servers' client certificates must come from; empty asks for none
    #[arg(long, env = "GATEWAY_CLIENT_CA", default_value = "")]
    pub gateway_client_ca: String,
    /// `postgres://user:password@host/database`; empty uses the SQLite file `DATA_DIR/gateway.db`
    #[arg(
        long,
        env = "GATEWAY_DATABASE_URL",
        default_value = "",
        hide_env_values = true
    )]
    pub gateway_database_url: String,
    /// Redis near the gateways that share a database, `redis://` or `rediss://`: per-minute and
    /// concurrency limits of a key then apply across all of them; empty counts in each process alone
    #[arg(
        long,
        env = "GATEWAY_REDIS_URL",
        default_value = "",
        hide_env_values = true
    )]
    pub gateway_redis_url: String,
    /// Maximum time to a provider's first byte (seconds)
    #[arg(long, env = "PROVIDER_FIRST_BYTE_SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub provider_first_byte_seconds: u64,
    /// Maximum pause of a provider in the middle of an answer (seconds)
    #[arg(long, env = "PROVIDER_SILENCE_SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub provider_silence_seconds: u64,
    /// Seconds a generation continues without an attached server, if the server does not say with the
    /// call how long it waits for its link (`LINK_PATIENCE_SECONDS` there)
    #[arg(long, env = "DETACHED_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub detached_seconds: u64,
    /// Maximum of it, whatever a server says
    #[arg(long, env = "DETACHED_SECONDS_MAX", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub detached_seconds_max: u64,
    /// Seconds for which a provider's answer is read on for its usage after the tenant disconnected; 0
    /// ends the call at once with an estimate
    #[arg(long, env = "READ_ON_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=READ_ON_SECONDS_MAX))]
    pub read_on_seconds: u64,
    /// Interval for querying a key's balance, if its vendor reports it (seconds); 0 turns it off
    #[arg(long, env = "BALANCE_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub balance_seconds: u64,
    /// Hours for which results of calls are kept on disk (`DATA_DIR/generations`)
    #[arg(long, env = "OUTCOMES_KEPT_HOURS", default_value_t = 72, value_parser = clap::value_parser!(u64).range(2..=2_160))]
    pub outcomes_kept_hours: u64,
    /// Maximum size of them in bytes; the oldest are removed earlier, but never while a server may ask for them
    #[arg(long, env = "OUTCOMES_KEPT_BYTES", default_value_t = 1024 * 1024 * 1024)]
    pub outcomes_kept_bytes: u64,
    /// Maximum output kept for servers that reconnect, in bytes
    #[arg(long, env = "OUTPUT_KEPT_BYTES", default_value_t = 256 * 1024 * 1024)]
    pub output_kept_bytes: usize,
    /// Maximum size of kept beginnings of long conversations, which need not be sent again, in bytes
    #[arg(long, env = "PREFIX_KEPT_BYTES", default_value_t = 64 * 1024 * 1024)]
    pub prefix_kept_bytes: usize,
    /// Maximum body of a call, in bytes
    #[arg(long, env = "GATEWAY_BODY_BYTES_MAX", default_value_t = 33 * 1024 * 1024)]
    pub gateway_body_bytes_max: usize,
}

impl Config {
    /// Where the gateway's database is.
    pub fn database(&self, data_dir: &Path) -> Result<DbTarget, DbError> {
        DbTarget::from_settings(Some(&self.gateway_database_url), data_dir, "gateway.db")
    }

    /// How servers are spoken to: over TLS with a certificate, plainly without.
    pub(crate) fn tls(&self) -> Result<Option<Arc<ServerConfig>>, ConfigError> {
        let identity = Identity::from_settings(
            ("GATEWAY_TLS_CERT", &self.gateway_tls_cert),
            ("GATEWAY_TLS_KEY", &self.gateway_tls_key),
        )?;
        let client_ca = tls::file(&self.gateway_client_ca);
        match identity {
            Some(identity) => tls::server_config(identity, client_ca).map(Some),
            None if client_ca.is_some() => Err(ConfigError::Invalid(
                "GATEWAY_CLIENT_CA needs GATEWAY_TLS_CERT and GATEWAY_TLS_KEY".to_owned(),
            )),
            None => Ok(None),
        }
    }

    pub(crate) fn first_byte(&self) -> Duration {
        Duration::from_secs(self.provider_first_byte_seconds)
    }

    /// How long a generation runs on without a reader, where the server does not say it, and at most.
    pub(crate) fn detached(&self) -> (Duration, Duration) {
        let usual = Duration::from_secs(self.detached_seconds);
        (
            usual,
            usual.max(Duration::from_secs(self.detached_seconds_max)),
        )
    }

    pub(crate) fn read_on(&self) -> Duration {
        Duration::from_secs(self.read_on_seconds)
    }

    pub(crate) fn balance_pace(&self) -> BalancePace {
        BalancePace(Duration::from_secs(self.balance_seconds))
    }

    /// How the journal of outcomes is kept. Longer than any server may ask: a known outcome that is
    /// forgotten is an answer that nobody pays for.
    pub(crate) fn journal(&self, data_dir: &Path) -> Result<JournalSettings, ConfigError> {
        let kept = Duration::from_secs(self.outcomes_kept_hours.saturating_mul(3_600));
        if kept < REMEMBERED {
            let hours = REMEMBERED.as_secs().div_ceil(3_600);
            return Err(ConfigError::Invalid(format!(
                "OUTCOMES_KEPT_HOURS must be at least {hours}, as long as a server may ask for an outcome"
            )));
        }
        Ok(JournalSettings {
            folder: data_dir.join("generations"),
            kept,
            bytes_max: self.outcomes_kept_bytes,
            kept_least: REMEMBERED,
        })
    }

    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(self.provider_silence_seconds)
    }
}

/// The gateway's secrets, given, kept or made.
#[derive(Debug, Clone)]
pub struct GatewaySecrets {
    /// What servers send; two by comma while it is changed.
    pub internal: Secret<String>,
    /// Seals provider keys.
    pub encryption: Secret<String>,
}

impl GatewaySecrets {
    /// Takes them from the settings; ends the start where production has none.
    pub fn take(common: &Common) -> Result<Self, ConfigError> {
        let mut secrets = Secrets::load(common)?;
        Ok(Self {
            internal: secrets.take("INTERNAL_SECRET", common.internal_secret.as_ref())?,
            encryption: secrets.take(
                "CONFIG_ENCRYPTION_KEY",
                common.config_encryption_key.as_ref(),
            )?,
        })
    }
}
