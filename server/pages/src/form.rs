//! Forms as they were sent: typed fields out of one body, and rooms' refusals as errors beside the
//! fields. Holds no rule of its own.

use std::collections::BTreeMap;

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use bytes::Bytes;
use poem::{FromRequest, Request, RequestBody};
use server_rooms::accounts::AccountError;
use server_rooms::auth::password::{CHARS_MAX, CHARS_MIN};
use shared::dialect::body::Body;
use shared::secret::Secret;

use super::error::{PageError, PageResult};
use super::page_context::PageContext;

/// A field of a form, and what is wrong with it; a name that the form does not have stands above its fields.
pub type FieldProblem = (&'static str, FieldError);

/// The fields of a form, as the guard read and checked it.
#[derive(Clone, Default)]
pub struct FormData(BTreeMap<String, Vec<String>>);

impl std::fmt::Debug for FormData {
    // Values may be passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl FormData {
    /// Out of a body of `application/x-www-form-urlencoded`.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            fields.entry(name).or_default().push(value);
        }
        Some(Self(fields))
    }

    /// Out of a body of `multipart/form-data`; of a file its content stands under its field's name, and its
    /// name under `file_name`. `None` where it is none, or where a part is no text.
    pub(super) fn parse_multipart(content_type: &str, body: Bytes) -> Option<Self> {
        let body = Body::of(Some(content_type), body).ok()?;
        let form = body.form()?;
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in form.parts() {
            let content = form.content(part);
            let text = std::str::from_utf8(&content).ok()?;
            if text.contains('\0') {
                return None;
            }
            let values = fields.entry(part.name.clone()).or_default();
            values.push(text.to_owned());
            if let Some(name) = &part.file_name {
                let names = fields.entry("file_name".to_owned()).or_default();
                names.push(name.replace('\0', ""));
            }
        }
        Some(Self(fields))
    }

    /// All of it but the form's key, to be kept; secrets are among it.
    pub(super) fn fields(&self) -> BTreeMap<&str, &[String]> {
        let own = self.0.iter().filter(|(name, _)| *name != "csrf");
        own.map(|(name, values)| (name.as_str(), values.as_slice()))
            .collect()
    }

    /// What was kept.
    pub(super) fn of_fields(fields: BTreeMap<String, Vec<String>>) -> Self {
        Self(fields)
    }

    fn first(&self, name: &str) -> &str {
        self.0
            .get(name)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }

    /// A field without the blanks around it; empty when absent.
    pub fn text(&self, name: &str) -> &str {
        self.first(name).trim()
    }

    /// A field that may be absent or empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A field with the blanks around it; empty when absent.
    pub fn as_typed(&self, name: &str) -> &str {
        self.first(name)
    }

    /// A password or key, as it was typed.
    pub fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.first(name).to_owned())
    }

    /// Whether a box is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.first(name) == "on"
    }

    /// Every value of a field, for several boxes of one name.
    pub fn several(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// These fields filled in again. Never name a password or a code.
    pub fn again(&self, names: &[&str]) -> Form {
        let values = names
            .iter()
            .map(|name| ((*name).to_owned(), self.several(name).join(" ")))
            .collect();
        Form {
            values,
            ..Form::default()
        }
    }

    /// The password that is chosen in `password` and typed again in `repeat`, or what is wrong
    /// with it.
    pub fn new_password(&self) -> Result<Secret<String>, FieldProblem> {
        let password = self.secret("password");
        if let Some(error) = password_error(&password) {
            return Err(("password", error));
        }
        if password.expose() != self.first("repeat") {
            return Err(("repeat", FieldError::Different));
        }
        Ok(password)
    }
}

fn password_error(password: &Secret<String>) -> Option<FieldError> {
    let chars = password.expose().chars().count();
    let bound = |bound: usize| u64::try_from(bound).unwrap_or(u64::MAX);
    if chars < CHARS_MIN {
        return Some(FieldError::TooShort(bound(CHARS_MIN)));
    }
    (chars > CHARS_MAX).then(|| FieldError::TooLong(bound(CHARS_MAX)))
}

impl<'a> FromRequest<'a> for FormData {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        // The guard put it there; a handler behind another door gets no form.
        let posted = request.data::<Self>().cloned();
        Ok(posted.ok_or(PageError::Internal)?)
    }
}

/// A refusal of the room as the error of a field; what is none of the form's fault has no page.
pub fn field_error(error: AccountError) -> Result<FieldProblem, PageError> {
    match error {
        AccountError::Taken(field) => Ok((field, FieldError::Taken)),
        AccountError::Invalid {
            field: "username", ..
        } => Ok(("username", FieldError::Letters)),
        AccountError::Invalid { field, rule } => Ok((field, FieldError::Words(rule))),
        error @ (AccountError::NotFound(_)
        | AccountError::Ended(_)
        | AccountError::OutOfReach
        | AccountError::Beyond(_)
        | AccountError::LastOwner
        | AccountError::Password(_)
        | AccountError::Store(_)) => Err(error.into()),
    }
}

/// Goes on after an account was changed; without its last owner nobody could go on.
pub(super) fn account_changed<T>(
    context: &PageContext,
    changed: Result<T, AccountError>,
    (path, notice): (&str, &Notice),
) -> PageResult {
    match changed {
        Ok(_) => context.done(path, notice),
        Err(AccountError::LastOwner) => context.go_saying(path, false, &Notice::LastOwner),
        Err(error) => Err(error.into()),
    }
}

/// The value of a box.
pub(super) fn ticked(is_ticked: bool) -> &'static str {
    if is_ticked { "on" } else { "" }
}

/// The value of a field that may be left empty.
pub(super) fn number<N: ToString>(number: Option<N>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

#[cfg(test)]
mod tests;
