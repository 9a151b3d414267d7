//! Google's models that draw, asked by `generateContent`: one picture an answer, as base64 among its parts.
//! Facts: ai.google.dev, "Image generation", and google-genai 3.6, as of 2026-11.

use serde_json::{Map, Value, json};

use super::size::{SizeSaid, said};
use super::{
    Dropping, GivenPicture, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall,
    PictureMaker, PictureRequest, counted, in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::neutral::WriteTo;

/// The forms that they draw in.
pub(super) const RATIOS: &[&str] = &[
    "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
];
/// Why a candidate without a picture has none: the content, and not the model's mood.
const UNSAFE: &[&str] = &[
    "SAFETY",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "RECITATION",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "JAILBREAK",
    "MODEL_ARMOR",
];

/// The format.
pub(crate) static GEMINI_PICTURES: GeminiPictures = GeminiPictures;

/// Google's.
#[derive(Debug)]
pub(crate) struct GeminiPictures;

impl PictureMaker for GeminiPictures {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        1
    }

    fn takes_bytes_alone(&self) -> bool {
        true
    }

    fn write(&self, request: &PictureRequest, _: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        no_clear_background(request)?;
        let mut parts: Vec<Value> = request.images.iter().map(part).collect();
        parts.push(json!({"text": in_words(request)}));
        let mut config = Map::new();
        config.insert("responseModalities".to_owned(), json!(["TEXT", "IMAGE"]));
        let image = image_config(request.size.as_deref());
        if !image.is_empty() {
            config.insert("imageConfig".to_owned(), image.into());
        }
        if let Some(seed) = request.seed {
            config.insert("seed".to_owned(), seed.into());
        }
        let mut dropping = Dropping::of(request);
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        let body = json!({
            "contents": [{"role": "user", "parts": parts}],
            "generationConfig": config,
        });
        Ok(PictureCall::json(None, &body, dropping.done()))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        let candidates = answer["candidates"].as_array();
        let pictures: Vec<MadePicture> = candidates
            .into_iter()
            .flatten()
            .filter_map(|candidate| candidate["content"]["parts"].as_array())
            .flatten()
            // What a model drew while it thought is no answer.
            .filter(|part| part["thought"] != true)
            .filter_map(picture)
            .collect();
        if pictures.is_empty() {
            return Err(missing(&answer));
        }
        Ok(PictureAnswer {
            pictures,
            usage: counted(&answer["usageMetadata"]),
        })
    }
}

fn part(picture: &GivenPicture) -> Value {
    match (picture.media_type(), picture.base64()) {
        (Some(kind), Some(data)) => json!({"inlineData": {"mimeType": kind, "data": data}}),
        _ => json!({"fileData": {"fileUri": picture.url()}}),
    }
}

/// The nearest form, and a class of resolution where more than the usual is asked for, which older models
/// don't know.
fn image_config(size: Option<&str>) -> Map<String, Value> {
    let mut config = Map::new();
    let mut put = |name: &str, word: &str| {
        config.insert(name.to_owned(), word.into());
    };
    match said(size) {
        None => {}
        Some(SizeSaid::Ratio(ratio)) => put("aspectRatio", &ratio),
        Some(SizeSaid::Class(class)) => put("imageSize", &class),
        Some(SizeSaid::Pixels(pixels)) => {
            if let Some(ratio) = pixels.nearest(RATIOS) {
                put("aspectRatio", ratio);
            }
            if pixels.class() != "1K" {
                put("imageSize", pixels.class());
            }
        }
    }
    config
}

fn picture(part: &Value) -> Option<MadePicture> {
    let inline = part.get("inlineData").or_else(|| part.get("inline_data"))?;
    let kind = inline.get("mimeType").or_else(|| inline.get("mime_type"));
    let kind = kind.and_then(Value::as_str).unwrap_or("image/png");
    if !kind.starts_with("image/") {
        return None;
    }
    let data = inline["data"].as_str().filter(|data| !data.is_empty())?;
    Some(MadePicture {
        data: MadeData::Base64 {
            media_type: kind.to_owned().into(),
            data: data.to_owned(),
        },
        revised_prompt: None,
    })
}

/// Why there is none.
fn missing(answer: &Value) -> NoPicture {
    let feedback = &answer["promptFeedback"];
    if let Some(reason) = feedback["blockReason"].as_str() {
        let message = format!("The request was blocked by the provider: {reason}.");
        return NoPicture::unsafe_content(message);
    }
    let first = &answer["candidates"][0];
    let reason = first["finishReason"].as_str().unwrap_or_default();
    if UNSAFE.contains(&reason) {
        let more = first["finishMessage"].as_str().unwrap_or_default();
        let message = format!("The picture was withheld by the provider: {reason}. {more}");
        return NoPicture::unsafe_content(message.trim().to_owned());
    }
    NoPicture::nonsense(format!(
        "no picture came, and the model ended with {reason:?}"
    ))
}
