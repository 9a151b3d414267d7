//! The gateway's two doors: over HTTP, and inside one process. Both lead to the same generations.

mod body;
mod gather;
pub(crate) mod http;
mod local;
pub(crate) mod parcel;

pub(crate) use self::local::{INSIDE, Local};
