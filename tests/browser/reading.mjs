// What several journeys read from pages: secrets shown once, and arithmetic to be done again.

import assert from "node:assert/strict";

import { exact, micros } from "./wait.mjs";

const PLACES = 18;
const ONE = 10n ** BigInt(PLACES);

/** A secret that the page shows this once. */
export async function readSecret(person) {
  const secret = await person.text("code.secret");
  assert.match(secret, /^wk_(live|test)_[a-z0-9]{32}$/);
  return secret;
}

/**
 * Reads the table that reckons a charge and does its sums again: each line, the subtotal, and the
 * total, which is the subtotal times the multiplier, rounded up once to a micro-credit.
 */
export async function readArithmetic(page, title) {
  const table = page.locator(`section[aria-labelledby="${title}"] table.arithmetic`);
  await table.waitFor();
  const rows = async (part) =>
    table.locator(`${part} tr`).evaluateAll((found) =>
      found.map((row) => [...row.querySelectorAll("td, th")].map((cell) => cell.textContent.trim())),
    );
  let subtotal = 0n;
  let counted = 0n;
  for (const [item, quantity, price, amount] of await rows("tbody")) {
    const count = exact(quantity, 0);
    const per = /million|百万/.test(item) ? 1_000_000n : 1n;
    const own = (count * exact(price, PLACES)) / per;
    assert.equal(own, exact(amount, PLACES), `${item}: ${quantity} × ${price} is not ${amount}`);
    subtotal += own;
    counted += count;
  }
  const foot = (await rows("tfoot")).map((cells) => cells.at(-1));
  assert.equal(exact(foot[0], PLACES), subtotal, "the subtotal is the sum of the lines");
  const factor = foot.length > 2 ? exact(foot[1], PLACES) : ONE;
  const total = micros(foot.at(-1));
  const whole = subtotal * factor;
  const unit = (ONE * ONE) / 1_000_000n;
  assert.equal(total, (whole + unit - 1n) / unit, "the total is the subtotal times the multiplier, rounded up");
  return { total, counted };
}
