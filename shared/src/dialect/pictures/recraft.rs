//! Recraft's pictures: OpenAI's fields from words, forms where pictures are worked from. Facts: recraft.ai,
//! API reference, 2026-11.

use std::borrow::Cow;

use serde_json::json;

use super::ark::of_data;
use super::{
    Delivery, Dropping, NoPicture, PictureAnswer, PictureCall, PictureMaker, PictureRequest,
    PictureTask, no_clear_background, no_mask, parsed,
};
use crate::dialect::BadBody;
use crate::dialect::body::FormWriter;
use crate::dialect::neutral::WriteTo;

const AT_ONCE: u64 = 6;
/// How far an edit may go from its picture, where a tenant can't say it: half of the way.
const STRENGTH: &str = "0.5";
/// A variation stays nearer.
const STRENGTH_OF_VARIATION: &str = "0.3";

/// Recraft's.
#[derive(Debug)]
pub(super) struct Recraft;

impl PictureMaker for Recraft {
    fn at_once(&self, _: &PictureRequest, _: &str) -> u64 {
        AT_ONCE
    }

    fn takes_bytes_alone(&self) -> bool {
        true
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        // Its own is white where the picture changes, and no clear one is understood.
        no_mask(request)?;
        no_clear_background(request)?;
        let delivery = match request.delivery {
            Some(Delivery::Url) => "url",
            Some(Delivery::Base64) | None => "b64_json",
        };
        let mut dropping = Dropping::of(request);
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("watermark", request.watermark.as_ref());
        dropping.note("user", request.end_user.as_ref());
        let [one] = request.images.as_slice() else {
            if !request.images.is_empty() {
                return Err(BadBody::of("image", "This model takes one picture."));
            }
            let mut body = json!({
                "model": to.model,
                "prompt": request.prompt,
                "n": request.n,
                "response_format": delivery,
            });
            if let Some(size) = request.size.as_deref().filter(|size| *size != "auto") {
                body["size"] = size.into();
            }
            if let Some(negative) = &request.negative_prompt {
                body["negative_prompt"] = negative.as_str().into();
            }
            if let Some(seed) = request.seed {
                body["random_seed"] = seed.into();
            }
            let path = Some("/images/generations");
            return Ok(PictureCall::json(path, &body, dropping.done()));
        };
        dropping.note("size", request.size.as_ref());
        let mut form = FormWriter::default();
        let (name, kind, bytes) = one.file("image")?;
        form.file("image", (&name, kind), bytes);
        let (prompt, strength) = match request.task {
            PictureTask::Variation => ("the same", STRENGTH_OF_VARIATION),
            PictureTask::Generation | PictureTask::Edit => (request.prompt.as_str(), STRENGTH),
        };
        form.text("model", to.model);
        form.text("prompt", prompt);
        form.text("strength", strength);
        form.text("n", &request.n.to_string());
        form.text("response_format", delivery);
        if let Some(negative) = &request.negative_prompt {
            form.text("negative_prompt", negative);
        }
        if let Some(seed) = request.seed {
            form.text("random_seed", &seed.to_string());
        }
        let (content_type, body) = form.finish();
        Ok(PictureCall {
            path: Some(Cow::Borrowed("/images/imageToImage")),
            content_type: content_type.into(),
            body,
            dropped: dropping.done(),
        })
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        of_data(&parsed(answer)?)
    }
}
