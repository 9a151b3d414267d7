//! An edit or a variation as it goes to a provider that speaks this format: a form stays one, with its files
//! as they came; JSON whose pictures are all in it becomes one, which every such server takes; JSON with
//! addresses stays JSON, for those who fetch.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

use super::ask::{as_file, each_picture, file_of};
use super::form::as_text;
use super::{MARKUP, MASK, PICTURES};
use crate::dialect::body::{Body, Form, FormPart, FormWriter, PartEdit};
use crate::dialect::fields::{SAFETY_IDENTIFIER, USER};
use crate::dialect::openai::request::USER_ID;
use crate::dialect::pictures::GivenPicture;
use crate::dialect::walk::text_of;
use crate::dialect::{BadBody, Dialect, EndUserField, Forward, Sent};
use crate::json::{self, Edit};

const RESPONSE_FORMAT: &str = "response_format";

/// The body for a provider.
pub(in crate::dialect) fn sent(
    dialect: &dyn Dialect,
    body: &Body,
    to: Forward<'_>,
) -> Result<Sent, BadBody> {
    match body {
        Body::Form(form) => Ok(as_form(form, to)),
        Body::Json(bytes) => {
            if let Some((content_type, body)) = form_of(bytes, to)? {
                let content_type = content_type.into();
                return Ok(Sent { content_type, body });
            }
            dialect.forwarded(&listed(bytes)?, to).map(Sent::json)
        }
        Body::Empty => Err(BadBody::whole("The body is empty.")),
    }
}

/// The field that names the end user there.
fn end_user_field(to: Forward<'_>) -> Option<&'static str> {
    match to.quirks.end_user {
        EndUserField::OfDialect => Some(USER),
        EndUserField::SafetyIdentifier => Some(SAFETY_IDENTIFIER),
        EndUserField::UserId => Some(USER_ID),
        EndUserField::Nowhere => None,
    }
}

/// Whether a field goes: it is not taken there, or names the end user in the tenant's own words.
fn goes(name: &str, to: Forward<'_>) -> bool {
    let names_user = matches!(name, USER | SAFETY_IDENTIFIER) && to.end_user.is_some();
    names_user || (name == RESPONSE_FORMAT && to.quirks.no_response_format)
}

/// What a provider is told beside the tenant's own fields.
fn told(to: Forward<'_>) -> Vec<(&'static str, &str)> {
    let user = to
        .end_user
        .and_then(|name| Some((end_user_field(to)?, name)));
    std::iter::once(("model", to.model)).chain(user).collect()
}

fn as_form(form: &Form, to: Forward<'_>) -> Sent {
    let edit = |part: &FormPart| {
        if part.name == "model" || goes(&part.name, to) {
            PartEdit::Remove
        } else {
            PartEdit::Keep
        }
    };
    Sent {
        content_type: Cow::Owned(form.content_type()),
        body: form.edited(edit, &told(to)),
    }
}

/// The request as a form; `None` where a picture stands elsewhere.
fn form_of(bytes: &[u8], to: Forward<'_>) -> Result<Option<(String, Bytes)>, BadBody> {
    let mut form = FormWriter::default();
    for (name, text) in told(to) {
        form.text(name, text);
    }
    let (mut images, mut others): (Vec<GivenPicture>, Vec<(&str, GivenPicture)>) =
        (Vec::new(), Vec::new());
    let (mut is_away, mut bad) = (false, None);
    let read = json::each_field(bytes, |name, value| {
        let raw = value.get();
        let known = PICTURES.into_iter().chain([MASK, MARKUP]);
        let Some(field) = known.into_iter().find(|known| *known == name) else {
            if name != "model" && !goes(name, to) && raw != "null" {
                form.text(name, &as_text(value));
            }
            return Ok(());
        };
        let met = each_picture(field, raw.as_bytes(), &mut |text| {
            match file_of(text) {
                Some(picture) if field == MASK || field == MARKUP => others.push((field, picture)),
                Some(picture) => images.push(picture),
                None => is_away = true,
            }
            Ok(())
        });
        if let Err(error) = met {
            bad.get_or_insert(error);
        }
        Ok(())
    });
    read.map_err(|error| BadBody::whole(error.to_string()))?;
    if let Some(error) = bad {
        return Err(error);
    }
    if is_away {
        return Ok(None);
    }
    let name = if images.len() == 1 {
        "image"
    } else {
        "image[]"
    };
    let named = images.iter().map(|picture| (name, picture));
    for (name, picture) in named.chain(others.iter().map(|(name, one)| (*name, one))) {
        let (file, kind, content) = as_file(picture, "image")?;
        form.file(name, (&file, &kind), content);
    }
    Ok(Some(form.finish()))
}

/// JSON as OpenAI takes it: pictures in a list of objects.
fn listed(bytes: &Bytes) -> Result<Bytes, BadBody> {
    let names = ["image", "images", "reference_images"];
    let found = json::fields(bytes, names).map_err(|e| BadBody::whole(e.to_string()))?;
    let mut urls: Vec<Value> = Vec::new();
    let mut edits = Vec::new();
    for (name, value) in PICTURES.into_iter().zip(found) {
        let Some(value) = value else { continue };
        each_picture(name, value.get().as_bytes(), &mut |text| {
            urls.push(serde_json::json!({"image_url": text_of(text)}));
            Ok(())
        })?;
        edits.push(Edit::remove(bytes, &json::span(bytes, value)));
    }
    edits.push(Edit::insert(
        bytes,
        "images",
        &Value::from(urls).to_string(),
    ));
    Ok(json::apply(bytes, edits))
}
