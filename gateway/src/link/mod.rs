//! The gateway's two doors: over HTTP, and inside one process. Both lead to the same generations.

mod admin;
mod body;
pub(crate) mod body_decoder;
mod coalesce;
pub(crate) mod http;
mod local;

pub(crate) use self::local::{INSIDE, Local};

use shared::id::BootId;
use shared::link::Alive;

/// What a gateway of this boot says of itself.
fn alive(boot: &BootId) -> Alive {
    Alive {
        boot: boot.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
