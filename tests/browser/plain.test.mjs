// Without a mouse, and without JavaScript: what everybody must be able to do, whatever they have.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { ADMIN_PASSWORD, startProduct } from "./product.mjs";
import { micros, until } from "./wait.mjs";

const PASSWORD = "a password of my own";
/** No page has more stops than this before the one that is looked for. */
const TABS_MAX = 60;

describe("without", () => {
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

  for (const look of looks(6)) {
    test(`a mouse: signing in, a form, a dialog and a menu by keyboard (${said(look)})`, async () => {
      await colleague(product, `keys.${look.lang}.${look.theme}`);
      await visit(browser, product.origin, look, (ada) => byKeyboard(ada));
    });
  }
  for (const look of looks(7)) {
    test(`JavaScript: signing in, filters, questions, money, chat and image (${said(look)})`, async () => {
      const options = { javaScriptEnabled: false };
      const other = await colleague(product, `plain.${look.lang}.${look.theme}`);
      const name = `Buoy ${said(look)}`;
      const made = await product.api.admin("POST", "/tenants", { name, username: "grace", password: PASSWORD });
      const { id } = made.tenant;
      await visit(browser, product.origin, look, (ada) => plainConsole(ada, id), options);
      await visit(browser, product.origin, look, (ada) => plainRows(ada, other, product), options);
      await visit(browser, product.origin, look, (grace) => plainStudio(grace, name, product.api.as(made.key)), options);
    });
  }
});

/** Another superadmin, so that there is a row with a menu. */
async function colleague(product, username) {
  await product.api.admin("POST", "/superadmins", { username, password: ADMIN_PASSWORD, role: "read_only" });
  return username;
}

/** Goes on with Tab until the focus is there; each stop on the way must be seen. */
async function tabTo(page, selector) {
  for (let tab = 0; tab < TABS_MAX; tab++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate((wanted) => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      // A date has stops of the browser's own inside, which the browser marks.
      const seen = outlined || style.boxShadow !== "none" || element.type === "date";
      return { there: element.matches(wanted), seen, what: element.outerHTML.slice(0, 120) };
    }, selector);
    assert.ok(stop.seen, `the focus is not seen on ${stop.what}`);
    if (stop.there) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}

async function byKeyboard(ada) {
  const { page } = ada;
  const type = (text) => page.keyboard.type(text);
  const enter = async (path) => {
    await page.keyboard.press("Enter");
    await page.waitForURL(path);
  };
  await ada.goto("/admin/login");
  // The first field has the focus already.
  await page.locator("[name=username]:focus").waitFor();
  await type("admin");
  await tabTo(page, "[name=password]");
  await type(ADMIN_PASSWORD);
  await enter("**/admin");

  // The first stop of a page leads past its navigation.
  await page.keyboard.press("Tab");
  await page.locator("a.skip:focus").waitFor();
  await page.keyboard.press("Enter");
  await page.locator("main:focus, main:target").waitFor();

  await ada.goto("/admin/tenants");
  await tabTo(page, 'a[href="/admin/tenants/new"]');
  await enter("**/admin/tenants/new");
  await page.locator("[name=name]:focus").waitFor();
  await type(`Beacon ${said(ada)}`);
  await tabTo(page, "[name=credits]");
  await page.keyboard.press("Control+a");
  await type("12");
  await tabTo(page, "button.primary");
  await page.keyboard.press("Enter");
  await page.locator("code.secret").waitFor();
  await tabTo(page, "a.button.primary");
  await enter("**/keys");

  // A dialog takes the focus, keeps it, and gives it back.
  await tabTo(page, '[data-dialog="add"]');
  await page.keyboard.press("Enter");
  await page.locator("dialog#add[open] [name=name]:focus").waitFor();
  await page.keyboard.press("Shift+Tab");
  const inside = () => page.evaluate(() => Boolean(document.activeElement.closest("dialog#add")) || document.activeElement === document.body);
  assert.ok(await inside(), "the focus stays in the dialog");
  await page.keyboard.press("Escape");
  await page.locator("dialog#add:not([open])").waitFor({ state: "attached" });
  await page.locator('[data-dialog="add"]:focus').waitFor();

  // A menu opens beside its button, leads to a question, and the focus comes back to the button.
  await ada.goto("/admin/superadmins");
  await tabTo(page, ".row-menu-open");
  await page.keyboard.press("Enter");
  await page.locator(".menu:popover-open").waitFor();
  await tabTo(page, ".menu a.danger");
  await page.keyboard.press("Enter");
  const question = page.locator("dialog[open]");
  await question.waitFor();
  assert.ok(await page.evaluate(() => Boolean(document.activeElement.closest("dialog[open]"))), "the question has the focus");
  assert.equal(await page.locator(".menu:popover-open").count(), 0, "the menu is closed");
  const { named, told } = await question.evaluate((dialog) => {
    const words = (name) => document.getElementById(dialog.getAttribute(name))?.innerText ?? "";
    return { named: words("aria-labelledby"), told: words("aria-describedby") };
  });
  assert.match(named, /keys\./, "the question says whom it is about");
  assert.ok(told.length > 8, "and what will happen");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await page.locator(".row-menu-open:focus").waitFor();
}

/** On a phone without a script: filters in their sheet, and a deed that asks before it is done. */
async function plainRows(ada, other, product) {
  const { page } = ada;
  const status = async (username) => (await product.api.admin("GET", "/superadmins")).data.find((one) => one.username === username).status;
  await page.setViewportSize({ width: 390, height: 844 });
  await ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD });
  await ada.goto("/admin/tenants");
  const search = page.locator('form.filters [name="q"]');
  assert.equal(await search.isVisible(), false, "filters are put away");
  await page.locator(".filters-bar button").click();
  await search.fill("Buoy");
  await page.locator("form.filters .button:not(.quiet)").click();
  await page.waitForURL("**q=Buoy**");
  assert.match(await page.locator(".filters-bar button").innerText(), /1$/, "the filters are counted");
  await page.locator(".chip", { hasText: "Buoy" }).click();
  await page.waitForURL("**/admin/tenants");
  const cell = page.locator("tbody td[data-label]").nth(1);
  const label = await cell.evaluate((place) => getComputedStyle(place, "::before").content);
  assert.equal(label, JSON.stringify(await cell.getAttribute("data-label")), "values are labelled");

  await ada.goto("/admin/superadmins");
  const row = page.locator("tbody tr", { hasText: other });
  await row.locator(".row-menu-open").click();
  await row.locator(".menu a.danger").click();
  const question = row.locator("dialog");
  await question.waitFor();
  assert.equal(await status(other), "active", "nothing is done before the question is answered");
  await question.locator("button.danger").click();
  await until("the superadmin is disabled", 5_000, async () => (await status(other)) === "disabled");
}

async function plainConsole(ada, id) {
  const { page } = ada;
  await ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD });
  // Language and theme are forms too.
  const html = page.locator("html");
  const other = ada.lang === "zh" ? "en" : "zh-CN";
  await page.locator('.preferences button[name="lang"]').click();
  await page.locator(`html[lang="${other}"]`).waitFor();
  await page.locator('.preferences button[name="lang"]').click();
  await page.locator(`html:not([lang="${other}"])`).waitFor();
  const theme = await html.getAttribute("data-theme");
  await page.locator('.preferences button[name="theme"]').click();
  await page.locator(`html:not([data-theme="${theme}"])`).waitFor();

  // A dialog is a place on the page that its link leads to.
  const base = `/admin/tenants/${id}`;
  await ada.goto(`${base}/money`);
  await page.locator('a[href$="#recharge"]').first().click();
  await ada.form(`${base}/recharge`).locator("[name=amount]").waitFor();
  assert.equal(await ada.send(`${base}/recharge`, { amount: "7" }), 200);
  assert.equal(micros(await ada.text(".stat .stat-value")), micros("7"));
  await page.locator(".toast-good").waitFor();

  // Filters are addresses.
  await ada.goto("/admin/tenants");
  await page.locator('form.filters [name="q"]').fill("Buoy");
  await page.locator("form.filters .button").click();
  await page.waitForURL("**q=Buoy**");
  await page.locator("tbody tr", { hasText: "Buoy" }).first().waitFor();
}

async function plainStudio(grace, tenant, api) {
  const { page } = grace;
  await grace.signIn("/portal", { tenant, username: "grace", password: PASSWORD });
  await grace.goto("/portal/studio/chat");
  assert.match(await page.locator("[data-studio=estimate]").innerText(), /\d/, "the most it can cost");
  assert.equal(await grace.send("/portal/studio/chat", { message: "Is it foggy? [tokens:9]" }), 200);
  const cost = await page.locator(".said-assistant .said-cost").last().innerText();
  assert.equal(await grace.send("/portal/studio/chat", { message: "And now? [tokens:3]" }), 200);
  assert.equal(await page.locator(".said").count(), 4, "the conversation goes on");
  await grace.goto("/portal/studio/images");
  assert.equal(await grace.send("/portal/studio/images", { prompt: "a buoy in the rain", size: "256x256", n: "1" }), 200);
  const width = await page.locator(".pictures img").first().evaluate((image) => image.naturalWidth);
  assert.equal(width, 256);
  // Lists show a call a moment after it is settled.
  const calls = await until("three calls are listed", 10_000, async () => {
    const { data } = await api.get("/api/v1/usage");
    return data.length >= 3 && data;
  });
  assert.equal(calls.length, 3);
  const first = calls.reduce((a, b) => (a.created_at < b.created_at ? a : b));
  assert.equal(micros(/[\d.]+$/.exec(cost)[0]), micros(first.credits), "the page told what it cost");
  const left = calls.reduce((rest, call) => rest - micros(call.credits), micros("7"));
  assert.equal(micros(await page.locator("[data-studio=balance]").innerText()), left);
}
