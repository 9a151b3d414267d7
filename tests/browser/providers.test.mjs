// A provider is added with keys; one is told to slow down, cools and comes back, and one that the
// provider refuses is put away and shown as an alert.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { ADMIN_PASSWORD, DEMO_KEY, startProduct } from "./product.mjs";
import { startProvider } from "./provider.mjs";
import { until } from "./wait.mjs";

/** Long enough for a loaded machine to show the page, and all that the test waits for. */
const COOLING_S = 4;

describe("providers", () => {
  let product;
  let provider;
  let browser;
  before(async () => {
    provider = await startProvider();
    product = await startProduct();
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await product?.stop();
    await provider?.stop();
  });

  for (const look of looks(3)) {
    test(`a key is added, cools down and recovers (${said(look)})`, () =>
      visit(browser, product.origin, look, (ada) => journey(ada, product, provider)));
  }
});

async function journey(ada, product, provider) {
  const { page } = ada;
  const name = `north-${ada.lang}-${ada.theme}`;
  const base = `/admin/providers/${name}`;
  const secrets = { good: `sk-good-${name}-0001`, second: `sk-good-${name}-0002`, refused: `sk-bad-${name}-0003` };
  provider.keys.set(secrets.refused, { status: 401, code: "invalid_api_key" });
  await ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD });
  ada.expect(422);

  // A vendor is found, chosen, and fills the form; its settings are there for whoever opens them.
  await ada.goto("/admin/providers/new");
  await ada.axe();
  await page.locator('#content form[role="search"] [name="q"]').fill("openai");
  await page.locator('#content form[role="search"] .button').first().click();
  await page.waitForURL("**/new?q=openai");
  assert.equal(await page.locator('a[href="/admin/providers/new?vendor=deepseek"]').count(), 0);
  const keys = page.locator('.vendor a[href="https://platform.openai.com/api-keys"]');
  assert.equal(await keys.getAttribute("rel"), "noopener noreferrer");
  await page.locator('a[href="/admin/providers/new?vendor=openai"]').click();
  await page.waitForURL("**/new?vendor=openai");
  assert.equal(await page.locator('[name="base_url"]').inputValue(), "https://api.openai.com/v1");
  const settings = page.locator("details.fold:has([name=settings])");
  assert.equal(await settings.getAttribute("open"), null);
  await settings.locator("summary").click();
  const wrong = { name: "No such Name!", base_url: provider.url, headers: "x-lamp: lit\nhost" };
  assert.equal(await ada.send("/admin/providers/new", wrong), 422);
  await page.locator('[name="name"][aria-invalid="true"]').waitFor();
  await page.locator('[name="headers"][aria-invalid="true"]').waitFor();
  await ada.axe();
  const right = { name, headers: "x-lamp: lit", leave_out: "logit_bias" };
  assert.equal(await ada.send("/admin/providers/new", right), 200);
  assert.equal(ada.path(), base);
  await page.locator("section[aria-labelledby=connection-title] dd", { hasText: "x-lamp: lit" }).waitFor();
  await page.locator("section[aria-labelledby=connection-title] dd", { hasText: "logit_bias" }).waitFor();
  // The settings are open where something is set, and can be changed again.
  assert.equal(await page.locator('[name="headers"]').inputValue(), "x-lamp: lit");
  assert.equal(await ada.send(`${base}/edit`, { leave_out: "" }), 200);
  await page.locator("section[aria-labelledby=connection-title] dd", { hasText: "x-lamp: lit" }).waitFor();
  assert.equal(await page.locator("dd", { hasText: "logit_bias" }).count(), 0);

  await ada.sendDialog("add", `${base}/keys`, { label: "first", secret: secrets.good, weight: "1" });
  const row = (secret) => page.locator("tbody tr", { hasText: `…${secret.slice(-4)}` });
  const badge = (secret) => row(secret).locator("td").nth(3).locator(".badge").first();
  assert.ok(!(await page.content()).includes(secrets.good), "a secret does not come back");
  await badge(secrets.good).and(page.locator(".badge-good")).waitFor();
  // One click tries it at the provider.
  const test = row(secrets.good).locator('form[action$="/test"] button');
  await test.click();
  await page.waitForURL("**/test");
  await row(secrets.good).locator(".badge-good", { hasText: /accepted|通过|works|可用/ }).last().waitFor();

  const model = `lamp-${name}`;
  await ada.goto("/admin/models/new");
  const rate = (n, unit, credits, cost) =>
    ({ [`unit-${n}`]: unit, [`per-${n}`]: "1000000", [`credits-${n}`]: credits, [`cost-${n}`]: cost });
  const prices = { ...rate(0, "input_token", "2", "1.5"), ...rate(1, "output_token", "8", "5") };
  const lamp = { id: model, operation: "chat", provider: name, model: "lamp-1", enabled: true, ...prices };
  assert.equal(await ada.send("/admin/models/new", { ...lamp, "credits-1": "cheap" }), 422);
  await page.locator('[name="credits-1"][aria-invalid="true"]').waitFor();
  assert.equal(await ada.send("/admin/models/new", lamp), 200);
  assert.equal(ada.path(), `/admin/models/${model}`);
  const demo = product.api.as(DEMO_KEY);
  const call = async () => (await demo.chat("Light the lamp.", { model }, { any: true })).status;
  assert.equal(await call(), 200);

  provider.keys.set(secrets.good, { status: 429, code: "rate_limit_exceeded", retryAfter: COOLING_S });
  assert.notEqual(await call(), 200);
  provider.keys.delete(secrets.good);
  await ada.goto(base);
  await badge(secrets.good).and(page.locator(".badge-warn")).waitFor();
  assert.match(await row(secrets.good).locator("time").first().innerText(), /\d/, "it says until when");
  await ada.axe();
  await until("the key is back", (COOLING_S + 10) * 1_000, async () => {
    await ada.goto(base);
    return (await badge(secrets.good).and(page.locator(".badge-good")).count()) === 1;
  });
  assert.equal(await call(), 200);

  // Keys by the dozen: one of these two is refused.
  await page.locator(`a[href="${base}/keys/bulk"]`).click();
  const lines = `${secrets.second} second\n${secrets.refused} third`;
  assert.equal(await ada.send(`${base}/keys/bulk`, { secrets: lines, weight: "1" }, '[name="do"][value="add"]'), 200);
  assert.equal(await page.locator("tbody .badge-good").count(), 2, "both were added");
  await until("a call meets the refused key and it is put away", 20_000, async () => {
    await call();
    await ada.goto(base);
    return (await badge(secrets.refused).and(page.locator(".badge-bad")).count()) === 1;
  });
  await until("somebody looked and there is an alert", 60_000, async () => {
    await ada.goto("/admin");
    return (await page.locator(`.alerts a[href="${base}"], .alerts li`, { hasText: name }).count()) > 0;
  });
  await ada.axe();
}
