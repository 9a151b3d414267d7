//! MiniMax's pictures: JSON of its own, a person's picture as a reference, errors within a success. Facts:
//! platform.minimax.io, "Image generation", 2026-10.

use serde_json::{Value, json};

use super::size::{SizeSaid, said};
use super::{
    Delivery, Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, counted, in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::neutral::WriteTo;

const AT_ONCE: u64 = 9;
const RATIOS: &[&str] = &["1:1", "16:9", "4:3", "3:2", "2:3", "3:4", "9:16", "21:9"];
/// The sides that it draws, in steps.
const SIDES: std::ops::RangeInclusive<u32> = 512..=2_048;
const STEP: u32 = 8;

/// MiniMax's.
#[derive(Debug)]
pub(super) struct MiniMax;

impl PictureMaker for MiniMax {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        AT_ONCE
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        no_clear_background(request)?;
        let delivery = match request.delivery {
            Some(Delivery::Url) => "url",
            Some(Delivery::Base64) | None => "base64",
        };
        let mut body = json!({
            "model": to.model,
            "prompt": in_words(request),
            "n": request.n,
            "response_format": delivery,
        });
        let mut dropping = Dropping::of(request);
        match said(request.size.as_deref()) {
            None => {}
            Some(SizeSaid::Ratio(ratio)) => body["aspect_ratio"] = ratio.into(),
            Some(SizeSaid::Class(class)) => dropping.note("size", Some(&class)),
            Some(SizeSaid::Pixels(pixels)) => {
                let is_side = |side: u32| SIDES.contains(&side) && side.is_multiple_of(STEP);
                if is_side(pixels.width) && is_side(pixels.height) {
                    body["width"] = pixels.width.into();
                    body["height"] = pixels.height.into();
                } else {
                    body["aspect_ratio"] = pixels.nearest(RATIOS).into();
                }
            }
        }
        match request.images.as_slice() {
            [] => {}
            [one] => {
                let file = one.url();
                body["subject_reference"] = json!([{"type": "character", "image_file": file}]);
            }
            _ => {
                let message = "This model takes one picture, of a person.";
                return Err(BadBody::of("image", message));
            }
        }
        if let Some(seed) = request.seed {
            body["seed"] = seed.into();
        }
        if let Some(watermark) = request.watermark {
            body["aigc_watermark"] = watermark.into();
        }
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("user", request.end_user.as_ref());
        Ok(PictureCall::json(
            Some("/image_generation"),
            &body,
            dropping.done(),
        ))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        let list = |name: &str| answer["data"][name].as_array().into_iter().flatten();
        let texts = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let urls = list("image_urls").filter_map(texts);
        let bytes = list("image_base64").filter_map(texts);
        let all = urls
            .map(|url| MadeData::of_url(&url))
            .chain(bytes.map(MadeData::of_base64));
        let pictures: Vec<MadePicture> = all
            .map(|data| MadePicture {
                data,
                revised_prompt: None,
            })
            .collect();
        if pictures.is_empty() {
            // Counts come as numbers and as texts.
            let failed = &answer["metadata"]["failed_count"];
            let is_some = failed.as_u64().is_some_and(|n| n > 0)
                || failed.as_str().is_some_and(|n| n != "0" && !n.is_empty());
            return Err(if is_some {
                NoPicture::unsafe_content("The pictures were withheld by the provider.")
            } else {
                NoPicture::nonsense("no picture came")
            });
        }
        Ok(PictureAnswer {
            pictures,
            usage: counted(&answer["usage"]),
        })
    }
}
