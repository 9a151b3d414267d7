//! Pictures for the sandbox: a gradient in two colours drawn from a seed, as a real PNG. Writes the
//! few chunks itself (PNG third edition, W3C 2025; zlib RFC 1950; stored blocks of RFC 1951).

/// A stored block of deflate holds at most this (RFC 1951, 3.2.4).
const STORED_MAX: usize = 65_535;

/// An RGB picture of `width` by `height`.
pub(super) fn picture(width: u32, height: u32, seed: &[u8; 32]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    // 8 bits a sample, indexed colour, deflate, no filter method, not interlaced.
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", &palette(seed));
    chunk(&mut png, *b"IDAT", &zlib(&pixels(width, height)));
    chunk(&mut png, *b"IEND", &[]);
    png
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
        let one = picture(300, 200, &[7; 32]);
        assert_eq!(&one[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&one[16..24], &[0, 0, 1, 44, 0, 0, 0, 200]);
        assert_ne!(one, picture(300, 200, &[8; 32]));
    }
}
