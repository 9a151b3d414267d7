//! The server's settings and defaults; the common ones are in `shared::config`.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use rustls::ClientConfig;
use server_api::manners::cors::Cors;
use server_calls::{RecoveryPace, UnknownPolicy};
use server_edge::doors::Doors;
use server_edge::doors::address::{ForwardedHeader, TrustedProxies};
use server_edge::doors::body::budget::BodyBudget;
use server_link::http::{Enablement, LinkSettings};
use server_pages::page_services::PublicAddress;
use server_rooms::kept::KeepBounds;
use server_rooms::ledger::LedgerSettings;
use shared::config::{Common, ConfigError, Mode, Secrets};
use shared::db::{DbError, DbTarget};
use shared::process::Farewell;
use shared::secret::Secret;
use shared::tls::{self, Identity};

/// Settings of the server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
#[group(id = "server")]
pub struct Config {
    /// Port of the API
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Address the API listens on
    #[arg(long, env = "HOST", default_value = "0.0.0.0")]
    pub host: IpAddr,
    /// `postgres://user:password@host/database`; empty uses the SQLite file `DATA_DIR/server.db`
    #[arg(long, env = "DATABASE_URL", default_value = "", hide_env_values = true)]
    pub database_url: String,
    /// Public address of the pages, for example `https://waule.example`; with https, cookies are
    /// `Secure` and browsers stay on https. Empty: https in production; in development any address,
    /// over plain http
    #[arg(long, env = "PUBLIC_URL", default_value = "")]
    pub public_url: String,
    /// Origins of web pages that may call `/api/v1` from a browser with a key, separated by commas, for
    /// example `https://app.example`; `*` for all. Empty: none
    #[arg(long, env = "CORS_ORIGINS", default_value = "", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Signs access tokens, at least 32 characters
    #[arg(long, env = "JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<Secret<String>>,
    /// First start only: password of the superadmin `admin` instead of a generated one
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<Secret<String>>,
    /// First start only: the demo tenant's key, `wk_live_` and 32 of [a-z0-9], instead of a generated one
    #[arg(long, env = "DEMO_TENANT_KEY", hide_env_values = true)]
    pub demo_tenant_key: Option<Secret<String>>,
    /// Maximum body of an inference request, in bytes
    #[arg(long, env = "BODY_BYTES_MAX", default_value_t = 32 * 1024 * 1024)]
    pub body_bytes_max: usize,
    /// Maximum memory for request bodies, in bytes
    #[arg(long, env = "BODY_MEMORY_MAX", default_value_t = 256 * 1024 * 1024)]
    pub body_memory_max: usize,
    /// Maximum size of one kept answer with its input, in bytes, for tenants that keep answers
    #[arg(long, env = "KEPT_BYTES_MAX", default_value_t = 4 * 1024 * 1024, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1_024..=64 * 1024 * 1024))]
    pub kept_bytes_max: usize,
    /// Maximum size of all kept answers of one tenant, in bytes
    #[arg(long, env = "KEPT_TENANT_BYTES_MAX", default_value_t = 1024 * 1024 * 1024)]
    pub kept_tenant_bytes_max: u64,
    /// Maximum background responses of one tenant at the same time
    #[arg(long, env = "BACKGROUND_MAX", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub background_max: u32,
    /// Addresses and networks of the reverse proxies in front of this server, separated by commas;
    /// client addresses are taken from their header only
    #[arg(
        long,
        env = "TRUSTED_PROXIES",
        default_value = "",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<String>,
    /// Header in which these proxies pass the client address
    #[arg(
        long,
        env = "FORWARDED_HEADER",
        value_enum,
        default_value = "x-forwarded-for"
    )]
    pub forwarded_header: ForwardedHeader,
    /// Maximum duration of a call (seconds)
    #[arg(long, env = "CALL_SECONDS_MAX", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub call_seconds_max: u64,
    /// Interval for recovering abandoned holds (seconds)
    #[arg(long, env = "RECOVERY_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub recovery_seconds: u64,
    /// Seconds without a heartbeat after which other servers take over a server's holds
    #[arg(long, env = "OWNER_SILENT_SECONDS", default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub owner_silent_seconds: u64,
    /// Seconds after which the hold of a call with an unknown result is released, because its server
    /// and its gateway are gone; the call is charged if its result becomes known later. With the
    /// gateway in the same process it is released at once, since no result can arrive later
    #[arg(long, env = "UNKNOWN_RELEASE_SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub unknown_release_seconds: u64,
    /// Days for which gateways are queried about such a call
    #[arg(long, env = "UNKNOWN_ASK_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=90))]
    pub unknown_ask_days: u64,
    /// Seconds for which released credits remain valid after they expired
    #[arg(long, env = "EXPIRY_GRACE_SECONDS", default_value_t = 0)]
    pub expiry_grace_seconds: u64,
    /// Seconds for which a stopping server answers `draining` at `/readyz` and still accepts calls, so
    /// that load balancers send new ones elsewhere; counted in `SHUTDOWN_SECONDS`, at most half of it
    #[arg(long, env = "DRAIN_NOTICE_SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub drain_notice_seconds: u64,
}

/// Where the gateways are; the all-in-one has its own and does not read this.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gateways")]
pub struct GatewayUrls {
    /// Gateways, separated by commas
    #[arg(
        long,
        env = "GATEWAY_URLS",
        default_value = "http://127.0.0.1:9000",
        value_delimiter = ','
    )]
    pub gateway_urls: Vec<String>,
    /// HTTP/2 connections to each gateway; a quarter of them is reserved for large bodies
    #[arg(long, env = "GATEWAY_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub gateway_connections: u8,
    /// Seconds a call waits for a lost link to its gateway to come back
    #[arg(long, env = "LINK_PATIENCE_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub link_patience_seconds: u64,
    /// Which gateways get compressed bytes
    #[arg(long, env = "LINK_COMPRESSION", value_enum, default_value = "auto")]
    pub link_compression: Enablement,
    /// Which gateways send a late stream over a second connection as well
    #[arg(long, env = "LINK_HEDGING", value_enum, default_value = "auto")]
    pub link_hedging: Enablement,
    /// PEM file of the authority that gateways' certificates must come from; empty trusts those of the
    /// operating system
    #[arg(long, env = "GATEWAY_CA", default_value = "")]
    pub gateway_ca: String,
    /// PEM file of the client certificate that this server presents to gateways; empty: none
    #[arg(long, env = "GATEWAY_CLIENT_CERT", default_value = "")]
    pub gateway_client_cert: String,
    /// PEM file of that certificate's private key
    #[arg(long, env = "GATEWAY_CLIENT_KEY", default_value = "")]
    pub gateway_client_key: String,
}

impl GatewayUrls {
    /// How gateways are reached.
    pub fn link(&self) -> Result<LinkSettings, ConfigError> {
        Ok(LinkSettings {
            connections: self.gateway_connections.into(),
            patience: Duration::from_secs(self.link_patience_seconds),
            compression: self.link_compression,
            hedging: self.link_hedging,
            tls: self.tls()?,
        })
    }

    /// How gateways at `https://` are spoken to, where it differs from [`tls::client_config`].
    fn tls(&self) -> Result<Option<ClientConfig>, ConfigError> {
        let ca = tls::file(&self.gateway_ca);
        let identity = Identity::from_settings(
            ("GATEWAY_CLIENT_CERT", &self.gateway_client_cert),
            ("GATEWAY_CLIENT_KEY", &self.gateway_client_key),
        )?;
        if ca.is_none() && identity.is_none() {
            return Ok(None);
        }
        if !self
            .gateway_urls
            .iter()
            .any(|url| url.starts_with("https:"))
        {
            return Err(ConfigError::Invalid(
                "GATEWAY_CA and GATEWAY_CLIENT_CERT are for gateways at https://; GATEWAY_URLS has none"
                    .to_owned(),
            ));
        }
        tls::client_config_with(ca, identity).map(Some)
    }
}

/// About the time between two holds at 300 calls a second.
const SETTLE_PATIENCE: Duration = Duration::from_millis(4);
const DAY: Duration = Duration::from_secs(86_400);

impl Config {
    /// Where the server's database is.
    pub fn database(&self, data_dir: &Path) -> Result<DbTarget, DbError> {
        DbTarget::from_settings(Some(&self.database_url), data_dir, "server.db")
    }

    /// How the ledger runs in this life of the process. With the gateway inside, answers wait for
    /// their settlements.
    pub fn ledger(&self, gateway_inside: bool) -> LedgerSettings {
        LedgerSettings {
            heartbeat: Duration::from_secs(self.owner_silent_seconds) / 4,
            grace: Duration::from_secs(self.expiry_grace_seconds),
            patience: if gateway_inside {
                Duration::ZERO
            } else {
                SETTLE_PATIENCE
            },
            ..LedgerSettings::default()
        }
    }

    /// How abandoned holds are looked for.
    pub fn recovery(&self) -> RecoveryPace {
        RecoveryPace {
            every: Duration::from_secs(self.recovery_seconds),
            silent: Duration::from_secs(self.owner_silent_seconds),
        }
    }

    /// What all requests pass first.
    pub fn doors(&self) -> Result<Doors, ConfigError> {
        Ok(Doors {
            proxies: TrustedProxies::parse(&self.trusted_proxies, self.forwarded_header)?,
            budget: BodyBudget::new(self.body_memory_max, self.body_bytes_max),
        })
    }

    /// What becomes of a hold when nobody knows how its call ended.
    pub fn unknown(&self, gateway_inside: bool) -> UnknownPolicy {
        let after = if gateway_inside {
            0
        } else {
            self.unknown_release_seconds
        };
        UnknownPolicy {
            release_after: Duration::from_secs(after),
            ask_for: DAY.saturating_mul(u32::try_from(self.unknown_ask_days).unwrap_or(u32::MAX)),
        }
    }

    /// How much is kept for tenants.
    pub fn keep_bounds(&self) -> KeepBounds {
        KeepBounds {
            item_bytes: self.kept_bytes_max,
            tenant_bytes: self.kept_tenant_bytes_max,
            running: self.background_max,
        }
    }

    /// Which browsers of other places may call.
    pub fn cors(&self) -> Result<Cors, ConfigError> {
        let texts = self.cors_origins.iter().map(String::as_str);
        Cors::parse(texts).map_err(|wrong| {
            ConfigError::Invalid(format!(
                "CORS_ORIGINS: `{wrong}` is no origin; write `*`, or `https://` and a host without a path"
            ))
        })
    }

    /// How a server takes its leave: within `SHUTDOWN_SECONDS` in all.
    pub fn farewell(&self, common: &Common) -> Farewell {
        let all = common.shutdown_limit();
        let notice = Duration::from_secs(self.drain_notice_seconds).min(all / 2);
        Farewell {
            notice,
            limit: all.saturating_sub(notice),
        }
    }

    /// Under which address people reach the pages.
    pub fn public_address(&self, common: &Common) -> Result<PublicAddress, ConfigError> {
        let https = common.mode == Mode::Production;
        PublicAddress::parse(&self.public_url, https)
    }

    /// How long a call may take.
    pub fn call_limit(&self) -> Duration {
        Duration::from_secs(self.call_seconds_max)
    }
}

/// The server's secrets, given, kept or made.
#[derive(Debug, Clone)]
pub struct ServerSecrets {
    /// Signs access tokens.
    pub jwt: Secret<String>,
    /// Opens the gateways.
    pub internal: Secret<String>,
    /// Seals second factors at rest.
    pub seal: Secret<String>,
}

impl ServerSecrets {
    /// Takes them from the settings; ends the start where production has none.
    pub fn take(config: &Config, common: &Common) -> Result<Self, ConfigError> {
        let mut secrets = Secrets::load(common)?;
        Ok(Self {
            jwt: secrets.take("JWT_SECRET", config.jwt_secret.as_ref())?,
            internal: secrets.take("INTERNAL_SECRET", common.internal_secret.as_ref())?,
            seal: secrets.take(
                "CONFIG_ENCRYPTION_KEY",
                common.config_encryption_key.as_ref(),
            )?,
        })
    }
}

#[cfg(test)]
mod tests;
