// The first hour: whoever reads the greeting signs in as the demo tenant's person, finds a model with lines
// to paste and its route in the documentation; a superadmin looks at the same portal, told so on every page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { faults } from "./geometry.mjs";
import { startProduct } from "./product.mjs";
import { until } from "./wait.mjs";

const PASSWORD = "a password of my own";
const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 800 };

describe("the first hour", () => {
  let browser;
  before(async () => (browser = await openBrowser()));
  after(() => browser.close());

  for (const look of looks(0)) {
    test(`from the greeting to a route and back (${said(look)})`, async (t) => {
      const product = await startProduct({ chosen: false });
      t.after(() => product.stop());
      const given = await until("the greeting", 5_000, () => {
        const text = product.greeting();
        const admin = /user admin, password (\S+) \(/.exec(text)?.[1];
        const demo = /tenant demo, user demo, password (\S+)/.exec(text)?.[1];
        return admin && demo && { admin, demo };
      });
      await visit(browser, product.origin, look, (mia) => portal(mia, given.demo));
      await visit(browser, product.origin, look, (ada) => console_(ada, given.admin));
    });
  }
});

/** Nothing grave, nothing sticks out. */
async function sound(person) {
  await person.axe();
  await person.page.setViewportSize(PHONE);
  assert.deepEqual(await faults(person.page), [], person.path());
  await person.page.setViewportSize(WIDE);
}

async function portal(mia, password) {
  const { page } = mia;
  await mia.signIn("/portal", { tenant: "demo", username: "demo", password });
  await mia.goto("/portal/models");
  await sound(mia);
  const card = page.locator("article", { hasText: "sandbox-chat" }).first();
  await card.locator("summary").first().click();
  assert.match(await card.locator("pre").first().innerText(), /YOUR_KEY/);

  await mia.goto("/portal/docs");
  await sound(mia);
  const find = page.locator("#docs-find");
  await find.fill("embeddings create");
  await page.locator("article:visible").first().waitFor();
  const shown = await page.locator("article:visible h2").allInnerTexts();
  assert.ok(shown.length > 0 && shown.every((text) => /embed/i.test(text)), shown.join());
  // A link to what the search hides shows it.
  await page.evaluate(() => (location.hash = "#get_balance"));
  await page.locator("#get_balance").waitFor({ state: "visible" });
  assert.equal(await find.inputValue(), "");
}

async function console_(ada, oneTime) {
  const { page } = ada;
  await ada.goto("/admin/setup");
  const own = { username: "admin", password: PASSWORD, repeat: PASSWORD, one_time: oneTime };
  assert.equal(await ada.send("/admin/setup", own), 200);
  assert.equal(await page.locator(".start-row").count(), 5);
  await sound(ada);
  await ada.goto("/admin/docs");
  await sound(ada);

  await ada.goto("/admin/tenants?q=demo");
  await page.locator('tbody a[href^="/admin/tenants/ten_"]').first().click();
  await page.waitForURL("**/admin/tenants/ten_*");
  const members = `${ada.path()}/members`;
  await ada.goto(members);
  const action = await page.locator('form[action$="/open"]').getAttribute("action");
  await page.locator(".row-menu-open").first().click();
  await page.locator(".menu:popover-open").waitFor();
  assert.equal(await ada.send(action), 200);
  assert.equal(ada.path(), "/portal");
  await page.locator(".opened", { hasText: "demo" }).waitFor();
  await sound(ada);
  await ada.goto("/portal/studio/chat", 403);
  await page.locator(".opened").waitFor();
  assert.equal(await ada.send("/portal/opened/end"), 200);
  assert.equal(ada.path(), members);
}
