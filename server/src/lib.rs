//! The server at home: tenants, identity, catalogue, exact credits, and the OpenAI-compatible API.
//! `app` puts it together; edges (`api`, `link`) speak protocols, rooms hold rules, `store` holds SQL.

pub mod accounts;
pub mod api;
pub mod app;
pub mod auth;
pub mod calls;
pub mod catalogue;
pub mod command;
pub mod config;
pub mod corrections;
pub mod doors;
pub mod figures;
pub mod front;
pub mod gateways;
pub mod ledger;
pub mod limits;
pub mod pages;
pub mod program;
pub mod providers;
pub mod recharge;
pub mod seed;
pub mod settings;
pub mod store;
pub mod sweep;
pub mod usage;
pub mod vitals;
pub mod web;
pub mod zones;

pub use server_link as link;
