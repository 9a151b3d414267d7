//! The request that goes to a provider that speaks the format: the tenant's bytes with the provider's name
//! for the model where a batch repeats it, which Google compares with that of the path.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::{REQUESTS, is_object};
use crate::dialect::BadBody;
use crate::json::{self, Edit, JsonError};

/// The name of a model in a body. Tuned models have a collection of their own in their names.
pub(super) fn named(model: &str) -> String {
    if model.contains('/') {
        model.to_owned()
    } else {
        format!("models/{model}")
    }
}

fn broken(error: JsonError) -> BadBody {
    BadBody::whole(error.to_string())
}

/// The tenant's bytes for a provider.
pub(super) fn forwarded(body: &Bytes, model: &str) -> Result<Bytes, BadBody> {
    let [own, requests] = json::fields(body, ["model", REQUESTS]).map_err(broken)?;
    // The path names it.
    let own = own.map(|own| Edit::remove(body, &json::span(body, own)));
    let mut edits: Vec<Edit> = own.into_iter().collect();
    let all: Vec<&RawValue> = requests.map_or(Ok(Vec::new()), |requests| {
        serde_json::from_str(requests.get())
            .map_err(|_| BadBody::of(REQUESTS, "`requests` must be an array."))
    })?;
    let name = serde_json::Value::from(named(model)).to_string();
    for one in all.into_iter().filter(|one| is_object(one)) {
        let inside = one.get().as_bytes();
        let [old] = json::fields(inside, ["model"]).map_err(broken)?;
        edits.push(if let Some(old) = old {
            Edit::replace(json::span(body, old), name.clone())
        } else {
            // There is a content behind it.
            let at = json::span(body, one).start;
            Edit::replace(at..at + 1, format!("{{\"model\":{name},"))
        });
    }
    Ok(json::apply(body, edits))
}
