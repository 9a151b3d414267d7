//! One binary of integration tests: each runs on SQLite and on PostgreSQL.

#![expect(clippy::too_many_lines, reason = "a test tells its story in one piece")]

mod alerts;
mod budget_zones;
mod catalogue;
mod docs;
mod fences;
mod identity;
mod ledger;
mod ledger_commit;
mod ledger_model;
mod ledger_together;
mod migrations;
mod outlive;
mod pages;
mod reports;
mod support;
