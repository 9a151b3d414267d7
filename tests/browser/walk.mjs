// A walk over every page: each is looked at in every width, in its language, in both themes. What is
// wrong is gathered, so that one run tells all; a picture is kept of each on the way.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { LONG_PERSON } from "./burden.mjs";
import { PASSWORD } from "./furnish.mjs";
import { faults as seen } from "./geometry.mjs";
import { ADMIN_PASSWORD } from "./product.mjs";

/** Where pictures go. */
export const PICTURES = process.env.WAULE_SCREENSHOTS;
const HEIGHTS = { 390: 844, 1280: 800, 1440: 900 };
const PHONE = 390;

/**
 * What is asked in which look. Lengths are measured in every width and language; they do not hang on
 * the theme. Axe is asked all once in each language, in the widest and in the narrowest window, and
 * about contrast once in each theme, which does not hang on the language. `open` says that folds are
 * opened as well, and menus, sheets and dialogs one by one. Pictures are taken in all twelve looks.
 */
const LOOKS = {
  en: [
    { width: 1440, theme: "light", axe: "all" },
    { width: 1280, theme: "dark", axe: "contrast" },
    { width: 390, theme: "light", open: true },
  ],
  zh: [
    { width: 1440, theme: "dark" },
    { width: 1280, theme: "light", open: true },
    { width: 390, theme: "dark", axe: "all" },
  ],
};

/** Another theme at once: what fades from one colour to the other is neither. */
export const theme = (page, name) =>
  page.evaluate((value) => {
    document.documentElement.dataset.theme = value;
    // Asking for a style begins the transitions, which can then be ended.
    getComputedStyle(document.body).color;
    for (const moving of document.getAnimations()) moving.finish();
  }, name);

/** Where a place of the list is in this product. */
export const pathOf = ({ path, route }, known) =>
  (path ?? route).replace(/\{(\w+)\}/g, (_, name) => {
    assert.ok(known[name], `nothing is known of {${name}}`);
    return encodeURIComponent(known[name]);
  });

/** Looks at one page, where it is open already or by its address. */
export async function inspect(person, { name, path, status = 200 }, faults) {
  const { page, lang } = person;
  const check = async (what, work) => {
    try {
      const found = await work();
      if (found?.length) faults.push(`${name}, ${lang}, ${what}:\n    ${found.join("\n    ")}`);
    } catch (error) {
      faults.push(`${name}, ${lang}, ${what}: ${error.message}`);
    }
  };
  const before = person.faults.length;
  if (path) {
    if (status >= 400) person.expect(status);
    await check(path, async () => assert.equal((await page.goto(path)).status(), status));
  }
  await check("words", () => page.evaluate(foreignWords, lang));
  for (const { width, theme: colours, axe, open } of LOOKS[lang]) {
    const fingers = width === PHONE;
    await page.setViewportSize({ width, height: HEIGHTS[width] });
    await theme(page, colours);
    await check(`${width} wide`, () => seen(page, { fingers }));
    if (axe) await check(`axe, ${width} wide, ${colours}`, () => person.axeFaults(axe === "all" ? {} : { runOnly: ["color-contrast"] }));
    await picture(person, `${name}-${lang}-${width}`, colours);
    if (open) await opened(person, { name, fingers, width }, check);
  }
  // Counted here, where the page is known.
  for (const fault of person.faults.splice(before)) faults.push(`${name}: ${fault}`);
}

const escaped = (name) => name.replaceAll(/[^\w-]/g, (sign) => `\\${sign}`);

/** Folds, menus, sheets and dialogs, which are no less of a page for being closed. */
async function opened(person, { name, fingers, width }, check) {
  const { page } = person;
  const kinds = await page.evaluate(() => {
    const kinds = new Map();
    for (const element of document.querySelectorAll("dialog, [popover]")) {
      // Where there is room, filters are no sheet, and nothing opens one.
      const openers = [...document.querySelectorAll(`[popovertarget="${CSS.escape(element.id)}"]`)];
      if (element.popover && !openers.some((opener) => opener.checkVisibility())) continue;
      const kind = element.id.replace(/[-_].*$/, "") + (element.querySelector("h2")?.firstChild.textContent ?? "");
      const size = element.textContent.length;
      // Of those that differ by a number only, the one with the most in it.
      if ((kinds.get(kind)?.size ?? -1) < size) kinds.set(kind, { id: element.id, size });
    }
    return [...kinds.values()].map(({ id }) => id);
  });
  for (const id of kinds) {
    const stands = await page.evaluate((name) => {
      const element = document.getElementById(name);
      if (element instanceof HTMLDialogElement) {
        element.close();
        element.showModal();
      } else element.showPopover();
      return element.checkVisibility() && element.matches(":modal, :popover-open");
    }, id);
    if (stands) {
      await check(`${width} wide, #${id} open`, () => seen(page, { within: `#${escaped(id)}`, fingers }));
      await check(`axe on #${id}`, () => person.axeFaults({}, `#${escaped(id)}`));
    }
    await page.evaluate((name) => {
      const element = document.getElementById(name);
      if (element instanceof HTMLDialogElement) element.close();
      else if (element.matches(":popover-open")) element.hidePopover();
    }, id);
  }
  // The menu of the page is a place on it that a narrow window is led to.
  if (fingers && name === "dashboard") {
    await page.evaluate(() => void (location.hash = "#menu"));
    await check(`${width} wide, the menu open`, () => seen(page, { within: "#menu", fingers }));
    await page.evaluate(() => void (location.hash = "#content"));
  }
  const folds = await page.evaluate(() => {
    const all = [...document.querySelectorAll("main details:not([open]), details.who:not([open])")];
    for (const fold of all) {
      fold.open = true;
      fold.dataset.walked = "";
    }
    return all.length;
  });
  if (folds) await check(`${width} wide, folds open`, () => seen(page, { fingers }));
  await page.evaluate(() => document.querySelectorAll("[data-walked]").forEach((fold) => (fold.open = false)));
}

/** What stands in the window, in the theme that is on and in the other one; small, for there are hundreds. */
async function picture(person, name, colours) {
  if (!PICTURES) return;
  const folder = join(PICTURES, "pages");
  mkdirSync(folder, { recursive: true });
  person.camera ??= await person.context.newCDPSession(person.page);
  for (const shown of [colours, colours === "light" ? "dark" : "light"]) {
    if (shown !== colours) await theme(person.page, shown);
    const shot = await person.camera.send("Page.captureScreenshot", { format: "jpeg", quality: 60, optimizeForSpeed: true });
    writeFileSync(join(folder, `${name}-${shown}.jpg`), Buffer.from(shot.data, "base64"));
  }
}

/**
 * Runs in the page: headings, labels, buttons and columns that are not written in its language.
 * Names and what people typed are in whatever language they like.
 */
function foreignWords(lang) {
  const chinese = /[\u4e00-\u9fff]/;
  const places = "h1, h2, h3, label, legend, th, button, .nav-link, .stat-label, .chart-title, .lede, .hint, dt, .badge, option";
  const given = "code, .mono, .clip, time, [lang], [data-name]";
  const plain = /^[\d\s.,:%/+×–—…·()#-]*$|^(CSV|API|ID|URL|IP|HTTP|Webhook|Redis|SQLite|PostgreSQL|owner|tokens|p\d\d.*|TPM|RPM)$/i;
  return [...document.querySelectorAll(places)]
    .filter((element) => !element.closest(given) && !element.querySelector("code, .mono, a[href*='/tenants/'], a[href*='/providers/'], a[href*='/models/'], .asked-of"))
    .map((element) => (element.innerText ?? element.textContent).trim())
    .filter((text) => text && !plain.test(text))
    .filter((text) => (lang === "zh" ? !chinese.test(text) : chinese.test(text)))
    .slice(0, 12);
}

// --- pages that forms lead to --------------------------------------------------------------------

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code that an authenticator shows now (RFC 6238). */
function code(secret) {
  const bits = [...secret.replaceAll(/[^A-Z2-7]/g, "")].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const at = digest.at(-1) & 15;
  return String((digest.readUInt32BE(at) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, "0");
}

/** What leads to a page that has no address of its own; those of a person come one after another. */
export const STEPS = {
  secret: async (grace) => {
    await grace.goto("/portal/keys/new");
    await grace.send("/portal/keys/new", { name: `walk ${grace.lang}` });
    await grace.page.locator("code.secret").waitFor();
  },
  password: async (grace) => {
    await grace.goto("/portal/members");
    const row = grace.page.locator("tbody tr", { hasText: LONG_PERSON });
    await Promise.all([grace.page.waitForURL("**/password"), row.locator('form[action$="/password"]').evaluate((form) => form.requestSubmit())]);
    await grace.page.locator("code.secret").waitFor();
  },
  setup: async (lena, product) => {
    lena.username = `lena.${lena.lang}`;
    await product.api.admin("POST", "/superadmins", { username: lena.username, password: ADMIN_PASSWORD, role: "read_only" });
    await lena.signIn("/admin", { username: lena.username, password: ADMIN_PASSWORD });
    assert.equal(lena.path(), "/admin/setup");
  },
  recovery: async (lena) => {
    const own = { one_time: ADMIN_PASSWORD, username: lena.username, password: PASSWORD, repeat: PASSWORD };
    await lena.send("/admin/setup", own);
    await lena.goto("/admin/security/totp");
    await lena.send("/admin/security/totp", { code: code(await lena.text(".code-line code")) });
    await lena.page.locator(".codes").waitFor();
  },
  second: async (lena) => {
    await lena.context.clearCookies();
    await lena.goto("/admin/login");
    await lena.send("/admin/login", { username: lena.username, password: PASSWORD });
    assert.equal(lena.path(), "/admin/login/second");
  },
};
