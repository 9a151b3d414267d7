//! A request's body as dialects read it: JSON, a form whose files stay where they are, or nothing.
//! Copies nothing: parts of a form are places in its bytes.

mod multipart;

pub use self::multipart::{Form, Part};

use bytes::Bytes;

use super::BadBody;

/// What a request brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Bytes that should be a JSON object; whoever reads them checks that.
    Json(Bytes),
    /// A form (RFC 7578).
    Form(Form),
    /// Nothing.
    Empty,
}

impl Body {
    /// Bytes of that content type: a form where it says so, else JSON, whatever else it says: clients
    /// often don't.
    pub fn of(content_type: Option<&str>, bytes: Bytes) -> Result<Self, BadBody> {
        match content_type.and_then(multipart::boundary) {
            Some(boundary) => Form::read(&boundary, bytes).map(Self::Form),
            None => Ok(Self::Json(bytes)),
        }
    }

    /// Of JSON.
    pub fn of_json(json: &str) -> Self {
        Self::Json(Bytes::copy_from_slice(json.as_bytes()))
    }

    /// The JSON, where it is some.
    pub fn json(&self) -> Option<&Bytes> {
        match self {
            Self::Json(bytes) => Some(bytes),
            Self::Form(_) | Self::Empty => None,
        }
    }

    /// The form, where it is one.
    pub fn form(&self) -> Option<&Form> {
        match self {
            Self::Form(form) => Some(form),
            Self::Json(_) | Self::Empty => None,
        }
    }

    /// All bytes as they came.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Json(bytes) => bytes.clone(),
            Self::Form(form) => form.bytes().clone(),
            Self::Empty => Bytes::new(),
        }
    }
}
