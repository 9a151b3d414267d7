//! What server and gateway must agree on: ids, money, units, faults, secrets, the link's contract,
//! and the plumbing both start with. What only one side uses does not belong here.

pub mod answer_model;
pub mod away;
pub mod calendar;
pub mod clock;
pub mod config;
pub mod credits;
pub mod db;
pub mod dialect;
pub mod fault;
pub mod files;
pub mod fold;
pub mod host;
pub mod id;
pub mod json;
pub mod link;
pub mod listen;
pub mod process;
pub mod seal;
pub mod secret;
pub mod socket;
pub mod sse;
pub mod supervisor;
pub mod surface;
pub mod telemetry;
pub mod tls;
pub mod units;
pub mod zone;
