//! Fields of requests that several routes read in the same way.

use server_edge::date::Date;

use crate::error::ApiError;

/// Reads a date or a moment.
pub(crate) fn date(field: &str, text: &str) -> Result<Date, ApiError> {
    text.parse()
        .map_err(|error| ApiError::bad_field(field, format!("`{field}`: {error}.")))
}
