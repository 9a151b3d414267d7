//! Formats that providers of pictures speak and no tenant does, as dialects: each is a row that names its
//! maker.

use bytes::Bytes;

use super::ark::Ark;
use super::dashscope::DashScope;
use super::ideogram::Ideogram;
use super::minimax::MiniMax;
use super::recraft::Recraft;
use super::stability::Stability;
use super::xai::Xai;
use super::{NoPicture, PictureMaker};
use crate::dialect::body::Body;
use crate::dialect::openai::events;
use crate::dialect::{Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Unit, Usage};

/// One of them.
#[derive(Debug)]
pub struct VendorPictures {
    name: &'static str,
    maker: &'static dyn PictureMaker,
}

const fn row(name: &'static str, maker: &'static dyn PictureMaker) -> VendorPictures {
    VendorPictures { name, maker }
}

/// Volcengine Ark's.
pub static ARK_IMAGES: VendorPictures = row("ark_images", &Ark);
/// Aliyun's.
pub static DASHSCOPE_IMAGES: VendorPictures = row("dashscope_images", &DashScope);
/// Ideogram's.
pub static IDEOGRAM_IMAGES: VendorPictures = row("ideogram_images", &Ideogram);
/// MiniMax's.
pub static MINIMAX_IMAGES: VendorPictures = row("minimax_images", &MiniMax);
/// Recraft's.
pub static RECRAFT_IMAGES: VendorPictures = row("recraft_images", &Recraft);
/// Stability's.
pub static STABILITY_IMAGES: VendorPictures = row("stability_images", &Stability);
/// xAI's.
pub static XAI_IMAGES: VendorPictures = row("xai_images", &Xai);

impl Dialect for VendorPictures {
    fn name(&self) -> &'static str {
        self.name
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object"}"#
    }

    fn read(&self, _: &Head, _: &Body) -> Result<Asked, BadBody> {
        let message = "This format is spoken to providers alone; no API of this service takes it.";
        Err(BadBody::whole(message))
    }

    fn names_end_users(&self) -> bool {
        false
    }

    fn pictures(&self) -> Option<&'static dyn PictureMaker> {
        Some(self.maker)
    }

    fn forwarded(&self, body: &Bytes, _: Forward<'_>) -> Result<Bytes, BadBody> {
        Ok(body.clone())
    }

    fn usage(&self, _: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        match self.maker.read(answer) {
            Ok(made) => {
                let mut usage = made.usage;
                let count = u64::try_from(made.pictures.len()).unwrap_or(u64::MAX);
                usage.set(Unit::Image, count);
                Ok(usage)
            }
            Err(NoPicture::Told(_)) => Ok(Usage::default()),
            Err(NoPicture::Nonsense(why)) => Err(Fault::new(FaultKind::InvalidAnswer, why)),
        }
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        if let Some(told) = told::error_in(answer) {
            return Judged::Error(Box::new(told));
        }
        match self.maker.read(answer) {
            Ok(_) => Judged::Answer,
            Err(NoPicture::Told(told)) => Judged::Error(told),
            Err(NoPicture::Nonsense(why)) => Judged::Nonsense(why),
        }
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told).into()
    }
}
