//! Management endpoints of superadmins: what they share.

pub mod audit;
pub mod balances;
pub mod calls;
pub mod end_users;
pub mod export;
pub mod gateways;
pub mod keeping;
pub mod keys;
pub mod login;
pub mod model_lists;
pub mod models;
pub mod money;
pub mod price_file;
pub mod price_import;
pub mod prices;
pub mod provider_test;
pub mod providers;
pub mod rates;
pub mod recharge;
pub mod reprice;
pub mod route_check;
pub mod routes;
pub mod settings;
pub mod superadmins;
pub mod tenants;
pub mod usage;
pub mod users;

use poem_openapi::Object;
use server_rooms::accounts::AccountError;
use server_rooms::limits::LimitSettings;
use shared::id::TenantId;

use super::error::ApiError;

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound(what) => Self::not_found(what),
            AccountError::Taken(what) => {
                Self::conflict("already_exists", format!("This {what} is already in use."))
            }
            AccountError::Ended(what) => Self::conflict(
                "already_ended",
                format!("The {what} was revoked or has expired."),
            ),
            AccountError::OutOfReach => Self::forbidden(
                "scope_not_allowed",
                "Your key may not change a key that manages keys.",
            ),
            AccountError::Beyond(field) => Self::beyond(field),
            AccountError::LastOwner => Self::conflict(
                "last_owner",
                "At least one active owner is required; create another one first.",
            ),
            AccountError::Invalid { field, rule } => {
                Self::bad_field(field, format!("`{field}` must be {rule}."))
            }
            AccountError::Password(error) => {
                tracing::error!(%error, "a password could not be hashed: {error}");
                Self::internal()
            }
            AccountError::Store(error) => error.into(),
        }
    }
}

/// The tenant of a path; what is no id is no tenant.
pub fn tenant_of(text: &str) -> Result<TenantId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("tenant"))
}

/// Whether somebody may log in, by the `status` of a change; absent where it stays.
fn active(status: Option<&str>) -> Result<Option<bool>, ApiError> {
    match status {
        None => Ok(None),
        Some("active") => Ok(Some(true)),
        Some("disabled") => Ok(Some(false)),
        Some(_) => Err(ApiError::bad_field(
            "status",
            "`status` must be active or disabled.",
        )),
    }
}

/// Limits; absent means none.
#[derive(Debug, Clone, Copy, Object)]
#[oai(deny_unknown_fields)]
pub struct LimitsBody {
    /// Calls a minute.
    pub requests_per_minute: Option<u32>,
    /// Input and output tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Calls at the same time.
    pub concurrency: Option<u32>,
}

impl From<LimitsBody> for LimitSettings {
    fn from(body: LimitsBody) -> Self {
        Self {
            requests_per_minute: body.requests_per_minute,
            tokens_per_minute: body.tokens_per_minute,
            concurrency: body.concurrency,
        }
    }
}

impl From<LimitSettings> for LimitsBody {
    fn from(limits: LimitSettings) -> Self {
        Self {
            requests_per_minute: limits.requests_per_minute,
            tokens_per_minute: limits.tokens_per_minute,
            concurrency: limits.concurrency,
        }
    }
}
