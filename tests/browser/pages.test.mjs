// Every page as people meet it: both languages, both themes, a wide window and a phone. axe finds
// nothing grave, nothing sticks out, no word stays in the other language. Pictures of the main pages
// are kept on the way.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { looks, none, openBrowser, visit } from "./browser.mjs";
import { furnish, PASSWORD, TENANT } from "./furnish.mjs";
import { ADMIN_PASSWORD, shape, startProduct } from "./product.mjs";
import { startProvider } from "./provider.mjs";
import { shrink } from "./shrink.mjs";
import { until } from "./wait.mjs";

const CALLS = shape === "sqlite" ? 320 : 40;
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** Where pictures go, and the folder of the tree they go to as well when they are to be renewed. */
const PICTURES = process.env.WAULE_SCREENSHOTS;
const KEPT = process.env.WAULE_SCREENSHOTS_KEPT;
/** What README may show. */
const SHOWN = [
  "dashboard-light",
  "dashboard-dark",
  "dashboard-zh-light",
  "usage-light",
  "call-light",
  "provider-dark",
  "overview-dark",
  "studio-light",
  "studio-dark",
];

/** `[picture or "", path, what the picture begins with]`; braces name what the furnished product has. */
const CONSOLE = [
  ["dashboard", "/admin?range=30d"],
  ["", "/admin?range=24h"],
  ["tenants", "/admin/tenants"],
  ["", "/admin/tenants/new"],
  ["tenant", "/admin/tenants/{tenant}"],
  ["", "/admin/tenants/{tenant}/members"],
  ["", "/admin/tenants/{tenant}/keys"],
  ["", "/admin/tenants/{tenant}/usage?range=7d"],
  ["money", "/admin/tenants/{tenant}/money"],
  ["", "/admin/tenants/{tenant}/limits"],
  ["models", "/admin/models"],
  ["", "/admin/models/new"],
  ["model", "/admin/models/{model}"],
  ["providers", "/admin/providers"],
  ["vendors", "/admin/providers/new"],
  ["", "/admin/providers/new?q=nothing-like-it"],
  ["provider-new", "/admin/providers/new?vendor=custom"],
  ["", "/admin/providers/new?vendor=deepseek"],
  ["provider", "/admin/providers/openai-us"],
  ["", "/admin/providers/openai-us/keys/bulk"],
  ["gateways", "/admin/gateways"],
  ["usage", "/admin/usage"],
  ["", "/admin/usage?status=failed&model=nothing-like-it"],
  ["call", "/admin/usage/{call}", "#tries-title"],
  ["", "/admin/superadmins"],
  ["audit", "/admin/audit"],
  ["", "/admin/settings"],
  ["health", "/admin/health"],
  ["", "/admin/security"],
  ["", "/admin/security/totp"],
  ["", "/admin/confirm"],
  ["docs", "/admin/docs"],
];
const PORTAL = [
  ["overview", "/portal"],
  ["portal-usage", "/portal/usage?range=30d"],
  ["", "/portal/usage/{call}"],
  ["ledger", "/portal/ledger"],
  ["", "/portal/studio/images"],
  ["", "/portal/history"],
  ["", "/portal/members"],
  ["", "/portal/members/new"],
  ["keys", "/portal/keys"],
  ["", "/portal/keys/new"],
  ["", "/portal/settings"],
  ["", "/portal/security"],
  ["catalogue", "/portal/models"],
  ["", "/portal/models?operation=image"],
];
const OUTSIDE = [
  ["sign-in", "/admin/login"],
  ["", "/portal/login"],
  ["portal-docs", "/portal/docs"],
];

describe("pages", () => {
  let product;
  let provider;
  let browser;
  const known = {};
  before(async () => {
    for (const folder of [PICTURES, KEPT]) if (folder) mkdirSync(folder, { recursive: true });
    provider = await startProvider();
    product = await startProduct();
    const [{ tenants }, opened] = await Promise.all([furnish(product, provider, CALLS), openBrowser()]);
    browser = opened;
    known.tenant = tenants[0].id;
    known.model = "gpt-5.1";
    // Lists show a call a moment after it is settled.
    const listed = performance.now() + 3_000;
    const { records } = await until("calls are listed", 10_000, async () => {
      const usage = await product.api.admin("GET", `/tenants/${known.tenant}/usage?limit=100`);
      const calls = usage.records.data;
      return (calls.some(({ attempts }) => attempts > 1) || performance.now() > listed) && calls.length > 0 && usage;
    });
    const best = records.data.find(({ status, attempts }) => status === "succeeded" && attempts > 1) ?? records.data[0];
    known.call = best.id;
  });
  after(async () => {
    await browser?.close();
    await product?.stop();
    await provider?.stop();
  });

  const views = shape === "sqlite" ? [{ lang: "en", theme: "light" }, { lang: "zh", theme: "light" }] : looks(8);
  for (const look of views) {
    const people = [
      ["outside", OUTSIDE, null],
      ["the console", CONSOLE, (ada) => ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD })],
      ["the portal", PORTAL, (grace) => grace.signIn("/portal", { tenant: TENANT, username: "grace", password: PASSWORD })],
    ];
    for (const [where, pages, enter] of people) {
      test(`${where} is in order (${look.lang})`, () =>
        visit(browser, product.origin, look, async (person) => {
          await enter?.(person);
          const faults = [];
          for (const [picture, path, top] of pages) {
            const address = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(known[name]));
            await inspect(person, { picture, path: address, top }, faults);
          }
          none(faults, "what is out of order");
        }));
    }
  }

  test("pages of errors are in order", () =>
    visit(browser, product.origin, views[0], async (ada) => {
      await ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD });
      for (const path of ["/admin/nothing-here", "/admin/tenants/ten_nobody", "/admin/usage/gen_nothing"]) {
        await ada.goto(path, 404);
        await ada.axe();
      }
    }));

  if (shape === "sqlite") {
    test("the studio after a conversation", () =>
      visit(browser, product.origin, views[0], async (mia) => {
        const { page } = mia;
        await mia.signIn("/portal", { tenant: TENANT, username: "mia.chen", password: PASSWORD });
        await page.locator("[name=model]").selectOption("deepseek-v3.2");
        await page.locator("[name=message]").fill("Write three lines that introduce our tide alarm.");
        await page.keyboard.press("Enter");
        await page.locator(".said-assistant .said-cost a").waitFor();
        await page.locator("[name=message]").fill("Now for a shop window, in one sentence.");
        await page.locator("[data-studio=estimate]", { hasText: /\d/ }).waitFor();
        await both(mia, "studio");
        await mia.goto("/portal/studio/images");
        await page.locator("[name=prompt]").fill("a lighthouse above calm water, flat colours");
        await page.locator("[name=n]").fill("3");
        await page.locator("[data-studio=send]").click();
        await page.locator(".pictures img").nth(2).waitFor();
        await page.locator("[data-studio=estimate]", { hasText: "0.03" }).waitFor();
        await both(mia, "images");
      }));
  }
});

/** Another theme at once: what fades from one colour to the other is neither. */
const theme = (page, name) =>
  page.evaluate((value) => {
    document.documentElement.dataset.theme = value;
    // Asking for a style begins the transitions, which can then be ended.
    getComputedStyle(document.body).color;
    for (const moving of document.getAnimations()) moving.finish();
  }, name);

/** A picture in light and in dark, and axe on what is shown. */
async function both(person, picture) {
  const { page } = person;
  for (const name of ["light", "dark"]) {
    await theme(page, name);
    await person.axe(name === "light" ? {} : { runOnly: ["color-contrast"] });
    await shoot(page, `${picture}-${name}`);
  }
  await theme(page, "light");
}

async function shoot(page, name) {
  if (!PICTURES) return;
  const path = join(PICTURES, `${name}.png`);
  // Nothing is pointed at.
  await page.mouse.move(640, 1);
  const picture = await page.screenshot({ path, animations: "disabled", caret: "hide" });
  if (KEPT && SHOWN.includes(name)) writeFileSync(join(KEPT, `${name}.png`), shrink(picture));
}

/** Looks at a page from all sides; what is wrong is gathered, so that one run tells all. */
async function inspect(person, { picture, path, top }, faults) {
  const { page, lang } = person;
  const check = async (what, work) => {
    try {
      await work();
    } catch (error) {
      faults.push(`${path} (${what}): ${error.message}`);
    }
  };
  const before = person.faults.length;
  await check("answer", async () => assert.equal((await page.goto(path)).status(), 200));
  if (top) await page.locator(top).evaluate((place) => scrollTo(0, scrollY + place.closest("section").getBoundingClientRect().top - 72));
  // The markup is the same over every database.
  if (lang === "en" && shape === "sqlite") {
    for (const name of ["light", "dark"]) {
      await theme(page, name);
      await check(`axe, ${name}`, () => person.axe(name === "light" ? {} : { runOnly: ["color-contrast"] }));
      if (picture) await shoot(page, `${picture}-${name}`);
    }
    await theme(page, "light");
  } else if (["dashboard", "overview"].includes(picture) && shape === "sqlite") {
    await shoot(page, `${picture}-zh-light`);
  }
  await check("words", async () => {
    none(await page.evaluate(foreignWords, lang), "words of the other language");
  });
  await page.setViewportSize(PHONE);
  await check("phone", async () => {
    const over = await person.overflow();
    assert.equal(over, null, `sticks out: ${JSON.stringify(over)}`);
  });
  await page.setViewportSize(WIDE);
  // Counted here, where the page is known.
  for (const fault of person.faults.splice(before)) faults.push(`${path}: ${fault}`);
}

/**
 * Runs in the page: headings, labels, buttons and columns that are not written in its language.
 * Names and what people typed are in whatever language they like.
 */
function foreignWords(lang) {
  const chinese = /[\u4e00-\u9fff]/;
  const places = "h1, h2, h3, label, legend, th, button, .nav-link, .stat-label, .chart-title, .lede, .hint, dt, .badge, option";
  const given = "code, .mono, .clip, time, [lang]";
  const plain = /^[\d\s.,:%/+×–—…·()#-]*$|^(CSV|API|ID|URL|IP|HTTP|Webhook|Redis|SQLite|PostgreSQL|owner|tokens|p\d\d.*|TPM|RPM)$/i;
  return [...document.querySelectorAll(places)]
    .filter((element) => !element.closest(given) && !element.querySelector("code, .mono, a[href*='/tenants/'], a[href*='/providers/'], a[href*='/models/']"))
    .map((element) => (element.innerText ?? element.textContent).trim())
    .filter((text) => text && !plain.test(text))
    .filter((text) => (lang === "zh" ? !chinese.test(text) : chinese.test(text)))
    .slice(0, 12);
}
