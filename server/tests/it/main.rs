//! One binary of integration tests: each runs on SQLite and on PostgreSQL.

mod catalogue;
mod fences;
mod ledger;
mod migrations;
mod support;
