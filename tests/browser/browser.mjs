// Headless Chromium, and people in it: each has a language and a theme, and everything a page must
// not do (log an error, break the content policy, ask another host) is kept and asserted.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

import { shape } from "./product.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** For one action; a loaded machine is slow, and who waits for a condition goes on at once. */
const PATIENCE_MS = 15_000;

const LOCALES = { en: "en-GB", zh: "zh-CN" };
const ALL = [
  { lang: "en", theme: "light" },
  { lang: "zh", theme: "dark" },
  { lang: "zh", theme: "light" },
  { lang: "en", theme: "dark" },
];

/**
 * The looks a journey is gone through in. On SQLite both languages and both themes; every second
 * journey takes the other pairing. On PostgreSQL one that the journey has not had on SQLite.
 */
export function looks(number) {
  const at = (place) => ALL[place % ALL.length];
  const begin = (number % 2) * 2;
  return shape === "sqlite" ? [at(begin), at(begin + 1)] : [at(begin + 2 + (number >> 1) % 2)];
}

/** Fails with all that was found, a line each. */
export function none(found, what) {
  if (found.length) assert.fail(`${what}:\n${found.join("\n")}`);
}

export const said = ({ lang, theme }) => `${lang}, ${theme}`;

export async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.WAULE_CHROMIUM || "/usr/bin/chromium",
    // Containers have a small /dev/shm; and nothing but this machine has a name.
    args: ["--disable-dev-shm-usage", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  return {
    close: () => browser.close(),
    person: (origin, look = ALL[0], options = {}) => person(browser, origin, look, options),
  };
}

/** Statuses of pages that a journey asks for on purpose; the browser logs each as an error. */
const EXPECTED = /the server responded with a status of (\d+)/;

async function person(browser, origin, { lang, theme }, options) {
  const context = await browser.newContext({
    baseURL: origin,
    locale: LOCALES[lang],
    colorScheme: theme,
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    timezoneId: "Asia/Shanghai",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  const allowed = new Set();
  context.on("console", (message) => {
    const { url } = message.location();
    if (message.type() !== "error" && message.type() !== "warning") return;
    const status = EXPECTED.exec(message.text());
    if (status && allowed.has(Number(status[1]))) return;
    faults.push(`${message.type()} in the console of ${url}: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on("request", (request) => {
    const url = request.url();
    const own = url.startsWith(`${origin}/`) || url.startsWith("data:") || url.startsWith("blob:");
    if (!own) faults.push(`asked another host: ${url}`);
  });
  if (options.javaScriptEnabled !== false) {
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }
  const page = await context.newPage();
  return new Person(context, page, { lang, theme, faults, allowed });
}

export class Person {
  constructor(context, page, known) {
    Object.assign(this, { context, page }, known);
  }

  /** From here on, pages with this status are meant. */
  expect(...statuses) {
    statuses.forEach((status) => this.allowed.add(status));
  }

  async goto(path, status = 200) {
    if (status >= 400) this.expect(status);
    const answer = await this.page.goto(path);
    assert.equal(answer.status(), status, `${path} for a ${this.lang} reader`);
    return answer;
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  /** The form that posts to an address. */
  form(action) {
    return this.page.locator(`form[method="post"][action="${action}"]`);
  }

  /** Fills fields by their names; `true` ticks, a list ticks several. */
  async fill(action, values) {
    const form = this.form(action);
    for (const [name, value] of Object.entries(values)) {
      const field = form.locator(`[name="${name}"]`);
      if (value === true || value === false) await field.setChecked(value);
      else if (Array.isArray(value)) {
        for (const one of value) await form.locator(`[name="${name}"][value="${one}"]`).check();
      } else if ((await field.evaluate((element) => element.tagName)) === "SELECT") {
        await field.selectOption(value);
      } else await field.fill(value);
    }
    return form;
  }

  /** Fills and sends a form, by this button of it, and waits for the page after it; answers its status. */
  async send(action, values = {}, button = "button:not([name]):not([type=button])") {
    const form = await this.fill(action, values);
    const [answer] = await Promise.all([
      this.page.waitForResponse((response) => {
        const request = response.request();
        const goesOn = response.status() >= 300 && response.status() < 400;
        return request.isNavigationRequest() && !goesOn;
      }),
      form.locator(button).last().click(),
    ]);
    await this.page.waitForLoadState();
    return answer.status();
  }

  /** Opens a dialog of the page and sends its form. */
  async sendDialog(id, action, values) {
    await this.page.locator(`[data-dialog="${id}"]`).first().click();
    await this.page.locator(`dialog#${id}[open]`).waitFor();
    return this.send(action, values);
  }

  async signIn(root, values) {
    await this.goto(`${root}/login`);
    await this.send(`${root}/login`, values);
    assert.notEqual(this.path(), `${root}/login`, await this.page.locator("main").innerText());
  }

  text(selector) {
    return this.page.locator(selector).first().innerText();
  }

  /** What axe finds on this page as it is shown now, or within a part of it; nothing is too slight. */
  async axeFaults(options = {}, within = "html") {
    const { page } = this;
    if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(AXE);
    return page.evaluate(
      ([part, given]) =>
        axe
          .run(part, { resultTypes: ["violations"], ...given })
          .then(({ violations }) =>
            violations.map(({ id, impact, help, nodes }) => {
              const where = nodes.slice(0, 3).map((node) => `    ${node.html.slice(0, 200)}\n      ${node.failureSummary.replaceAll("\n", " ")}`);
              return `${id} (${impact}): ${help} (${nodes.length})\n${where.join("\n")}`;
            }),
          ),
      [within, options],
    );
  }

  async axe(options = {}) {
    none(await this.axeFaults(options), `axe finds on ${this.path()} (${this.lang})`);
  }

  /** A person leaves: everything that went wrong meanwhile comes to light. */
  async leave() {
    await this.context.close();
    none(this.faults, "what pages must not do");
  }
}

/** A person for one journey, who leaves at its end whatever happened. */
export async function visit(browser, origin, look, journey, options) {
  const someone = await browser.person(origin, look, options);
  let good = false;
  try {
    await journey(someone);
    good = true;
  } finally {
    if (good) await someone.leave();
    else await someone.context.close();
  }
}
