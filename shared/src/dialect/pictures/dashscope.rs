//! Qwen's and Wan's pictures at Aliyun's Model Studio, at once and not as tasks: a message of words and
//! pictures, answered by addresses. Facts: dashscope 2.0.2 and help.aliyun.com as of 2026-10.

use serde_json::{Map, Value, json};

use super::size::{Pixels, SizeSaid, said};
use super::{
    Dropping, MadeData, MadePicture, NoPicture, PictureAnswer, PictureCall, PictureMaker,
    PictureRequest, PictureTask, counted, in_words, no_clear_background, no_mask, parsed,
};
use crate::dialect::neutral::WriteTo;
use crate::dialect::{BadBody, Told};

/// Pictures that one may be made from.
const IMAGES_MAX: usize = 4;
const AT_ONCE: u64 = 4;
/// The longer side for a class of resolution.
const SIDES: [(&str, u32); 3] = [("1K", 1_024), ("2K", 2_048), ("4K", 4_096)];

/// Aliyun's.
#[derive(Debug)]
pub(super) struct DashScope;

impl PictureMaker for DashScope {
    /// Qwen's models that draw from words alone make one (help.aliyun.com, "Qwen-Image").
    fn at_once(&self, request: &PictureRequest, model: &str) -> u64 {
        let is_plain = model.starts_with("qwen-image") || model.starts_with("z-image");
        if is_plain && request.images.is_empty() {
            1
        } else {
            AT_ONCE
        }
    }

    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody> {
        no_mask(request)?;
        no_clear_background(request)?;
        if request.images.len() > IMAGES_MAX {
            let message = format!("This model takes {IMAGES_MAX} pictures at most.");
            return Err(BadBody::of("image", message));
        }
        let images = request.images.iter();
        let mut content: Vec<Value> = images.map(|image| json!({"image": image.url()})).collect();
        let prompt = match request.task {
            PictureTask::Variation => in_words(&PictureRequest {
                negative_prompt: None,
                ..request.clone()
            }),
            PictureTask::Generation | PictureTask::Edit => request.prompt.clone(),
        };
        content.push(json!({"text": prompt}));
        let mut parameters = Map::new();
        let mut put = |name: &str, value: Value| drop(parameters.insert(name.to_owned(), value));
        put("n", request.n.into());
        put("watermark", request.watermark.unwrap_or(false).into());
        let mut dropping = Dropping::of(request);
        match said(request.size.as_deref()) {
            None => {}
            Some(SizeSaid::Pixels(Pixels { width, height })) => {
                put("size", format!("{width}*{height}").into());
            }
            Some(SizeSaid::Class(class)) => {
                let side = SIDES.iter().find(|(known, _)| *known == class);
                match side {
                    Some((_, side)) => put("size", format!("{side}*{side}").into()),
                    None => dropping.note("size", Some(&class)),
                }
            }
            Some(SizeSaid::Ratio(ratio)) => dropping.note("size", Some(&ratio)),
        }
        if let Some(negative) = &request.negative_prompt {
            put("negative_prompt", negative.as_str().into());
        }
        if let Some(seed) = request.seed {
            put("seed", seed.into());
        }
        dropping.note("quality", request.quality.as_ref());
        dropping.note("background", request.background.as_ref());
        dropping.note("output_format", request.output_format.as_ref());
        dropping.note("output_compression", request.output_compression.as_ref());
        dropping.note("user", request.end_user.as_ref());
        let body = json!({
            "model": to.model,
            "input": {"messages": [{"role": "user", "content": content}]},
            "parameters": parameters,
        });
        Ok(PictureCall::json(
            Some("/api/v1/services/aigc/multimodal-generation/generation"),
            &body,
            dropping.done(),
        ))
    }

    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture> {
        let answer = parsed(answer)?;
        // A failure may come as a success, with its code at the top or beside the output.
        for place in [&answer, &answer["output"]] {
            let code = place["code"].as_str().filter(|code| !code.is_empty());
            if let Some(code) = code {
                return Err(NoPicture::Told(Box::new(Told {
                    message: place["message"].as_str().unwrap_or_default().to_owned(),
                    code: Some(code.to_owned()),
                    ..Told::default()
                })));
            }
        }
        let output = &answer["output"];
        let choices = output["choices"].as_array().into_iter().flatten();
        let in_choices = choices
            .filter_map(|choice| choice["message"]["content"].as_array())
            .flatten()
            .filter_map(|part| part["image"].as_str());
        let results = output["results"].as_array().into_iter().flatten();
        let in_results = results.filter_map(|result| result["url"].as_str());
        let pictures: Vec<MadePicture> = in_choices
            .chain(in_results)
            .filter(|url| !url.is_empty())
            .map(|url| MadePicture {
                data: MadeData::of_url(url),
                revised_prompt: None,
            })
            .collect();
        if pictures.is_empty() {
            return Err(NoPicture::nonsense("no picture came"));
        }
        Ok(PictureAnswer {
            pictures,
            usage: counted(&answer["usage"]),
        })
    }
}
