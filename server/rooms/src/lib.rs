//! The rooms of the server: each holds the rules of one noun over the statements of the store. They speak
//! no protocol; edges and calls ask them.

pub mod accounts;
pub mod alerts;
pub mod auth;
pub mod browser_sessions;
pub mod catalogue;
pub mod end_users;
pub mod gateways;
pub mod health;
pub mod kept;
pub mod ledger;
pub mod limits;
pub mod money;
pub mod providers;
pub mod reports;
pub mod sessions;
pub mod settings;
pub mod studio;

pub use server_rules::routing;
