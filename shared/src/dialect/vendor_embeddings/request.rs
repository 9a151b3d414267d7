//! Writes a request in a vendor's form. What would change the vectors' meaning and has no words there is
//! refused, the rest is named.

use serde_json::{Map, Value, json};

use super::{Inputs, VendorEmbeddings};
use crate::dialect::BadBody;
use crate::dialect::neutral::{EmbeddedText, EmbeddingsRequest, WriteTo, Written, unsaid};

const INPUT: &str = "input";

/// `request` for `vendor`.
pub(super) fn write(
    vendor: &VendorEmbeddings,
    request: &EmbeddingsRequest,
    to: WriteTo<'_>,
) -> Result<Written, BadBody> {
    let (count, most) = (request.texts.len(), vendor.inputs_max);
    if count > most {
        let message =
            format!("`input` has {count} parts; this model's provider takes {most} at once.");
        return Err(BadBody::of(INPUT, message));
    }
    let mut dropped = request.unsaid.clone();
    let mut options = Map::new();
    for (name, value) in &request.others {
        if vendor.says.contains(&name.as_str()) {
            options.insert(name.clone(), value.value());
            dropped.retain(|known| known != name);
        }
    }
    if request.texts.iter().any(|one| one.title.is_some()) {
        unsaid::note(&mut dropped, "title");
    }
    task(vendor, request, &mut options, &mut dropped)?;
    let is_native = vendor.inputs == Inputs::DashScope && vendor.sees(to.model);
    if let Some(dimensions) = request.dimensions {
        let name = if is_native {
            "dimension"
        } else {
            vendor.dimensions
        };
        options.insert(name.to_owned(), dimensions.into());
    }
    let (name, inputs) = inputs(vendor, request, to.model)?;
    let body = if is_native {
        json!({"model": to.model, "input": {"contents": inputs}, "parameters": options})
    } else {
        options.insert("model".to_owned(), to.model.into());
        options.insert(name.to_owned(), inputs.into());
        match vendor.inputs {
            Inputs::Cohere => drop(options.insert("embedding_types".to_owned(), json!(["float"]))),
            Inputs::DashScope => drop(options.insert("encoding_format".to_owned(), "float".into())),
            Inputs::Jina => drop(options.insert("embedding_type".to_owned(), "float".into())),
            Inputs::Voyage => {}
        }
        Value::Object(options)
    };
    Ok(Written {
        body: body.to_string().into(),
        dropped,
    })
}

/// What the vectors are for, which vendors take once for all texts.
fn task(
    vendor: &VendorEmbeddings,
    request: &EmbeddingsRequest,
    options: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<(), BadBody> {
    let mut tasks = request.texts.iter().map(|one| one.task.as_deref());
    let first = tasks.next().flatten();
    let Some((field, words)) = vendor.task else {
        if first.is_some() || tasks.any(|task| task.is_some()) {
            unsaid::note(dropped, "task_type");
        }
        return Ok(());
    };
    if tasks.any(|task| task != first) {
        let message = "All texts must be for the same purpose: this model's provider takes one.";
        return Err(BadBody::whole(message));
    }
    let known = first.and_then(|task| {
        let found = words
            .iter()
            .find(|(ours, _)| ours.eq_ignore_ascii_case(task));
        found.map(|(_, theirs)| *theirs)
    });
    if known.is_none() && first.is_some() {
        unsaid::note(dropped, "task_type");
    }
    if let Some(word) = known.or(vendor.task_usual) {
        options.insert(field.to_owned(), word.into());
    }
    Ok(())
}

/// The inputs, and the field that they stand in.
fn inputs(
    vendor: &VendorEmbeddings,
    request: &EmbeddingsRequest,
    model: &str,
) -> Result<(&'static str, Vec<Value>), BadBody> {
    let texts = &request.texts;
    let has_picture = texts.iter().any(|one| !one.images.is_empty());
    let plain = || texts.iter().map(|one| json!(one.text)).collect();
    let each = |write: &dyn Fn(&EmbeddedText) -> Result<Value, BadBody>| {
        let all: Result<Vec<Value>, BadBody> = texts.iter().map(write).collect();
        all
    };
    Ok(match vendor.inputs {
        Inputs::Cohere if has_picture => ("inputs", each(&|one| Ok(content(one, cohere)))?),
        Inputs::Cohere => ("texts", plain()),
        Inputs::Jina if has_picture => (INPUT, each(&|one| alone(one, bare))?),
        Inputs::Voyage if vendor.sees(model) => ("inputs", each(&|one| Ok(content(one, voyage)))?),
        Inputs::DashScope if vendor.sees(model) => (INPUT, each(&|one| alone(one, whole))?),
        Inputs::Voyage | Inputs::DashScope if has_picture => {
            let message = "`input` must be texts: this model takes no pictures.";
            return Err(BadBody::of(INPUT, message));
        }
        Inputs::Jina | Inputs::Voyage | Inputs::DashScope => (INPUT, plain()),
    })
}

/// An input of several parts.
fn content(one: &EmbeddedText, picture: fn(&str) -> Value) -> Value {
    let mut parts = Vec::with_capacity(1 + one.images.len());
    if !one.text.is_empty() {
        parts.push(json!({"type": "text", "text": one.text}));
    }
    parts.extend(one.images.iter().map(|address| picture(address)));
    json!({"content": parts})
}

fn cohere(address: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": address}})
}

fn voyage(address: &str) -> Value {
    if is_data(address) {
        json!({"type": "image_base64", "image_base64": address})
    } else {
        json!({"type": "image_url", "image_url": address})
    }
}

/// An input that is a text or a picture, and not both.
fn alone(one: &EmbeddedText, picture: fn(&str) -> &str) -> Result<Value, BadBody> {
    match (one.text.is_empty(), one.images.as_slice()) {
        (true, [address]) => Ok(json!({"image": picture(address)})),
        (_, []) => Ok(json!({"text": one.text})),
        _ => {
            let message = "Each part of `input` must be one text or one picture: this model's \
                           provider makes no vector of both.";
            Err(BadBody::of(INPUT, message))
        }
    }
}

fn is_data(address: &str) -> bool {
    address.starts_with("data:")
}

/// Jina takes base64 without what stands before it in a data URL.
fn bare(address: &str) -> &str {
    match address.split_once(',') {
        Some((_, data)) if is_data(address) => data,
        _ => address,
    }
}

fn whole(address: &str) -> &str {
    address
}
