// The superadmin looks after tenants: founds one, gives it people, keys and credits, sees what it
// uses and how that is reckoned, and shuts it out at once when it must be.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { ADMIN_PASSWORD, DEMO_KEY, startProduct } from "./product.mjs";
import { readArithmetic, readSecret } from "./reading.mjs";
import { micros, until } from "./wait.mjs";

const PASSWORD = "a password of my own";
/** What the issue promises for calls of a tenant that is suspended. */
const REFUSED_WITHIN_MS = 1_000;

describe("tenants", () => {
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

  for (const look of looks(1)) {
    test(`tenant, key, member, recharge, usage and its arithmetic (${said(look)})`, () =>
      visit(browser, product.origin, look, (ada) => founding(ada, product)));
  }
  for (const look of looks(8)) {
    test(`the dashboard counts the calls that run (${said(look)})`, () =>
      visit(browser, product.origin, look, (ada) => living(ada, product)));
  }
  for (const look of looks(2)) {
    test(`a suspended tenant's calls are refused within a second (${said(look)})`, (t) =>
      visit(browser, product.origin, look, (ada) => suspending(t, ada, product)));
  }
});

/** The dashboard is not loaded again: its numbers come by themselves. */
async function living(ada, product) {
  await signIn(ada);
  await ada.goto("/admin");
  const running = ada.page.locator('[data-live="live_count"]');
  await running.and(ada.page.getByText("0", { exact: true })).waitFor();
  const demo = product.api.as(DEMO_KEY);
  const call = demo.chat("Count slowly. [tokens:25][pace:100]", { stream: true });
  await running.and(ada.page.getByText("1", { exact: true })).waitFor();
  await call;
  await running.and(ada.page.getByText("0", { exact: true })).waitFor();
}

const signIn = (ada) => ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD });

async function founding(ada, product) {
  const { page } = ada;
  const name = `Harbour 港口 ${ada.lang}`;
  await signIn(ada);
  ada.expect(422);

  await ada.goto("/admin/tenants/new");
  assert.equal(await ada.send("/admin/tenants/new", { name, credits: "" }), 200);
  await readSecret(ada);
  const base = (await page.locator("a.button.primary").getAttribute("href")).replace(/\/keys$/, "");
  const id = base.split("/").at(-1);

  await ada.goto(`${base}/members`);
  assert.equal(await ada.sendDialog("add", `${base}/members`, { username: "mia", password: "short" }), 422);
  // The dialog stands open again with what is wrong.
  await page.locator('dialog#add[open] [name="password"][aria-invalid="true"]').waitFor();
  const mia = { username: "mia", password: PASSWORD, role: "member" };
  assert.equal(await ada.send(`${base}/members`, mia), 200);
  await page.locator("tbody tr", { hasText: "mia" }).waitFor();

  await ada.goto(`${base}/keys`);
  await ada.sendDialog("add", `${base}/keys`, { name: "billing worker", kind: "live", budget: "50", budget_period: "month" });
  const key = await readSecret(ada);
  const api = product.api.as(key);
  assert.equal((await api.chat("Nobody paid yet.", {}, { any: true })).status, 402);

  await ada.goto(`${base}/money`);
  assert.equal(await ada.sendDialog("recharge", `${base}/recharge`, { amount: "100.25", note: "invoice 2026-118" }), 200);
  await page.locator(".toast-good").waitFor();
  const available = () => ada.text(".stat .stat-value");
  assert.equal(micros(await available()), micros("100.25"));
  // Among what was given, and in the ledger.
  await page.locator("tbody tr:not([id])", { hasText: "invoice 2026-118" }).waitFor();
  await page.locator('tbody tr[id^="line-"]', { hasText: "invoice 2026-118" }).waitFor();
  await ada.sendDialog("adjust", `${base}/adjust`, { direction: "take", amount: "0.25", reason: "typed twice" });
  assert.equal(micros(await available()), micros("100"));

  await ada.goto(`${base}/limits`);
  await ada.send(`${base}/multiplier`, { factor: "1.25" });
  await until("calls cost a quarter more", 5_000, async () => {
    const tenant = await product.api.admin("GET", `/tenants/${id}`);
    return tenant.price_multiplier_ppm === 1_250_000;
  });

  await api.chat("Count the boats. [tokens:321]");
  await api.chat("Count them again. [tokens:12]", { stream: true });
  await until("two calls are listed", 10_000, async () => {
    await ada.goto(`${base}/usage`);
    return (await page.locator("tbody tr .row-link").count()) === 2;
  });
  const calls = await page.locator(".row-link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  const records = new Map((await api.get("/api/v1/usage")).data.map((record) => [record.id, record]));
  let spent = 0n;
  for (const call of calls) {
    await ada.goto(call);
    assert.equal(await page.locator('section[aria-labelledby="charge-title"] tfoot tr').count(), 3, "the multiplier has a line");
    const sum = await readArithmetic(page, "charge-title");
    assert.equal(sum.total, micros(records.get(call.split("/").at(-1)).credits));
    spent += sum.total;
  }
  await ada.goto(`${base}/money`);
  assert.equal(micros(await available()), micros("100") - spent);
  const settled = page.locator(`section[aria-labelledby="ledger-title"] tbody tr`).filter({ has: page.locator('a[href^="/admin/usage/"]') });
  assert.ok((await settled.count()) >= 2, "settlements lead to their calls");
  // Sums are added up in the background.
  await until("the sums have both calls", 15_000, async () => {
    await ada.goto(`${base}/usage`);
    const cells = await page.locator('section[aria-labelledby="sums-title"] tbody td.num').allInnerTexts();
    return cells.length > 0 && micros(cells.at(-1)) === spent;
  });
  await ada.axe();
}

async function suspending(t, ada, product) {
  const { page } = ada;
  const owner = { username: "grace", password: PASSWORD };
  const made = await product.api.admin("POST", "/tenants", { name: `Quay ${said(ada)}`, ...owner });
  const { id } = made.tenant;
  await product.api.admin("POST", `/tenants/${id}/recharge`, { amount: "10" });
  const api = product.api.as(made.key);
  const call = async () => (await api.chat("Are you there? [tokens:1]", {}, { any: true })).status;
  assert.equal(await call(), 200);

  const base = `/admin/tenants/${id}`;
  await signIn(ada);
  await ada.goto(base);
  await page.locator('[data-dialog="suspend"]').click();
  await ada.fill(`${base}/suspend`, { reason: "unpaid since March" });
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/suspend")),
    ada.form(`${base}/suspend`).locator("button").click(),
  ]);
  const since = performance.now();
  assert.equal(answer.status(), 303);
  await until("calls are refused", REFUSED_WITHIN_MS, async () => (await call()) === 403 || (await call()) === 401);
  t.diagnostic(`calls were refused ${Math.round(performance.now() - since)} ms after the form was taken`);
  await page.locator("h1 .badge-warn").waitFor();
  assert.notEqual(await call(), 200, "and stay refused");

  await ada.send(`${base}/resume`);
  await page.locator("h1 .badge-good").waitFor();
  await until("calls are taken again", REFUSED_WITHIN_MS, async () => (await call()) === 200);
}
