//! Pages of the superadmin's console, one struct each.

pub mod catalogue;
pub mod dashboard;
pub mod house;
pub mod prices;
pub mod supply;
pub mod tenants;
pub mod usage;
