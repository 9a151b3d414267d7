//! What a client reads when something goes wrong: the OpenAI error object and its statuses.
//! The only place that names a status for a failure; rooms name facts.

use bytes::Bytes;
use poem::Response;
use poem::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use poem::http::{HeaderValue, StatusCode};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};
use serde::Deserialize;
use server_rooms::accounts::Scope;
use server_rooms::catalogue::CatalogueError;
use server_rooms::ledger::{AdjustError, GrantError, LedgerError};
use server_rooms::money::corrections::CorrectionError;
use server_rooms::money::recharge::RechargeError;
use server_rooms::providers::ProviderError;

use shared::dialect::{Dialect, ErrorText};
use shared::link::AdminError;

/// OpenAI's error envelope (API reference, "Errors").
#[derive(Debug, Clone, Object, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorObject,
}

/// OpenAI's error object.
#[derive(Debug, Clone, Object, Deserialize)]
pub struct ErrorObject {
    /// What is wrong and what to do about it.
    pub message: String,
    /// The class of errors it belongs to.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The field that is wrong, where there is one.
    pub param: Option<String>,
    /// A stable word for programs.
    pub code: Option<String>,
}

impl ErrorObject {
    fn text(&self, status: StatusCode) -> ErrorText<'_> {
        ErrorText {
            status: status.as_u16(),
            kind: &self.kind,
            code: self.code.as_deref(),
            param: self.param.as_deref(),
            message: &self.message,
        }
    }
}

/// Every failure of `/api/v1` and `/admin/api`.
#[derive(Debug, Clone, ApiResponse)]
pub enum ApiError {
    /// The request is wrong; the message says what.
    #[oai(status = 400)]
    BadRequest(Json<ErrorBody>),
    /// The key, token or password is missing or wrong.
    #[oai(status = 401)]
    Unauthorized(Json<ErrorBody>),
    /// The credits do not cover the call.
    #[oai(status = 402)]
    PaymentRequired(Json<ErrorBody>),
    /// The key or role does not allow it.
    #[oai(status = 403)]
    Forbidden(Json<ErrorBody>),
    /// There is no such thing, or it belongs to somebody else.
    #[oai(status = 404)]
    NotFound(Json<ErrorBody>),
    /// The path knows other methods only.
    #[oai(status = 405)]
    MethodNotAllowed(Json<ErrorBody>),
    /// The request body did not arrive in time.
    #[oai(status = 408)]
    RequestTimeout(Json<ErrorBody>),
    /// It contradicts what is there.
    #[oai(status = 409)]
    Conflict(Json<ErrorBody>),
    /// The body is too large.
    #[oai(status = 413)]
    PayloadTooLarge(Json<ErrorBody>),
    /// The content type is not understood.
    #[oai(status = 415)]
    UnsupportedMediaType(Json<ErrorBody>),
    /// The same idempotency key with another request.
    #[oai(status = 422)]
    Unprocessable(Json<ErrorBody>),
    /// Too many requests, tokens or attempts; `Retry-After` says when to come back.
    #[oai(status = 429)]
    TooManyRequests(
        Json<ErrorBody>,
        /// Seconds until a new attempt makes sense
        #[oai(header = "retry-after")]
        u64,
    ),
    /// A failure of ours; the request id leads to its reason in the log.
    #[oai(status = 500)]
    Internal(Json<ErrorBody>),
    /// The provider failed.
    #[oai(status = 502)]
    BadGateway(Json<ErrorBody>),
    /// Busy or not reachable just now; `Retry-After` says when to come back.
    #[oai(status = 503)]
    Unavailable(
        Json<ErrorBody>,
        /// Seconds until a new attempt makes sense
        #[oai(header = "retry-after")]
        u64,
    ),
    /// The provider did not answer in time.
    #[oai(status = 504)]
    GatewayTimeout(Json<ErrorBody>),
}

/// Marks an answer that has its surface's shape already.
#[derive(Debug, Clone, Copy)]
pub struct InDialect;

/// The words of one error; `kind` is OpenAI's `type`.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// OpenAI's `type`.
    pub kind: &'a str,
    /// OpenAI's `code`.
    pub code: &'a str,
    /// What is wrong and what to do about it.
    pub message: &'a str,
    /// The field that is wrong.
    pub param: Option<&'a str>,
}

impl Words<'_> {
    /// As a body.
    pub fn body(self) -> Json<ErrorBody> {
        Json(ErrorBody {
            error: ErrorObject {
                message: self.message.to_owned(),
                kind: self.kind.to_owned(),
                param: self.param.map(str::to_owned),
                code: Some(self.code.to_owned()),
            },
        })
    }
}

pub(super) const INVALID: &str = "invalid_request_error";

pub(super) fn words(kind: &str, code: &str, message: &str) -> Json<ErrorBody> {
    Words {
        kind,
        code,
        message,
        param: None,
    }
    .body()
}

impl ApiError {
    /// 400 about the whole request.
    pub fn bad_request(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::BadRequest(words(INVALID, code, message.as_ref()))
    }

    /// 400 for a text that can't be kept.
    pub fn odd_text() -> Self {
        Self::bad_request(
            "invalid_text",
            "A text has a NUL character or is not valid UTF-8.",
        )
    }

    /// 400 about one field.
    pub fn bad_field(param: &str, message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        Self::BadRequest(
            Words {
                kind: INVALID,
                code: "invalid_value",
                message,
                param: Some(param),
            }
            .body(),
        )
    }

    /// The one 401 for a wrong key, user, password or token.
    pub fn unauthorized() -> Self {
        let message = "The key, token or password is missing or not valid. Send `Authorization: Bearer wk_live_…`.";
        Self::Unauthorized(words("authentication_error", "invalid_api_key", message))
    }

    /// 401 for a login whose password is right and whose second factor is missing.
    pub fn code_missing() -> Self {
        let message = "Two-factor sign-in is on: send `code` from the app, or a recovery code.";
        Self::Unauthorized(words(
            "authentication_error",
            "second_factor_required",
            message,
        ))
    }

    /// 403.
    pub fn forbidden(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::Forbidden(words("permission_error", code, message.as_ref()))
    }

    /// 403 for a key that may not do this.
    pub fn scope_missing(scope: Scope) -> Self {
        let message = format!("Your key does not have the scope `{}`.", scope.word());
        Self::forbidden("scope_not_allowed", message)
    }

    /// 403 for a key that gives or takes more than it has.
    pub fn beyond(field: &'static str) -> Self {
        let message = format!(
            "A key can't grant more than it has, nor change a key that has more: `{field}`."
        );
        Self::Forbidden(
            Words {
                kind: "permission_error",
                code: "beyond_your_key",
                message: &message,
                param: Some(field),
            }
            .body(),
        )
    }

    /// 404 for what is not there or belongs to somebody else.
    pub fn not_found(what: &str) -> Self {
        Self::NotFound(words(INVALID, "not_found", &format!("No such {what}.")))
    }

    /// 404 for what is not kept, in OpenAI's words.
    pub fn not_kept(message: &str, param: Option<&'static str>) -> Self {
        let words = Words {
            kind: INVALID,
            code: "not_found",
            message,
            param,
        };
        Self::NotFound(words.body())
    }

    /// 400 for an answer before that is not kept, with OpenAI's code.
    pub fn no_previous(message: &str) -> Self {
        let words = Words {
            kind: INVALID,
            code: "previous_response_not_found",
            message,
            param: Some("previous_response_id"),
        };
        Self::BadRequest(words.body())
    }

    /// 404 for an item that is not kept, without a code as OpenAI says it.
    pub fn no_item(message: &str) -> Self {
        Self::NotFound(Json(ErrorBody {
            error: ErrorObject {
                message: message.to_owned(),
                kind: INVALID.to_owned(),
                param: Some("input".to_owned()),
                code: None,
            },
        }))
    }

    /// Its code and its message, for answers that tell of it later.
    pub fn told(&self) -> (Option<&str>, &str) {
        let (_, error, _) = self.parts();
        (error.code.as_deref(), &error.message)
    }

    /// 404 for a path that no route has.
    pub fn no_path() -> Self {
        let message = "No such path. GET /api/docs lists all of them.";
        Self::NotFound(words(INVALID, "not_found", message))
    }

    /// 409.
    pub fn conflict(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::Conflict(words(INVALID, code, message.as_ref()))
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::MethodNotAllowed(words(
            INVALID,
            "method_not_allowed",
            "This path does not support this method.",
        ))
    }

    /// 408.
    pub fn request_timeout() -> Self {
        Self::RequestTimeout(words(
            INVALID,
            "request_timeout",
            "The request body did not arrive in time.",
        ))
    }

    /// 413 with the bound.
    pub fn too_large(bytes_max: usize) -> Self {
        let message = format!("The body is larger than {bytes_max} bytes.");
        Self::PayloadTooLarge(words(INVALID, "request_too_large", &message))
    }

    /// 415 for a `Content-Encoding`.
    pub fn unknown_encoding() -> Self {
        let message = "This Content-Encoding is not supported; send gzip, deflate, zstd or none.";
        Self::UnsupportedMediaType(words(INVALID, "unsupported_content_encoding", message))
    }

    /// 422.
    pub fn unprocessable(code: &'static str, message: impl AsRef<str>) -> Self {
        Self::Unprocessable(words(INVALID, code, message.as_ref()))
    }

    /// 429 with a code of its own.
    pub fn too_many(
        code: &'static str,
        message: impl AsRef<str>,
        retry_after_seconds: u64,
    ) -> Self {
        Self::TooManyRequests(
            words("rate_limit_error", code, message.as_ref()),
            retry_after_seconds,
        )
    }

    /// 500; whoever calls this has logged the reason.
    pub fn internal() -> Self {
        let message =
            "Internal error. Contact support and quote the x-request-id of this response.";
        Self::Internal(words("server_error", "internal_error", message))
    }

    /// 503.
    pub fn unavailable(message: impl AsRef<str>, retry_after_seconds: u64) -> Self {
        Self::Unavailable(
            words("server_error", "unavailable", message.as_ref()),
            retry_after_seconds,
        )
    }

    /// 502.
    pub fn bad_gateway(code: &'static str, message: &str) -> Self {
        Self::BadGateway(words("server_error", code, message))
    }

    /// Status and words, and after how many seconds a new attempt makes sense.
    fn parts(&self) -> (StatusCode, &ErrorObject, Option<u64>) {
        let (status, body, wait) = match self {
            Self::BadRequest(body) => (StatusCode::BAD_REQUEST, body, None),
            Self::Unauthorized(body) => (StatusCode::UNAUTHORIZED, body, None),
            Self::PaymentRequired(body) => (StatusCode::PAYMENT_REQUIRED, body, None),
            Self::Forbidden(body) => (StatusCode::FORBIDDEN, body, None),
            Self::NotFound(body) => (StatusCode::NOT_FOUND, body, None),
            Self::MethodNotAllowed(body) => (StatusCode::METHOD_NOT_ALLOWED, body, None),
            Self::RequestTimeout(body) => (StatusCode::REQUEST_TIMEOUT, body, None),
            Self::Conflict(body) => (StatusCode::CONFLICT, body, None),
            Self::PayloadTooLarge(body) => (StatusCode::PAYLOAD_TOO_LARGE, body, None),
            Self::UnsupportedMediaType(body) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, body, None),
            Self::Unprocessable(body) => (StatusCode::UNPROCESSABLE_ENTITY, body, None),
            Self::TooManyRequests(body, wait) => (StatusCode::TOO_MANY_REQUESTS, body, Some(*wait)),
            Self::Internal(body) => (StatusCode::INTERNAL_SERVER_ERROR, body, None),
            Self::BadGateway(body) => (StatusCode::BAD_GATEWAY, body, None),
            Self::Unavailable(body, wait) => (StatusCode::SERVICE_UNAVAILABLE, body, Some(*wait)),
            Self::GatewayTimeout(body) => (StatusCode::GATEWAY_TIMEOUT, body, None),
        };
        (status, &body.0.error, wait)
    }

    /// As a surface of that dialect answers it.
    pub fn in_dialect(&self, dialect: &dyn Dialect) -> Response {
        let (status, error, wait) = self.parts();
        let body = dialect.error(error.text(status));
        let mut response = Response::builder()
            .status(status)
            .content_type("application/json; charset=utf-8")
            .body(body);
        if let Some(seconds) = wait {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(InDialect);
        response
    }

    /// As an event of a stream of that dialect.
    pub fn event_in(&self, dialect: &dyn Dialect) -> Bytes {
        let (status, error, _) = self.parts();
        dialect.error_event(error.text(status))
    }

    /// The error for a failure that poem itself answers: malformed JSON, unknown path, wrong method.
    pub fn from_poem(error: &poem::Error) -> Self {
        let status = error.status();
        let text = error.to_string();
        match status.as_u16() {
            404 => Self::no_path(),
            405 => Self::method_not_allowed(),
            408 => Self::request_timeout(),
            413 => Self::PayloadTooLarge(words(
                INVALID,
                "request_too_large",
                "The body is too large.",
            )),
            415 => Self::UnsupportedMediaType(words(
                INVALID,
                "unsupported_media_type",
                "Send application/json.",
            )),
            401 => Self::unauthorized(),
            500.. => Self::internal(),
            _ => Self::bad_request("invalid_request", text),
        }
    }
}

/// A database that does not answer is told apart from a bug; both are logged here, once.
impl From<shared::db::DbError> for ApiError {
    fn from(error: shared::db::DbError) -> Self {
        use shared::db::DbError as E;
        tracing::error!(%error, "a statement failed: {error}");
        match error {
            E::Unreachable(_) => {
                Self::unavailable("The database is busy or unavailable; try again.", 1)
            }
            E::Duplicate(_) => Self::conflict("already_exists", "This name is already in use."),
            E::UnknownScheme | E::Damaged(_) | E::Statement(_) | E::Later(_) | E::Migration(_) => {
                Self::internal()
            }
        }
    }
}

/// A refusal with OpenAI's body as a surface of another dialect answers it; its headers stay.
pub async fn reshaped(mut response: Response, dialect: &dyn Dialect) -> Response {
    let bytes = response.take_body().into_bytes().await.unwrap_or_default();
    let Ok(told) = serde_json::from_slice::<ErrorBody>(&bytes) else {
        response.set_body(bytes);
        return response;
    };
    let body = dialect.error(told.error.text(response.status()));
    response.headers_mut().remove(CONTENT_LENGTH);
    response.extensions_mut().insert(InDialect);
    response.set_body(body);
    response
}

/// The outermost hook: our own answers pass, everything else gets the envelope.
pub async fn envelope(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    if error.status() == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(%error, "a request failed: {error}");
    }
    poem::Error::from(ApiError::from_poem(&error)).into_response()
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Busy => {
                Self::unavailable("Too many calls are waiting for the ledger; try again.", 1)
            }
            LedgerError::Commit(_) => {
                Self::unavailable("Credits can't be recorded right now; try again.", 1)
            }
            LedgerError::Store(error) => error.into(),
        }
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Conflict => Self::unprocessable(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another amount.",
            ),
            GrantError::Amount => Self::bad_field("amount", GrantError::Amount.to_string()),
            GrantError::Ledger(error) => error.into(),
        }
    }
}

impl From<CorrectionError> for ApiError {
    fn from(error: CorrectionError) -> Self {
        match error {
            CorrectionError::NotFound(what) => Self::not_found(what),
            CorrectionError::Adjust(AdjustError::Conflict) => Self::unprocessable(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another correction.",
            ),
            CorrectionError::Adjust(error @ AdjustError::Amount) => {
                Self::bad_field("amount", error.to_string())
            }
            CorrectionError::Adjust(AdjustError::Insufficient { available }) => Self::conflict(
                "insufficient_credits",
                format!(
                    "Only {available} credits are available; take less, or record the rest as debt (`into_debt`)."
                ),
            ),
            CorrectionError::Adjust(AdjustError::Ledger(error)) => error.into(),
        }
    }
}

impl From<RechargeError> for ApiError {
    fn from(error: RechargeError) -> Self {
        match error {
            RechargeError::NoSuchTenant => Self::not_found("tenant"),
            RechargeError::Grant(error) => error.into(),
        }
    }
}

impl From<CatalogueError> for ApiError {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::NoSuchModel => Self::not_found("model"),
            CatalogueError::NoSuchPrice => Self::not_found("price"),
            CatalogueError::Duplicate => Self::conflict(
                "already_exists",
                "A model of this name, or a price valid from this moment, already exists.",
            ),
            CatalogueError::Invalid { field, rule } => {
                Self::bad_field(field, format!("`{field}` must be {rule}."))
            }
            CatalogueError::Store(error) => error.into(),
        }
    }
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Gateway(error) => error.into(),
            ProviderError::NoSuchGateway(name) => {
                Self::bad_field("gateway", format!("No gateway is named `{name}`."))
            }
            ProviderError::SayWhich(names) => Self::bad_field(
                "gateway",
                format!(
                    "The gateways have several databases: name one with `gateway`, one of {}.",
                    names.join(", ")
                ),
            ),
        }
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::NotFound => Self::not_found("provider or key"),
            AdminError::Duplicate => {
                Self::conflict("already_exists", "A provider of this name already exists.")
            }
            AdminError::Invalid(wrong) if wrong.field.is_empty() => {
                Self::bad_request("invalid_value", wrong.rule)
            }
            AdminError::Invalid(wrong) => Self::bad_field(&wrong.field, format!("{wrong}.")),
            AdminError::Unreachable(reason) | AdminError::Unanswered(reason) => {
                tracing::warn!(reason, "the gateway can't be reached: {reason}");
                Self::unavailable("The gateway can't be reached right now; try again.", 2)
            }
            AdminError::Internal => {
                tracing::error!("the gateway failed; its log has the reason");
                Self::internal()
            }
        }
    }
}
