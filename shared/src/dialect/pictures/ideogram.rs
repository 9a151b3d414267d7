//! Ideogram's third version: forms, a path for each task, pictures at addresses. A mask there is black where
//! the picture changes, OpenAI's clear; so one that is no form of Ideogram's is refused. Facts:
//! developer.ideogram.ai, v1 API, 2026-10.

use std::borrow::Cow;

use serde_json::Value;

use super::size::{SizeSaid, said};
use super::{
    Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, PictureTask, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::body::FormWriter;
use crate::dialect::neutral::WriteTo;
use crate::units::Usage;

const AT_ONCE: u64 = 8;
const RATIOS: &[&str] = &[
    "1x3", "3x1", "1x2", "2x1", "9x16", "16x9", "10x16", "16x10", "2x3", "3x2", "3x4", "4x3",
    "4x5", "5x4", "1x1",
];

/// Ideogram's.
#[derive(Debug)]
pub(super) struct Ideogram;

impl PictureMaker for Ideogram {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        AT_ONCE
    }

    fn takes_bytes_alone(&self) -> bool {
        true
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        let mut form = FormWriter::default();
        let mut dropping = Dropping::of(request);
        let is_variation = request.task == PictureTask::Variation && request.prompt.is_empty();
        let prompt = if is_variation {
            "the same"
        } else {
            &request.prompt
        };
        form.text("prompt", prompt);
        if let Some(negative) = &request.negative_prompt {
            form.text("negative_prompt", negative);
        }
        form.text("num_images", &request.n.to_string());
        match said(request.size.as_deref()) {
            None => {}
            Some(SizeSaid::Ratio(ratio)) => form.text("aspect_ratio", &ratio.replace(':', "x")),
            Some(SizeSaid::Class(class)) => dropping.note("size", Some(&class)),
            Some(SizeSaid::Pixels(pixels)) => {
                form.text("aspect_ratio", pixels.nearest(RATIOS).unwrap_or("1x1"));
            }
        }
        let speed = match request.quality.as_deref() {
            Some("low") => Some("TURBO"),
            Some("high" | "hd") => Some("QUALITY"),
            _ => None,
        };
        if let Some(speed) = speed {
            form.text("rendering_speed", speed);
        }
        if let Some(seed) = request.seed {
            form.text("seed", &seed.to_string());
        }
        let is_clear = request.background.as_deref() == Some("transparent");
        let path = match request.images.as_slice() {
            [] if is_clear => format!("/v1/{}/generate-transparent", to.model),
            [] => format!("/v1/{}/generate", to.model),
            [one] => {
                no_clear_background(request)?;
                let (name, kind, bytes) = one.file("image")?;
                form.file("image", (&name, kind), bytes);
                format!("/v1/{}/remix", to.model)
            }
            _ => return Err(BadBody::of("image", "This model takes one picture.")),
        };
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        dropping.note("user", request.end_user.as_ref());
        let (content_type, body) = form.finish();
        Ok(PictureCall {
            path: Some(Cow::Owned(path)),
            content_type: content_type.into(),
            body,
            dropped: dropping.done(),
        })
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        let entries = answer["data"].as_array();
        let entries = entries.ok_or_else(|| NoPicture::nonsense("there is no `data`"))?;
        let url = |entry: &Value| {
            let url = entry["url"].as_str().filter(|url| !url.is_empty())?;
            Some(MadePicture {
                data: MadeData::of_url(url),
                revised_prompt: entry["prompt"].as_str().map(str::to_owned),
            })
        };
        let pictures: Vec<MadePicture> = entries.iter().filter_map(url).collect();
        if pictures.is_empty() {
            let is_unsafe = entries.iter().any(|one| one["is_image_safe"] == false);
            return Err(if is_unsafe {
                NoPicture::unsafe_content("The picture was withheld by the provider.")
            } else {
                NoPicture::nonsense("no picture came")
            });
        }
        Ok(PictureAnswer {
            pictures,
            usage: Usage::default(),
        })
    }
}
