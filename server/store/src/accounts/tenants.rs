//! Tenants.

mod statements;

use diesel::{Insertable, Queryable, QueryableByName};
use serde_json::{Value, json};
use server_rules::limits::LimitSettings;
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::TenantId;
use shared::zone::Zone;

use super::keys::ApiKey;
use super::users::User;
use super::{damaged, words};
use crate::schema::tenants;

words! {
    /// Whether a tenant may call.
    TenantStatus {
        /// It may.
        Active = "active",
        /// It may not, nor may its people.
        Suspended = "suspended",
    }
}

/// A company that owns credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique without case.
    pub name: String,
    /// Whether it may call.
    pub status: TenantStatus,
    /// What its prices are multiplied by, in millionths.
    pub price_multiplier_ppm: i64,
    /// Over all its keys and people.
    pub limits: LimitSettings,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where its days begin, if not where the platform's do.
    pub zone: Option<Zone>,
    /// When it goes away for good, where it was deleted; it is suspended until then.
    pub delete_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
}

/// A tenant with what it begins with; all of it is there, or nothing.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The tenant.
    pub tenant: Tenant,
    /// Its owner.
    pub owner: Option<User>,
    /// Its first key.
    pub key: Option<ApiKey>,
}

/// A change of a tenant; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// A new name.
    pub name: Option<String>,
    /// Suspended or active.
    pub status: Option<TenantStatus>,
    /// A new multiplier.
    pub price_multiplier_ppm: Option<i64>,
    /// New limits, all three.
    pub limits: Option<LimitSettings>,
    /// Other models; all when it holds nothing.
    pub allowed_models: Option<Option<Vec<String>>>,
    /// Another zone; the platform's when it holds nothing.
    pub zone: Option<Option<Zone>>,
    /// Deleted from that moment on, or restored.
    pub delete_at: Option<Option<Moment>>,
    /// Why; the audit log keeps it beside the change.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = tenants)]
pub(super) struct TenantRow {
    id: String,
    name: String,
    status: String,
    price_multiplier_ppm: i64,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    concurrency: Option<i64>,
    created_at: i64,
    updated_at: i64,
    allowed_models: Option<String>,
    delete_at: Option<i64>,
    name_folded: Option<String>,
    time_zone: Option<String>,
}

/// Limits as three columns.
pub(super) fn limit_columns(limits: &LimitSettings) -> (Option<i64>, Option<i64>, Option<i64>) {
    let tokens = limits
        .tokens_per_minute
        .map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    (
        limits.requests_per_minute.map(i64::from),
        tokens,
        limits.concurrency.map(i64::from),
    )
}

fn zone_column(zone: Option<&Zone>) -> Option<String> {
    zone.map(|zone| zone.name().to_owned())
}

fn models_column(models: Option<&[String]>) -> Option<String> {
    models.map(|models| json!(models).to_string())
}

/// Three columns as limits; a value out of range counts as the largest.
pub(super) fn limits_of(
    requests: Option<i64>,
    tokens: Option<i64>,
    concurrency: Option<i64>,
) -> LimitSettings {
    LimitSettings {
        requests_per_minute: requests.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        tokens_per_minute: tokens.map(|n| u64::try_from(n).unwrap_or(u64::MAX)),
        concurrency: concurrency.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = DbError;

    fn try_from(row: TenantRow) -> Result<Self, DbError> {
        let status =
            TenantStatus::from_word(&row.status).ok_or_else(|| damaged("tenant", &row.id))?;
        let models = row.allowed_models.as_deref().map(serde_json::from_str);
        // Without its list a tenant would be let in to every model.
        let models = models.transpose().map_err(|_| damaged("tenant", &row.id))?;
        Ok(Self {
            id: TenantId::from_stored(row.id),
            name: row.name,
            status,
            price_multiplier_ppm: row.price_multiplier_ppm,
            limits: limits_of(
                row.requests_per_minute,
                row.tokens_per_minute,
                row.concurrency,
            ),
            allowed_models: models,
            // One that the tables do not know any more counts as none.
            zone: row.time_zone.as_deref().and_then(Zone::named),
            delete_at: row.delete_at.map(Moment::from_unix_ms),
            created_at: Moment::from_unix_ms(row.created_at),
        })
    }
}

impl Tenant {
    fn row(&self, now: Moment) -> TenantRow {
        let (requests_per_minute, tokens_per_minute, concurrency) = limit_columns(&self.limits);
        TenantRow {
            id: self.id.to_string(),
            name: self.name.clone(),
            status: self.status.word().to_owned(),
            price_multiplier_ppm: self.price_multiplier_ppm,
            requests_per_minute,
            tokens_per_minute,
            concurrency,
            created_at: self.created_at.unix_ms(),
            updated_at: now.unix_ms(),
            allowed_models: models_column(self.allowed_models.as_deref()),
            delete_at: self.delete_at.map(Moment::unix_ms),
            name_folded: Some(folded(&self.name)),
            time_zone: zone_column(self.zone.as_ref()),
        }
    }

    fn shown(&self) -> Value {
        let mut shown = json!({
            "name": self.name, "status": self.status.word(), "price_multiplier_ppm": self.price_multiplier_ppm,
            "limits": self.limits,
        });
        // What few tenants have is told where it is there.
        if let Some(models) = &self.allowed_models {
            shown["allowed_models"] = json!(models);
        }
        if let Some(zone) = &self.zone {
            shown["time_zone"] = json!(zone.name());
        }
        if let Some(at) = self.delete_at {
            shown["delete_at"] = json!(at.unix_ms());
        }
        shown
    }
}
