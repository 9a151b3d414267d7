// Waiting for conditions, and credits as exact numbers.

const PAUSE_MS = 50;

/** The first value of `look` that is not falsy. */
export async function until(what, limitMs, look) {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`in ${limitMs} ms it did not come true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Credits as text, with thousands separated or not, in whole micro-credits. */
export function micros(text) {
  const parts = /^([+\-−]?)(\d+)(?:\.(\d+))?$/.exec(String(text).replaceAll(/[,\s]/g, ""));
  if (!parts) throw new Error(`${JSON.stringify(text)} is not an amount`);
  const [, sign, whole, decimals = ""] = parts;
  const size = BigInt(whole) * 1_000_000n + BigInt(decimals.slice(0, 6).padEnd(6, "0"));
  return sign === "-" || sign === "−" ? -size : size;
}

/** An exact decimal as numerator over 10^places. */
export function exact(text, places = 18) {
  const parts = /^([+\-−]?)(\d+)(?:\.(\d+))?$/.exec(String(text).replaceAll(/[,\s×]/g, ""));
  if (!parts) throw new Error(`${JSON.stringify(text)} is not a number`);
  const [, sign, whole, decimals = ""] = parts;
  const size = BigInt(whole) * 10n ** BigInt(places) + BigInt(decimals.padEnd(places, "0"));
  return sign === "-" || sign === "−" ? -size : size;
}
