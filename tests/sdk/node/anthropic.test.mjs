// Anthropic's official client for TypeScript against the sandbox, which speaks another dialect.

import assert from "node:assert/strict";
import test from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

const origin = process.env.WAULE_BASE_URL.replace(/\/api\/v1\/?$/, "");
const apiKey = process.env.WAULE_KEY;
// Retries would hide the answers that these tests are about.
const clientWith = (more) =>
  new Anthropic({ baseURL: origin, apiKey, maxRetries: 0, timeout: 10_000, ...more });
const client = clientWith();

const CHAT = "sandbox-chat";
const asked = (text, more = {}) => ({
  model: CHAT,
  max_tokens: 200,
  messages: [{ role: "user", content: text }],
  ...more,
});
const TIDE = {
  name: "get_tide",
  description: "The time of high water.",
  input_schema: {
    type: "object",
    properties: { harbour: { type: "string" } },
    required: ["harbour"],
  },
};

test("a message is answered and counted", async () => {
  const answer = await client.messages.create(asked("Say something. [tokens:12]", { system: "Be brief." }));
  assert.equal(answer.type, "message");
  assert.equal(answer.model, CHAT);
  assert.ok(answer.content[0].text);
  assert.equal(answer.stop_reason, "end_turn");
  assert.equal(answer.usage.output_tokens, 12);
  assert.ok(answer.usage.input_tokens > 0);
  assert.ok(answer._request_id);
});

test("a stream says the same, event by event", async () => {
  const whole = await client.messages.create(asked("Stream it. [tokens:15]"));
  const texts = [];
  const stream = client.messages.stream(asked("Stream it. [tokens:15]"));
  stream.on("text", (text) => texts.push(text));
  const answer = await stream.finalMessage();
  assert.ok(texts.length > 1);
  assert.equal(texts.join(""), whole.content[0].text);
  assert.equal(answer.usage.output_tokens, 15);

  const kinds = [];
  for await (const event of await client.messages.create(asked("Again.", { stream: true }))) kinds.push(event.type);
  assert.equal(kinds[0], "message_start");
  assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
});

for (const streams of [false, true]) {
  test(`a tool is called and its result read${streams ? ", in streams" : ""}`, async () => {
    const ask = (given) =>
      streams ? client.messages.stream(given).finalMessage() : client.messages.create(given);
    const given = asked("When is high water?", { tools: [TIDE] });
    const first = await ask(given);
    assert.equal(first.stop_reason, "tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    assert.equal(typeof call.input.harbour, "string");
    given.messages.push({ role: "assistant", content: first.content });
    given.messages.push({
      role: "user",
      content: [{ type: "tool_result", tool_use_id: call.id, content: "at six" }],
    });
    const second = await ask(given);
    assert.equal(second.stop_reason, "end_turn");
    assert.ok(second.content[0].text);
  });
}

test("structured output is parsed", async () => {
  const Tide = z.object({ harbour: z.string(), days: z.number().int() });
  const answer = await client.messages.parse(
    asked("The tide, please.", { output_config: { format: zodOutputFormat(Tide) } }),
  );
  assert.ok(Tide.parse(answer.parsed_output));
});

test("tokens are counted and models listed", async () => {
  const { input_tokens: tokens } = await client.messages.countTokens({
    model: CHAT,
    messages: [{ role: "user", content: "How many?" }],
  });
  assert.ok(tokens > 0);
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes(CHAT));
});

test("errors are its own", async () => {
  await assert.rejects(clientWith({ apiKey: `wk_live_${"a".repeat(32)}` }).messages.create(asked("hi")), (error) => {
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.error.error.type, "authentication_error");
    return true;
  });
  for (const [text, kind] of [
    ["[fail:400]", Anthropic.BadRequestError],
    ["[fail:429]", Anthropic.RateLimitError],
    ["[fail:500]", Anthropic.InternalServerError],
  ]) {
    await assert.rejects(client.messages.create(asked(text)), kind);
    await assert.rejects(client.messages.stream(asked(text)).finalMessage(), kind);
  }
  await assert.rejects(client.messages.create(asked("hi", { model: "no-such-model" })), Anthropic.NotFoundError);
  await assert.rejects(client.messages.stream(asked("Begin. [tokens:30][cut:5]")).finalMessage(), Anthropic.APIError);
});
