//! Pictures that were made elsewhere, as an answer of this format.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::dialect::pictures::{Delivery, MadeData, MadePicture, PictureAnswer, PictureRequest};
use crate::units::{Unit, Usage};

/// The answer to `request`; an address that is asked for holds the picture itself where its maker has none.
pub fn written(answer: &PictureAnswer, request: &PictureRequest, created: i64) -> Bytes {
    let data: Vec<Value> = answer
        .pictures
        .iter()
        .map(|picture| entry(picture, request.delivery))
        .collect();
    let mut out = Map::new();
    out.insert("created".to_owned(), created.into());
    out.insert("data".to_owned(), data.into());
    let format = answer
        .pictures
        .iter()
        .find_map(|picture| match &picture.data {
            MadeData::Base64 { media_type, .. } => media_type.strip_prefix("image/"),
            MadeData::Url(_) => None,
        });
    let words = [
        ("output_format", format),
        ("size", request.size.as_deref()),
        ("background", request.background.as_deref()),
    ];
    for (name, word) in words {
        if let Some(word) = word {
            out.insert(name.to_owned(), word.into());
        }
    }
    if !answer.usage.is_nothing() {
        out.insert("usage".to_owned(), usage(&answer.usage));
    }
    Value::Object(out).to_string().into()
}

fn entry(picture: &MadePicture, delivery: Option<Delivery>) -> Value {
    let mut entry = match (&picture.data, delivery) {
        (MadeData::Url(url), _) => json!({"url": url}),
        (MadeData::Base64 { media_type, data }, Some(Delivery::Url)) => {
            json!({"url": format!("data:{media_type};base64,{data}")})
        }
        (MadeData::Base64 { data, .. }, _) => json!({"b64_json": data}),
    };
    if let Some(prompt) = &picture.revised_prompt {
        entry["revised_prompt"] = prompt.as_str().into();
    }
    entry
}

/// As OpenAI counts (API reference, "Images"): totals with their parts.
fn usage(usage: &Usage) -> Value {
    let (input, output) = (usage.input_total(), usage.output_total());
    let of = |units: &[Unit]| units.iter().map(|unit| usage.count(*unit)).sum::<u64>();
    let pictures_in = of(&[Unit::InputImageToken, Unit::CachedInputImageToken]);
    let cached_pictures = of(&[Unit::CachedInputImageToken]);
    let cached = of(&[Unit::CachedInputToken]).saturating_add(cached_pictures);
    let pictures_out = of(&[Unit::OutputImageToken]);
    let reasoning = of(&[Unit::ReasoningToken]);
    let mut told = json!({
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input.saturating_add(output),
        "input_tokens_details": {
            "text_tokens": input.saturating_sub(pictures_in),
            "image_tokens": pictures_in,
        },
        "output_tokens_details": {
            "text_tokens": output.saturating_sub(pictures_out).saturating_sub(reasoning),
            "image_tokens": pictures_out,
        },
    });
    if cached > 0 {
        told["input_tokens_details"]["cached_tokens"] = cached.into();
        told["input_tokens_details"]["cached_tokens_details"] =
            json!({"image_tokens": cached_pictures});
    }
    if reasoning > 0 {
        told["output_tokens_details"]["reasoning_tokens"] = reasoning.into();
    }
    told
}
