// Every page as people meet it, by the list of places: in three widths, both languages and both
// themes. Nothing is cut, nothing lies over something else, nothing has to be pushed sideways, axe
// finds nothing, and no word stays in the other language. Pictures are kept on the way.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { looks, none, openBrowser, visit } from "./browser.mjs";
import { burden } from "./burden.mjs";
import { furnish, PASSWORD, TENANT } from "./furnish.mjs";
import { faults as seen } from "./geometry.mjs";
import { PLACES } from "./places.mjs";
import { ADMIN_PASSWORD, shape, startProduct } from "./product.mjs";
import { startProvider } from "./provider.mjs";
import { shrink } from "./shrink.mjs";
import { until } from "./wait.mjs";
import { inspect, pathOf, PICTURES, STEPS, theme } from "./walk.mjs";

const WHOLE = shape === "sqlite";
const CALLS = WHOLE ? 320 : 40;
/** The folder of the tree where README's pictures are, when they are to be renewed. */
const KEPT = process.env.WAULE_SCREENSHOTS_KEPT;
/** `[picture, path, themes, what the picture begins with]` */
const SHOWN = [
  ["dashboard", "/admin?range=30d", ["light", "dark"]],
  ["usage", "/admin/usage", ["light"]],
  ["call", "/admin/usage/{call}", ["light"], "#tries-title"],
  ["provider", "/admin/providers/openai-us", ["dark"]],
  ["overview", "/portal", ["dark"]],
];

/** All but the pictures of images are README's. */
const README = /^(?!images)/;

const SIGN_IN = {
  ada: (ada) => ada.signIn("/admin", { username: "admin", password: ADMIN_PASSWORD }),
  grace: (grace) => grace.signIn("/portal", { tenant: TENANT, username: "grace", password: PASSWORD }),
};

describe("pages", () => {
  let product;
  let provider;
  let browser;
  let known;
  before(async () => {
    for (const folder of [PICTURES, KEPT]) if (folder) mkdirSync(folder, { recursive: true });
    provider = await startProvider();
    product = await startProduct();
    const [{ tenants }, opened] = await Promise.all([furnish(product, provider, CALLS), openBrowser()]);
    browser = opened;
    if (WHOLE && PICTURES) await pictures(browser, product, tenants);
    known = await burden(product, provider, tenants);
  });
  after(async () => {
    await browser?.close();
    await product?.stop();
    await provider?.stop();
  });

  const places = PLACES.filter(({ elsewhere }) => !elsewhere);
  const people = [...new Set(places.map(({ who = "ada" }) => who))];
  const walk = async (person, own, look) => {
    const faults = [];
    for (const place of own) {
      await STEPS[place.step]?.(person, product);
      const at = place.step ? {} : { path: pathOf(place, known) };
      await look(person, { ...place, name: place.name ?? place.view, ...at }, faults);
    }
    none(faults, "what is out of order");
  };
  for (const who of people) {
    const own = places.filter(({ who: whose = "ada" }) => whose === who);
    const visitAs = (look, how) =>
      visit(browser, product.origin, look, async (person) => {
        await SIGN_IN[who]?.(person);
        await walk(person, own, how);
      });
    if (WHOLE) {
      // Two at once: a page is drawn while another is made.
      test(`every page of ${who} is in order`, async (t) => {
        const since = performance.now();
        await Promise.all(["en", "zh"].map((lang) => visitAs({ lang, theme: "light" }, inspect)));
        t.diagnostic(`${own.length} pages in two languages, three widths and two themes: ${Math.round((performance.now() - since) / 1000)} s`);
      });
    } else {
      // The markup is the same over every database: what may differ is whether a page can be made.
      test(`every page of ${who} can be made`, () => visitAs(looks(8)[0], answers));
    }
  }

  test("pages of errors are in order", () =>
    visit(browser, product.origin, looks(0)[0], async (ada) => {
      await SIGN_IN.ada(ada);
      for (const path of ["/admin/tenants/ten_nobody", "/admin/usage/gen_nothing"]) {
        await ada.goto(path, 404);
        await ada.axe();
      }
    }));

  if (WHOLE) {
    test("each check finds what it is for", () =>
      visit(browser, product.origin, { lang: "en", theme: "light" }, async (ada) => {
        await SIGN_IN.ada(ada);
        for (const [fault, css, { path = "/admin/tenants", fingers = false } = {}] of BAD) {
          await ada.goto(path);
          none(await seen(ada.page, { fingers }), "before anything was made bad");
          await ada.page.evaluate(spoil, css);
          const found = await seen(ada.page, { fingers });
          assert.ok(found.some((line) => line.startsWith(fault)), `“${fault}” was not found with ${css}:\n${found.join("\n")}`);
        }
        // Contrast and names are axe's to find.
        await ada.page.evaluate(spoil, ".lede { color: #777; background: #888 }");
        const found = await ada.axeFaults();
        assert.ok(found.some((line) => line.startsWith("color-contrast")), found.join("\n"));
      }));

    test("the studio after a conversation", () =>
      visit(browser, product.origin, { lang: "en", theme: "light" }, async (mia) => {
        await mia.signIn("/portal", { tenant: TENANT, username: "mia.chen", password: PASSWORD });
        await talk(mia);
        await both(mia, "studio");
        await draw(mia);
        await both(mia, "images");
      }));
  }
});

/** What each check is for, as a style that makes a page so; on the list of tenants, or on another page. */
const BAD = [
  ["the page scrolls sideways", ".lede { width: 200vw }"],
  ["a part has to be pushed sideways", ".scroll .table { min-width: 3000px }"],
  ["a text is cut", ".lede { width: 40px; overflow: hidden; white-space: nowrap }"],
  ["a text is cut", "h1 { height: 8px; overflow: hidden }"],
  ["a text is cut by its drawing", ".chart-x { overflow: hidden; height: 4px }", { path: "/admin?range=30d" }],
  ["a text ends in dots", ".lede { width: 40px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis }"],
  ["a text is out of the window", "h1 { transform: translateX(-300px) }"],
  ["a text sticks out of its box", ".page-head .button { width: 24px; padding: 0; justify-content: flex-start }"],
  ["a control is cut", ".page-head .actions { width: 60px; overflow: hidden }"],
  ["a control is out of the window", ".page-head .actions { transform: translateX(200px) }"],
  ["the words in a field are cut", ".top-search { flex: none; width: 40px }"],
  ["text over text", ".lede { transform: translateY(-20px) }"],
  ["text over text", ".chart-x { transform: translateY(22px) }", { path: "/admin?range=30d" }],
  ["a control stands over a text", ".page-head .button { transform: translateY(60px); width: 900px }"],
  ["a row has more than two buttons", ".menu { display: block; position: static }", { path: "/admin/superadmins" }],
  ["too small for a finger", ".nav-link { min-height: 12px; padding: 0; line-height: 12px } .nav ul { gap: 0 }", { fingers: true }],
];

/** Runs in the page; the content policy lets no page have a style of its own, and this is none. */
function spoil(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
  // Each change is a transition, however short, and axe must not look before it is over.
  for (const moving of document.getAnimations()) moving.finish();
}

/** A page is made: its answer, its heading, and nothing that pages must not do. */
async function answers(person, { name, path, status = 200 }, faults) {
  if (!path) return;
  if (status >= 400) person.expect(status);
  const answer = await person.page.goto(path);
  if (answer.status() !== status) faults.push(`${name}: ${answer.status()}`);
  if ((await person.page.locator("h1").count()) !== 1) faults.push(`${name} has no heading`);
  for (const fault of person.faults.splice(0)) faults.push(`${name}: ${fault}`);
}

async function talk(mia) {
  const { page } = mia;
  await page.locator("[name=model]").selectOption("deepseek-v3.2");
  await page.locator("[name=message]").fill("Write three lines that introduce our tide alarm.");
  await page.keyboard.press("Enter");
  await page.locator(".said-assistant .said-cost a").waitFor();
  await page.locator("[name=message]").fill("Now for a shop window, in one sentence.");
  await page.locator("[data-studio=estimate]", { hasText: /\d/ }).waitFor();
}

async function draw(mia) {
  const { page } = mia;
  await mia.goto("/portal/studio/images");
  await page.locator("[name=prompt]").fill("a lighthouse above calm water, flat colours");
  await page.locator("[name=n]").fill("3");
  await page.locator("[data-studio=send]").click();
  await page.locator(".pictures img").nth(2).waitFor();
  await page.locator("[data-studio=estimate]", { hasText: "0.03" }).waitFor();
}

/** A picture in light and in dark, with what axe and the eye would mind. */
async function both(person, picture) {
  const { page } = person;
  for (const name of ["light", "dark"]) {
    await theme(page, name);
    await person.axe(name === "light" ? {} : { runOnly: ["color-contrast"] });
    await shoot(page, `${picture}-${name}`);
  }
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 844 });
    none(await seen(page, { fingers: width === 390 }), `${picture}, ${width} wide`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await theme(page, "light");
}

/** What README shows: ordinary things, before the burden comes. */
async function pictures(browser, product, tenants) {
  // Lists show a call a moment after it is settled.
  const calls = await until("calls are listed", 10_000, async () => {
    const { data } = (await product.api.admin("GET", `/tenants/${tenants[0].id}/usage?limit=100`)).records;
    return data.length > 0 && data;
  });
  const known = { call: (calls.find(({ status, attempts }) => status === "succeeded" && attempts > 1) ?? calls[0]).id };
  const tour = async (who, lang, shown) =>
    visit(browser, product.origin, { lang, theme: "light" }, async (person) => {
      await SIGN_IN[who](person);
      for (const [picture, path, themes, top] of shown) {
        await person.goto(pathOf({ path }, known));
        if (top) await person.page.locator(top).evaluate((place) => scrollTo(0, scrollY + place.closest("section").getBoundingClientRect().top - 72));
        for (const name of themes) {
          await theme(person.page, name);
          await shoot(person.page, `${picture}${lang === "en" ? "" : `-${lang}`}-${name}`);
        }
      }
    });
  await tour("ada", "en", SHOWN.filter(([, path]) => path.startsWith("/admin")));
  await tour("ada", "zh", [["dashboard", "/admin?range=30d", ["light"]]]);
  await tour("grace", "en", SHOWN.filter(([, path]) => path.startsWith("/portal")));
}

async function shoot(page, name) {
  if (!PICTURES) return;
  const path = join(PICTURES, `${name}.png`);
  // Nothing is pointed at.
  await page.mouse.move(640, 1);
  const picture = await page.screenshot({ path, animations: "disabled", caret: "hide" });
  if (KEPT && README.test(name)) writeFileSync(join(KEPT, `${name}.png`), shrink(picture));
}

