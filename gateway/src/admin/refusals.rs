//! Why an operator's change is refused, as they are told it.

use shared::db::DbError;
use shared::link::rules::Broken;
use shared::link::{AdminError, InvalidField};
use tracing::error;

pub(super) fn invalid(field: &str, rule: impl ToString) -> AdminError {
    AdminError::Invalid(InvalidField {
        field: field.to_owned(),
        rule: rule.to_string(),
    })
}

/// No field is to blame.
pub(super) fn refused(sentence: impl Into<String>) -> AdminError {
    AdminError::Invalid(InvalidField {
        field: String::new(),
        rule: sentence.into(),
    })
}

/// A rule as the answer to whoever broke it with `field`.
pub(super) fn checked<T>(field: &str, outcome: Result<T, Broken>) -> Result<T, AdminError> {
    outcome.map_err(|broken| invalid(field, broken))
}

/// Of a change: whether there was what it is of.
pub(super) fn found(is_there: bool) -> Result<(), AdminError> {
    is_there.then_some(()).ok_or(AdminError::NotFound)
}

/// The log gets the reason, the operator a word.
pub(super) fn failed(error: DbError) -> AdminError {
    match error {
        DbError::Duplicate(_) => AdminError::Duplicate,
        DbError::UnknownScheme
        | DbError::Unreachable(_)
        | DbError::Damaged(_)
        | DbError::Statement(_)
        | DbError::Later(_)
        | DbError::Migration(_) => {
            error!(%error, "a statement failed: {error}");
            AdminError::Internal
        }
    }
}
