//! Pages of the superadmin's console, one struct each.

pub mod catalogue;
pub mod dashboard;
pub mod gateways;
pub mod model_lists;
pub mod platform;
pub mod prices;
pub mod providers;
pub mod tenants;
pub mod usage;
