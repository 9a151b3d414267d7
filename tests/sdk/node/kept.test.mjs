// What is kept for a tenant that wants it: OpenAI's client on streams in the background, and Vercel's AI SDK as it is
// by default, which refers to items that it believes kept, with a tenant that keeps and one that does not.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, test } from "node:test";

import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";

const base = process.env.WAULE_BASE_URL.replace(/\/$/, "");
const admin = base.replace(/\/api\/v1$/, "/admin/api");
const CHAT = "sandbox-chat";
// A replica hears of a tenant's settings within a second.
const SETTINGS_MS = 1_200;

const asked = async (method, url, token, body) => {
  const headers = { "content-type": "application/json", "idempotency-key": randomUUID() };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(`${admin}${url}`, { method, headers, body: JSON.stringify(body) });
  const told = await answer.json();
  assert.ok(answer.ok, JSON.stringify(told));
  return told;
};

// A tenant of its own, whose answers are kept for so many days.
const tenant = async (days) => {
  const password = process.env.WAULE_ADMIN_PASSWORD;
  const { token } = await asked("POST", "/login", null, { username: "admin", password });
  const made = await asked("POST", "/tenants", token, { name: `kept-${randomUUID()}` });
  const { id } = made.tenant;
  await asked("POST", `/tenants/${id}/recharge`, token, { amount: 100 });
  const key = await asked("POST", `/tenants/${id}/keys`, token, { name: "live", kind: "live" });
  await asked("PUT", `/tenants/${id}/keeping`, token, { days });
  return key.secret;
};

const keys = {};
before(async () => {
  keys.keeps = await tenant(1);
  keys.forgets = await tenant(null);
  await new Promise((done) => setTimeout(done, SETTINGS_MS));
});

describe("OpenAI's client", () => {
  const client = () => new OpenAI({ baseURL: base, apiKey: keys.keeps, maxRetries: 0, timeout: 20_000 });
  const begin = (input) =>
    client().responses.create({ model: CHAT, input, background: true, stream: true });
  const follow = async (id, after) => {
    const query = { stream: true, starting_after: after };
    const events = [];
    for await (const event of await client().responses.retrieve(id, query)) events.push(event);
    return events;
  };

  test("a stream in the background is left and followed to its end", async () => {
    const seen = [];
    for await (const event of await begin("Say it slowly. [tokens:20] [pace:50]")) {
      seen.push(event);
      if (seen.length === 5) break;
    }
    const { id, status } = seen[0].response;
    assert.equal(seen[0].type, "response.created");
    assert.ok(["queued", "in_progress"].includes(status));
    const rest = await follow(id, seen.at(-1).sequence_number);
    const all = [...seen, ...rest];
    assert.deepEqual(
      all.map((event) => event.sequence_number),
      all.map((_, number) => number),
    );
    const last = all.at(-1);
    assert.equal(last.type, "response.completed");
    const text = all.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
    assert.equal(text.join(""), (await client().responses.retrieve(id)).output_text);
    assert.deepEqual(await follow(id, 2), all.slice(3), "and again when it is over");
  });

  test("one that fails ends with an event that says so", async () => {
    const seen = [];
    for await (const event of await begin("[fail:400]")) seen.push(event);
    assert.equal(seen.at(-1).type, "response.failed");
    assert.ok(seen.at(-1).response.error.message);
  });

  test("an unknown word of include is refused", async () => {
    const made = await client().responses.create({ model: CHAT, input: "hi" });
    const known = { include: ["reasoning.encrypted_content", "message.output_text.logprobs"] };
    assert.equal((await client().responses.retrieve(made.id, known)).id, made.id);
    await assert.rejects(client().responses.retrieve(made.id, { include: ["thoughts"] }), OpenAI.BadRequestError);
  });
});

describe("Vercel's AI SDK as it is by default", () => {
  const once = { maxRetries: 0, maxOutputTokens: 300 };
  const getTide = tool({
    description: "The time of high water.",
    inputSchema: z.object({ harbour: z.string() }),
    execute: async () => "at six",
  });
  const given = { ...once, tools: { getTide }, stopWhen: stepCountIs(5) };
  const sent = [];
  const noting = (url, request) => {
    sent.push(request.body);
    return fetch(url, request);
  };
  const model = (key) => createOpenAI({ baseURL: base, apiKey: key, fetch: noting })(CHAT);
  const question = { role: "user", content: "When is high water?" };
  const thanks = { role: "user", content: "Thanks. And tomorrow?" };

  test("several turns with tools go on where answers are kept", async () => {
    const first = await generateText({ ...given, model: model(keys.keeps), messages: [question] });
    assert.equal(first.steps.length, 2);
    const messages = [question, ...first.response.messages, thanks];
    const before = sent.length;
    const second = await generateText({ ...given, model: model(keys.keeps), messages });
    assert.ok(second.text);
    assert.ok(sent[before].includes("item_reference"), "it refers to what is kept");
    const stream = streamText({
      ...given,
      model: model(keys.keeps),
      messages: [...messages, ...second.response.messages, thanks],
    });
    assert.ok(await stream.text);
  });

  test("where nothing is kept it is told what to do, and that works", async () => {
    const first = await generateText({ ...given, model: model(keys.forgets), messages: [question] });
    assert.equal(first.steps.length, 2, "one turn needs nothing that is kept");
    const messages = [question, ...first.response.messages, thanks];
    await assert.rejects(generateText({ ...given, model: model(keys.forgets), messages }), (error) => {
      assert.ok(APICallError.isInstance(error), String(error));
      assert.equal(error.statusCode, 400);
      assert.match(error.message, /store/);
      return true;
    });
    const providerOptions = { openai: { store: false } };
    const second = await generateText({ ...given, model: model(keys.forgets), messages, providerOptions });
    assert.ok(second.text);
  });
});
