//! The gateway's two doors: over HTTP, and inside one process. Both lead to the same generations.

mod body;
pub(crate) mod body_decoder;
mod coalesce;
pub(crate) mod http;
mod local;

pub(crate) use self::local::{INSIDE, Local};
