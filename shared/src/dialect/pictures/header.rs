//! Width and height of a picture from its first bytes, and what a picture of that size is in tokens. Decodes
//! nothing, reads no further than a bound, and knows no request.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::dialect::walk::unescaped;

/// What stands before a JPEG's size (a preview, a colour profile) is seldom longer.
const HEAD_BYTES_MAX: usize = 96 * 1024;
/// Where every other format, and most JPEGs, have told their size.
const HEAD_BYTES_USUAL: usize = 3 * 1024;
/// No picture that a model takes has a longer side; a header that says so says nothing.
const SIDE_MAX: u32 = 65_536;
/// A token stands for about so many pixels (Anthropic, "Vision"; OpenAI's patches are of 1,024).
const PIXELS_PER_TOKEN: u64 = 750;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Formats of pictures that providers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// Google's `WebP`.
    Webp,
    /// GIF.
    Gif,
}

impl PictureFormat {
    /// By what a picture begins with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The usual ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }
}

/// Width and height in pixels, as its header tells them; `None` where it is cut off, unknown or absurd.
pub fn sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    let (width, height) = match PictureFormat::of(bytes)? {
        PictureFormat::Png => (big(bytes, 16)?, big(bytes, 20)?),
        PictureFormat::Gif => (little16(bytes, 6)?, little16(bytes, 8)?),
        PictureFormat::Webp => webp(bytes)?,
        PictureFormat::Jpeg => jpeg(bytes)?,
    };
    let holds = |side: u32| (1..=SIDE_MAX).contains(&side);
    (holds(width) && holds(height)).then_some((width, height))
}

/// The same of base64 as it stands in JSON.
pub(crate) fn sides_of_base64(raw: &[u8]) -> Option<(u32, u32)> {
    let decoded = |bytes_max: usize| {
        let signs = bytes_max / 3 * 4;
        // Each slash may be escaped.
        let written = &raw[..raw.len().min(signs * 2)];
        let text = unescaped(written.strip_suffix(b"\\").unwrap_or(written));
        let whole = text.len().min(signs) / 4 * 4;
        BASE64.decode(text.get(..whole)?).ok()
    };
    let head = decoded(HEAD_BYTES_USUAL)?;
    let found = sides(&head);
    if found.is_some() || PictureFormat::of(&head)? != PictureFormat::Jpeg {
        return found;
    }
    sides(&decoded(HEAD_BYTES_MAX)?)
}

/// About how many tokens so many pixels are.
pub(crate) fn tokens((width, height): (u32, u32)) -> u64 {
    (u64::from(width) * u64::from(height)).div_ceil(PIXELS_PER_TOKEN)
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

fn big16(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(two.try_into().ok()?).into())
}

fn little16(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(two.try_into().ok()?).into())
}

/// Three kinds of a first chunk (Google, "`WebP` Container Specification"; RFC 6386, 9.1).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((little16(bytes, 26)? & 0x3fff, little16(bytes, 28)? & 0x3fff)),
        b"VP8L" => {
            let four: [u8; 4] = bytes.get(21..25)?.try_into().ok()?;
            let bits = u32::from_le_bytes(four);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => {
            let side = |at: usize| {
                let low = little16(bytes, at)?;
                Some((low | (u32::from(*bytes.get(at + 2)?) << 16)) + 1)
            };
            Some((side(24)?, side(27)?))
        }
        _ => None,
    }
}

/// Goes from segment to segment up to the frame's (ITU T.81, B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if bytes.get(at)? != &0xff {
            return None;
        }
        match marker {
            // Fill bytes, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big16(bytes, at + 7)?, big16(bytes, at + 5)?));
            }
            _ => {
                let length = usize::try_from(big16(bytes, at + 2)?).ok()?;
                at = at.checked_add(2 + length.max(2))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.extend_from_slice(&[8, 6, 0, 0, 0]);
        bytes
    }

    /// With a profile of so many bytes before the frame.
    fn jpeg_of(width: u16, height: u16, before: usize) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        let mut rest = before;
        while rest > 0 {
            let length = rest.min(60_000);
            bytes.extend_from_slice(&[0xff, 0xe2]);
            let told = u16::try_from(length + 2).expect("short");
            bytes.extend_from_slice(&told.to_be_bytes());
            bytes.resize(bytes.len() + length, 0xff);
            rest -= length;
        }
        bytes.extend_from_slice(&[0xff, 0xff, 0xc2, 0, 17, 8]);
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&[3; 32]);
        bytes
    }

    #[test]
    fn every_format_tells_its_sides() {
        let gif = b"GIF89a\x40\x01\xf0\x00rest".to_vec();
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x40\x01\xf0\x00".to_vec();
        let (wide, high) = (319_u32, 239_u32);
        let bits = wide | (high << 14);
        let lossless = [
            b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f".to_vec(),
            bits.to_le_bytes().to_vec(),
        ]
        .concat();
        let extended = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x3f\x01\0\xef\0\0".to_vec();
        for (name, bytes) in [
            ("png", png(320, 240)),
            ("gif", gif),
            ("webp lossy", lossy),
            ("webp lossless", lossless),
            ("webp extended", extended),
            ("jpeg", jpeg_of(320, 240, 0)),
            ("jpeg with a profile", jpeg_of(320, 240, 70_000)),
        ] {
            assert_eq!(sides(&bytes), Some((320, 240)), "{name}");
            let text = STANDARD.encode(&bytes);
            assert_eq!(sides_of_base64(text.as_bytes()), Some((320, 240)), "{name}");
            let escaped = text.replace('/', "\\/");
            let found = sides_of_base64(escaped.as_bytes());
            assert_eq!(found, Some((320, 240)), "{name} with slashes escaped");
        }
    }

    #[test]
    fn what_is_absurd_or_cut_off_tells_nothing() {
        for bytes in [
            png(0, 7),
            png(u32::MAX, 7),
            png(7, 7)[..20].to_vec(),
            jpeg_of(320, 240, 120_000),
            jpeg_of(320, 240, 0)[..9].to_vec(),
            b"\xff\xd8\xff\xe0\0\0\0\0\0\0\0".to_vec(),
            b"RIFF\0\0\0\0WEBPVP8?".to_vec(),
            b"<svg width='9' height='9'>".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(sides(&bytes), None);
        }
        assert_eq!(sides_of_base64(b"not base64 at all!!"), None);
        assert_eq!(tokens((1_024, 1_024)), 1_399);
        assert_eq!(tokens((SIDE_MAX, SIDE_MAX)), 5_726_624);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(kind in 0..4_usize, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let begins: [&[u8]; 4] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF\0\0\0\0WEBPVP8X"];
            let bytes = [begins[kind], &rest].concat();
            if let Some((width, height)) = sides(&bytes) {
                prop_assert!(width > 0 && height > 0 && width <= SIDE_MAX && height <= SIDE_MAX);
            }
            sides_of_base64(&bytes);
        }
    }
}
