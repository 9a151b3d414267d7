//! The gateway as servers see it: over its doors, with readers that leave, stand still and die, and
//! across lives of its own.

#![expect(clippy::too_many_lines, reason = "a test tells its story in one piece")]

mod draining;
mod lives;
mod memory;
mod parting;
mod support;
