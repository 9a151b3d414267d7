//! What dies takes no money along and invents none: processes killed without warning under load.

mod effects;
mod kill;
mod points;
mod postgres;
mod process;
