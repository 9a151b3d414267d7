//! The gateway as servers see it: over its doors, with readers that leave, stand still and die, and
//! across lives of its own.

mod contract;
mod draining;
mod lives;
mod memory;
mod parting;
mod support;
mod together;
