//! What dies takes no money along and invents none: processes killed without warning under load.

mod kill;
mod process;
