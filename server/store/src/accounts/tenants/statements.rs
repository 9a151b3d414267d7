//! The statements over tenants: each change is one transaction, with its entry and its
//! announcement.

use std::collections::HashMap;

use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl,
    TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use shared::clock::Moment;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::super::keys::add_key;
use super::super::users::add_user;
use super::super::{exactly_first, named};
use super::{Founding, Tenant, TenantPatch, TenantRow, limit_columns, models_column, zone_column};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::ledger::open_account;
use crate::part::{Part, newest_first};
use crate::schema::tenants;

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
