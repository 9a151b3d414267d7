//! Pictures of the sandbox: real PNGs, as bytes or as an address that holds them, whole or with the
//! steps before (OpenAI, "Image streaming"). What is painted is what the words say; one that is made from others
//! has the size of the first and differs by what that holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::dialect::openai_images;
use shared::dialect::pictures::{Delivery, GivenPicture, PictureRequest, PictureTask, sides};
use shared::fault::{Fault, FaultKind};
use shared::link::Call;
use tokio::sync::Semaphore;

use super::marks::Marks;
use super::scene::Scene;
use super::{CREATED, paint, png, refusal, tokens_of};
use crate::providers::spoken::unsaid;
use crate::providers::{Answer, ByteStream, Refusal};

const SIDE_MIN: u32 = 16;
const SIDE_MAX: u32 = 2_048;
const SIDE_USUAL: u32 = 1_024;
const IMAGES_MAX: u64 = 10;
/// Pictures that are painted at the same time.
static PAINTERS: Semaphore = Semaphore::const_new(4);
/// OpenAI's bound of pictures before the last one.
const PARTIAL_MAX: u64 = 3;
/// As OpenAI's image models count a picture that is read, and one that is drawn.
const TOKENS_PER_GIVEN: u64 = 256;
const TOKENS_PER_IMAGE: u64 = 272;

/// Answers a call.
pub(super) async fn draw(call: &Call) -> Result<Answer, Refusal> {
    let task = call.surface.dialect.picture_task().unwrap_or_default();
    let body = call.body().map_err(|error| unsaid(&error))?;
    let asked = openai_images::asked(task, &body).map_err(|error| told(&error))?;
    Marks::read(&asked.prompt).obey().await?;
    let size = size(&asked)?;
    let n = asked.n.clamp(1, IMAGES_MAX);
    let drawing = Drawing::of(asked, size);
    if call.stream {
        return streamed(drawing, n);
    }
    let mut images = Vec::new();
    for index in 0..n {
        images.push(drawing.entry(index).await?);
    }
    let (width, height) = size;
    let answer = json!({"created": CREATED, "data": images, "output_format": "png", "size": format!("{width}x{height}"), "usage": drawing.usage(n)});
    Ok(Answer::json(Bytes::from(answer.to_string())))
}

fn told(error: &shared::dialect::BadBody) -> Refusal {
    refusal(error.message.clone(), error.param)
}

/// What is drawn, n times.
#[derive(Debug, Clone)]
struct Drawing {
    asked: PictureRequest,
    size: (u32, u32),
    /// The words that its colours follow from, before the number of a picture.
    seed: String,
}

impl Drawing {
    fn of(asked: PictureRequest, size: (u32, u32)) -> Self {
        let given = asked.images.first().map(digest);
        let seed = asked.seed.map(|seed| format!(" #{seed}"));
        Self {
            seed: format!(
                "{}{}{}",
                asked.prompt,
                given.unwrap_or_default(),
                seed.unwrap_or_default()
            ),
            asked,
            size,
        }
    }

    /// The picture of that number as base64. Painted on a thread of its own, so that calls on this one come
    /// between; a few at once, since each takes a core for some hundredths of a second.
    async fn picture(&self, index: u64) -> Result<String, Refusal> {
        let failed = || {
            Refusal::from(Fault::new(
                FaultKind::Overloaded,
                "the picture was not painted",
            ))
        };
        let permit = PAINTERS.acquire().await.map_err(|_| failed())?;
        let (words, size) = (self.asked.prompt.clone(), self.size);
        let seed = format!("{index} {}", self.seed);
        let painting = tokio::task::spawn_blocking(move || {
            let seed: [u8; 32] = Sha256::digest(seed).into();
            let canvas = paint::paint(&Scene::read(&words), size, &seed);
            STANDARD.encode(png::picture(&canvas))
        });
        let painted = painting.await.map_err(|_| failed());
        drop(permit);
        painted
    }

    async fn entry(&self, index: u64) -> Result<Value, Refusal> {
        let png = self.picture(index).await?;
        let mut entry = if self.asked.delivery == Some(Delivery::Url) {
            // The sandbox keeps no files: the address holds the picture (RFC 2397).
            json!({"url": format!("data:image/png;base64,{png}")})
        } else {
            json!({"b64_json": png})
        };
        if !self.asked.prompt.is_empty() {
            entry["revised_prompt"] = self.asked.prompt.as_str().into();
        }
        Ok(entry)
    }

    /// As OpenAI's image models count: the prompt's text, and so many tokens a picture.
    fn usage(&self, images: u64) -> Value {
        let given = u64::try_from(self.asked.images.len()).unwrap_or(u64::MAX);
        let (text, read) = (
            tokens_of(self.asked.prompt.len()).max(1),
            given.saturating_mul(TOKENS_PER_GIVEN),
        );
        let (input, output) = (text + read, images * TOKENS_PER_IMAGE);
        json!({
            "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
            "input_tokens_details": {"text_tokens": text, "image_tokens": read}
        })
    }

    /// One event of a stream: a draft, or the picture itself behind so many of them.
    async fn event(&self, step: u64) -> Result<Bytes, Refusal> {
        let partial = self.asked.partial;
        // Each step is another picture; the last one is the one that is asked for.
        let png = self.picture(partial - step).await?;
        let (width, height) = self.size;
        let mut event = json!({
            "b64_json": png, "created_at": CREATED, "size": format!("{width}x{height}"),
            "quality": "auto", "background": "opaque", "output_format": "png"
        });
        let what = match self.asked.task {
            PictureTask::Edit => "image_edit",
            PictureTask::Generation | PictureTask::Variation => "image_generation",
        };
        let name = if step == partial {
            event["usage"] = self.usage(1);
            format!("{what}.completed")
        } else {
            event["partial_image_index"] = step.into();
            format!("{what}.partial_image")
        };
        event["type"] = name.as_str().into();
        Ok(Bytes::from(format!("event: {name}\ndata: {event}\n\n")))
    }
}

/// What stands for a picture that is given.
fn digest(picture: &GivenPicture) -> String {
    let bytes = match picture {
        GivenPicture::Url(url) => Sha256::digest(url),
        GivenPicture::Base64 { data, .. } => Sha256::digest(data),
        GivenPicture::File { bytes, .. } => Sha256::digest(bytes),
    };
    hex::encode(bytes)
}

fn streamed(drawing: Drawing, n: u64) -> Result<Answer, Refusal> {
    let partial = drawing.asked.partial;
    if partial > PARTIAL_MAX {
        let bound = format!("`partial_images` must be from 0 to {PARTIAL_MAX}.");
        return Err(refusal(bound, Some("partial_images")));
    }
    if n > 1 {
        return Err(refusal("Pictures are streamed one by one.", Some("n")));
    }
    let stream: ByteStream = Box::pin(stream::unfold(0, move |step| {
        let drawing = drawing.clone();
        async move {
            if step > partial {
                return None;
            }
            Some(match drawing.event(step).await {
                Ok(event) => (Ok(event), step + 1),
                Err(refusal) => (Err(refusal.fault), partial + 1),
            })
        }
    }));
    Ok(Answer::events(stream))
}

/// The size that is asked for; where none is, that of the first picture that is given, cut to what is drawn.
fn size(asked: &PictureRequest) -> Result<(u32, u32), Refusal> {
    let Some(size) = asked.size.as_deref() else {
        let given = asked.images.first().and_then(given_sides);
        let cut = |side: u32| side.clamp(SIDE_MIN, SIDE_MAX);
        return Ok(given.map_or((SIDE_USUAL, SIDE_USUAL), |(width, height)| {
            (cut(width), cut(height))
        }));
    };
    let size = size.to_ascii_lowercase();
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side| (SIDE_MIN..=SIDE_MAX).contains(side))
    };
    if size == "auto" {
        return Ok((SIDE_USUAL, SIDE_USUAL));
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

fn given_sides(picture: &GivenPicture) -> Option<(u32, u32)> {
    match picture {
        GivenPicture::Url(_) => None,
        GivenPicture::Base64 { data, .. } => {
            let head = data.get(..data.len().min(4_000) / 4 * 4)?;
            sides(&STANDARD.decode(head).ok()?)
        }
        GivenPicture::File { bytes, .. } => sides(bytes),
    }
}
