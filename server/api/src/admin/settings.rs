//! Settings of the platform that programs set: where its days begin. The rest is the console's.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::settings::{Calendar, Settings, SettingsError};

use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Where the platform's days begin.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CalendarBody {
    /// The IANA name of a time zone, for example `Asia/Shanghai`.
    pub time_zone: String,
}

impl From<Calendar> for CalendarBody {
    fn from(calendar: Calendar) -> Self {
        Self {
            time_zone: calendar.zone().name().to_owned(),
        }
    }
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Invalid { field, rule } => {
                Self::bad_field(field, format!("`{field}` must be {rule}."))
            }
            SettingsError::Store(error) => error.into(),
        }
    }
}

/// Settings for the superadmin.
#[derive(Debug, Clone)]
pub struct SettingsApi {
    /// The room.
    pub settings: Settings,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Settings")]
impl SettingsApi {
    /// Show where days begin
    #[oai(
        path = "/settings/calendar",
        method = "get",
        operation_id = "admin_get_calendar"
    )]
    async fn get(&self, _caller: SuperadminCaller) -> Result<Json<CalendarBody>, ApiError> {
        let calendar: Calendar = self.settings.get().await?;
        Ok(Json(calendar.into()))
    }

    /// Set where days begin
    ///
    /// Days and months of budgets begin there for tenants without a time zone of their own. A period
    /// that runs goes on to its end.
    #[oai(
        path = "/settings/calendar",
        method = "put",
        operation_id = "admin_put_calendar"
    )]
    async fn put(
        &self,
        caller: SuperadminCaller<kind::EditSettings>,
        body: Json<CalendarBody>,
    ) -> Result<Json<CalendarBody>, ApiError> {
        let calendar = Calendar {
            time_zone: body.0.time_zone.trim().to_owned(),
        };
        self.settings.put(&caller.actor(), &calendar).await?;
        Ok(Json(calendar.into()))
    }
}
