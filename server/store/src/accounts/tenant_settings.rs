//! What a tenant's own people set for their tenant.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::keys::changes::Field;
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::schema::tenant_settings;

/// A tenant's own settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantSettings {
    /// Credits run low when less than this is left.
    pub alert_below: Option<Credits>,
    /// Whether owners and admins must use a second factor.
    pub require_second_factor: bool,
    /// For how many days answers are kept that callers may fetch again; nothing is kept where it is absent.
    pub keep_days: Option<u32>,
    /// For how many days what people do in the studio is kept, 0 for not at all; where it is absent the
    /// product's own number counts.
    pub studio_days: Option<u32>,
}

/// A change of them; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TenantSettingsPatch {
    /// Another bound.
    pub alert_below: Field<Credits>,
    /// Another rule.
    pub require_second_factor: Option<bool>,
    /// Another number of days.
    pub keep_days: Field<u32>,
    /// Another number of days for the studio.
    pub studio_days: Field<u32>,
}

impl TenantSettings {
    fn patched(self, patch: &TenantSettingsPatch) -> Self {
        Self {
            alert_below: patch.alert_below.clone().over(self.alert_below),
            require_second_factor: patch
                .require_second_factor
                .unwrap_or(self.require_second_factor),
            keep_days: patch.keep_days.clone().over(self.keep_days),
            studio_days: patch.studio_days.clone().over(self.studio_days),
        }
    }

    fn shown(self) -> String {
        let mut shown = json!({
            "alert_below": self.alert_below.map(|credits| credits.to_string()),
            "require_second_factor": self.require_second_factor,
        });
        // What few tenants have is told where it is there.
        if let Some(days) = self.keep_days {
            shown["keep_days"] = json!(days);
        }
        if let Some(days) = self.studio_days {
            shown["studio_days"] = json!(days);
        }
        shown.to_string()
    }
}

#[derive(Debug, Clone, Queryable)]
struct TenantSettingsRow {
    alert_below_micros: Option<i64>,
    require_second_factor: bool,
    keep_days: Option<i64>,
    studio_days: Option<i64>,
}

impl From<TenantSettingsRow> for TenantSettings {
    fn from(row: TenantSettingsRow) -> Self {
        Self {
            alert_below: row.alert_below_micros.map(Credits::from_micros),
            require_second_factor: row.require_second_factor,
            // A number that is none keeps nothing.
            keep_days: row.keep_days.and_then(|days| u32::try_from(days).ok()),
            studio_days: row.studio_days.map(|days| u32::try_from(days).unwrap_or(0)),
        }
    }
}

/// The settings of a tenant on one connection.
macro_rules! own {
    ($conn:expr, $tenant:expr) => {
        tenant_settings::table
            .find($tenant.as_str())
            .select((
                tenant_settings::alert_below_micros,
                tenant_settings::require_second_factor,
                tenant_settings::keep_days,
                tenant_settings::studio_days,
            ))
            .first::<TenantSettingsRow>($conn)
            .await
            .optional()
    };
}

impl Store {
    /// A tenant's own settings.
    pub async fn tenant_settings(&self, tenant: &TenantId) -> Result<TenantSettings, DbError> {
        let row: Option<TenantSettingsRow> = on!(self.db, |conn| own!(conn, tenant))?;
        Ok(row.map(TenantSettings::from).unwrap_or_default())
    }

    /// Changes a tenant's own settings.
    pub async fn put_tenant_settings(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        patch: &TenantSettingsPatch,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            // Principals say whether answers are kept. First, because the lock inside makes changes wait.
            announce!(conn, format!("{TENANT}{tenant}"), now);
            let row: Option<TenantSettingsRow> = own!(conn, tenant)?;
            let before = row.map(TenantSettings::from).unwrap_or_default();
            let after = before.patched(patch);
            let values = (
                tenant_settings::alert_below_micros.eq(after.alert_below.map(Credits::micros)),
                tenant_settings::require_second_factor.eq(after.require_second_factor),
                tenant_settings::keep_days.eq(after.keep_days.map(i64::from)),
                tenant_settings::studio_days.eq(after.studio_days.map(i64::from)),
                tenant_settings::updated_at.eq(now.unix_ms()),
            );
            diesel::insert_into(tenant_settings::table)
                .values((tenant_settings::tenant_id.eq(tenant.as_str()), values))
                .on_conflict(tenant_settings::tenant_id)
                .do_update()
                .set(values)
                .execute(conn)
                .await?;
            let entry = Note {
                tenant: Some(tenant.as_str()),
                action: "tenant.settings",
                subject: tenant.as_str(),
                before: Some(before.shown()),
                after: Some(after.shown()),
            };
            note!(conn, actor, entry, now);
            Ok(())
        })
    }
}
