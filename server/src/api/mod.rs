//! The HTTP face: one table of routes and the OpenAPI document. Holds no rule.

pub mod admin;
pub mod date;
pub mod error;
// pub mod infer;
pub mod manage;
