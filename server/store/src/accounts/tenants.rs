//! Tenants.

use std::collections::HashMap;

use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, Insertable,
    OptionalExtension, QueryDsl, Queryable, QueryableByName, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use server_rules::limits::LimitSettings;
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::TenantId;
use shared::zone::Zone;
use shared::{on, write_tx};

use super::keys::{ApiKey, add_key};
use super::users::{User, add_user};
use super::{damaged, exactly_first, named, words};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::ledger::open_account;
use crate::part::{Part, newest_first};
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

impl Store {
    /// Adds a tenant with an empty account, and with it whoever and whatever it begins with.
    pub async fn insert_tenant(
        &self,
        actor: &Actor,
        founding: &Founding,
        now: Moment,
    ) -> Result<(), DbError> {
        let Founding { tenant, owner, key } = founding;
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(tenants::table)
                .values(tenant.row(now))
                .execute(conn)
                .await?;
            open_account!(conn, &tenant.id)?;
            let id = tenant.id.as_str();
            let entry = Note {
                tenant: Some(id),
                action: "tenant.create",
                subject: id,
                before: None,
                after: Some(tenant.shown().to_string()),
            };
            note!(conn, actor, entry, now);
            if let Some(owner) = owner {
                add_user!(conn, actor, owner, now);
            }
            if let Some(key) = key {
                add_key!(conn, actor, key, now);
            }
            Ok(())
        })
    }

    /// One tenant.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, DbError> {
        let row: Option<TenantRow> = on!(self.db, |conn| tenants::table
            .find(id.as_str())
            .first(conn)
            .await
            .optional())?;
        row.map(Tenant::try_from).transpose()
    }

    /// The names of some tenants, by id.
    pub async fn tenant_names(
        &self,
        ids: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, String>, DbError> {
        let ids: Vec<&str> = ids.collect();
        let rows: Vec<(String, String)> = on!(self.db, |conn| tenants::table
            .filter(tenants::id.eq_any(&ids))
            .select((tenants::id, tenants::name))
            .load(conn)
            .await)?;
        Ok(rows.into_iter().collect())
    }

    /// The price multipliers of some tenants, in millionths; those that are no more are absent.
    pub async fn tenant_multipliers(
        &self,
        ids: &[&TenantId],
    ) -> Result<HashMap<TenantId, i64>, DbError> {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let rows: Vec<(String, i64)> = on!(self.db, |conn| tenants::table
            .filter(tenants::id.eq_any(&ids))
            .select((tenants::id, tenants::price_multiplier_ppm))
            .load(conn)
            .await)?;
        let row = |(id, ppm)| (TenantId::from_stored(id), ppm);
        Ok(rows.into_iter().map(row).collect())
    }

    /// One tenant by its name, whatever the case of its letters; the one that is written so exactly
    /// goes first.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, DbError> {
        let rows: Vec<TenantRow> = on!(self.db, |conn| {
            named!(tenants::table, tenants::name, tenants::name_folded, name)
                .load(conn)
                .await
        })?;
        let row = exactly_first(rows, |row| row.name == name);
        row.map(Tenant::try_from).transpose()
    }

    /// Tenants, newest first, whose name begins with `search`, whatever the case of its letters.
    pub async fn tenants(
        &self,
        search: &str,
        part: Part<'_, TenantId>,
    ) -> Result<Vec<Tenant>, DbError> {
        // Only the last `%` is a pattern.
        let pattern = |text: &str| {
            let text = text.replace('\\', "\\\\");
            format!("{}%", text.replace('%', "\\%").replace('_', "\\_"))
        };
        let (written, compared) = (pattern(search), pattern(&folded(search)));
        let rows: Vec<TenantRow> = on!(self.db, |conn| {
            let found = tenants::table.filter(
                tenants::name
                    .like(&written)
                    .escape('\\')
                    .or(tenants::name_folded.like(&compared).escape('\\'))
                    .or(tenants::id.eq(search)),
            );
            newest_first!(found, tenants::id, part).load(conn).await
        })?;
        rows.into_iter().map(Tenant::try_from).collect()
    }

    /// Changes a tenant; `None` when there is none.
    pub async fn update_tenant(
        &self,
        actor: &Actor,
        id: &TenantId,
        patch: &TenantPatch,
        now: Moment,
    ) -> Result<Option<Tenant>, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            // First, because the lock inside makes changes wait for one another.
            announce!(conn, format!("{TENANT}{id}"), now);
            let row: Option<TenantRow> = tenants::table
                .find(id.as_str())
                .first(conn)
                .await
                .optional()?;
            let Some(before) = row.map(Tenant::try_from).transpose()? else {
                return Ok(None);
            };
            let after = Tenant {
                name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
                status: patch.status.unwrap_or(before.status),
                price_multiplier_ppm: patch
                    .price_multiplier_ppm
                    .unwrap_or(before.price_multiplier_ppm),
                limits: patch.limits.unwrap_or(before.limits),
                allowed_models: patch
                    .allowed_models
                    .clone()
                    .unwrap_or_else(|| before.allowed_models.clone()),
                zone: patch.zone.clone().unwrap_or_else(|| before.zone.clone()),
                delete_at: patch.delete_at.unwrap_or(before.delete_at),
                ..before.clone()
            };
            let (requests, tokens, concurrency) = limit_columns(&after.limits);
            diesel::update(tenants::table.find(id.as_str()))
                .set((
                    tenants::name.eq(&after.name),
                    tenants::status.eq(after.status.word()),
                    tenants::price_multiplier_ppm.eq(after.price_multiplier_ppm),
                    tenants::requests_per_minute.eq(requests),
                    tenants::tokens_per_minute.eq(tokens),
                    tenants::concurrency.eq(concurrency),
                    tenants::allowed_models.eq(models_column(after.allowed_models.as_deref())),
                    tenants::delete_at.eq(after.delete_at.map(Moment::unix_ms)),
                    tenants::time_zone.eq(zone_column(after.zone.as_ref())),
                    tenants::updated_at.eq(now.unix_ms()),
                ))
                .execute(conn)
                .await?;
            // A name that stays keeps its place among those of earlier days.
            if after.name != before.name {
                diesel::update(tenants::table.find(id.as_str()))
                    .set(tenants::name_folded.eq(folded(&after.name)))
                    .execute(conn)
                    .await?;
            }
            let tenant = Some(id.as_str());
            let mut shown = after.shown();
            if let Some(reason) = &patch.reason {
                shown["reason"] = Value::from(reason.as_str());
            }
            let entry = Note {
                tenant,
                action: "tenant.update",
                subject: id.as_str(),
                before: Some(before.shown().to_string()),
                after: Some(shown.to_string()),
            };
            note!(conn, actor, entry, now);
            Ok(Some(after))
        })
    }
}
