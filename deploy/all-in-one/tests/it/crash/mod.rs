//! What dies takes no money along and invents none: processes killed without warning under load.

#[path = "../../cases/scenes/cluster.rs"]
mod cluster;
mod detached;
mod effects;
mod kill;
mod points;
mod postgres;
mod process;
