//! One binary of integration tests: each runs on SQLite and on PostgreSQL.

mod ledger;
mod support;
