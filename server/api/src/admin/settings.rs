//! Settings of the platform that programs set: where its days begin, and when end users are suspended. The rest
//! is the console's.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::settings::{Calendar, EndUserPolicy, Settings, SettingsError};

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

/// When an end user of a tenant has sent too much that providers refuse.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct EndUserPolicyBody {
    /// Refused prompts of one end user within an hour, counted by each server, after which they are suspended for a
    /// while; 0 for never. Only those that tenants name are counted.
    #[oai(validator(maximum(value = "10000")))]
    pub flagged_prompts: u32,
    /// Hours for which they are suspended.
    #[oai(validator(minimum(value = "1"), maximum(value = "720")))]
    pub suspended_hours: u32,
}

impl From<EndUserPolicy> for EndUserPolicyBody {
    fn from(policy: EndUserPolicy) -> Self {
        Self {
            flagged_prompts: policy.flagged_prompts,
            suspended_hours: policy.suspended_hours,
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
    /// Show the time zone
    #[oai(
        path = "/settings/calendar",
        method = "get",
        operation_id = "admin_get_calendar"
    )]
    async fn get(&self, _caller: SuperadminCaller) -> Result<Json<CalendarBody>, ApiError> {
        let calendar: Calendar = self.settings.get().await?;
        Ok(Json(calendar.into()))
    }

    /// Set the time zone
    ///
    /// Days and months of budgets start in it, for tenants without their own time zone. A period that has
    /// begun continues to its end.
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

    /// Show when end users are suspended
    #[oai(
        path = "/settings/end-users",
        method = "get",
        operation_id = "admin_get_end_user_policy"
    )]
    async fn get_end_users(
        &self,
        _caller: SuperadminCaller,
    ) -> Result<Json<EndUserPolicyBody>, ApiError> {
        let policy: EndUserPolicy = self.settings.get().await?;
        Ok(Json(policy.into()))
    }

    /// Set when end users are suspended
    ///
    /// An end user whom a provider refuses is suspended regardless of this.
    #[oai(
        path = "/settings/end-users",
        method = "put",
        operation_id = "admin_put_end_user_policy"
    )]
    async fn put_end_users(
        &self,
        caller: SuperadminCaller<kind::EditSettings>,
        body: Json<EndUserPolicyBody>,
    ) -> Result<Json<EndUserPolicyBody>, ApiError> {
        let policy = EndUserPolicy {
            flagged_prompts: body.0.flagged_prompts,
            suspended_hours: body.0.suspended_hours,
        };
        self.settings.put(&caller.actor(), &policy).await?;
        Ok(Json(policy.into()))
    }
}
