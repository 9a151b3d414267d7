//! Pictures as PNGs: a palette, and rows of which each says what differs from the one above it (PNG third
//! edition, W3C 2025; zlib RFC 1950). Repetitions alone are packed, with the fixed codes of deflate (RFC
//! 1951, 3.2.6): flat colours are long runs, and a row like the one above is one.

use super::canvas::Canvas;

/// A repetition is as long as this at most, and pays from the other on (RFC 1951, 3.2.5).
const RUN_MAX: usize = 258;
const RUN_MIN: usize = 4;
/// PNG's filter "Up": a byte is the difference from the one above.
const FILTER_UP: u8 = 2;

/// The picture on a canvas.
pub(super) fn picture(canvas: &Canvas) -> Vec<u8> {
    let (palette, rows) = canvas.finished();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    for side in [canvas.width(), canvas.height()] {
        header.extend_from_slice(&u32::try_from(side).unwrap_or(1).to_be_bytes());
    }
    // 8 bits a sample, indexed colour, deflate, filters by row, not interlaced.
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", palette.as_flattened());
    chunk(&mut png, *b"IDAT", &zlib(&filtered(rows)));
    chunk(&mut png, *b"IEND", &[]);
    png
}

/// Each row behind its filter's byte, as the difference from the one above.
fn filtered<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut above: Option<&[u8]> = None;
    for row in rows {
        out.push(FILTER_UP);
        match above {
            None => out.extend_from_slice(row),
            Some(above) => out.extend(row.iter().zip(above).map(|(now, up)| now.wrapping_sub(*up))),
        }
        above = Some(row);
    }
    out
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let from = png.len();
    png.extend_from_slice(&name);
    png.extend_from_slice(data);
    let sum = crc32(&png[from..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

/// Bits from the lowest on, as deflate has them.
#[derive(Debug, Default)]
struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(u8::try_from(self.held & 0xff).unwrap_or(0));
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A code of Huffman's, which comes from its highest bit on.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn literal(&mut self, byte: u8) {
        let byte = u32::from(byte);
        if byte < 144 {
            self.code(0x30 + byte, 8);
        } else {
            self.code(0x190 + byte - 144, 9);
        }
    }

    /// The byte before once more, `length` times.
    fn repeat(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(3);
        // Lengths stand in groups of four codes, each group with one more bit of its own (3.2.5).
        let (code, extra, bits) = match length {
            258 => (285, 0, 0),
            3..=10 => (254 + length, 0, 0),
            _ => {
                let bits = (length - 3).ilog2() - 2;
                let from = (4 << bits) + 3;
                let group = (length - from) >> bits;
                (
                    261 + 4 * bits + group,
                    (length - from) & ((1 << bits) - 1),
                    bits,
                )
            }
        };
        if code < 280 {
            self.code(code - 256, 7);
        } else {
            self.code(0xc0 + code - 280, 8);
        }
        self.put(extra, bits);
        // One back, which is the first of the 30 distances.
        self.code(0, 5);
    }

    fn end(mut self) -> Vec<u8> {
        self.code(0, 7);
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.out
    }
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with the fixed codes.
    bits.put(0b011, 3);
    let mut rest = data;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .take(RUN_MAX + 1)
            .take_while(|byte| *byte == first)
            .count();
        bits.literal(*first);
        if run > RUN_MIN {
            bits.repeat(run - 1);
        }
        rest = &rest[if run > RUN_MIN { run } else { 1 }..];
    }
    let mut out = vec![0x78, 0x01];
    out.extend(bits.end());
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
    use std::io::Read as _;

    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let mut texts = vec![Vec::new(), vec![7], b"no repetition".to_vec()];
        // Every length of a run, and bytes with the longer codes.
        texts.extend((1..=600).map(|length| vec![200; length]));
        texts.push(
            (0..2_000_u32)
                .map(|at| u8::try_from(at / 7 % 256).unwrap_or(0))
                .collect(),
        );
        for text in texts {
            let mut back = Vec::new();
            let packed = zlib(&text);
            let read = flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut back);
            read.expect("sound, with the right sum");
            assert_eq!(back, text);
        }
    }

    #[test]
    fn a_picture_has_its_size_and_is_small() {
        let mut canvas = Canvas::new(300, 200);
        canvas.bands((0, 200), ([0, 0, 90], [255, 200, 90]), 40);
        let png = picture(&canvas);
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[16..24], &[0, 0, 1, 44, 0, 0, 0, 200]);
        assert!(png.len() < 2_000, "{} bytes", png.len());
    }
}
