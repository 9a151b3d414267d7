//! bin `waule-server`.
fn main() {}
