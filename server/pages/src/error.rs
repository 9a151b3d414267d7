//! What a person sees when there is no page: the facts of rooms as statuses and kinds of error
//! pages. The words are the template's.

use std::str::FromStr;

use admin_templates::labels::ErrorKind;
use poem::error::ResponseError;
use poem::http::StatusCode;
use server_rooms::accounts::AccountError;
use server_rooms::auth::factors::FactorError;
use server_rooms::browser_sessions::BrowserError;
use server_rooms::sessions::SessionError;
use server_rooms::settings::SettingsError;
use shared::db::DbError;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// There is nothing, or nothing this person may see.
    #[error("not found")]
    NotFound,
    /// The person's role does not reach that far.
    #[error("forbidden")]
    Forbidden,
    /// A superadmin looks at a portal as somebody else, and this is not to be seen or done so.
    #[error("looking only")]
    LookingOnly,
    /// The form's token is missing, old or not theirs, or it came from elsewhere.
    #[error("form expired")]
    FormExpired,
    /// The form is larger than any of ours.
    #[error("form too large")]
    TooLarge,
    /// A text has a NUL or is no UTF-8.
    #[error("a text that can't be kept")]
    OddText,
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// Seconds until another makes sense.
        seconds: u64,
    },
    /// A fault of ours, logged where it was found.
    #[error("internal")]
    Internal,
    /// A part of the platform does not answer.
    #[error("unavailable")]
    Unavailable,
    /// They are to go elsewhere first.
    #[error("go to {0}")]
    GoTo(String),
}

/// What a handler of a page answers.
pub type PageResult = Result<poem::Response, PageError>;

/// An id or a place in a list out of an address; what is none leads nowhere.
pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

impl PageError {
    /// When another attempt makes sense.
    pub(super) fn retry_after(&self) -> Option<u64> {
        if let Self::TooMany { seconds } = self {
            Some(*seconds)
        } else {
            None
        }
    }

    /// The kind of error page.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound | Self::OddText => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::LookingOnly => ErrorKind::LookingOnly,
            Self::GoTo(_) | Self::FormExpired | Self::TooLarge => ErrorKind::FormExpired,
            Self::TooMany { .. } => ErrorKind::TooMany,
            Self::Internal => ErrorKind::Internal,
            Self::Unavailable => ErrorKind::Unavailable,
        }
    }

    /// From a failure that poem itself found: unknown paths, wrong methods, odd parameters.
    pub fn from_poem(error: &poem::Error) -> Self {
        if let Some(own) = error.downcast_ref::<Self>() {
            return own.clone();
        }
        match error.status().as_u16() {
            413 => Self::TooLarge,
            503 => Self::Unavailable,
            500.. => {
                tracing::error!(%error, "a page failed: {error}");
                Self::Internal
            }
            _ => Self::NotFound,
        }
    }
}

impl ResponseError for PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::OddText => StatusCode::BAD_REQUEST,
            Self::Forbidden | Self::LookingOnly | Self::FormExpired => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::GoTo(_) => StatusCode::SEE_OTHER,
        }
    }
}

/// A database that does not answer is told apart from a bug; both are logged here, once.
impl From<DbError> for PageError {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "a statement failed: {error}");
        match error {
            DbError::Unreachable(_) => Self::Unavailable,
            DbError::UnknownScheme
            | DbError::Duplicate(_)
            | DbError::Damaged(_)
            | DbError::Statement(_)
            | DbError::Later(_)
            | DbError::Migration(_) => Self::Internal,
        }
    }
}

/// What a form shows beside its fields is handled before; the rest has no page.
impl From<AccountError> for PageError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound(_) | AccountError::Ended(_) => Self::NotFound,
            AccountError::OutOfReach | AccountError::Beyond(_) => Self::Forbidden,
            AccountError::Store(error) => error.into(),
            error @ (AccountError::Taken(_)
            | AccountError::LastOwner
            | AccountError::Invalid { .. }
            | AccountError::Password(_)) => {
                tracing::error!(%error, "a change of an account failed: {error}");
                Self::Internal
            }
        }
    }
}

impl From<SessionError> for PageError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid
            | SessionError::CodeMissing
            | SessionError::PasswordGiven
            | SessionError::FactorMissing
            | SessionError::OtherStep
            | SessionError::SamePassword => Self::Forbidden,
            SessionError::Account(error) => error.into(),
            SessionError::TooMany { retry_after } => Self::TooMany {
                seconds: u64::try_from(retry_after.as_millis().div_ceil(1_000)).unwrap_or(1),
            },
            SessionError::Store(error) => error.into(),
            error @ (SessionError::Password(_) | SessionError::Sealed(_)) => {
                tracing::error!(%error, "a login could not be checked: {error}");
                Self::Internal
            }
        }
    }
}

impl From<FactorError> for PageError {
    fn from(error: FactorError) -> Self {
        SessionError::from(error).into()
    }
}

impl From<BrowserError> for PageError {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Login(error) => error.into(),
            BrowserError::Factor(error) => error.into(),
            BrowserError::Account(error) => error.into(),
            BrowserError::OtherStep | BrowserError::SamePassword => Self::NotFound,
            BrowserError::Store(error) => error.into(),
        }
    }
}

impl From<SettingsError> for PageError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Invalid { .. } => Self::NotFound,
            SettingsError::Store(error) => error.into(),
        }
    }
}
