//! Pictures in the terms that formats have in common: what is asked for, what was made. Tenants ask in
//! OpenAI's format alone; each provider's own is a [`PictureMaker`] in a file here. Knows no transport and
//! no money.
//!
//! What one format can say and another can't is dropped by name, or refused where dropping it would change
//! what is meant: a mask, a background that must be clear.

mod ark;
mod chat;
mod dashscope;
mod gemini;
pub(crate) mod header;
mod ideogram;
mod minimax;
mod recraft;
mod size;
mod stability;
mod vendor;
mod xai;

pub(crate) use self::chat::CHAT_PICTURES;
pub(crate) use self::gemini::GEMINI_PICTURES;
pub use self::header::{PictureFormat, sides};
pub use self::vendor::{
    ARK_IMAGES, DASHSCOPE_IMAGES, IDEOGRAM_IMAGES, MINIMAX_IMAGES, RECRAFT_IMAGES,
    STABILITY_IMAGES, VendorPictures, XAI_IMAGES,
};

use std::borrow::Cow;
use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::neutral::WriteTo;
use super::neutral::address::is_address;
use super::walk::Walk;
use super::{BadBody, Told};
use crate::dialect::counts::Counts;
use crate::units::{Unit, Usage};

/// What is done with words and pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PictureTask {
    /// Pictures from words, and from others where some are given.
    #[default]
    Generation,
    /// Another picture of those that are given, as words say.
    Edit,
    /// Others like the one that is given.
    Variation,
}

/// What is asked of a model that makes pictures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureRequest {
    /// What to do.
    pub task: PictureTask,
    /// In words; empty for variations.
    pub prompt: String,
    /// What is to be seen of in none, in words.
    pub negative_prompt: Option<String>,
    /// Pictures to work from, in order.
    pub images: Vec<GivenPicture>,
    /// Where it is clear, the first one may change.
    pub mask: Option<GivenPicture>,
    /// How many are to be made.
    pub n: u64,
    /// Drafts that are to be seen before each, in a stream.
    pub partial: u64,
    /// `1024x1024`, `2K`; absent where the model chooses.
    pub size: Option<String>,
    /// The model's own word.
    pub quality: Option<String>,
    /// `transparent` or `opaque`.
    pub background: Option<String>,
    /// `png`, `jpeg`, `webp`.
    pub output_format: Option<String>,
    /// How much a JPEG is packed, in percent.
    pub output_compression: Option<u64>,
    /// Whether as bytes or as an address; absent where nobody cares.
    pub delivery: Option<Delivery>,
    /// The same number makes the same picture, where a model can do that.
    pub seed: Option<i64>,
    /// Whether a visible mark is put on it.
    pub watermark: Option<bool>,
    /// Whose question it is.
    pub end_user: Option<String>,
    /// Fields that have no words here, by the names they had.
    pub unsaid: Vec<String>,
}

/// How pictures are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As an address.
    Url,
    /// In the answer.
    Base64,
}

/// A picture that a tenant gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenPicture {
    /// At an address, for whoever makes pictures from it to fetch.
    Url(String),
    /// As base64 text of that type.
    Base64 {
        /// `image/png`.
        media_type: String,
        /// The text.
        data: String,
    },
    /// As a file's bytes.
    File {
        /// Its name at the tenant.
        name: String,
        /// What it is.
        format: PictureFormat,
        /// A place in the body.
        bytes: Bytes,
    },
}

impl PictureRequest {
    /// Hands every picture that is given to `each`, the mask too.
    pub fn each_given(&mut self, each: impl FnMut(&mut GivenPicture)) {
        self.images.iter_mut().chain(&mut self.mask).for_each(each);
    }
}

impl GivenPicture {
    /// Where on the web it lies, if it does.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Url(url) => is_address(url).then_some(url),
            Self::Base64 { .. } | Self::File { .. } => None,
        }
    }

    /// Puts what was fetched in the place of its address. `Err` says what it is not.
    pub fn put(&mut self, bytes: Bytes) -> Result<(), &'static str> {
        let format = PictureFormat::of(&bytes).ok_or("no PNG, JPEG, WebP or GIF")?;
        let ending = format.media_type().rsplit('/').next().unwrap_or("png");
        *self = Self::File {
            name: format!("image.{ending}"),
            format,
            bytes,
        };
        Ok(())
    }

    /// The media type, where the bytes are here.
    pub(crate) fn media_type(&self) -> Option<&str> {
        match self {
            Self::Url(_) => None,
            Self::Base64 { media_type, .. } => Some(media_type),
            Self::File { format, .. } => Some(format.media_type()),
        }
    }

    /// As base64, where the bytes are here.
    pub(crate) fn base64(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Url(_) => None,
            Self::Base64 { data, .. } => Some(Cow::Borrowed(data)),
            Self::File { bytes, .. } => Some(Cow::Owned(STANDARD.encode(bytes))),
        }
    }

    /// As an address, which holds the picture itself where its bytes are here (RFC 2397).
    pub(crate) fn url(&self) -> Cow<'_, str> {
        match self {
            Self::Url(url) => Cow::Borrowed(url),
            Self::Base64 { media_type, data } => {
                Cow::Owned(format!("data:{media_type};base64,{data}"))
            }
            Self::File { format, bytes, .. } => Cow::Owned(format!(
                "data:{};base64,{}",
                format.media_type(),
                STANDARD.encode(bytes)
            )),
        }
    }

    /// Name, type and bytes of a file, where the bytes are here and are a picture.
    pub(crate) fn file(&self, field: &'static str) -> Result<(String, &str, Bytes), BadBody> {
        match self {
            Self::Url(_) => Err(BadBody::of(
                field,
                format!(
                    "`{field}` can't be an address with this model: its provider takes files; send \
                     the picture itself, as a data URL or in a form."
                ),
            )),
            Self::Base64 { media_type, data } => {
                let bytes = STANDARD
                    .decode(data)
                    .map_err(|_| BadBody::of(field, format!("`{field}` is not valid base64.")))?;
                let ending = media_type.rsplit('/').next().unwrap_or("png");
                Ok((format!("{field}.{ending}"), media_type, bytes.into()))
            }
            Self::File {
                name,
                format,
                bytes,
            } => Ok((name.clone(), format.media_type(), bytes.clone())),
        }
    }
}

/// Where and how a request goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureCall {
    /// Below the provider's address; absent where its dialect says it.
    pub path: Option<Cow<'static, str>>,
    /// Of the body.
    pub content_type: Cow<'static, str>,
    /// The body.
    pub body: Bytes,
    /// Fields that had no words there and are no part of the meaning.
    pub dropped: Vec<String>,
}

impl PictureCall {
    /// As JSON, at that path.
    pub(crate) fn json(path: Option<&'static str>, body: &Value, dropped: Vec<String>) -> Self {
        Self {
            path: path.map(Cow::Borrowed),
            content_type: Cow::Borrowed("application/json"),
            body: body.to_string().into(),
            dropped,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureAnswer {
    /// At least one.
    pub pictures: Vec<MadePicture>,
    /// As the provider counts it; pictures are counted by themselves.
    pub usage: Usage,
}

/// One picture that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadePicture {
    /// It.
    pub data: MadeData,
    /// What it was made from, where the words were written anew.
    pub revised_prompt: Option<String>,
}

/// A made picture as its provider hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeData {
    /// At an address.
    Url(String),
    /// As base64 text.
    Base64 {
        /// Its media type.
        media_type: Cow<'static, str>,
        /// The text.
        data: String,
    },
}

impl MadeData {
    /// Of an address that may hold the picture itself.
    pub(crate) fn of_url(url: &str) -> Self {
        let held = url.strip_prefix("data:").and_then(|rest| {
            let (head, data) = rest.split_once(',')?;
            let media_type = head.strip_suffix(";base64")?;
            Some((media_type.to_owned(), data.to_owned()))
        });
        match held {
            Some((media_type, data)) => Self::Base64 {
                media_type: media_type.into(),
                data,
            },
            None => Self::Url(url.to_owned()),
        }
    }

    /// Of base64 whose type its first bytes tell.
    pub(crate) fn of_base64(data: String) -> Self {
        let head: Vec<u8> = data.bytes().take(24).collect();
        let bytes = STANDARD.decode(head).unwrap_or_default();
        let format = PictureFormat::of(&bytes).unwrap_or(PictureFormat::Png);
        Self::Base64 {
            media_type: format.media_type().into(),
            data,
        }
    }
}

/// Why an answer that came as a success holds no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPicture {
    /// The provider says why.
    Told(Box<Told>),
    /// It is no answer of this format.
    Nonsense(String),
}

impl NoPicture {
    /// What was asked for or made is not shown.
    pub(crate) fn unsafe_content(message: impl Into<String>) -> Self {
        Self::Told(Box::new(Told {
            message: message.into(),
            code: Some("content_policy_violation".to_owned()),
            ..Told::default()
        }))
    }

    pub(crate) fn nonsense(what: impl Into<String>) -> Self {
        Self::Nonsense(what.into())
    }
}

/// A provider's own format of pictures.
pub trait PictureMaker: Debug + Send + Sync {
    /// How many one request makes at most; what is asked beyond it goes in several.
    fn at_once(&self, request: &PictureRequest, model: &str) -> u64;

    /// Whether it takes pictures as bytes alone, so that whoever asks in it fetches what lies at an address.
    fn takes_bytes_alone(&self) -> bool {
        false
    }

    /// The request in this format. `Err` where something that is meant can't be said.
    fn write(&self, request: &PictureRequest, to: WriteTo<'_>) -> Result<PictureCall, BadBody>;

    /// What a whole answer holds.
    fn read(&self, answer: &[u8]) -> Result<PictureAnswer, NoPicture>;
}

/// The count in `usage`, in any of the names in use; pictures apart, which are counted as they come.
pub(crate) fn counted(usage: &Value) -> Usage {
    let text = usage.to_string();
    let counts = Counts::read(&mut Walk::new(text.as_bytes())).unwrap_or_default();
    let mut usage = counts.usage();
    usage.set(Unit::Image, 0);
    usage
}

/// An answer as JSON.
pub(crate) fn parsed(answer: &[u8]) -> Result<Value, NoPicture> {
    serde_json::from_slice(answer)
        .map_err(|error| NoPicture::nonsense(format!("not the JSON that was expected: {error}")))
}

/// Collects the names of fields that go unsaid.
#[derive(Debug)]
pub(crate) struct Dropping(Vec<String>);

impl Dropping {
    pub(crate) fn of(request: &PictureRequest) -> Self {
        Self(request.unsaid.clone())
    }

    /// `name` is not said, where it is given.
    pub(crate) fn note<T>(&mut self, name: &str, given: Option<&T>) {
        if given.is_some() {
            self.0.push(name.to_owned());
        }
    }

    pub(crate) fn done(self) -> Vec<String> {
        self.0
    }
}

/// The words for a model that has no field for what must not be seen.
pub(crate) fn in_words(request: &PictureRequest) -> String {
    let prompt = match (request.task, request.prompt.is_empty()) {
        (PictureTask::Variation, true) => {
            "Make a variation of this picture: the same subject and style, drawn anew."
        }
        _ => &request.prompt,
    };
    match &request.negative_prompt {
        Some(negative) => format!("{prompt}\n\nDo not show: {negative}"),
        None => prompt.to_owned(),
    }
}

/// Refuses a mask, which this format has no place for.
pub(crate) fn no_mask(request: &PictureRequest) -> Result<(), BadBody> {
    if request.mask.is_none() {
        return Ok(());
    }
    let message =
        "`mask` can't be said to this model; say in words what to change, or choose another model.";
    Err(BadBody::of("mask", message))
}

/// Refuses a background that must be clear, likewise.
pub(crate) fn no_clear_background(request: &PictureRequest) -> Result<(), BadBody> {
    if request.background.as_deref() != Some("transparent") {
        return Ok(());
    }
    let message = "`background` can't be transparent with this model; choose another one.";
    Err(BadBody::of("background", message))
}

#[cfg(test)]
mod tests;
