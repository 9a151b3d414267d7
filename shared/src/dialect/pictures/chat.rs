//! Chat models that draw, asked in OpenAI's chat format as aggregators extend it: pictures stand in the
//! message's `images`. Facts: openrouter.ai, "Image generation", 2026-11; Vercel's gateway does the same.

use serde_json::{Map, Value, json};

use super::gemini::RATIOS;
use super::size::{SizeSaid, said};
use super::{
    Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, counted, in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::neutral::WriteTo;
use crate::dialect::{BadBody, EndUserField};

/// The format.
pub(crate) static CHAT_PICTURES: ChatPictures = ChatPictures;

/// OpenAI's chat with pictures in its answers.
#[derive(Debug)]
pub(crate) struct ChatPictures;

impl PictureMaker for ChatPictures {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        1
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        no_clear_background(request)?;
        let mut content = vec![json!({"type": "text", "text": in_words(request)})];
        content.extend(
            (request.images.iter())
                .map(|image| json!({"type": "image_url", "image_url": {"url": image.url()}})),
        );
        let mut body = json!({
            "model": to.model,
            "messages": [{"role": "user", "content": content}],
            "modalities": ["image", "text"],
        });
        let mut config = Map::new();
        match said(request.size.as_deref()) {
            None => {}
            Some(SizeSaid::Ratio(ratio)) => {
                drop(config.insert("aspect_ratio".to_owned(), ratio.into()));
            }
            Some(SizeSaid::Class(class)) => {
                drop(config.insert("image_size".to_owned(), class.into()));
            }
            Some(SizeSaid::Pixels(pixels)) => {
                if let Some(ratio) = pixels.nearest(RATIOS) {
                    config.insert("aspect_ratio".to_owned(), ratio.into());
                }
                if pixels.class() != "1K" {
                    config.insert("image_size".to_owned(), pixels.class().into());
                }
            }
        }
        if !config.is_empty() {
            body["image_config"] = config.into();
        }
        if let Some(seed) = request.seed {
            body["seed"] = seed.into();
        }
        if let Some(user) = &request.end_user {
            match to.quirks.end_user {
                EndUserField::OfDialect => body["user"] = user.as_str().into(),
                EndUserField::SafetyIdentifier => {
                    body["safety_identifier"] = user.as_str().into();
                }
                EndUserField::UserId => body["user_id"] = user.as_str().into(),
                EndUserField::Nowhere => {}
            }
        }
        let mut dropping = Dropping::of(request);
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        Ok(PictureCall::json(None, &body, dropping.done()))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        let message = &answer["choices"][0]["message"];
        let in_content = message["content"].as_array().into_iter().flatten();
        let all = message["images"].as_array().into_iter().flatten();
        let pictures: Vec<MadePicture> = all.chain(in_content).filter_map(picture).collect();
        if pictures.is_empty() {
            return Err(missing(&answer["choices"][0]));
        }
        Ok(PictureAnswer {
            pictures,
            usage: counted(&answer["usage"]),
        })
    }
}

fn picture(part: &Value) -> Option<MadePicture> {
    let at = &part["image_url"];
    let url = at["url"].as_str().or_else(|| at.as_str())?;
    if url.is_empty() {
        return None;
    }
    Some(MadePicture {
        data: MadeData::of_url(url),
        revised_prompt: None,
    })
}

/// Why there is none.
fn missing(choice: &Value) -> NoPicture {
    let words = |name: &str| choice[name].as_str().unwrap_or_default().to_owned();
    let (reason, native) = (words("finish_reason"), words("native_finish_reason"));
    let refusal = choice["message"]["refusal"].as_str();
    let is_unsafe = reason == "content_filter" || native.contains("SAFETY");
    if is_unsafe || refusal.is_some() {
        let why = refusal.unwrap_or("The picture was withheld by the provider.");
        return NoPicture::unsafe_content(why);
    }
    NoPicture::nonsense(format!(
        "no picture came, and the model ended with {reason:?}"
    ))
}
