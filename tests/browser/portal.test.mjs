// A tenant's people: an owner adds a member, who chats and makes an image in the studio, sees what
// it will cost before and what it did cost after, and finds both again in the history.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { startProduct } from "./product.mjs";
import { readArithmetic, readSecret } from "./reading.mjs";
import { micros, until } from "./wait.mjs";

const PASSWORD = "a password of my own";

describe("portal", () => {
  let product;
  let browser;
  before(async () => {
    product = await startProduct();
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await product?.stop();
  });

  for (const look of looks(4)) {
    test(`a member chats and makes an image in the studio (${said(look)})`, async () => {
      const name = `Mole 防波堤 ${said(look)}`;
      const made = await product.api.admin("POST", "/tenants", { name, username: "grace", password: PASSWORD });
      const tenant = { name, id: made.tenant.id, api: product.api.as(made.key) };
      await product.api.admin("POST", `/tenants/${tenant.id}/recharge`, { amount: "20" });
      await visit(browser, product.origin, look, (grace) => owning(grace, tenant));
      await visit(browser, product.origin, look, (mia) => making(mia, tenant));
      await visit(browser, product.origin, look, (grace) => looking(grace, tenant));
    });
  }
  for (const look of looks(5)) {
    test(`an owner makes a key that is shown once, rotates it and takes it back (${said(look)})`, async () => {
      const name = `Jetty ${said(look)}`;
      await product.api.admin("POST", "/tenants", { name, username: "grace", password: PASSWORD });
      await visit(browser, product.origin, look, (grace) => keeping(grace, name, product));
    });
  }
});

const signIn = (person, tenant, username) =>
  person.signIn("/portal", { tenant, username, password: PASSWORD });

async function owning(grace, tenant) {
  grace.expect(401);
  await grace.goto("/portal/login");
  assert.equal(await grace.send("/portal/login", { tenant: tenant.name, username: "grace", password: "wrong" }), 401);
  await signIn(grace, tenant.name, "grace");
  assert.equal(grace.path(), "/portal");
  await grace.page.locator('a[href="/portal/members"]').first().click();
  await grace.page.locator('a[href="/portal/members/new"]').click();
  const mia = { username: "mia", password: PASSWORD, role: "member", budget: "5", budget_period: "month" };
  assert.equal(await grace.send("/portal/members/new", mia), 200);
  assert.equal(grace.path(), "/portal/members");
  await grace.page.locator("tbody tr", { hasText: "mia" }).waitFor();
}

/** What the page says a call costs at most, once it says something. */
async function estimated(page) {
  const place = page.locator("[data-studio=estimate]");
  const text = await until("an estimate is shown", 10_000, async () => {
    const text = await place.innerText();
    return /\d/.test(text) && text;
  });
  return micros(/([\d.,]+)[^\d]*$/.exec(text)[1]);
}

async function making(mia, tenant) {
  const { page } = mia;
  const balance = async () => micros(await page.locator("[data-studio=balance]").innerText());
  const left = async () => micros((await tenant.api.get("/api/v1/credits/balance")).available);
  // Lists show a call a moment after it is settled.
  const listed = (what, is) => until(what, 10_000, async () => (await tenant.api.get("/api/v1/usage")).data.find(is));
  const record = (id) => listed("the call is listed", (call) => call.id === id);
  await signIn(mia, tenant.name, "mia");
  // Members begin in the studio.
  assert.equal(mia.path(), "/portal/studio/chat");

  const before = await balance();
  assert.equal(before, micros("20"));
  await page.locator('[name="message"]').fill("Tell me of the tide. [tokens:30][pace:40]");
  const most = await until("the estimate is of what was typed", 10_000, () => estimated(page));
  await page.keyboard.press("Enter");
  const answer = page.locator(".said-assistant").first();
  const seen = new Set();
  await until("the answer comes piece by piece", 15_000, async () => {
    seen.add((await answer.locator(".said-text").innerText()).length);
    return seen.size >= 4;
  });
  assert.equal(await answer.evaluate((place) => place.classList.contains("is-coming")), true, "while it is still coming");
  const cost = answer.locator(".said-cost a");
  await cost.waitFor();
  const charged = micros(await cost.innerText());
  const id = (await cost.getAttribute("href")).split("/").at(-1);
  assert.equal(charged, micros((await record(id)).credits), "what the page says is what was charged");
  assert.ok(charged > 0n && charged <= most, `${charged} is not within ${most}`);
  assert.equal(await balance(), before - charged);
  assert.equal(await left(), before - charged);
  await mia.axe();

  // A second question goes on with the conversation.
  await page.locator('[name="message"]').fill("And of the moon? [tokens:4]");
  await page.locator("[data-studio=send]").click();
  await page.locator(".said-assistant .said-cost a").nth(1).waitFor();
  assert.equal(await page.locator(".said").count(), 4);
  await cost.click();
  await page.waitForURL("**/portal/usage/*");
  assert.equal((await readArithmetic(page, "charge-title")).total, charged);
  await keptChat(mia, charged);

  await mia.goto("/portal/studio/images");
  const first = await balance();
  await page.locator('[name="prompt"]').fill("a lighthouse in the fog");
  await page.locator('[name="size"]').selectOption("256x256");
  await page.locator('[name="n"]').fill("2");
  const worth = await until("the estimate is of two images", 10_000, async () => {
    const worth = await estimated(page);
    return worth === micros("0.02") && worth;
  });
  await page.locator("[data-studio=send]").click();
  const images = page.locator(".pictures img");
  await until("both images are shown", 15_000, async () => {
    const widths = await images.evaluateAll((found) => found.map((image) => image.naturalWidth));
    return widths.length === 2 && widths.every((width) => width === 256);
  });
  const made = await listed("the images are listed", (call) => call.operation === "image");
  assert.equal(micros(made.credits), worth, "an image's price is known before");
  const note = await page.locator(".picture-note").first().innerText();
  assert.equal(micros(/([\d.]+) \(×2\)/.exec(note)?.[1]), worth, note);
  assert.equal(await balance(), first - worth);
  assert.equal(await left(), first - worth);
  await mia.axe();
  await keptImages(mia);

  await mia.goto("/portal/history");
  assert.equal(await page.locator("tbody tr .row-link").count(), 3);
  assert.match(await mia.text(".stat .stat-value"), /\d/);
  // What runs the tenant is not theirs.
  await mia.goto("/portal/members", 403);
}

/** The conversation is found again after a reload, stands in the list, is refused to a window that fell behind. */
async function keptChat(mia, charged) {
  const { page } = mia;
  const twice = async (what) => {
    assert.equal(await page.locator(".said").count(), 4, what);
    assert.match(await page.locator(".said-user .said-text").first().innerText(), /Tell me of the tide/);
    const cost = page.locator(".said-assistant .said-cost a");
    assert.equal(micros(await cost.first().innerText()), charged, what);
  };
  await page.goBack();
  await page.locator(".said-assistant").first().waitFor();
  const address = page.url();
  assert.match(address, /\/portal\/studio\/chat\?chat=chat_/, "its id is in the address");
  await page.reload();
  await twice("after a reload");
  await mia.goto("/portal/studio");
  await mia.axe();
  await page.locator('form.filters input[name="q"]').fill("TIDE");
  await page.locator("form.filters button").click();
  await page.locator("tbody tr a", { hasText: "Tell me of the tide" }).click();
  await page.waitForURL("**/portal/studio/chat?chat=*");
  await twice("from the list");
  await mia.axe();
}

/** Images are there after a reload, open as files, can be made again, and go when they are deleted. */
async function keptImages(mia) {
  const { page } = mia;
  await page.reload();
  const images = page.locator(".pictures img");
  await until("both images are there again", 15_000, async () => {
    const widths = await images.evaluateAll((found) => found.map((image) => image.naturalWidth));
    return widths.length === 2 && widths.every((width) => width === 256);
  });
  const source = await images.first().getAttribute("src");
  assert.match(source, /^\/portal\/studio\/images\/img_[a-z0-9]+\/file$/);
  assert.equal(await page.locator('.pictures a[href$="/file?download=1"]').count(), 2);
  await page.locator('.pictures a[href*="?again="]').first().click();
  await page.waitForURL("**/portal/studio/images?again=*");
  assert.equal(await page.locator('[name="prompt"]').inputValue(), "a lighthouse in the fog");
  await mia.axe();
  const id = source.split("/").at(-2);
  // However the page asks whether they are sure.
  const action = `/portal/studio/images/${id}/delete`;
  const gone = page.waitForURL((url) => url.pathname === "/portal/studio/images" && !url.search);
  await page.evaluate((path) => document.querySelector(`form[action="${path}"]`).submit(), action);
  await gone;
  await until("one image is left", 10_000, async () => (await images.count()) === 1);
}

async function looking(grace, tenant) {
  const { page } = grace;
  await signIn(grace, tenant.name, "grace");
  const left = micros((await tenant.api.get("/api/v1/credits/balance")).available);
  assert.equal(micros(await grace.text(".stat-lead .stat-value")), left);
  await grace.goto("/portal/ledger");
  assert.equal(micros(await grace.text(".stat .stat-value")), left);
  // All three calls were made by people, without a key: each stands by name.
  await until("the sums have what people called themselves", 15_000, async () => {
    await grace.goto("/portal");
    const callers = await page.locator('section[aria-labelledby="top-members"] li').allInnerTexts();
    return callers.length === 1 && /^mia[^]*\b3\b/.test(callers[0]);
  });
  await grace.axe();
}

async function keeping(grace, tenant, product) {
  const { page } = grace;
  await signIn(grace, tenant, "grace");
  await page.locator('a[href="/portal/keys"]').first().click();
  await page.locator('a[href="/portal/keys/new"]').click();
  const website = { name: "website", budget: "3", budget_period: "day" };
  assert.equal(await grace.send("/portal/keys/new", website), 200);
  const key = await readSecret(grace);
  const status = async (secret) => (await product.api.as(secret).get("/api/v1/models", { any: true })).status;
  assert.equal(await status(key), 200);
  await page.locator("a.button.primary").click();
  await page.waitForURL("**/portal/keys");
  assert.ok(!(await page.content()).includes(key));
  const row = page.locator("tbody tr", { hasText: "website" });

  // A new secret; the old one works on for an hour.
  await row.locator('[data-dialog^="rotate-"]').click();
  await page.locator('dialog[open] [name="grace_hours"]').fill("1");
  await page.locator("dialog[open] button.primary").click();
  const next = await readSecret(grace);
  assert.notEqual(next, key);
  assert.deepEqual([await status(key), await status(next)], [200, 200]);

  await grace.goto("/portal/keys");
  await row.locator('[data-dialog^="revoke-"]').click();
  await page.locator("dialog[open] button.danger").click();
  await row.locator(".badge-bad").waitFor();
  const refused = async () => (await status(key)) === 401 && (await status(next)) === 401;
  await until("both secrets are refused", 1_000, refused);
}
