//! Answers without a failure that are not a plain 200.

use poem_openapi::ApiResponse;
use poem_openapi::payload::Json;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};

/// Something was made.
#[derive(Debug, Clone, ApiResponse)]
pub enum Created<T: Type + ParseFromJSON + ToJSON + Send + Sync> {
    /// What was made.
    #[oai(status = 201)]
    Made(Json<T>),
}

/// Something is gone.
#[derive(Debug, Clone, ApiResponse)]
pub enum Deleted {
    /// It is gone.
    #[oai(status = 204)]
    Done,
}
