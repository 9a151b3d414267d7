//! bin `waule-gateway`: the gateway without a server in the program. Waule is installed as the one
//! program `waule`; this one is for the gateway's own tests, which kill it.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: shared::process::Allocator = shared::process::ALLOCATOR;

fn main() -> ExitCode {
    gateway::program::run(std::env::args_os().collect())
}
