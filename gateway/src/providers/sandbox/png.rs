//! Pictures for the sandbox: a gradient in two colours drawn from a seed, with letters over it where some are
//! to be read, as a real PNG. Writes the few chunks itself (PNG third edition, W3C 2025; zlib RFC 1950; stored blocks of RFC 1951).

use super::letters;

/// A stored block of deflate holds at most this (RFC 1951, 3.2.4).
const STORED_MAX: usize = 65_535;

/// A picture before it is written down.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    width: u32,
    height: u32,
    /// In letters over it; empty for a plain one.
    caption: &'a str,
}

/// Places of the palette for letters and for what is behind them.
const INK: u8 = 255;
const PAPER: u8 = 254;

impl<'a> Canvas<'a> {
    pub(super) fn new(width: u32, height: u32, caption: &'a str) -> Self {
        Self {
            width,
            height,
            caption,
        }
    }

    /// As a PNG in the colours of `seed`.
    pub(super) fn png(&self, seed: &[u8; 32]) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = Vec::with_capacity(13);
        header.extend_from_slice(&self.width.to_be_bytes());
        header.extend_from_slice(&self.height.to_be_bytes());
        // 8 bits a sample, indexed colour, deflate, no filter method, not interlaced.
        header.extend_from_slice(&[8, 3, 0, 0, 0]);
        let mut colours = palette(seed);
        let mut rows = pixels(self.width, self.height);
        if !self.caption.is_empty() {
            let last = colours.len() - 6;
            colours[last..].copy_from_slice(&[0xff, 0xff, 0xff, 0, 0, 0]);
            self.write_caption(&mut rows);
        }
        chunk(&mut png, *b"IHDR", &header);
        chunk(&mut png, *b"PLTE", &colours);
        chunk(&mut png, *b"IDAT", &zlib(&rows));
        chunk(&mut png, *b"IEND", &[]);
        png
    }

    /// Writes the caption in a band at the lower end.
    fn write_caption(&self, rows: &mut [u8]) {
        let lines = letters::lines(self.caption);
        let scale = (self.width / letters::LINE_WIDTH).max(1);
        let tall = letters::LINE_HEIGHT * scale;
        let count = u32::try_from(lines.len()).unwrap_or(1);
        let top = self.height.saturating_sub(tall * count + scale);
        for y in top..self.height {
            for x in 0..self.width {
                let (row, column) = ((y - top) / scale, x / scale);
                let line = usize::try_from(row / letters::LINE_HEIGHT).unwrap_or(usize::MAX);
                let text = lines.get(line).map_or("", String::as_str);
                let is_ink = letters::is_ink(text, column, row % letters::LINE_HEIGHT);
                let place = u64::from(y) * (u64::from(self.width) + 1) + 1 + u64::from(x);
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                if let Some(pixel) = rows.get_mut(place) {
                    *pixel = if is_ink { INK } else { PAPER };
                }
            }
        }
    }
}

/// 256 steps from one colour to another.
fn palette(seed: &[u8; 32]) -> Vec<u8> {
    let blend = |from: u8, to: u8, step: u16| {
        let mixed = (u16::from(from) * (255 - step) + u16::from(to) * step) / 255;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    (0..256)
        .flat_map(|step| (0..3).map(move |part| blend(seed[part], seed[part + 3], step)))
        .collect()
}

/// Rows of palette places, each behind its filter byte; the gradient runs from corner to corner.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    let span = (width + height).saturating_sub(2).max(1);
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        rows.extend((0..width).map(|x| u8::try_from((x + y) * 255 / span).unwrap_or(u8::MAX)));
    }
    rows
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let from = png.len();
    png.extend_from_slice(&name);
    png.extend_from_slice(data);
    let sum = crc32(&png[from..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(STORED_MAX).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    // 5,552 sums fit before the remainder must be taken (RFC 1950, 9).
    for part in data.chunks(5_552) {
        for byte in part {
            a += u32::from(*byte);
            b += a;
        }
        a %= PRIME;
        b %= PRIME;
    }
    (b << 16) | a
}

fn crc32(data: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let (mut place, mut number) = (0, 0_u32);
        while place < 256 {
            let mut value = number;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 {
                    0xedb8_8320 ^ (value >> 1)
                } else {
                    value >> 1
                };
                bit += 1;
            }
            table[place] = value;
            place += 1;
            number += 1;
        }
        table
    };
    !data.iter().fold(u32::MAX, |crc, byte| {
        let place = (crc ^ u32::from(*byte)) & 0xff;
        TABLE[usize::try_from(place).unwrap_or(0)] ^ (crc >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_picture_has_its_size_and_its_seeds_colours() {
        let picture = |seed| Canvas::new(300, 200, "").png(seed);
        let one = picture(&[7; 32]);
        assert_eq!(&one[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&one[16..24], &[0, 0, 1, 44, 0, 0, 0, 200]);
        assert_ne!(one, picture(&[8; 32]));
        let said = |caption| Canvas::new(300, 200, caption).png(&[7; 32]);
        assert_ne!(said("a boat"), one);
        assert_ne!(said("a boat"), said("a boot"));
        // Smaller than one letter, it is a picture all the same.
        assert_eq!(&Canvas::new(16, 16, "a boat").png(&[7; 32])[..8], &one[..8]);
    }
}
