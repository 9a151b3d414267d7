//! xAI's pictures: near to OpenAI's, with ratios in the place of sizes, and edits as JSON alone. Facts:
//! docs.x.ai, "Image generation" and "Image editing", 2026-11.

use serde_json::{Value, json};

use super::ark::of_data;
use super::size::{SizeSaid, said};
use super::{
    Delivery, Dropping, NoPicture, PictureAnswer, PictureCall, PictureMaker, PictureRequest,
    in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::neutral::WriteTo;

/// Pictures of one request.
const AT_ONCE: u64 = 10;
/// Pictures that one may be made from.
const IMAGES_MAX: usize = 3;
const RATIOS: &[&str] = &[
    "1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "1:2", "2:1", "9:20", "20:9",
];

/// xAI's.
#[derive(Debug)]
pub(super) struct Xai;

impl PictureMaker for Xai {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        AT_ONCE
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
            "n": request.n,
        });
        let mut put = |name: &str, value: Value| body[name] = value;
        let delivery = match request.delivery {
            Some(Delivery::Url) => "url",
            Some(Delivery::Base64) | None => "b64_json",
        };
        put("response_format", delivery.into());
        match said(request.size.as_deref()) {
            None => {}
            Some(SizeSaid::Ratio(ratio)) => put("aspect_ratio", ratio.into()),
            Some(SizeSaid::Class(class)) => put("resolution", class.to_lowercase().into()),
            Some(SizeSaid::Pixels(pixels)) => {
                put("aspect_ratio", pixels.nearest(RATIOS).into());
                if pixels.class() != "1K" {
                    put("resolution", "2k".into());
                }
            }
        }
        let given = |url: &str| json!({"type": "image_url", "url": url});
        let path = match request.images.as_slice() {
            [] => "/images/generations",
            [one] => {
                put("image", given(&one.url()));
                "/images/edits"
            }
            several => {
                let all = several.iter().map(|image| given(&image.url()));
                put("images", all.collect());
                "/images/edits"
            }
        };
        if let Some(user) = &request.end_user {
            put("user", user.as_str().into());
        }
        let mut dropping = Dropping::of(request);
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("seed", request.seed.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        Ok(PictureCall::json(Some(path), &body, dropping.done()))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        of_data(&parsed(answer)?)
    }
}
