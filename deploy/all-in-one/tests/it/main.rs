//! The whole product over HTTP, in one process or joined by the link, on SQLite and on PostgreSQL.

mod bad_input;
mod calls;
mod gateways;
mod money;
mod replicas;
mod starts;
mod support;
