// The studio as people use it: answers with tables, code and formulas, what is set for them, pictures in,
// saying it again, several models side by side, the own budget in view; and what hostile answers meet.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { looks, openBrowser, said, visit } from "./browser.mjs";
import { faults } from "./geometry.mjs";
import { startProduct } from "./product.mjs";
import { micros, until } from "./wait.mjs";

const PASSWORD = "a password of my own";
const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1440, height: 900 };
/** What no drawing of a hostile answer takes on a machine that does other things beside. */
const DRAWN_MS = 1_000;
/** Nodes that an answer may have, and the pieces that the rest of a megabyte is shown in. */
const NODES_MAX = 9_500;

describe("studio", () => {
  let product;
  let browser;
  let tenants = 0;
  before(async () => {
    product = await startProduct();
    browser = await openBrowser();
    const { admin } = product.api;
    const facts = { capabilities: ["vision", "reasoning"] };
    await admin("PATCH", "/models/sandbox-chat", { facts });
    for (const id of ["spare-second", "spare-third", "spare-broken"]) {
      const targets = [{ provider: "sandbox", model: id, weight: 1, priority: 0 }];
      const price = { input_per_million: "2", output_per_million: "9" };
      const more = id === "spare-second" ? { facts } : {};
      await admin("POST", "/models", { id, operation: "chat", max_output_tokens: 2_048, targets, price, ...more });
    }
  });
  after(async () => {
    await browser?.close();
    await product?.stop();
  });

  async function member(look) {
    const name = `Pier ${++tenants}`;
    const made = await product.api.admin("POST", "/tenants", { name, username: "grace", password: PASSWORD });
    await product.api.admin("POST", `/tenants/${made.tenant.id}/recharge`, { amount: "20" });
    return { name, look };
  }

  const inside = (look, journey) => async () => {
    const { name } = await member(look);
    await visit(browser, product.origin, look, async (grace) => {
      await grace.signIn("/portal", { tenant: name, username: "grace", password: PASSWORD });
      await journey(grace);
    });
  };

  for (const look of looks(11)) {
    test(`answers have tables, code and formulas (${said(look)})`, inside(look, rich));
    test(`what is set is sent, kept and taken back (${said(look)})`, inside(look, settings));
    test(`what was said is said again, otherwise, or taken away (${said(look)})`, inside(look, again));
    test(`pictures are picked, dropped, shown and sent (${said(look)})`, inside(look, pictures));
    test(`models answer side by side (${said(look)})`, inside(look, (grace) => compare(grace, product.api.admin)));
  }
  const [look] = looks(11);
  test("a person's own budget goes down beside the balance", inside(look, (grace) => budget(grace, browser, product)));
  test("a conversation comes back with pictures, settings and all answers", inside(look, kept));
  test("hostile answers are text, and drawn at once", inside(look, hostile));
  test("an answer that comes in pieces is drawn as one that came whole", inside(look, pieces));
});

const studio = (person) => person.goto("/portal/studio/chat");

async function ask(page, text, number = 1) {
  await page.locator("[name=message]").fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".said-assistant .said-cost a").nth(number - 1).waitFor();
}

/** axe, and nothing that sticks out, at all widths. */
async function inOrder(person) {
  const { page } = person;
  for (const size of [PHONE, WIDE]) {
    await page.setViewportSize(size);
    await person.axe();
    assert.deepEqual(await faults(page), [], `at ${size.width}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function rich(grace) {
  const { page } = grace;
  await studio(grace);
  await ask(page, "Show me a table of rivers");
  assert.ok((await page.locator(".said-assistant table.said-table tbody tr").count()) > 2);
  await ask(page, "Write a function in Rust", 2);
  const code = page.locator(".code-block").last();
  assert.match(await code.innerText(), /rust[^]*fn fibonacci/);
  assert.ok((await code.locator(".tok-word").count()) > 3);
  // What is copied is the source, and it is said that it was.
  await page.evaluate(() => {
    window.copied = [];
    Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => void window.copied.push(text) } });
  });
  await code.locator("button").click();
  await until("it is said", 5_000, async () => (await page.locator(".announced").textContent()) !== "");
  const [copied] = await page.evaluate("window.copied");
  assert.match(copied, /^\/\/\/ The/);
  assert.ok(copied.endsWith("}"), "without the fence");
  await ask(page, "Show me a formula", 3);
  const math = page.locator(".said-assistant math[display=block]");
  assert.equal(await math.count(), 2);
  assert.equal(await math.first().locator("mfrac msqrt").count(), 1);
  await page.locator(".said-actions button").last().waitFor();
  await inOrder(grace);
}

async function settings(grace) {
  const { page } = grace;
  await studio(grace);
  const panel = page.locator("[data-studio=settings]");
  await panel.locator("summary").click();
  const sent = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/studio/chat")) sent.push(request.postDataJSON());
  });
  await page.locator("[name=system]").fill("Speak as a pirate.");
  await page.locator("[name=temperature]").fill("0.5");
  await page.locator("[name=max_tokens]").fill("400");
  await page.locator("[name=effort]").selectOption("high");
  await page.locator("[name=length]").selectOption("short");
  await inOrder(grace);
  await ask(page, "Tell me of the tide.");
  assert.deepEqual(sent[0].settings, { system: "Speak as a pirate.", temperature: 0.5, max_tokens: 400, effort: "high", length: "short" });
  assert.match(await page.locator(".said-assistant .said-text").innerText(), /Speak as a pirate/);

  // It is there again after the page was left, and gone once it is taken back.
  await studio(grace);
  assert.equal(await page.locator("[name=system]").inputValue(), "Speak as a pirate.");
  assert.match(await panel.locator("summary").innerText(), /\(5\)/);
  await panel.locator("summary").click();
  // A model without thinking is asked nothing about it.
  await page.locator("[name=model]").selectOption("spare-third");
  assert.equal(await page.locator("[name=effort]").isVisible(), false);
  await ask(page, "And now?");
  assert.equal(sent[1].settings.effort, undefined);
  // What is out of bounds is refused with its name.
  grace.expect(422);
  await page.locator("[name=temperature]").fill("3");
  await page.locator("[name=message]").fill("Too hot?");
  await page.keyboard.press("Enter");
  const wrong = page.locator(".said.is-wrong .said-text");
  await wrong.waitFor();
  const told = grace.lang === "zh" ? "温度" : "Temperature";
  assert.ok((await wrong.innerText()).startsWith(told), await wrong.innerText());
  await page.locator("[data-studio=reset]").click();
  await studio(grace);
  assert.equal(await page.locator("[name=system]").inputValue(), "");
  await ask(page, "Nothing set");
  assert.equal(sent.at(-1).settings, undefined);
}

async function again(grace) {
  const { page } = grace;
  await studio(grace);
  await ask(page, "Who are you?");
  await ask(page, "Tell me of the tide.", 2);
  await ask(page, "And of the moon?", 3);
  const words = grace.lang === "zh" ? { edit: "编辑", again: "重新生成", remove: "删除" } : { edit: "Edit", again: "Regenerate", remove: "Delete" };
  const act = (article, name) => article.locator(".said-actions").getByRole("button", { name });
  const users = page.locator(".said-user");

  // Editing an earlier message says that what follows goes, and it goes only when it is sent.
  await act(users.nth(1), words.edit).press("Enter");
  const notice = page.locator("[data-studio=editing]");
  assert.ok(await notice.isVisible());
  assert.equal(await page.locator("[name=message]").inputValue(), "Tell me of the tide.");
  assert.equal(await users.count(), 3);
  await notice.locator("button").click();
  assert.equal(await notice.isVisible(), false);
  await act(users.nth(1), words.edit).click();
  await ask(page, "Tell me of the wind.", 2);
  assert.equal(await users.count(), 2);
  assert.match(await page.locator(".said-assistant .said-text").nth(1).innerText(), /wind/);

  // The same once more, by a fresh call.
  const call = page.locator(".said-assistant .said-cost a").nth(1);
  const before = await call.getAttribute("href");
  await act(page.locator(".said-assistant").nth(1), words.again).click();
  await until("another call answered", 10_000, async () => (await call.count()) && (await call.getAttribute("href")) !== before);
  assert.equal(await page.locator(".said").count(), 4);

  await act(users.nth(1), words.remove).press("Enter");
  assert.equal(await page.locator(".said").count(), 2);
  const history = JSON.parse(await page.locator("[name=history]").inputValue());
  assert.deepEqual(history.map(({ role }) => role), ["user", "assistant"]);

  // A failure stays in its place, and can be tried again.
  await page.locator("[name=message]").fill("[fail:500]");
  grace.expect(500, 502, 503);
  await page.keyboard.press("Enter");
  const wrong = page.locator(".said.is-wrong");
  await wrong.waitFor();
  await act(wrong, grace.lang === "zh" ? "重试" : "Try again").click();
  await until("it was tried", 10_000, async () => (await wrong.count()) === 1);

  // What is stopped keeps what came.
  await page.locator("[name=message]").fill("[tokens:400][pace:40]");
  await page.keyboard.press("Enter");
  await until("something came", 10_000, async () => (await page.locator(".said-assistant").last().locator(".said-text").innerText()).length > 20);
  await page.locator("[data-studio=stop]").click();
  await page.locator("[data-studio=send]").waitFor();
  assert.equal(await page.locator(".said.is-coming").count(), 0);
}

/** A picture of one colour, made in the page. */
const drawn = (page, width, height) =>
  page.evaluate(([wide, high]) => {
    const canvas = document.createElement("canvas");
    canvas.width = wide;
    canvas.height = high;
    const context = canvas.getContext("2d");
    for (let x = 0; x < wide; x += 8) {
      context.fillStyle = `hsl(${x % 360} 60% 50%)`;
      context.fillRect(x, 0, 8, high);
    }
    return canvas.toDataURL("image/png").split(",")[1];
  }, [width, height]);

async function pictures(grace) {
  const { page } = grace;
  await studio(grace);
  const file = async (name, width, height) => ({ name, mimeType: "image/png", buffer: Buffer.from(await drawn(page, width, height), "base64") });
  const picker = page.locator("[data-studio=picker]");
  const attached = page.locator("[data-studio=attached] img");
  assert.ok(await page.locator("[data-studio=attach]").isVisible());
  await picker.setInputFiles([await file("sea.png", 3_000, 2_000)]);
  await attached.first().waitFor();
  const size = await attached.first().evaluate((image) => [image.naturalWidth, image.naturalHeight]);
  assert.deepEqual(size, [1_280, 853], "large pictures are made smaller");
  // Pasted and dropped ones come the same way; a text is no picture.
  const data = await drawn(page, 64, 64);
  for (const kind of ["paste", "drop"]) {
    await page.evaluate(async ([kind, data]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const moved = new DataTransfer();
      moved.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
      moved.items.add(new File(["hello"], "note.txt", { type: "text/plain" }));
      const more = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent(kind, { ...more, clipboardData: moved }) : new DragEvent(kind, { ...more, dataTransfer: moved });
      document.querySelector("[name=message]").dispatchEvent(event);
    }, [kind, data]);
    await attached.nth(kind === "paste" ? 1 : 2).waitFor();
  }
  assert.equal(await attached.count(), 3);
  await inOrder(grace);
  await page.locator(".attached-remove").last().click();
  assert.equal(await attached.count(), 2);
  await ask(page, grace.lang === "zh" ? "图中是什么？" : "What is on them?");
  assert.match(await page.locator(".said-assistant .said-text").innerText(), /2 pictures|2 张图片/);
  assert.equal(await page.locator(".said-pictures img").count(), 2);
  assert.equal(await attached.count(), 0);
  // A fifth is not taken, and a model that reads none is offered none.
  await picker.setInputFiles(await Promise.all(["a", "b", "c", "d", "e"].map((name) => file(`${name}.png`, 32, 32))));
  await page.locator(".toast-bad", { hasText: grace.lang === "zh" ? "四张" : "Four" }).waitFor();
  await until("four are there", 10_000, async () => (await attached.count()) === 4);
  await page.locator("[name=model]").selectOption("spare-third");
  assert.equal(await page.locator("[data-studio=attach]").isVisible(), false);
}

async function compare(grace, admin) {
  await admin("PATCH", "/models/spare-broken", { enabled: true });
  const { page } = grace;
  await studio(grace);
  const single = async () => {
    const place = page.locator("[data-studio=estimate]");
    return until("an estimate", 10_000, async () => {
      const found = /([\d.,]+)[^\d]*$/.exec(await place.innerText());
      return found && micros(found[1]);
    });
  };
  await page.locator("[name=message]").fill("[tokens:60][pace:30] to all of you");
  const one = await single();
  const add = page.locator("[data-studio=compare]");
  await add.click();
  await add.click();
  await add.click();
  assert.equal(await add.isVisible(), false, "four at most");
  const chosen = page.locator("[data-studio=models] select");
  const wanted = ["sandbox-chat", "spare-second", "spare-third", "spare-broken"];
  for (const [at, name] of wanted.entries()) await chosen.nth(at).selectOption(name);
  const all = await until("the estimate is the sum", 10_000, async () => {
    const sum = await single();
    return sum > one && sum;
  });
  assert.ok(all > one);
  const balance = async () => micros(await page.locator("[data-studio=balance]").innerText());
  const before = await balance();
  // One is taken away while it is still on the page.
  grace.expect(404, 422);
  await admin("PATCH", "/models/spare-broken", { enabled: false });
  await page.locator("[data-studio=send]").click();
  const answers = page.locator(".answers .said");
  assert.equal(await answers.count(), 4);
  // One fails, one is stopped, the others go on to their ends.
  await page.locator(".answers .said.is-wrong").waitFor();
  await until("they come", 10_000, async () => (await answers.nth(1).locator(".said-text").innerText()).length > 10);
  await answers.nth(1).locator(".said-actions button").click();
  await until("only that one ends", 10_000, async () => !(await answers.nth(1).getAttribute("class")).includes("is-coming"));
  assert.ok((await answers.nth(0).getAttribute("class")).includes("is-coming"));
  await answers.nth(0).locator(".said-cost a").waitFor();
  await answers.nth(2).locator(".said-cost a").waitFor();
  assert.match(await answers.nth(0).locator(".said-speed").innerText(), /tokens/);
  const paid = await answers.locator(".said-cost a").allInnerTexts();
  const sum = paid.reduce((total, text) => total + micros(text), 0n);
  assert.equal(await balance(), before - sum);
  const columns = async () => new Set(await answers.evaluateAll((found) => found.map((one) => Math.round(one.getBoundingClientRect().left)))).size;
  await page.setViewportSize(WIDE);
  assert.equal(await columns(), 4);
  await page.setViewportSize(PHONE);
  assert.equal(await columns(), 1);
  await inOrder(grace);
  // The next question goes to all of them, each with its own answers before it.
  const bodies = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/studio/chat")) bodies.push(request.postDataJSON());
  });
  await page.locator("[name=message]").fill("Once more");
  await page.keyboard.press("Enter");
  await until("all were asked", 10_000, () => bodies.length === 4);
  assert.deepEqual(bodies.map(({ model }) => model).sort(), [...wanted].sort());
  await page.locator("[data-studio=send]").waitFor();
}

async function kept(grace) {
  const { page } = grace;
  const words = grace.lang === "zh" ? { again: "重新生成", edit: "编辑" } : { again: "Regenerate", edit: "Edit" };
  const act = (article, name) => article.locator(".said-actions").getByRole("button", { name });
  const answers = page.locator(".answers > .said");
  const paid = (at) => answers.nth(at).locator(":scope > .said-cost a");
  const ended = async () => {
    for (const at of [0, 1]) await paid(at).waitFor();
    await page.locator("[data-studio=send]").waitFor();
  };
  const seen = async () => ({
    who: await page.locator(".said > .said-who").allInnerTexts(),
    texts: await page.locator(".said > .said-text").allInnerTexts(),
    calls: await answers.locator(".said-cost a").evaluateAll((links) => links.map((link) => [link.getAttribute("href"), link.textContent])),
    folded: await page.locator(".said-earlier > .said-text").allTextContents(),
    pictures: await page.locator(".said-user .said-pictures img").evaluateAll((images) => images.map((image) => image.src)),
    models: await page.locator("[data-studio=models] select").evaluateAll((all) => all.map((select) => select.value)),
    set: await Promise.all(["system", "temperature", "effort"].map((name) => page.locator(`[name=${name}]`).inputValue())),
  });
  await studio(grace);
  await page.locator("[data-studio=settings] summary").click();
  await page.locator("[name=system]").fill("Speak as a pirate.");
  await page.locator("[name=temperature]").fill("0.5");
  await page.locator("[data-studio=compare]").click();
  for (const [at, name] of ["sandbox-chat", "spare-second"].entries()) {
    await page.locator("[data-studio=models] select").nth(at).selectOption(name);
  }
  const buffer = Buffer.from(await drawn(page, 64, 64), "base64");
  await page.locator("[data-studio=picker]").setInputFiles([{ name: "sea.png", mimeType: "image/png", buffer }]);
  await page.locator("[data-studio=attached] img").waitFor();
  await page.locator("[name=message]").fill("What is on it?");
  await page.keyboard.press("Enter");
  await ended();
  assert.match(page.url(), /\?chat=chat_/);
  // One is asked once more: what it said before stays at hand, since it was paid for.
  const before = await paid(0).getAttribute("href");
  await act(answers.nth(0), words.again).click();
  await until("another call answered", 10_000, async () => (await paid(0).count()) && (await paid(0).getAttribute("href")) !== before);
  await ended();
  const live = await seen();
  assert.deepEqual([live.who.length, live.calls.length, live.folded.length, live.pictures.length], [3, 3, 1, 1]);
  assert.deepEqual(live.set, ["Speak as a pirate.", "0.5", ""]);
  // Another conversation with other settings changes nothing in it.
  await studio(grace);
  await page.locator("[data-studio=settings] summary").click();
  await page.locator("[name=system]").fill("Be brief.");
  await page.goBack();
  await page.reload();
  assert.deepEqual(await seen(), live);
  await inOrder(grace);

  // It goes on where it was, each model from its own newest answer.
  const bodies = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/studio/chat")) bodies.push(request.postDataJSON());
  });
  await page.locator("[name=message]").fill("And now?");
  await page.keyboard.press("Enter");
  await until("both were asked", 10_000, () => bodies.length === 2);
  await page.locator("[data-studio=send]").waitFor();
  for (const { messages, settings, kept: where } of bodies) {
    assert.deepEqual(messages.map(({ role }) => role), ["user", "assistant", "user"]);
    assert.equal(messages[0].images.length, 1);
    assert.equal(settings.system, "Speak as a pirate.");
    assert.equal(where.seen, 1);
  }
  // A message that is written anew stands in the place of the old one, also in what is kept.
  await act(page.locator(".said-user").first(), words.edit).click();
  await page.locator("[name=message]").fill("Tell me of the wind.");
  await page.keyboard.press("Enter");
  await until("both were asked again", 10_000, () => bodies.length === 4);
  await page.locator("[data-studio=send]").waitFor();
  assert.equal(bodies[3].kept.instead, 0);
  const anew = await seen();
  await page.reload();
  assert.deepEqual(await seen(), anew);
  assert.equal(await page.locator(".said-user").count(), 1);
  assert.match(anew.texts[0], /wind/);
}

async function budget(grace, browser, product) {
  const mia = { username: "mia", password: PASSWORD, role: "member", budget: "5", budget_period: "month" };
  await grace.goto("/portal/members/new");
  assert.equal(await grace.send("/portal/members/new", mia), 200);
  const tenant = await grace.page.locator(".top-tenant").innerText();
  await visit(browser, product.origin, { lang: "en", theme: "light" }, async (person) => {
    const { page } = person;
    await person.signIn("/portal", { tenant, username: "mia", password: PASSWORD });
    await studio(person);
    const left = async () => micros(await page.locator("[data-studio=budget]").innerText());
    assert.equal(await left(), micros("5"));
    await ask(page, "Hello");
    const charged = micros(await page.locator(".said-cost a").innerText());
    assert.ok(charged > 0n);
    assert.equal(await left(), micros("5") - charged);
    await studio(person);
    assert.equal(await left(), micros("5") - charged, "the next page says the same");
    await person.goto("/portal/studio/images");
    assert.equal(await left(), micros("5") - charged);
  });
}

async function hostile(grace) {
  const { page } = grace;
  await studio(grace);
  const told = await page.evaluate(() => {
    const million = 1_000_000;
    const texts = {
      "script links": "[a](javascript:alert(1)) [b](data:text/html,x) [c](JaVaScRiPt:x) [d](vbscript:x) [e](//evil) <javascript:x> [f](java\nscript:x)",
      "nested points": `${"- ".repeat(10_000)}x`,
      "nested lines": Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at * 2)}- a`).join("\n"),
      "nested quotes": `${">".repeat(10_000)} x`,
      "an open fence": `\`\`\`js\n${"let a = 1; // b\n".repeat(60_000)}`,
      "a huge table": `|a|b|\n|-|-|\n${"| x | `y` |\n".repeat(80_000)}`,
      "a wide table": `|${"a|".repeat(50_000)}\n|${"-|".repeat(50_000)}\n`,
      "a line of a megabyte": "x".repeat(million),
      "open marks": "*a ".repeat(million / 3),
      "many marks": "*a* ".repeat(8_000),
      "open brackets": "[".repeat(30_000),
      "open links": "[a](".repeat(8_000),
      "backticks": Array.from({ length: 240 }, (_, at) => "`".repeat(at + 1)).join("a"),
      "open formulas": "$$\n".repeat(100_000),
      "deep formulas": `$$${"\\sqrt".repeat(700)}x$$\n\n\\[${"\\frac{1}{".repeat(400)}\\]`,
      "blanks in a heading": `# ${" ".repeat(9_990)}x`,
      "paragraphs": "a\n\n".repeat(300_000),
      "points": "- a\n".repeat(250_000),
      "an open string": `\`\`\`js\n"${"a".repeat(million)}`,
      "tags": "<img src=x onerror=alert(1)><script>alert(2)</script><iframe srcdoc='x'></iframe>".repeat(200),
      "turned letters": "abc\u202etxt.exe\u2066 `x\u202e`\n```\ny\u202e\n```",
    };
    const place = document.createElement("div");
    document.querySelector(".talk").append(place);
    const found = {};
    for (const [name, text] of Object.entries(texts)) {
      let took = Infinity;
      for (let time = 0; time < 3; time++) {
        const begun = performance.now();
        window.waule.markdown.show(place, text, {});
        took = Math.min(took, performance.now() - begun);
      }
      const bad = [...place.querySelectorAll("script, iframe, img, object, [onerror], [style]")].length
        + [...place.querySelectorAll("a")].filter((link) => !/^(https?|mailto):$/.test(link.protocol)).length;
      found[name] = { took, bad, nodes: place.querySelectorAll("*").length, turned: /[\u202a-\u202e\u2066-\u2069]/.test(place.textContent), letters: place.textContent.length };
    }
    place.remove();
    return found;
  });
  for (const [name, { took, bad, nodes, turned, letters }] of Object.entries(told)) {
    assert.ok(took < DRAWN_MS, `${name} took ${took} ms`);
    assert.equal(bad, 0, name);
    assert.ok(nodes < NODES_MAX, `${name} has ${nodes} nodes`);
    assert.equal(turned, false, name);
    assert.ok(letters > 0, `${name} is shown`);
  }
  assert.ok(told["a line of a megabyte"].letters >= 1_000_000, "nothing is left out");
}

const SAMPLE = [
  "# Title of *it*", "Some **bold** and ***both*** and ~~gone~~ with `code`, snake_case_name.", "A [link](https://example.com/a_(b)) and $x^2$, for $5 and $10.",
  "", "- one", "- two", "  - deep", "  1. number", "- [x] done", "", "  a paragraph", "", "1. a", "2. b", "   ```rust", "   fn main() {} /* open",
  "   still */ 'a'", "   ```", "", "> quote", "> - within", "", "| A | B |", "|:--|--:|", "| 1 | `a|b` |", "", "$$\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}$$",
  "", "$$\\unknown{x}$$", "", "---", "```python", "def f(x):", "    \"\"\"doc", "    string\"\"\"", "    return x  # end", "```", "the end",
].join("\n");

async function pieces(grace) {
  const { page } = grace;
  await studio(grace);
  const told = await page.evaluate((text) => {
    const place = document.createElement("div");
    document.querySelector(".talk").append(place);
    const { show, Stream } = window.waule.markdown;
    show(place, text, {});
    const whole = place.cloneNode(true);
    const different = [];
    for (const size of [1, 3, 7, 64]) {
      place.replaceChildren();
      const stream = new Stream(place, {});
      for (let at = 0; at < text.length; at += size) {
        stream.push(text.slice(at, at + size));
        stream.draw(false);
      }
      stream.end();
      if (!place.isEqualNode(whole)) different.push(size);
    }
    // 2,000 tokens cost about as much as some whole drawings, and not 2,000 of half of it.
    const long = Array.from({ length: 60 }, () => text).join("\n\n").slice(0, 8_000);
    const time = (work) => {
      let least = Infinity;
      for (let run = 0; run < 3; run++) {
        place.replaceChildren();
        const begun = performance.now();
        work();
        least = Math.min(least, performance.now() - begun);
      }
      return least;
    };
    const once = time(() => show(place, long, {}));
    const streamed = time(() => {
      const stream = new Stream(place, {});
      for (let at = 0; at < long.length; at += 4) {
        stream.text += long.slice(at, at + 4);
        stream.draw(false);
      }
      stream.end();
    });
    const counted = { different, once, streamed, formulas: whole.querySelectorAll("math").length, sources: whole.querySelectorAll(".tex").length };
    place.remove();
    return counted;
  }, SAMPLE);
  assert.deepEqual(told.different, []);
  assert.deepEqual([told.formulas, told.sources], [2, 1], "what is not understood is its source");
  // Drawn at every token, without the frames that gather them; quadratic were a thousand times.
  assert.ok(told.streamed < Math.max(told.once, 1) * 200, `${told.streamed} ms in pieces, ${told.once} ms whole`);
}
