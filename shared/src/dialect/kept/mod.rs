//! State of OpenAI's two chat formats: what a request says of it, and answers as they are kept and told by
//! whoever keeps them. What goes on to a provider says nothing of it. Keeps nothing itself. Facts: API
//! reference and OpenAI's SDK for Python 3.57.

pub mod chat;
pub mod flow;
pub mod responses;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::BadBody;
use super::event::said;
use crate::json;

/// Fields that say something of state, in a request of either format.
pub const STORE: &str = "store";
/// Words of the caller's own, which are kept beside an answer.
pub const METADATA: &str = "metadata";

/// Pairs of one object (API reference, "Metadata").
const METADATA_PAIRS_MAX: usize = 16;
/// Characters of a name.
const METADATA_NAME_MAX: usize = 64;
/// Characters of a value.
const METADATA_VALUE_MAX: usize = 512;
/// Bytes of any field that is read here but what was said: more than all of these characters can be.
const FIELD_BYTES_MAX: usize = 256 * 1024;

/// The words of the caller's own, as they may be; an empty object where there are none.
pub fn metadata(value: Option<&Value>) -> Result<Map<String, Value>, BadBody> {
    let pairs = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => return Err(wrong_metadata()),
    };
    let fits = pairs.iter().all(|(name, value)| {
        let fits = |text: &str| text.chars().count() <= METADATA_VALUE_MAX;
        name.chars().count() <= METADATA_NAME_MAX && value.as_str().is_some_and(fits)
    });
    if fits && pairs.len() <= METADATA_PAIRS_MAX {
        Ok(pairs.clone())
    } else {
        Err(wrong_metadata())
    }
}

/// The same, of a field of a body.
fn raw_metadata(raw: Option<&RawValue>) -> Result<Map<String, Value>, BadBody> {
    let Some(raw) = raw else {
        return Ok(Map::new());
    };
    if raw.get().len() > FIELD_BYTES_MAX {
        return Err(wrong_metadata());
    }
    let value: Value = serde_json::from_str(raw.get()).map_err(|_| wrong_metadata())?;
    metadata(Some(&value))
}

fn wrong_metadata() -> BadBody {
    let message = "`metadata` must be an object of at most 16 texts: names of up to 64 characters, values \
                   of up to 512.";
    BadBody::of(METADATA, message)
}

/// A field's value, and the body without it.
fn taken(body: &mut Bytes, name: &'static str) -> Result<Option<Value>, BadBody> {
    let found = json::take(body, name).map_err(|error| BadBody::whole(error.to_string()))?;
    let Some((value, rest)) = found else {
        return Ok(None);
    };
    *body = rest;
    if value.len() > FIELD_BYTES_MAX {
        // Taken apart it would be many times as long.
        return Err(BadBody::of(name, format!("`{name}` is too long.")));
    }
    let value = serde_json::from_str(&value);
    value.map_err(|error| BadBody::whole(error.to_string()))
}

/// What a request brings itself.
enum Brought {
    Nothing,
    Read(Value),
    /// Larger than it may be to be kept, and not taken apart, which would take many times as much memory.
    TooLarge,
}

impl Brought {
    /// Of a field whose text is at most `bytes_max` long, and may be what `wanted` says.
    fn read(
        raw: Option<&RawValue>,
        (name, wanted): (&'static str, &str),
        bytes_max: usize,
    ) -> Result<Self, BadBody> {
        let Some(raw) = raw else {
            return Ok(Self::Nothing);
        };
        if raw.get().len() > bytes_max {
            return Ok(Self::TooLarge);
        }
        // Half a pair of surrogates and lists in lists without end can't be read, though they are JSON.
        match serde_json::from_str(raw.get()) {
            Ok(Value::Null) => Ok(Self::Nothing),
            Ok(value @ (Value::String(_) | Value::Array(_))) => Ok(Self::Read(value)),
            Ok(Value::Bool(_) | Value::Number(_) | Value::Object(_)) | Err(_) => {
                Err(BadBody::of(name, format!("`{name}` must be {wanted}.")))
            }
        }
    }
}

/// True or false; `None` where nothing is said.
fn flag(value: Option<&Value>, name: &'static str) -> Result<Option<bool>, BadBody> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(BadBody::of(
            name,
            format!("`{name}` must be true or false."),
        )),
    }
}

/// What an event of a stream says, as JSON; `None` where its data are no object.
fn told(event: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&said(event).data).ok()
}

#[cfg(test)]
mod tests;
