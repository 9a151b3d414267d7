//! Pictures of the sandbox: real PNGs, as bytes or as an address that holds them, whole or with the
//! steps before (OpenAI, "Image streaming").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::fault::{Fault, FaultKind};
use shared::link::Call;
use tokio::sync::Semaphore;

use super::marks::Marks;
use super::scene::Scene;
use super::{CREATED, paint, png, read, refusal, tokens_of};
use crate::providers::{Answer, ByteStream, Refusal};

const SIDE_MIN: u32 = 16;
const SIDE_MAX: u32 = 2_048;
const IMAGES_MAX: u64 = 10;
/// Pictures that are painted at the same time.
static PAINTERS: Semaphore = Semaphore::const_new(4);
/// OpenAI's bound of pictures before the last one.
const PARTIAL_MAX: u64 = 3;

#[derive(Deserialize)]
struct Draw {
    prompt: String,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    size: Option<String>,
    #[serde(default)]
    response_format: Option<String>,
    #[serde(default)]
    partial_images: Option<u64>,
}

/// Answers a call.
pub(super) async fn draw(call: &Call) -> Result<Answer, Refusal> {
    let draw: Draw = read(&call.body)?;
    Marks::read(&draw.prompt).obey().await?;
    let (width, height) = size(draw.size.as_deref())?;
    let as_url = match draw.response_format.as_deref() {
        None | Some("b64_json") => false,
        Some("url") => true,
        Some(_) => {
            return Err(refusal(
                "`response_format` must be url or b64_json.",
                Some("response_format"),
            ));
        }
    };
    let n = draw.n.unwrap_or(1).clamp(1, IMAGES_MAX);
    if call.stream {
        return streamed(&draw, (width, height), n);
    }
    let mut images = Vec::new();
    for index in 0..n {
        let png = picture(draw.prompt.clone(), index, (width, height)).await?;
        images.push(if as_url {
            // The sandbox keeps no files: the address holds the picture (RFC 2397).
            json!({"url": format!("data:image/png;base64,{png}"), "revised_prompt": draw.prompt})
        } else {
            json!({"b64_json": png, "revised_prompt": draw.prompt})
        });
    }
    let answer = json!({"created": CREATED, "data": images, "output_format": "png", "size": format!("{width}x{height}"), "usage": usage(&draw, n)});
    Ok(Answer::json(Bytes::from(answer.to_string())))
}

/// Painted on a thread of its own, so that calls on this one come between; a few at once, since each takes
/// a core for some hundredths of a second.
async fn picture(prompt: String, index: u64, size: (u32, u32)) -> Result<String, Refusal> {
    let failed = || {
        Refusal::from(Fault::new(
            FaultKind::Overloaded,
            "the picture was not painted",
        ))
    };
    let permit = PAINTERS.acquire().await.map_err(|_| failed())?;
    let painting = tokio::task::spawn_blocking(move || {
        let seed: [u8; 32] = Sha256::digest(format!("{index} {prompt}")).into();
        let canvas = paint::paint(&Scene::read(&prompt), size, &seed);
        STANDARD.encode(png::picture(&canvas))
    });
    let painted = painting.await.map_err(|_| failed());
    drop(permit);
    painted
}

/// As OpenAI's image models count: the prompt's text, and so many tokens a picture.
fn usage(draw: &Draw, images: u64) -> Value {
    const TOKENS_PER_IMAGE: u64 = 272;
    let (input, output) = (
        tokens_of(draw.prompt.len()).max(1),
        images * TOKENS_PER_IMAGE,
    );
    json!({
        "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
        "input_tokens_details": {"text_tokens": input, "image_tokens": 0}
    })
}

fn streamed(draw: &Draw, size: (u32, u32), n: u64) -> Result<Answer, Refusal> {
    let partial = draw.partial_images.unwrap_or(0);
    if partial > PARTIAL_MAX {
        let bound = format!("`partial_images` must be from 0 to {PARTIAL_MAX}.");
        return Err(refusal(bound, Some("partial_images")));
    }
    if n > 1 {
        return Err(refusal("Pictures are streamed one by one.", Some("n")));
    }
    let (prompt, usage) = (draw.prompt.clone(), usage(draw, 1));
    let stream: ByteStream = Box::pin(stream::unfold(0, move |step| {
        let (prompt, usage) = (prompt.clone(), usage.clone());
        async move {
            if step > partial {
                return None;
            }
            // Each step is another picture; the last one is the one that is asked for.
            let png = match picture(prompt, partial - step, size).await {
                Ok(png) => png,
                Err(refusal) => return Some((Err(refusal.fault), partial + 1)),
            };
            let (width, height) = size;
            let mut event = json!({
                "b64_json": png, "created_at": CREATED, "size": format!("{width}x{height}"),
                "quality": "auto", "background": "opaque", "output_format": "png"
            });
            let name = if step == partial {
                event["usage"] = usage;
                "image_generation.completed"
            } else {
                event["partial_image_index"] = step.into();
                "image_generation.partial_image"
            };
            event["type"] = name.into();
            let bytes = Bytes::from(format!("event: {name}\ndata: {event}\n\n"));
            Some((Ok(bytes), step + 1))
        }
    }));
    Ok(Answer::events(stream))
}

fn size(size: Option<&str>) -> Result<(u32, u32), Refusal> {
    let size = size.unwrap_or("1024x1024").to_ascii_lowercase();
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side| (SIDE_MIN..=SIDE_MAX).contains(side))
    };
    if size == "auto" {
        return Ok((1024, 1024));
    }
    let sides = size
        .split_once('x')
        .and_then(|(width, height)| Some((side(width)?, side(height)?)));
    sides.ok_or_else(|| {
        refusal(
            format!("`size` must be WIDTHxHEIGHT, each from {SIDE_MIN} to {SIDE_MAX}."),
            Some("size"),
        )
    })
}
