//! The server at home: tenants, identity, catalogue, exact credits, and the OpenAI-compatible API.
//! `app` puts it together; edges (`api`, `link`) speak protocols, rooms hold rules, `store` holds SQL.

pub mod app;
pub mod command;
pub mod config;
pub mod front;
pub mod program;
pub mod seed;

pub use server_api as api;
pub use server_calls as calls;
pub use server_link as link;
pub use server_pages as pages;
pub use server_rooms::{
    accounts, alerts, auth, browser_sessions, catalogue, end_users, gateways, health, kept, ledger,
    limits, money, providers, reports, sessions, settings, studio,
};
pub use server_store as store;
