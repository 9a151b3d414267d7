//! The server's end of the border link: gateways over HTTP. The all-in-one hands in the gateway
//! of its own process instead.

mod admin;
mod answers;
mod events;
mod fleet;
pub mod http;
mod legs;
pub mod metrics;
mod nodes;
mod parcel;
mod race;
mod settings;
mod strand;
mod transport;
mod weather;
