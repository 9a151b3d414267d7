//! Tenants as they are sent and shown.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::accounts::Tenant;

use super::super::LimitsBody;

/// A tenant to be made; with `username` and `password` also its owner.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct NewTenantBody {
    /// Its name, unique.
    pub name: String,
    /// Its owner's name.
    pub username: Option<String>,
    /// Its owner's password.
    pub password: Option<String>,
}

/// A change of a tenant; what is absent stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct TenantPatchBody {
    /// A new name.
    pub name: Option<String>,
    /// `active` or `suspended`.
    pub status: Option<String>,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: Option<i64>,
    /// All three limits anew.
    pub limits: Option<LimitsBody>,
    /// The models it may use; an empty list lets it use all.
    pub allowed_models: Option<Vec<String>>,
    /// Where its days begin: the IANA name of a time zone, for example `Asia/Shanghai`; empty for the
    /// platform's. A budget's period that runs goes on to its end.
    pub time_zone: Option<String>,
    /// `true` deletes it: it is suspended at once and goes away when the days of grace are over;
    /// `false` restores it.
    pub deleted: Option<bool>,
    /// Why, for the audit log; at most 500 bytes.
    pub reason: Option<String>,
}

/// A tenant.
#[derive(Debug, Clone, Object)]
pub struct TenantView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: i64,
    /// Over all its keys and people.
    pub limits: LimitsBody,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where its days begin, by the IANA name of the time zone; absent for the platform's.
    pub time_zone: Option<String>,
    /// When it goes away for good, in RFC 3339, where it was deleted.
    pub delete_at: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.into_string(),
            name: tenant.name,
            status: tenant.status.word().to_owned(),
            price_multiplier_ppm: tenant.price_multiplier_ppm,
            limits: tenant.limits.into(),
            allowed_models: tenant.allowed_models,
            time_zone: tenant.zone.map(|zone| zone.name().to_owned()),
            delete_at: tenant.delete_at.map(date::text),
            created_at: date::text(tenant.created_at),
        }
    }
}

/// A new tenant with its first key.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct NewTenantView {
    /// The tenant.
    pub tenant: TenantView,
    /// Its first key, shown this once.
    pub key: String,
}
