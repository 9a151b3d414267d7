// Pictures of pages have few colours: as PNG with a palette of 256 they are a third as large. What
// has more colours (photographs, gradients) keeps them.

import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS_MAX = 256;
/** How far a colour may be from the one of the palette that stands for it, in each of R, G and B. */
const STEPS = [0, 3, 6, 9];
/** Colours of so many pixels are surfaces, not edges of letters, and stay as they are. */
const SURFACE = 400;

const CRC = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  let crc = 0xffffffff;
  for (const byte of body) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  const [size, end] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(data.length);
  end.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([size, body, end]);
}

function* chunks(png) {
  for (let at = SIGNATURE.length; at < png.length; ) {
    const size = png.readUInt32BE(at);
    yield [png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + size)];
    at += size + 12;
  }
}

/** Undoes the filters of rows (PNG, 9.2); answers pixels of three or four bytes. */
function pixelsOf(head, data) {
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const bytes = { 2: 3, 6: 4 }[head[9]];
  if (head[8] !== 8 || !bytes || head[12] !== 0) return null;
  const raw = inflateSync(data);
  const row = width * bytes;
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const at = y * row + x;
      const left = x >= bytes ? out[at - bytes] : 0;
      const above = y ? out[at - row] : 0;
      const corner = y && x >= bytes ? out[at - row - bytes] : 0;
      let guess = 0;
      if (filter === 1) guess = left;
      else if (filter === 2) guess = above;
      else if (filter === 3) guess = (left + above) >> 1;
      else if (filter === 4) {
        const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
        guess = a <= b && a <= c ? left : b <= c ? above : corner;
      }
      out[at] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return { width, height, bytes, out };
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff];

/**
 * For each colour its place in a palette, where the most frequent stand for those around them; none
 * when there are too many. The first with a place is the one that stands there.
 */
function palette(ranked, near) {
  const kept = [];
  const place = new Map();
  for (const [colour, pixels] of ranked) {
    const [red, green, blue] = channels(colour);
    const step = pixels < SURFACE ? near : 0;
    let index = kept.findIndex(
      ([r, g, b]) => Math.abs(r - red) <= step && Math.abs(g - green) <= step && Math.abs(b - blue) <= step,
    );
    if (index < 0) index = kept.push([red, green, blue]) - 1;
    if (index >= COLOURS_MAX) return null;
    place.set(colour, index);
  }
  return place;
}

/** The same picture as a smaller PNG; itself where that can't be. */
export function shrink(png) {
  const found = [...chunks(png)];
  const head = found.find(([name]) => name === "IHDR")[1];
  const data = Buffer.concat(found.filter(([name]) => name === "IDAT").map(([, part]) => part));
  const picture = pixelsOf(head, data);
  if (!picture) return png;
  const { width, height, bytes, out } = picture;
  const colourAt = (at) => (out[at] << 16) | (out[at + 1] << 8) | out[at + 2];
  const often = new Map();
  for (let at = 0; at < out.length; at += bytes) {
    const colour = colourAt(at);
    often.set(colour, (often.get(colour) ?? 0) + 1);
  }
  const ranked = [...often].sort(([, a], [, b]) => b - a);
  const place = STEPS.reduce((done, step) => done ?? palette(ranked, step), null);
  if (!place) return png;
  const kept = [];
  for (const [colour, index] of place) kept[index] ??= channels(colour);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows[y * (width + 1) + 1 + x] = place.get(colourAt((y * width + x) * bytes));
    }
  }
  const small = Buffer.from(head);
  small[9] = 3;
  const smaller = Buffer.concat([
    SIGNATURE,
    chunk("IHDR", small),
    chunk("PLTE", Buffer.from(kept.flat())),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return smaller.length < png.length ? smaller : png;
}
