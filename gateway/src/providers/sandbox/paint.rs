//! Paints a scene: sky, light, land and water from far to near, then the things on it; what shows nothing
//! that is known becomes a composition of its own. The same prompt gives the same picture.

use super::canvas::{Canvas, Rgb, blend};
use super::scene::{Motif, Scene};
use super::things;

/// Numbers that look like chance and are none.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    fn new(seed: &[u8; 32]) -> Self {
        let first = seed
            .iter()
            .take(8)
            .fold(0, |all, byte| (all << 8) | u64::from(*byte));
        // Nothing comes of zero.
        Self(first | 1)
    }

    /// From `least` up to and without `end`.
    pub(super) fn between(&mut self, least: i32, end: i32) -> i32 {
        // Marsaglia's xorshift, 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let range = u64::try_from((end - least).max(1)).unwrap_or(1);
        least + i32::try_from((self.0 >> 16) % range).unwrap_or(0)
    }
}

/// The light of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    Day,
    Dusk,
    Night,
    Grey,
    Pale,
}

impl Light {
    fn of(scene: &Scene) -> Self {
        let dark = [Motif::Night, Motif::Moon, Motif::Star];
        if dark.into_iter().any(|motif| scene.has(motif)) {
            Self::Night
        } else if scene.has(Motif::Dusk) {
            Self::Dusk
        } else if scene.has(Motif::Rain) || scene.has(Motif::Fog) {
            Self::Grey
        } else if scene.has(Motif::Snow) {
            Self::Pale
        } else {
            Self::Day
        }
    }

    /// From above down to the horizon.
    fn sky(self) -> (Rgb, Rgb) {
        match self {
            Self::Day => ([0x4f, 0x9f, 0xdb], [0xe3, 0xf0, 0xf5]),
            Self::Dusk => ([0x3b, 0x2f, 0x63], [0xf9, 0xac, 0x68]),
            Self::Night => ([0x0a, 0x10, 0x28], [0x35, 0x49, 0x7d]),
            Self::Grey => ([0x73, 0x80, 0x8c], [0xc7, 0xcf, 0xd4]),
            Self::Pale => ([0xa6, 0xbd, 0xd3], [0xf0, 0xf3, 0xf6]),
        }
    }

    /// A colour as it looks in this light.
    pub(super) fn on(self, colour: Rgb) -> Rgb {
        match self {
            Self::Day => colour,
            Self::Dusk => blend(colour, [0x6b, 0x35, 0x4f], 34, 100),
            Self::Night => blend(colour, [0x10, 0x1a, 0x3c], 58, 100),
            Self::Grey => blend(colour, [0x6b, 0x76, 0x80], 34, 100),
            Self::Pale => blend(colour, [0xd5, 0xde, 0xe6], 24, 100),
        }
    }
}

/// What painters hand each other.
#[derive(Debug)]
pub(super) struct Studio<'a> {
    pub(super) canvas: Canvas,
    pub(super) dice: Chance,
    pub(super) light: Light,
    pub(super) scene: &'a Scene,
    /// The row where sky and land meet.
    pub(super) horizon: i32,
}

impl Studio<'_> {
    /// So many thousandths of the width.
    pub(super) fn x(&self, part: i32) -> i32 {
        self.canvas.width() * part / 1_000
    }

    /// So many thousandths of the height.
    pub(super) fn y(&self, part: i32) -> i32 {
        self.canvas.height() * part / 1_000
    }

    /// So many thousandths of the shorter side; for sizes, so that nothing is drawn out.
    pub(super) fn size(&self, part: i32) -> i32 {
        let shorter = self.canvas.width().min(self.canvas.height());
        (shorter * part / 1_000).max(1)
    }

    /// A part of the width by chance.
    pub(super) fn some_x(&mut self, least: i32, end: i32) -> i32 {
        let part = self.dice.between(least, end);
        self.x(part)
    }

    /// A part of the height by chance.
    pub(super) fn some_y(&mut self, least: i32, end: i32) -> i32 {
        let part = self.dice.between(least, end);
        self.y(part)
    }

    /// A size by chance.
    pub(super) fn some_size(&mut self, least: i32, end: i32) -> i32 {
        let part = self.dice.between(least, end);
        self.size(part)
    }

    /// The colour a thing is said to have, else its usual one, as it looks in this light.
    pub(super) fn colour(&self, motif: Motif, usual: Rgb) -> Rgb {
        let shown = self.scene.shown().iter().find(|shown| shown.motif == motif);
        self.light
            .on(shown.and_then(|shown| shown.colour).unwrap_or(usual))
    }

    /// The sky at a height, for what is far and pale.
    fn air(&self, y: i32) -> Rgb {
        let (top, low) = self.light.sky();
        blend(top, low, y, self.horizon)
    }
}

/// The picture of a scene.
pub(super) fn paint(scene: &Scene, (width, height): (u32, u32), seed: &[u8; 32]) -> Canvas {
    let canvas = Canvas::new(width, height);
    let horizon = canvas.height() * 62 / 100;
    let mut studio = Studio {
        canvas,
        dice: Chance::new(seed),
        light: Light::of(scene),
        scene,
        horizon,
    };
    if scene.is_abstract() {
        composition(&mut studio);
    } else {
        sky(&mut studio);
        far(&mut studio);
        ground(&mut studio);
        things::paint(&mut studio);
    }
    studio.canvas
}

fn sky(studio: &mut Studio<'_>) {
    let (mut top, low) = studio.light.sky();
    if let Some(tint) = studio.scene.tint {
        top = blend(top, tint, 45, 100);
    }
    studio.canvas.bands((0, studio.horizon), (top, low), 40);
    let below = studio.canvas.height();
    studio
        .canvas
        .block((0, studio.horizon), (studio.canvas.width(), below), low);
    if studio.light == Light::Night {
        for _ in 0..150 {
            let at = (
                studio.dice.between(0, studio.canvas.width()),
                studio.dice.between(0, studio.horizon),
            );
            let side = studio.some_size(1, 5);
            studio.canvas.block(at, (side, side), [0xf2, 0xf0, 0xdc]);
        }
    }
    let has = |motif| studio.scene.has(motif);
    let shines = has(Motif::Sun) || has(Motif::Dusk) || has(Motif::Moon);
    if shines || studio.light == Light::Day || studio.light == Light::Night {
        shine(studio);
    }
    if studio.scene.has(Motif::Rainbow) {
        rainbow(studio);
    }
    if studio.scene.has(Motif::Cloud) || matches!(studio.light, Light::Grey | Light::Day) {
        clouds(studio);
    }
}

/// Sun or moon with the air around it.
fn shine(studio: &mut Studio<'_>) {
    let low = studio.light == Light::Dusk;
    let high = if low {
        studio.dice.between(480, 560)
    } else {
        studio.dice.between(150, 260)
    };
    let at = (studio.some_x(220, 780), studio.y(high));
    let radius = studio.size(if low { 95 } else { 68 });
    let (motif, usual) = if studio.light == Light::Night {
        (Motif::Moon, [0xf3, 0xee, 0xd8])
    } else if low {
        (Motif::Dusk, [0xff, 0xd9, 0x7a])
    } else {
        (Motif::Sun, [0xff, 0xe0, 0x7d])
    };
    let shown = studio
        .scene
        .shown()
        .iter()
        .find(|shown| shown.motif == motif);
    let colour = shown.and_then(|shown| shown.colour).unwrap_or(usual);
    let air = studio.air(at.1);
    for ring in (1..=6).rev() {
        let glow = blend(colour, air, 60 + ring * 6, 100);
        studio.canvas.disc(at, radius + radius * ring / 7, glow);
    }
    studio.canvas.disc(at, radius, colour);
    if studio.light == Light::Night {
        let crater = blend(colour, [0xb8, 0xb0, 0x92], 45, 100);
        for (x, y, size) in [(-30, -22, 20), (26, 8, 26), (-12, 34, 15)] {
            let spot = (at.0 + radius * x / 100, at.1 + radius * y / 100);
            studio.canvas.disc(spot, radius * size / 100, crater);
        }
    }
}

fn rainbow(studio: &mut Studio<'_>) {
    let centre = (studio.x(500), studio.horizon + studio.y(60));
    let colours: [Rgb; 6] = [
        [0xd9, 0x4f, 0x4f],
        [0xee, 0x98, 0x47],
        [0xf3, 0xd3, 0x5b],
        [0x6d, 0xb8, 0x6b],
        [0x5a, 0x8f, 0xd8],
        [0x8d, 0x68, 0xc4],
    ];
    let mut radius = studio.size(520);
    let step = studio.size(22);
    for colour in colours {
        let colour = blend(colour, studio.air(studio.horizon / 2), 30, 100);
        studio.canvas.disc(centre, radius, colour);
        radius -= step;
    }
    let air = studio.air(studio.horizon * 2 / 3);
    studio.canvas.disc(centre, radius, air);
}

fn clouds(studio: &mut Studio<'_>) {
    let white = studio.colour(Motif::Cloud, [0xfd, 0xfd, 0xfb]);
    for _ in 0..studio.dice.between(3, 6) {
        let (x, y) = (studio.dice.between(40, 960), studio.dice.between(60, 330));
        let (x, y) = (studio.x(x), studio.y(y));
        let wide = studio.some_size(50, 100);
        let colour = blend(white, studio.air(y), 22, 100);
        for (dx, dy, part) in [
            (-90, 12, 62),
            (-30, -16, 84),
            (40, -8, 74),
            (100, 14, 52),
            (0, 18, 90),
        ] {
            let at = (x + wide * dx / 100, y + wide * dy / 100);
            studio.canvas.oval(at, wide * part / 100, 62, colour);
        }
    }
}

/// A line of heights from left to right; `rough` is how far they go up and down, in thousandths.
fn line(studio: &mut Studio<'_>, base: i32, rough: i32, points: i32) -> Vec<(i32, i32)> {
    let wide = studio.canvas.width();
    let point = |at: i32| {
        let up = studio.dice.between(0, rough);
        // Every second one is low: peaks and passes.
        let up = if at % 2 == 0 {
            up / 3
        } else {
            rough / 3 + up * 2 / 3
        };
        (
            wide * at / points,
            base - studio.canvas.height() * up / 1_000,
        )
    };
    (0..=points).map(point).collect()
}

/// What stands at the horizon.
fn far(studio: &mut Studio<'_>) {
    if studio.scene.has(Motif::Mountain) {
        let rock = studio.colour(Motif::Mountain, [0x5c, 0x6b, 0x85]);
        let snow = studio.light.on([0xfa, 0xfb, 0xfd]);
        for layer in 0..3 {
            let points = line(
                studio,
                studio.horizon + studio.y(10),
                420 - layer * 110,
                7 + layer * 2,
            );
            let colour = blend(studio.air(studio.horizon), rock, 45 + layer * 27, 100);
            studio.canvas.ridge(&points, colour);
            if layer > 1 {
                continue;
            }
            for peak in points
                .windows(3)
                .filter(|three| three[1].1 < three[0].1 && three[1].1 < three[2].1)
            {
                let part = |from: i32, to: i32| from + (to - from) * 24 / 100;
                let (left, top, right) = (peak[0], peak[1], peak[2]);
                let left = (part(top.0, left.0), part(top.1, left.1));
                let right = (part(top.0, right.0), part(top.1, right.1));
                let notch = (
                    top.0,
                    i32::midpoint(top.1, left.1.max(right.1)) + (left.1 - top.1).abs() / 3,
                );
                studio.canvas.shape(
                    &[left, top, right, notch],
                    blend(snow, colour, layer * 25, 100),
                );
            }
        }
    }
    if studio.scene.has(Motif::City) {
        for layer in 0..2 {
            things::skyline(studio, layer);
        }
    }
}

/// Land and water from the horizon on.
fn ground(studio: &mut Studio<'_>) {
    let (horizon, below) = (studio.horizon, studio.canvas.height());
    let has = |motif| studio.scene.has(motif);
    if has(Motif::Sea) || has(Motif::Boat) || has(Motif::Lighthouse) || has(Motif::Fish) {
        water(studio);
        return;
    }
    let (motif, usual) = if has(Motif::Desert) {
        (Motif::Desert, [0xe0, 0xb6, 0x74])
    } else if has(Motif::Snow) {
        (Motif::Snow, [0xf3, 0xf6, 0xf9])
    } else if has(Motif::City) && !has(Motif::Meadow) {
        (Motif::City, [0x6c, 0x73, 0x7c])
    } else {
        (Motif::Meadow, [0x7f, 0xb0, 0x5d])
    };
    let near = studio.colour(motif, usual);
    let far = blend(near, studio.air(horizon), 35, 100);
    studio
        .canvas
        .bands((horizon, below), (far, blend(near, [0, 0, 0], 18, 100)), 24);
    if motif == Motif::City {
        return;
    }
    for layer in 1..4 {
        let base = horizon + (below - horizon) * layer / 4;
        let points = line(studio, base, 70, 4 + layer);
        let colour = blend(near, [0x1d, 0x24, 0x1a], layer * 9, 100);
        studio.canvas.ridge(&points, colour);
    }
}

fn water(studio: &mut Studio<'_>) {
    let (horizon, below) = (studio.horizon, studio.canvas.height());
    let deep = studio.colour(Motif::Sea, [0x1f, 0x5f, 0x8b]);
    let bright = blend(deep, studio.air(horizon), 55, 100);
    studio.canvas.bands((horizon, below), (bright, deep), 40);
    let glint = blend(bright, [0xff, 0xff, 0xff], 35, 100);
    for _ in 0..110 {
        let part = studio.dice.between(0, 1_000);
        let y = horizon + (below - horizon) * part / 1_000;
        // Near waves are longer than far ones.
        let wide = studio.x(10 + part * 50 / 1_000);
        let x = studio.dice.between(-wide, studio.canvas.width());
        let tall = studio.size(1 + part * 4 / 1_000);
        let colour = blend(glint, deep, part * 60 / 1_000, 100);
        studio.canvas.block((x, y), (wide, tall), colour);
    }
    let on_land = [
        Motif::House,
        Motif::Lighthouse,
        Motif::Forest,
        Motif::Cat,
        Motif::Flower,
        Motif::Robot,
        Motif::Heart,
    ];
    if on_land.into_iter().any(|motif| studio.scene.has(motif)) {
        let land = studio.light.on([0x6e, 0x8f, 0x58]);
        let mut points = line(studio, studio.y(930), 60, 5);
        let shore: Vec<_> = points.iter().map(|(x, y)| (*x, y - studio.y(12))).collect();
        studio
            .canvas
            .ridge(&shore, studio.light.on([0xdc, 0xc7, 0x98]));
        for point in &mut points {
            point.1 += studio.y(8);
        }
        studio.canvas.ridge(&points, land);
    }
}

/// Colours that go together.
const SETS: [[Rgb; 5]; 6] = [
    [
        [0x12, 0x35, 0x4a],
        [0xf2, 0xe3, 0xc6],
        [0xe0, 0x8e, 0x45],
        [0x2a, 0x7f, 0x8e],
        [0xc9, 0x4f, 0x4f],
    ],
    [
        [0xf4, 0xef, 0xe6],
        [0x2f, 0x3e, 0x46],
        [0x84, 0xa9, 0x8c],
        [0xd6, 0x8c, 0x45],
        [0x52, 0x79, 0x6f],
    ],
    [
        [0x22, 0x22, 0x3b],
        [0x9a, 0x8c, 0x98],
        [0xf2, 0xe9, 0xe4],
        [0xc9, 0xad, 0xa7],
        [0x4a, 0x4e, 0x69],
    ],
    [
        [0xfd, 0xf6, 0xec],
        [0xe7, 0x6f, 0x51],
        [0x26, 0x46, 0x53],
        [0xe9, 0xc4, 0x6a],
        [0x2a, 0x9d, 0x8f],
    ],
    [
        [0x1d, 0x1e, 0x33],
        [0x6c, 0x5b, 0x9e],
        [0xf0, 0xa6, 0xca],
        [0xef, 0xc3, 0xe6],
        [0x3c, 0x6e, 0x9f],
    ],
    [
        [0xee, 0xf4, 0xed],
        [0x13, 0x4e, 0x6f],
        [0x8d, 0xa9, 0xc4],
        [0xf2, 0xb1, 0x34],
        [0xd1, 0x49, 0x5b],
    ],
];

/// Discs, half discs and beams that hang together, in few colours.
fn composition(studio: &mut Studio<'_>) {
    let set = studio.dice.between(0, 6);
    let mut colours = SETS[usize::try_from(set).unwrap_or(0)];
    if let Some(tint) = studio.scene.tint {
        colours[2] = tint;
        colours[4] = blend(tint, colours[0], 40, 100);
    }
    let below = studio.canvas.height();
    let light = blend(colours[0], [0xff, 0xff, 0xff], 14, 100);
    studio.canvas.bands((0, below), (colours[0], light), 32);
    let pick = |studio: &mut Studio<'_>| {
        let at = studio.dice.between(1, 5);
        colours[usize::try_from(at).unwrap_or(1)]
    };
    for _ in 0..3 {
        let colour = blend(pick(studio), colours[0], 55, 100);
        let (x, lean) = (
            studio.dice.between(-200, 900),
            studio.dice.between(-300, 300),
        );
        let wide = studio.some_x(60, 180);
        let (top, low) = (studio.x(x), studio.x(x + lean));
        studio.canvas.shape(
            &[(top, 0), (top + wide, 0), (low + wide, below), (low, below)],
            colour,
        );
    }
    for number in 0..7 {
        let colour = pick(studio);
        let at = (studio.some_x(80, 920), studio.some_y(80, 920));
        let radius = studio.some_size(40, 260 - number * 22);
        studio.canvas.disc(at, radius, colour);
        match number % 3 {
            0 => {
                let inner = pick(studio);
                studio.canvas.disc(at, radius * 62 / 100, inner);
                studio.canvas.disc(at, radius * 30 / 100, colours[0]);
            }
            1 => {
                let half = blend(colour, colours[0], 45, 100);
                let size = (radius * 2, (radius / 9).max(1));
                studio.canvas.block((at.0 - radius, at.1), size, half);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn picture(prompt: &str) -> Vec<u8> {
        let seed: [u8; 32] = Sha256::digest(prompt).into();
        let canvas = paint(&Scene::read(prompt), (96, 64), &seed);
        let (palette, rows) = canvas.finished();
        let colours = rows.flatten().flat_map(|at| palette[usize::from(*at)]);
        colours.collect()
    }

    /// How blue, how red and how bright a picture is, at its top or at its bottom.
    fn tone(picture: &[u8], part: std::ops::Range<usize>) -> [usize; 3] {
        let row = 96 * 3;
        let mut sums = [0; 3];
        for pixel in picture[part.start * row..part.end * row].chunks(3) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += usize::from(*value);
            }
        }
        sums
    }

    #[test]
    fn a_prompt_has_one_picture_and_words_change_it() {
        let day = picture("a boat on the sea");
        assert_eq!(day, picture("a boat on the sea"));
        let night = picture("a boat on the sea at night");
        let sum = |tone: [usize; 3]| tone.iter().sum::<usize>();
        assert!(
            sum(tone(&night, 0..20)) * 2 < sum(tone(&day, 0..20)),
            "night is dark"
        );
        let [red, _, blue] = tone(&day, 50..64);
        assert!(blue > red, "the sea is blue");
        let [red, _, blue] = tone(&picture("日落时的红色海洋"), 50..64);
        assert!(red > blue, "a red sea is red");
        let [red, green, _] = tone(&picture("a meadow"), 50..64);
        assert!(green > red, "grass is green");
        assert_ne!(picture("qwerty"), picture("asdfgh"));
    }

    #[test]
    fn every_thing_can_be_painted_at_every_size() {
        let all = "sun sunset night moon stars clouds rain snow rainbow mountains city sea desert meadow forest \
                   house lighthouse boat flowers cat birds fish balloon heart robot";
        let mut prompts: Vec<&str> = all.split(' ').collect();
        prompts.extend([all, "", "nothing of this"]);
        for prompt in prompts {
            for size in [(16, 16), (2_048, 16), (16, 2_048), (300, 200)] {
                let canvas = paint(&Scene::read(prompt), size, &[7; 32]);
                let (palette, rows) = canvas.finished();
                assert!((1..=256).contains(&palette.len()), "{prompt}");
                assert_eq!(
                    rows.map(<[u8]>::len).sum::<usize>(),
                    usize::try_from(size.0 * size.1).expect("small")
                );
            }
        }
    }
}
