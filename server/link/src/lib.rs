//! The server's end of the border link: gateways over HTTP. The all-in-one hands in the gateway
//! of its own process instead.

mod admin;
mod answers;
mod attachment;
mod encoded_body;
mod events;
mod fleet;
mod hedge;
pub mod http;
pub mod metrics;
mod nodes;
mod path_quality;
mod resumable_body;
mod settings;
mod transport;
