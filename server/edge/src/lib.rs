//! What both edges, API and pages, stand on: what requests pass first, dates as text, lists as files.
//! Holds no route, and knows no account.

pub mod csv;
pub mod date;
pub mod doors;
pub mod export;
