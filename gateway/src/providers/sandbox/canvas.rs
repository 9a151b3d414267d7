//! A canvas of indexed colours that is filled row by row: bands, discs, shapes with straight edges. Knows
//! nothing of what is painted. Whole numbers only, so that a picture is the same on every machine.

/// Colours of a palette of one byte.
const COLOURS_MAX: usize = 256;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// A point; the first is from the left, the second from above.
pub(super) type Point = (i32, i32);

/// What is painted on.
#[derive(Debug)]
pub(super) struct Canvas {
    width: i32,
    height: i32,
    palette: Vec<Rgb>,
    pixels: Vec<u8>,
}

/// A colour between two, at `part` of `whole`.
pub(super) fn blend(from: Rgb, to: Rgb, part: i32, whole: i32) -> Rgb {
    let whole = whole.max(1);
    let part = part.clamp(0, whole);
    let mix = |at: usize| {
        let (from, to) = (i32::from(from[at]), i32::from(to[at]));
        let mixed = from + (to - from) * part / whole;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    [mix(0), mix(1), mix(2)]
}

fn distance(a: Rgb, b: Rgb) -> i32 {
    let far = |at: usize| (i32::from(a[at]) - i32::from(b[at])).pow(2);
    far(0) + far(1) + far(2)
}

impl Canvas {
    /// An empty one; both sides are at least one.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let side = |side: u32| i32::try_from(side.max(1)).unwrap_or(1);
        let (width, height) = (side(width), side(height));
        let size = usize::try_from(i64::from(width) * i64::from(height)).unwrap_or(0);
        Self {
            width,
            height,
            palette: Vec::new(),
            pixels: vec![0; size],
        }
    }

    /// Its width.
    pub(super) fn width(&self) -> i32 {
        self.width
    }

    /// Its height.
    pub(super) fn height(&self) -> i32 {
        self.height
    }

    /// The colours, and the place of each pixel's among them, row by row.
    pub(super) fn finished(&self) -> (&[Rgb], impl Iterator<Item = &[u8]>) {
        let width = usize::try_from(self.width).unwrap_or(1);
        (&self.palette, self.pixels.chunks(width))
    }

    /// The place of a colour; when the palette is full, of the one that is closest.
    fn ink(&mut self, colour: Rgb) -> u8 {
        let found = self.palette.iter().position(|known| *known == colour);
        let place = match found {
            Some(place) => place,
            None if self.palette.len() < COLOURS_MAX => {
                self.palette.push(colour);
                self.palette.len() - 1
            }
            None => {
                let all = self.palette.iter().enumerate();
                let closest = all.min_by_key(|(_, known)| distance(**known, colour));
                closest.map_or(0, |(place, _)| place)
            }
        };
        u8::try_from(place).unwrap_or(0)
    }

    /// A part of a row, from `from` up to and without `to`.
    fn span(&mut self, y: i32, (from, to): (i32, i32), ink: u8) {
        if !(0..self.height).contains(&y) {
            return;
        }
        let (from, to) = (from.clamp(0, self.width), to.clamp(0, self.width));
        let place = |x: i32| usize::try_from(i64::from(y) * i64::from(self.width) + i64::from(x));
        if let (Ok(from), Ok(to)) = (place(from), place(to))
            && let Some(part) = self.pixels.get_mut(from..to)
        {
            part.fill(ink);
        }
    }

    /// A rectangle by its corner and its size.
    pub(super) fn block(&mut self, (x, y): Point, (wide, high): Point, colour: Rgb) {
        let ink = self.ink(colour);
        for row in y.max(0)..(y + high).min(self.height) {
            self.span(row, (x, x + wide), ink);
        }
    }

    /// Bands from one colour to another between two heights.
    pub(super) fn bands(&mut self, (top, bottom): (i32, i32), (from, to): (Rgb, Rgb), steps: i32) {
        let high = (bottom - top).max(1);
        for step in 0..steps {
            let colour = blend(from, to, step, steps - 1);
            let row = |step: i32| {
                top + i32::try_from(i64::from(high) * i64::from(step) / i64::from(steps))
                    .unwrap_or(0)
            };
            self.block(
                (0, row(step)),
                (self.width, row(step + 1) - row(step)),
                colour,
            );
        }
    }

    /// A disc, or one that is pressed flat to `high` of its radius in hundredths.
    pub(super) fn oval(&mut self, (x, y): Point, radius: i32, high: i32, colour: Rgb) {
        let ink = self.ink(colour);
        let tall = (radius * high / 100).max(1);
        for dy in -tall..=tall {
            let (wide, up, tall) = (i64::from(radius), i64::from(dy), i64::from(tall));
            let square = wide * wide;
            let half = (square - square * up * up / (tall * tall)).max(0).isqrt();
            let half = i32::try_from(half).unwrap_or(0);
            self.span(y + dy, (x - half, x + half + 1), ink);
        }
    }

    /// A disc.
    pub(super) fn disc(&mut self, at: Point, radius: i32, colour: Rgb) {
        self.oval(at, radius, 100, colour);
    }

    /// A shape with straight edges, whatever its form.
    pub(super) fn shape(&mut self, corners: &[Point], colour: Rgb) {
        let ink = self.ink(colour);
        let top = corners.iter().map(|(_, y)| *y).min().unwrap_or(0).max(0);
        let bottom = corners.iter().map(|(_, y)| *y).max().unwrap_or(0);
        let mut crossings = Vec::new();
        for y in top..bottom.min(self.height) {
            crossings.clear();
            for (place, (x1, y1)) in corners.iter().enumerate() {
                let (x2, y2) = corners[(place + 1) % corners.len()];
                let (low, high) = ((*y1).min(y2), (*y1).max(y2));
                if (low..high).contains(&y) {
                    let part = i64::from(x2 - x1) * i64::from(y - y1) / i64::from(y2 - y1);
                    crossings.push(x1 + i32::try_from(part).unwrap_or(0));
                }
            }
            crossings.sort_unstable();
            for pair in crossings.chunks_exact(2) {
                self.span(y, (pair[0], pair[1]), ink);
            }
        }
    }

    /// Everything below a line of hills, whose points are from left to right.
    pub(super) fn ridge(&mut self, points: &[Point], colour: Rgb) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let mut corners = vec![(first.0, self.height)];
        corners.extend_from_slice(points);
        corners.push((last.0, self.height));
        self.shape(&corners, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [255, 0, 0];
    const BLUE: Rgb = [0, 0, 255];

    fn rows(canvas: &Canvas) -> Vec<String> {
        let (_, rows) = canvas.finished();
        let letter = |pixel: &u8| if *pixel == 0 { '.' } else { '#' };
        rows.map(|row| row.iter().map(letter).collect()).collect()
    }

    #[test]
    fn shapes_are_filled_within_the_canvas_and_nowhere_else() {
        let mut canvas = Canvas::new(7, 5);
        canvas.block((0, 0), (7, 5), RED);
        canvas.disc((3, 2), 2, BLUE);
        let disc = ["...#...", "..###..", ".#####.", "..###..", "...#..."];
        assert_eq!(rows(&canvas), disc);
        canvas.block((-9, -9), (99, 99), RED);
        canvas.shape(&[(0, 0), (7, 0), (0, 5)], BLUE);
        assert_eq!(rows(&canvas)[0], "#######");
        assert_eq!(rows(&canvas)[4], "##.....");
        canvas.oval((-50, 90), 10, 30, BLUE);
        canvas.ridge(&[], RED);
    }

    #[test]
    fn a_full_palette_takes_the_closest_colour() {
        let mut canvas = Canvas::new(1, 300);
        for step in 0..300 {
            let level = u8::try_from(step % 256).unwrap_or(0);
            canvas.block((0, step), (1, 1), [level, u8::from(step > 255), 0]);
        }
        let (palette, rows) = canvas.finished();
        assert_eq!((palette.len(), rows.count()), (COLOURS_MAX, 300));
    }
}
