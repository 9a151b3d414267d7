//! One binary of integration tests: each runs on SQLite and on PostgreSQL.

mod fences;
mod ledger;
mod migrations;
mod support;
