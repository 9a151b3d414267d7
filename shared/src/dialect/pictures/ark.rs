//! Seedream of Volcengine's Ark: OpenAI's path with fields of its own, pictures to work from in `image`, and
//! one picture a request. Facts: volcengine.com, 1541523, and volcenginesdkarkruntime as of 2026-07.

use serde_json::{Value, json};

use super::{
    Delivery, Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, counted, in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::neutral::WriteTo;
use crate::dialect::{BadBody, Told};

/// Pictures that one may be made from.
const IMAGES_MAX: usize = 14;

/// Seedream's.
#[derive(Debug)]
pub(super) struct Ark;

impl PictureMaker for Ark {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        1
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        no_clear_background(request)?;
        if request.images.len() > IMAGES_MAX {
            let message = format!("This model takes {IMAGES_MAX} pictures at most.");
            return Err(BadBody::of("image", message));
        }
        let mut body = json!({
            "model": to.model,
            "prompt": in_words(request),
            "sequential_image_generation": "disabled",
        });
        let mut put = |name: &str, value: Value| body[name] = value;
        match request.images.as_slice() {
            [] => {}
            [one] => put("image", one.url().into()),
            several => put("image", several.iter().map(|image| image.url()).collect()),
        }
        if let Some(size) = request.size.as_deref().filter(|size| *size != "auto") {
            put("size", size.into());
        }
        let delivery = match request.delivery {
            Some(Delivery::Url) => "url",
            Some(Delivery::Base64) | None => "b64_json",
        };
        put("response_format", delivery.into());
        if let Some(format) = &request.output_format {
            put("output_format", format.as_str().into());
        }
        if let Some(seed) = request.seed {
            put("seed", seed.into());
        }
        if let Some(watermark) = request.watermark {
            put("watermark", watermark.into());
        }
        let mut dropping = Dropping::of(request);
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("user", request.end_user.as_ref());
        Ok(PictureCall::json(
            Some("/images/generations"),
            &body,
            dropping.done(),
        ))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        of_data(&parsed(answer)?)
    }
}

/// Pictures in `data`, as OpenAI and those near to it write them. One that was not made stands there as an
/// error; where none was made, that error is the answer.
pub(super) fn of_data(answer: &Value) -> Result<PictureAnswer, NoPicture> {
    let entries = answer["data"].as_array();
    let entries = entries.ok_or_else(|| NoPicture::nonsense("there is no `data`"))?;
    let pictures: Vec<MadePicture> = entries.iter().filter_map(entry).collect();
    if pictures.is_empty() {
        let error = entries.iter().find_map(|entry| entry.get("error"));
        return Err(error.map_or_else(
            || NoPicture::nonsense("no picture came"),
            |error| NoPicture::Told(Box::new(told(error))),
        ));
    }
    Ok(PictureAnswer {
        pictures,
        usage: counted(&answer["usage"]),
    })
}

fn entry(entry: &Value) -> Option<MadePicture> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    let data = match (text("b64_json"), text("url")) {
        (Some(data), _) => MadeData::of_base64(data.to_owned()),
        (None, Some(url)) => MadeData::of_url(url),
        (None, None) => return None,
    };
    Some(MadePicture {
        data,
        revised_prompt: text("revised_prompt").map(str::to_owned),
    })
}

fn told(error: &Value) -> Told {
    let text = |name: &str| error[name].as_str().map(str::to_owned);
    Told {
        message: text("message").unwrap_or_default(),
        code: text("code"),
        ..Told::default()
    }
}
