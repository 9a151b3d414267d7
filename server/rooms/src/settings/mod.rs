//! Room: settings that superadmins change while the platform runs. Each is a struct with defaults;
//! the database keeps those that were changed. Enforces none of them.

pub mod zones;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use server_store::Store;
use server_store::audit::Actor;
use shared::clock::Clock;
use shared::db::DbError;
use shared::zone::Zone;

use crate::limits::LimitSettings;

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A field breaks its rule.
    #[error("`{field}` must be {rule}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// What a time zone's name must be.
pub const TIME_ZONE_RULE: &str = "the IANA name of a time zone, for example Asia/Shanghai";

/// A group of settings that are changed together.
pub trait Setting: Serialize + DeserializeOwned + Default + Send + Sync {
    /// Its name in the database and in the audit log.
    const NAME: &'static str;

    /// Whether every field keeps its rule.
    fn check(&self) -> Result<(), SettingsError>;
}

fn rule(holds: bool, field: &'static str, rule: &'static str) -> Result<(), SettingsError> {
    if holds {
        Ok(())
    } else {
        Err(SettingsError::Invalid { field, rule })
    }
}

/// How long sessions of pages last, and who needs a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u32,
    /// Hours after which a session ends whatever happens.
    pub absolute_hours: u32,
    /// Whether superadmins must set a second factor up.
    pub require_second_factor: bool,
}

impl Default for Security {
    // ASVS 5.0, 7.3 asks for both bounds; a working day, with a lunch in it.
    fn default() -> Self {
        Self {
            idle_minutes: 120,
            absolute_hours: 12,
            require_second_factor: false,
        }
    }
}

impl Security {
    /// How long a session lasts without a request.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_minutes) * 60)
    }

    /// How long a session lasts at most.
    pub fn absolute(&self) -> Duration {
        Duration::from_secs(u64::from(self.absolute_hours) * 3_600)
    }
}

impl Setting for Security {
    const NAME: &'static str = "security";

    fn check(&self) -> Result<(), SettingsError> {
        let idle = (5..=24 * 60).contains(&self.idle_minutes);
        rule(idle, "idle_minutes", "from 5 to 1440")?;
        let absolute = (1..=30 * 24).contains(&self.absolute_hours);
        rule(absolute, "absolute_hours", "from 1 to 720")
    }
}

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Days that usage records are kept.
    pub usage_days: u32,
    /// Days that the audit log is kept.
    pub audit_days: u32,
    /// Days between the deletion of a tenant and its end.
    pub delete_grace_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            usage_days: 730,
            audit_days: 730,
            delete_grace_days: 30,
        }
    }
}

impl Setting for Retention {
    const NAME: &'static str = "retention";

    fn check(&self) -> Result<(), SettingsError> {
        let kept = 30..=3_650;
        rule(
            kept.contains(&self.usage_days),
            "usage_days",
            "from 30 to 3650",
        )?;
        rule(
            kept.contains(&self.audit_days),
            "audit_days",
            "from 30 to 3650",
        )?;
        let grace = self.delete_grace_days <= 365;
        rule(grace, "delete_grace_days", "at most 365")
    }
}

/// The line that everybody sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Announcement {
    /// Empty for none.
    pub text: String,
}

impl Setting for Announcement {
    const NAME: &'static str = "announcement";

    fn check(&self) -> Result<(), SettingsError> {
        let fits = self.text.chars().count() <= 500 && !self.text.contains('\0');
        rule(fits, "announcement", "at most 500 characters")
    }
}

/// What new tenants begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantDefaults {
    /// Credits given at the founding, in millionths. Whoever founds a tenant gives them.
    pub credits_micros: i64,
    /// Calls a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Calls at the same time.
    pub concurrency: Option<u32>,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: i64,
}

impl Default for TenantDefaults {
    /// Enough for any honest start, too little to take the whole platform; prices as listed.
    fn default() -> Self {
        Self {
            credits_micros: 0,
            requests_per_minute: Some(3_000),
            tokens_per_minute: Some(5_000_000),
            concurrency: Some(500),
            price_multiplier_ppm: 1_000_000,
        }
    }
}

impl TenantDefaults {
    /// The three limits.
    pub fn limits(&self) -> LimitSettings {
        LimitSettings {
            requests_per_minute: self.requests_per_minute,
            tokens_per_minute: self.tokens_per_minute,
            concurrency: self.concurrency,
        }
    }
}

impl Setting for TenantDefaults {
    const NAME: &'static str = "tenants";

    fn check(&self) -> Result<(), SettingsError> {
        // A million credits as a gift is a mistake.
        let credits = (0..=1_000_000_000_000).contains(&self.credits_micros);
        rule(credits, "credits", "from 0 to 1000000")?;
        let requests = self.requests_per_minute != Some(0);
        rule(requests, "requests_per_minute", "above 0, or absent")?;
        let tokens = self.tokens_per_minute != Some(0);
        rule(tokens, "tokens_per_minute", "above 0, or absent")?;
        rule(
            self.concurrency != Some(0),
            "concurrency",
            "above 0, or absent",
        )?;
        let factor = (0..=1_000_000_000).contains(&self.price_multiplier_ppm);
        rule(factor, "factor", "from 0 to 1000")
    }
}

/// The list of what a new platform needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StartList {
    /// Whether it was put away, for all superadmins: it is about the platform and not about a person.
    pub dismissed: bool,
}

impl Setting for StartList {
    const NAME: &'static str = "start_list";

    fn check(&self) -> Result<(), SettingsError> {
        Ok(())
    }
}

/// When an end user of a tenant has sent too much that providers refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndUserPolicy {
    /// Refused prompts of one person within an hour, counted by each process, after which they are suspended
    /// for a while; zero for never.
    pub flagged_prompts: u32,
    /// Hours for which they are.
    pub suspended_hours: u32,
}

impl Default for EndUserPolicy {
    /// Nobody meets twenty refusals an hour by chance; after a day a person may have thought better of it.
    fn default() -> Self {
        Self {
            flagged_prompts: 20,
            suspended_hours: 24,
        }
    }
}

impl EndUserPolicy {
    /// For how long somebody is suspended.
    pub fn span(&self) -> Duration {
        Duration::from_secs(u64::from(self.suspended_hours) * 3_600)
    }
}

impl Setting for EndUserPolicy {
    const NAME: &'static str = "end_users";

    fn check(&self) -> Result<(), SettingsError> {
        let prompts = self.flagged_prompts <= 10_000;
        rule(prompts, "flagged_prompts", "at most 10000, 0 for never")?;
        let hours = (1..=30 * 24).contains(&self.suspended_hours);
        rule(hours, "suspended_hours", "from 1 to 720")
    }
}

/// Where the platform's days begin; tenants may have a zone of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calendar {
    /// An IANA name.
    pub time_zone: String,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            time_zone: Zone::utc().name().to_owned(),
        }
    }
}

impl Calendar {
    /// The zone of that name.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.time_zone).unwrap_or_default()
    }
}

impl Setting for Calendar {
    const NAME: &'static str = "calendar";

    fn check(&self) -> Result<(), SettingsError> {
        let known = Zone::named(&self.time_zone).is_some();
        rule(known, "time_zone", TIME_ZONE_RULE)
    }
}

/// Reads and changes settings; cheap to clone.
#[derive(Debug, Clone)]
pub struct Settings {
    store: Store,
    clock: Clock,
}

impl Settings {
    /// Over a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// A group of settings, from the database each time: a change is in force at once everywhere.
    pub async fn get<S: Setting>(&self) -> Result<S, DbError> {
        let Some(text) = self.store.setting(S::NAME).await? else {
            return Ok(S::default());
        };
        serde_json::from_str(&text)
            .map_err(|error| DbError::Damaged(format!("setting {}: {error}", S::NAME)))
    }

    /// Changes a group of settings.
    pub async fn put<S: Setting>(&self, actor: &Actor, setting: &S) -> Result<(), SettingsError> {
        setting.check()?;
        let json = |setting: &S| {
            serde_json::to_string(setting)
                .map_err(|error| DbError::Damaged(format!("setting {}: {error}", S::NAME)))
        };
        let (value, default) = (json(setting)?, json(&S::default())?);
        let now = self.clock.now();
        self.store
            .put_setting(actor, S::NAME, &value, &default, now)
            .await?;
        Ok(())
    }
}
