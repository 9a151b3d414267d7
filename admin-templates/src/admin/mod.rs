//! Pages of the superadmin's console, one struct each.

pub mod alerts;
pub mod balances;
pub mod catalogue;
pub mod dashboard;
pub mod gateways;
pub mod model_lists;
pub mod platform;
pub mod price_import;
pub mod prices;
pub mod provider_import;
pub mod provider_keys;
pub mod providers;
pub mod route_check;
pub mod start;
pub mod tenants;
pub mod usage;
