//! What an export may be narrowed to, as addresses say it. The files are made in `server_edge`.

use server_rooms::reports::{ReportsError, UsageFilter, UsageStatus};
use shared::link::Operation;
use shared::zone::Zone;

use super::error::ApiError;
use super::manage::usage::period;

impl From<ReportsError> for ApiError {
    fn from(error: ReportsError) -> Self {
        match error {
            ReportsError::Cursor(_) => {
                Self::bad_field("after", "`after` must be the `next` of a page.")
            }
            ReportsError::NoSuchTenant => Self::not_found("tenant"),
            ReportsError::Busy => {
                Self::unavailable("Another price preview is running; try again.", 10)
            }
            ReportsError::Ledger(error) => error.into(),
            ReportsError::Store(error) => error.into(),
        }
    }
}

/// What an export of usage may be narrowed to, as it is written in an address.
#[derive(Debug, Clone, Default)]
pub struct UsageExportQuery {
    /// The first day or moment.
    pub start: Option<String>,
    /// The last day, which is included, or moment.
    pub end: Option<String>,
    /// A model's name.
    pub model: Option<String>,
    /// A key's id.
    pub key: Option<String>,
    /// A person's id.
    pub user: Option<String>,
    /// `succeeded`, `failed` or `canceled`.
    pub status: Option<String>,
    /// `chat`, `embedding` or `image`.
    pub operation: Option<String>,
}

/// A word that must be one of a few.
fn word<T>(
    field: &str,
    text: Option<String>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let text = text.filter(|text| !text.is_empty());
    let wrong = || ApiError::bad_field(field, format!("`{field}` is not one that there is."));
    text.map(|text| read(&text).ok_or_else(wrong)).transpose()
}

impl UsageExportQuery {
    /// As the room takes it, its days being those of a zone; the tenant is put in by the caller.
    pub fn filter(self, zone: &Zone) -> Result<UsageFilter, ApiError> {
        Ok(UsageFilter {
            period: period((self.start.as_deref(), self.end.as_deref()), zone)?,
            key: word("key", self.key, |text| text.parse().ok())?,
            user: word("user", self.user, |text| text.parse().ok())?,
            status: word("status", self.status, UsageStatus::from_word)?,
            operation: word("operation", self.operation, Operation::from_word)?,
            model: self.model.filter(|model| !model.is_empty()),
            ..UsageFilter::default()
        })
    }
}
