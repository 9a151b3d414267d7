// From a first start to a charged call: the set-up page, a first tenant whose key is shown once, a
// call with that key, and the call's story whose arithmetic is the ledger's.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { startProduct } from "./product.mjs";
import { readArithmetic, readSecret } from "./reading.mjs";
import { micros, until } from "./wait.mjs";

const PASSWORD = "a password of my own";
/** What a newcomer is promised between the greeting and a picture that was paid for. */
const CLICKS_MAX = 5;
const FIELDS_MAX = 2;
/** The program's start is in it; a loaded machine is slow. */
const PICTURE_WITHIN_MS = 45_000;

describe("first start", () => {
  let browser;
  before(async () => (browser = await openBrowser()));
  after(() => browser.close());

  for (const look of looks(0)) {
    test(`from the greeting to a charged picture in five clicks and two fields (${said(look)})`, async (t) => {
      const since = performance.now();
      const product = await startProduct({ chosen: false });
      t.after(() => product.stop());
      const greeting = await until("the greeting is printed", 5_000, () => product.greeting());
      await visit(browser, product.origin, look, async (person) => {
        const hand = await counted(person.page);
        await picture(person, greeting, hand);
        const took = Math.round(performance.now() - since);
        t.diagnostic(`${hand.clicks} clicks, ${hand.fields.size} fields, ${took} ms from the start of the program`);
        assert.ok(hand.clicks <= CLICKS_MAX, `${hand.clicks} clicks`);
        assert.ok(hand.fields.size <= FIELDS_MAX, `fields: ${[...hand.fields].join(", ")}`);
        assert.ok(took < PICTURE_WITHIN_MS, `${took} ms`);
      });
    });
    test(`from the first start to a charged call (${said(look)})`, async (t) => {
      const product = await startProduct({ chosen: false });
      t.after(() => product.stop());
      await visit(browser, product.origin, look, (ada) => journey(ada, product));
    });
  }
});

/** Counts what a hand does in a page, whichever way a test does it: clicks, and fields with something typed. */
async function counted(page) {
  const hand = { clicks: 0, fields: new Set() };
  await page.exposeFunction("handClicked", () => void hand.clicks++);
  await page.exposeFunction("handTyped", (name) => void hand.fields.add(name));
  await page.addInitScript(() => {
    addEventListener("click", (event) => event.isTrusted && event.detail > 0 && window.handClicked(), true);
    addEventListener("input", (event) => event.isTrusted && window.handTyped(`${location.pathname} ${event.target.name}`), true);
  });
  return hand;
}

/** The demo tenant's person signs in and makes a picture. */
async function picture(person, greeting, hand) {
  const { page } = person;
  const [, address, password] = /(http\S*\/portal\S*)\s.*?password (\S+)/.exec(greeting) ?? assert.fail(`nobody may sign in to the portal:\n${greeting}`);
  const asked = new URL(address);
  const named = { tenant: /tenant (\S+?),/.exec(greeting)?.[1] ?? "", username: /tenant \S+?, user (\S+?),/.exec(greeting)?.[1] ?? "" };

  // The address is opened as it was printed; only what it did not fill in is typed.
  await person.goto(asked.pathname + asked.search);
  for (const [name, value] of Object.entries(named)) {
    const field = page.locator(`[name="${name}"]`);
    if (!(await field.inputValue())) await field.fill(value);
  }
  await page.locator('[name="password"]').fill(password);
  await page.locator("main form button.primary").click();
  await page.locator('.nav a[href="/portal/studio/images"]').click();
  await page.locator('[name="prompt"]').fill("a lighthouse above calm water, flat colours");
  const balance = async () => micros(await page.locator("[data-studio=balance]").innerText());
  const before = await balance();
  await page.locator("[data-studio=send]").click();
  const made = page.locator(".pictures img").first();
  await until("the picture is there", 20_000, () => made.evaluate((image) => image.naturalWidth > 0).catch(() => false));
  await until("and paid for", 10_000, async () => (await balance()) < before);
  assert.ok(hand.clicks > 0 && hand.fields.size > 0, "a hand was counted");
}

async function journey(ada, product) {
  const { page } = ada;
  const oneTime = await until("the one-time password is printed", 5_000, () => /password (\S+) \(/.exec(product.greeting())?.[1]);

  // Whoever opens the address finds the set-up page; a wrong one-time password is said so there.
  await ada.goto("/");
  assert.equal(ada.path(), "/admin/setup");
  assert.equal(await page.locator("html").getAttribute("lang"), ada.lang === "zh" ? "zh-CN" : "en");
  ada.expect(401, 422);
  const own = { username: "admin", password: PASSWORD, repeat: PASSWORD };
  assert.equal(await ada.send("/admin/setup", { ...own, one_time: "wrong" }), 401);
  await page.locator('[name="one_time"][aria-invalid="true"]').waitFor();
  assert.equal(await ada.send("/admin/setup", { ...own, repeat: "another one here", one_time: oneTime }), 422);
  await page.locator('[name="repeat"][aria-invalid="true"]').waitFor();
  assert.equal(await ada.send("/admin/setup", { ...own, one_time: oneTime }), 200);
  assert.equal(ada.path(), "/admin");

  // The first tenant; what is wrong is said beside the field.
  await ada.goto("/admin/tenants");
  await page.locator('a[href="/admin/tenants/new"]').click();
  const tenant = { name: "Lantern 灯笼", username: "grace", password: PASSWORD, credits: "250" };
  assert.equal(await ada.send("/admin/tenants/new", { ...tenant, credits: "many" }), 422);
  await page.locator('[name="credits"][aria-invalid="true"]').waitFor();
  assert.equal(await ada.send("/admin/tenants/new", { ...tenant }), 200);
  const key = await readSecret(ada);
  const detail = await page.locator("a.button.primary").getAttribute("href");
  const base = detail.replace(/\/keys$/, "");
  await page.locator("a.button.primary").click();
  await page.waitForURL(`**${detail}`);
  assert.ok(!(await page.content()).includes(key), "the key is shown once");
  assert.ok((await page.content()).includes(key.slice(-4)));

  const api = product.api.as(key);
  const before = micros((await api.get("/api/v1/credits/balance")).available);
  assert.equal(before, micros("250"));
  const answer = await api.chat("How tall is a lighthouse? [tokens:40]");
  assert.equal(answer.usage.completion_tokens, 40);

  // The charge is settled behind the answer; the log has its row, and the row leads to the story.
  await until("the log has the call", 10_000, async () => {
    await ada.goto("/admin/usage");
    return (await page.locator("tbody tr").count()) === 1;
  });
  const row = page.locator("tbody tr");
  assert.match(await row.innerText(), /Lantern 灯笼/);
  await row.locator("td").nth(4).click();
  await page.waitForURL("**/admin/usage/gen_*");
  const sum = await readArithmetic(page, "charge-title");
  const [record] = (await api.get("/api/v1/usage")).data;
  assert.equal(sum.total, micros(record.credits));
  const [settled] = (await api.get("/api/v1/credits/history?limit=1")).data;
  assert.equal(sum.total, micros(settled.charged));
  const left = micros((await api.get("/api/v1/credits/balance")).available);
  assert.equal(before - left, sum.total);
  assert.equal(sum.counted, BigInt(answer.usage.total_tokens));

  // The tenant's own page of money says the same.
  await ada.goto(`${base}/money`);
  const available = await page.locator(".stat .stat-value").first().innerText();
  assert.equal(micros(available), left);
}
