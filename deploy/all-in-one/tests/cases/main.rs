//! What users of comparable products reported, as tests that begin with the case's id, their
//! variations, and the scenes in which processes, databases and links fail.

#![expect(clippy::too_many_lines, reason = "a test tells its story in one piece")]

mod admin;
mod case;
mod clients;
mod errors;
mod fake;
mod reading;
mod requests;
mod scenes;
mod streams;
#[expect(dead_code, reason = "the other test target uses the rest")]
#[path = "../it/support/mod.rs"]
mod support;
mod varied;
mod wholes;
mod world;
