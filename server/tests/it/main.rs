//! One binary of integration tests: each runs on SQLite and on PostgreSQL.

mod catalogue;
mod fences;
mod identity;
mod ledger;
mod migrations;
mod support;
