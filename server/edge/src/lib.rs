//! What both edges, API and pages, stand on: what requests pass first, answers as gzip, dates as text,
//! lists as files.
//! Holds no route, and knows no account.

pub mod compressed;
pub mod csv;
pub mod date;
pub mod doors;
pub mod export;
