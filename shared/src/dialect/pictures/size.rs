//! Sizes in the words of formats that know no pixels: ratios of sides, and classes of resolution. Knows no
//! format.

/// A size that is given in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// What a size says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SizeSaid {
    /// In pixels.
    Pixels(Pixels),
    /// As a class: `1K`, `2K`, `4K`.
    Class(String),
    /// As a ratio of sides: `16:9`.
    Ratio(String),
}

/// Reads a size; `None` where the model is to choose, or it is no size.
pub(super) fn said(size: Option<&str>) -> Option<SizeSaid> {
    let size = size?.trim().to_ascii_lowercase().replace(['*', '×'], "x");
    if let Some((width, height)) = size.split_once('x') {
        let side = |text: &str| text.trim().parse().ok().filter(|side| *side > 0);
        return Some(SizeSaid::Pixels(Pixels {
            width: side(width)?,
            height: side(height)?,
        }));
    }
    let number = |text: &str| text.trim().parse::<u32>().is_ok_and(|side| side > 0);
    if size
        .split_once(':')
        .is_some_and(|(a, b)| number(a) && number(b))
    {
        return Some(SizeSaid::Ratio(size.replace(' ', "")));
    }
    let class = size.strip_suffix('k').filter(|k| number(k))?;
    Some(SizeSaid::Class(format!("{class}K")))
}

impl Pixels {
    /// The one of `ratios`, written `3:2` or `3x2`, whose form is nearest.
    pub(super) fn nearest<'a>(self, ratios: &[&'a str]) -> Option<&'a str> {
        let parsed = |ratio: &&'a str| {
            let (width, height) = ratio.split_once([':', 'x'])?;
            let (width, height): (u64, u64) = (width.parse().ok()?, height.parse().ok()?);
            Some((*ratio, self.strayed(width, height)))
        };
        let all = ratios.iter().filter_map(parsed);
        all.min_by_key(|(_, strayed)| *strayed)
            .map(|(ratio, _)| ratio)
    }

    /// How far its form is from `width` to `height`, in millionths: the larger of both quotients.
    fn strayed(self, width: u64, height: u64) -> u64 {
        let (a, b) = (
            u64::from(self.width) * height,
            u64::from(self.height) * width,
        );
        a.max(b).saturating_mul(1_000_000) / a.min(b).max(1)
    }

    /// The class it belongs to.
    pub(super) fn class(self) -> &'static str {
        match self.width.max(self.height) {
            0..=1_536 => "1K",
            1_537..=2_560 => "2K",
            _ => "4K",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_writing() {
        let pixels = |width, height| Some(SizeSaid::Pixels(Pixels { width, height }));
        for (size, expected) in [
            ("1024x1536", pixels(1_024, 1_536)),
            (" 2048*2048", pixels(2_048, 2_048)),
            ("1024 × 768", pixels(1_024, 768)),
            ("2k", Some(SizeSaid::Class("2K".to_owned()))),
            ("16:9", Some(SizeSaid::Ratio("16:9".to_owned()))),
            ("auto", None),
            ("", None),
            ("0x7", None),
            ("x", None),
            ("ax7", None),
            ("1:0", None),
            ("99999999999x1", None),
        ] {
            assert_eq!(said(Some(size)), expected, "{size}");
        }
        assert_eq!(said(None), None);
    }

    #[test]
    fn forms_and_classes_are_the_nearest() {
        const RATIOS: &[&str] = &["1:1", "3:2", "2:3", "16:9", "9:16", "21:9"];
        for (width, height, ratio, class) in [
            (1_024, 1_024, "1:1", "1K"),
            (1_536, 1_024, "3:2", "1K"),
            (1_024, 1_536, "2:3", "1K"),
            (1_920, 1_080, "16:9", "2K"),
            (3_840, 1_646, "21:9", "4K"),
            (100, 10_000, "9:16", "4K"),
        ] {
            let pixels = Pixels { width, height };
            assert_eq!(pixels.nearest(RATIOS), Some(ratio), "{width}x{height}");
            assert_eq!(pixels.class(), class);
        }
        assert_eq!(
            Pixels {
                width: 1,
                height: 1
            }
            .nearest(&[]),
            None
        );
    }
}
