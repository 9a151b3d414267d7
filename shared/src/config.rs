//! Reads settings: flag, then environment, then TOML file, then default; an unknown key is an error.
//! Holds the section both sides share; each side adds its own in a `clap::Args` struct.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, Args, Command, FromArgMatches};
use rand::RngExt;

use crate::files;
use crate::secret::Secret;

/// Secrets shorter than this can be guessed; 32 characters of a random source carry over 128 bits.
pub const SECRET_CHARS_MIN: usize = 32;
/// A configuration file larger than this is not one.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A setting is wrong; the text is one sentence for the person who starts the process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something to mend.
    #[error("{0}")]
    Invalid(String),
    /// `--help` or `--version` was asked for; the text goes to standard output.
    #[error("{0}")]
    Shown(String),
}

/// Whether weak secrets are tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Missing secrets are generated and kept in the data folder.
    Development,
    /// Refuses to start with missing or weak secrets.
    Production,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// Settings every Waule process has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common")]
pub struct Common {
    /// Folder of databases and generated secrets
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// `production` refuses to start with missing or weak secrets
    #[arg(
        long = "mode",
        id = "waule_mode",
        env = "WAULE_MODE",
        value_enum,
        default_value = "development"
    )]
    pub mode: Mode,
    /// Secret between server and gateway, at least 32 characters; two separated by a comma while it
    /// is changed (the first is sent, both are accepted)
    #[arg(long, env = "INTERNAL_SECRET", hide_env_values = true)]
    pub internal_secret: Option<Secret<String>>,
    /// Encrypts secrets at rest, at least 32 characters
    #[arg(long, env = "CONFIG_ENCRYPTION_KEY", hide_env_values = true)]
    pub config_encryption_key: Option<Secret<String>>,
    /// Port of `/metrics` on 127.0.0.1 (`METRICS_HOST` changes the address); 0 turns it off
    #[arg(long, env = "METRICS_PORT", default_value_t = 9464)]
    pub metrics_port: u16,
    /// Address of `/metrics`
    #[arg(long, env = "METRICS_HOST", default_value = "127.0.0.1")]
    pub metrics_host: std::net::IpAddr,
    /// Redis shared by replicas (limits), `redis://` or `rediss://`; empty keeps them in the process
    #[arg(long, env = "REDIS_URL", default_value = "", hide_env_values = true)]
    pub redis_url: String,
    /// Log filter, for example `info` or `warn,server=debug`
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,
    /// How the log is written
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "auto")]
    pub log_format: LogFormat,
    /// Seconds that running calls get to finish when the process stops
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 20)]
    pub shutdown_seconds: u64,
    /// Whether webhooks of alerts may go to private networks, to this machine and without TLS, and whether
    /// files at addresses in requests may lie there; otherwise only on the internet
    #[arg(long, env = "OUTBOUND_PRIVATE", default_value_t = false, action = ArgAction::Set)]
    pub outbound_private: bool,
}

impl Common {
    /// Where secrets that were made are kept.
    pub fn secrets_file(&self) -> PathBuf {
        self.data_dir.join("secrets.toml")
    }

    /// How long running calls get to finish.
    pub fn shutdown_limit(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds)
    }
}

/// Reads the settings `S` from `arguments` and the environment, and from the file they name
/// (`--config` or `WAULE_CONFIG`).
pub fn read<S: Args + FromArgMatches>(
    name: &'static str,
    about: &'static str,
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<S, ConfigError> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let file = Arg::new("config")
        .long("config")
        .env("WAULE_CONFIG")
        .value_name("FILE")
        .action(ArgAction::Set)
        .help("TOML file with any of these settings, named as in the environment, in lower case");
    // The texts after the arguments: a group of arguments would put its own in their place.
    let mut command = S::augment_args(Command::new(name).arg(file)).about(about);
    command = command.bin_name(name).version(env!("CARGO_PKG_VERSION")).after_help(
        "Flags override the environment, the environment overrides the file, the file overrides the defaults.",
    );
    if let Some(path) = file_path(&command, &arguments) {
        command = with_file(command, &path)?;
    }
    let matches = command
        .try_get_matches_from(arguments)
        .map_err(|e| clap_error(&e))?;
    S::from_arg_matches(&matches).map_err(|e| clap_error(&e))
}

fn clap_error(error: &clap::Error) -> ConfigError {
    if error.use_stderr() {
        // clap's first line is the sentence; the usage below it is for `--help`.
        let text = error.to_string();
        let first = text.lines().next().unwrap_or("a setting is wrong");
        ConfigError::Invalid(first.trim_start_matches("error: ").to_owned())
    } else {
        ConfigError::Shown(error.render().ansi().to_string())
    }
}

/// A first pass that only looks for the file, whatever else is wrong with the arguments.
fn file_path(command: &Command, arguments: &[std::ffi::OsString]) -> Option<PathBuf> {
    let lenient = command.clone().ignore_errors(true).disable_help_flag(true);
    let matches = lenient.try_get_matches_from(arguments).ok()?;
    matches
        .get_one::<String>("config")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

fn with_file(mut command: Command, path: &Path) -> Result<Command, ConfigError> {
    let invalid = |what: String| ConfigError::Invalid(format!("{}: {what}", path.display()));
    let size = std::fs::metadata(path)
        .map_err(|e| invalid(e.to_string()))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(invalid(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| invalid(e.to_string()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| invalid(e.message().to_owned()))?;
    for (key, value) in table {
        if key == "config"
            || !command
                .get_arguments()
                .any(|arg| arg.get_id() == key.as_str())
        {
            return Err(invalid(format!(
                "unknown setting `{key}` (--help lists them all)"
            )));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => items
                .iter()
                .filter_map(toml::Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            toml::Value::Float(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)
            | toml::Value::Table(_) => {
                return Err(invalid(format!(
                    "`{key}` must be a text, a whole number or true/false"
                )));
            }
        };
        command = command.mut_arg(key, |arg| {
            arg.default_value(clap::builder::OsStr::from(value))
        });
    }
    Ok(command)
}

/// Checks the strength of one secret; names it when it is weak.
pub fn check_secret(name: &str, secret: &Secret<String>, mode: Mode) -> Result<(), ConfigError> {
    let text = secret.expose();
    if text.chars().count() < SECRET_CHARS_MIN {
        return Err(ConfigError::Invalid(format!(
            "{name} must have at least {SECRET_CHARS_MIN} characters"
        )));
    }
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = text.to_ascii_lowercase();
    let known = [
        "changeme",
        "change-me",
        "change_me",
        "password",
        "secret-secret",
        "example",
        "0123456789abcdef0123",
    ];
    // A random text of 32 characters has 10 different ones but for one case in a billion.
    if mode == Mode::Production
        && (distinct.len() < 10 || known.iter().any(|weak| lower.contains(weak)))
    {
        return Err(ConfigError::Invalid(format!(
            "{name} is too easy to guess for production; use `openssl rand -hex 32`"
        )));
    }
    Ok(())
}

/// Takes each secret from the settings; in development a missing one is made and kept in
/// `DATA_DIR/secrets.toml`, in production it ends the start.
#[derive(Debug)]
pub struct Secrets {
    mode: Mode,
    path: PathBuf,
    kept: toml::Table,
}

impl Secrets {
    /// Reads what an earlier start kept.
    pub fn load(common: &Common) -> Result<Self, ConfigError> {
        files::tighten(&common.data_dir);
        let path = common.secrets_file();
        files::tighten(&path);
        Ok(Self {
            mode: common.mode,
            kept: read_kept(&path)?,
            path,
        })
    }

    /// The secret called `name`, given, kept or new.
    pub fn take(
        &mut self,
        name: &'static str,
        given: Option<&Secret<String>>,
    ) -> Result<Secret<String>, ConfigError> {
        if let Some(secret) = given.filter(|secret| !secret.expose().is_empty()) {
            for part in secret.expose().split(',') {
                check_secret(name, &Secret::new(part.trim().to_owned()), self.mode)?;
            }
            return Ok(secret.clone());
        }
        if self.mode == Mode::Production {
            return Err(ConfigError::Invalid(format!(
                "{name} is missing; production mode makes no secrets by itself"
            )));
        }
        let key = name.to_ascii_lowercase();
        if let Some(text) = self.kept.get(&key).and_then(toml::Value::as_str) {
            return Ok(Secret::new(text.to_owned()));
        }
        // Processes that start together on one folder must end up with one secret.
        let _alone = self.alone()?;
        self.kept = read_kept(&self.path)?;
        if let Some(text) = self.kept.get(&key).and_then(toml::Value::as_str) {
            return Ok(Secret::new(text.to_owned()));
        }
        let made = hex::encode(rand::rng().random::<[u8; 32]>());
        self.kept.insert(key, toml::Value::String(made.clone()));
        self.store()?;
        Ok(Secret::new(made))
    }

    fn failed(&self, error: &std::io::Error) -> ConfigError {
        let place = self.path.display();
        ConfigError::Invalid(format!("{place} can't be written: {error}"))
    }

    /// No other process makes secrets while the file is held.
    fn alone(&self) -> Result<std::fs::File, ConfigError> {
        let locked = || {
            if let Some(folder) = self.path.parent() {
                files::folder(folder)?;
            }
            let file = files::append(&self.path.with_extension("toml.lock"))?;
            file.lock()?;
            Ok(file)
        };
        locked().map_err(|e| self.failed(&e))
    }

    fn store(&self) -> Result<(), ConfigError> {
        use std::io::Write;
        let failed = |e: std::io::Error| self.failed(&e);
        // Written beside and renamed, so that a full disk leaves the old file whole.
        let beside = self.path.with_extension("toml.new");
        let _ = std::fs::remove_file(&beside);
        let mut file = files::create(&beside).map_err(failed)?;
        file.write_all(self.kept.to_string().as_bytes())
            .map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&beside, &self.path).map_err(failed)
    }
}

fn read_kept(path: &Path) -> Result<toml::Table, ConfigError> {
    let wrong = |what: &str| ConfigError::Invalid(format!("{} {what}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(text) => text.parse().map_err(|_| wrong("is damaged")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(toml::Table::new()),
        Err(error) => Err(wrong(&format!("can't be read: {error}"))),
    }
}

#[cfg(test)]
mod tests;
