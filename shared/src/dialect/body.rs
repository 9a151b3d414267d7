//! A request's body as dialects read it: JSON, a form whose files stay where they are, or nothing.
//! Copies nothing: parts of a form are places in its bytes.

mod multipart;

pub use self::multipart::{Form, FormPart, FormWriter, PartEdit};

use bytes::Bytes;

use super::BadBody;
use crate::json::{self, Edit};

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

    /// The same with this field, where it is JSON without one of that name.
    pub fn having(&self, name: &str, json: &str) -> Result<Self, BadBody> {
        let Self::Json(bytes) = self else {
            return Ok(self.clone());
        };
        let [found] =
            json::fields(bytes, [name]).map_err(|error| BadBody::whole(error.to_string()))?;
        if found.is_some() {
            return Ok(self.clone());
        }
        let edit = Edit::insert(bytes, name, json);
        Ok(Self::Json(json::apply(bytes, vec![edit])))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_put_in_where_it_is_missing() {
        let having = |json: &str| Body::of_json(json).having("max_tokens", "1");
        assert_eq!(having("{}"), Ok(Body::of_json(r#"{"max_tokens":1}"#)));
        let given = r#"{"a":[],"max_tokens":null}"#;
        assert_eq!(having(given), Ok(Body::of_json(given)));
        assert!(having("[]").is_err());
        assert_eq!(Body::Empty.having("max_tokens", "1"), Ok(Body::Empty));
    }
}
