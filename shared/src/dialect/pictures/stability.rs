//! Stability's pictures: a form for each, a path for each family of models, one picture as base64 in JSON.
//! Facts: platform.stability.ai, v2beta REST API, 2026-11.

use std::borrow::Cow;

use super::size::{SizeSaid, said};
use super::{
    Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, PictureTask, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::body::FormWriter;
use crate::dialect::neutral::WriteTo;
use crate::units::Usage;

const RATIOS: &[&str] = &[
    "16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21",
];
/// How far an edit may go from its picture, where a tenant can't say it.
const STRENGTH: &str = "0.6";
const STRENGTH_OF_VARIATION: &str = "0.4";

/// Stability's.
#[derive(Debug)]
pub(super) struct Stability;

/// The last part of the path, and whether the model is named in the form.
fn family(model: &str) -> (&'static str, bool) {
    match model {
        "core" | "stable-image-core" => ("core", false),
        "ultra" | "stable-image-ultra" => ("ultra", false),
        _ => ("sd3", true),
    }
}

impl PictureMaker for Stability {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        1
    }

    fn takes_bytes_alone(&self) -> bool {
        true
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        // Its own is white where the picture changes, and no clear one is understood.
        no_mask(request)?;
        no_clear_background(request)?;
        let (family, is_named) = family(to.model);
        let mut form = FormWriter::default();
        let is_variation = request.task == PictureTask::Variation && request.prompt.is_empty();
        form.text(
            "prompt",
            if is_variation {
                "the same"
            } else {
                &request.prompt
            },
        );
        if is_named {
            form.text("model", to.model);
        }
        if let Some(negative) = &request.negative_prompt {
            form.text("negative_prompt", negative);
        }
        if let Some(seed) = request.seed {
            form.text("seed", &seed.to_string());
        }
        let format = request.output_format.as_deref();
        let format = format.filter(|format| matches!(*format, "jpeg" | "webp"));
        form.text("output_format", format.unwrap_or("png"));
        let mut dropping = Dropping::of(request);
        match request.images.as_slice() {
            [] => match said(request.size.as_deref()) {
                None => {}
                Some(SizeSaid::Ratio(ratio)) => form.text("aspect_ratio", &ratio),
                Some(SizeSaid::Class(class)) => dropping.note("size", Some(&class)),
                Some(SizeSaid::Pixels(pixels)) => {
                    form.text("aspect_ratio", pixels.nearest(RATIOS).unwrap_or("1:1"));
                }
            },
            [_] if family == "core" => {
                return Err(BadBody::of("image", "This model takes no pictures."));
            }
            [one] => {
                dropping.note("size", request.size.as_ref());
                let (name, kind, bytes) = one.file("image")?;
                form.file("image", (&name, kind), bytes);
                let strength = match request.task {
                    PictureTask::Variation => STRENGTH_OF_VARIATION,
                    PictureTask::Generation | PictureTask::Edit => STRENGTH,
                };
                form.text("strength", strength);
                if is_named {
                    form.text("mode", "image-to-image");
                }
            }
            _ => return Err(BadBody::of("image", "This model takes one picture.")),
        }
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        dropping.note("user", request.end_user.as_ref());
        let (content_type, body) = form.finish();
        Ok(PictureCall {
            path: Some(Cow::Owned(format!("/stable-image/generate/{family}"))),
            content_type: content_type.into(),
            body,
            dropped: dropping.done(),
        })
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        if answer["finish_reason"] == "CONTENT_FILTERED" {
            let message = "The picture was withheld by the provider.";
            return Err(NoPicture::unsafe_content(message));
        }
        let data = answer["image"].as_str().filter(|data| !data.is_empty());
        let data = data.ok_or_else(|| NoPicture::nonsense("no picture came"))?;
        Ok(PictureAnswer {
            pictures: vec![MadePicture {
                data: MadeData::of_base64(data.to_owned()),
                revised_prompt: None,
            }],
            usage: Usage::default(),
        })
    }
}
