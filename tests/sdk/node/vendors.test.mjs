// The Node clients of OpenAI and Anthropic and Vercel's AI SDK against every fake vendor of the Python suite, which a
// process of that suite serves.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";

const base = process.env.WAULE_BASE_URL.replace(/\/$/, "");
const origin = base.replace(/\/api\/v1$/, "");
const { WAULE_PYTHON, WAULE_FAKES } = process.env;
assert.ok(WAULE_PYTHON && WAULE_FAKES, "the fakes are not set: run ./test.sh");

const server = spawn(WAULE_PYTHON, [WAULE_FAKES], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
const next = async () => {
  const { value } = await lines.next();
  assert.ok(value, "the fakes do not say what they are");
  return JSON.parse(value);
};
const { key, models } = await next();

after(async () => {
  server.stdin.end();
  // What was asked for by a prompt alone.
  const refused = (await next()).filter((text) => !text.endsWith("asked for by the prompt"));
  assert.deepEqual(refused, []);
});

// Retries would hide the answers that these tests are about.
const given = { apiKey: key, maxRetries: 0, timeout: 20_000 };
const openai = new OpenAI({ ...given, baseURL: base });
const anthropic = new Anthropic({ ...given, baseURL: origin });

const TEXT = "Tides follow the moon, “naïvely” 🌊.";
const HARBOUR = { harbour: "a harbour", days: 7 };
const Tide = z.object({ harbour: z.string(), days: z.number().int() });
const SCHEMA = {
  type: "object",
  properties: { harbour: { type: "string" }, days: { type: "integer" } },
  required: ["harbour", "days"],
  additionalProperties: false,
};
// So long that it may be the tokens that the fakes count.
const QUESTION = "Why do tides come? ".repeat(12);
const RESULT = "The tools said: at six.";

const chats = (model) => {
  const asked = (content, more) => ({ model, messages: [{ role: "user", content }], ...more });
  const whole = (content, more) => openai.chat.completions.create(asked(content, more));
  const stream = (content, more) =>
    openai.chat.completions.stream(asked(content, more)).finalChatCompletion();
  const tools = [{ type: "function", function: { name: "get_tide", parameters: SCHEMA } }];

  for (const [how, ask] of Object.entries({ whole, stream })) {
    test(`a chat is answered, ${how}`, async () => {
      const answer = await ask(QUESTION, { stream_options: how === "stream" ? { include_usage: true } : undefined });
      assert.equal(answer.choices[0].message.content, TEXT);
      assert.equal(answer.choices[0].finish_reason, "stop");
      assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens], [120, 30]);
    });

    test(`a tool is called and its result read, ${how}`, async () => {
      const first = (await ask("When is high water?", { tools })).choices[0].message;
      const [call] = first.tool_calls;
      assert.deepEqual(JSON.parse(call.function.arguments), HARBOUR);
      const { parsed: _, ...said } = first;
      const messages = [
        { role: "user", content: "When is high water?" },
        { ...said, tool_calls: [{ id: call.id, type: "function", function: { name: call.function.name, arguments: call.function.arguments } }] },
        { role: "tool", tool_call_id: call.id, content: "at six" },
      ];
      assert.equal((await ask("", { tools, messages })).choices[0].message.content, RESULT);
    });
  }

  test("structured output is by its schema", async () => {
    const form = { type: "json_schema", json_schema: { name: "tide", schema: SCHEMA, strict: true } };
    const answer = await whole("The tide, please.", { response_format: form });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), HARBOUR);
  });

  test("errors are its own", async () => {
    await assert.rejects(whole("[fail:400]"), OpenAI.BadRequestError);
    await assert.rejects(stream("Begin. [break]"), OpenAI.APIError);
  });
};

const messages = (model) => {
  const asked = (content, more) => ({ model, max_tokens: 300, messages: [{ role: "user", content }], ...more });
  const whole = (content, more) => anthropic.messages.create(asked(content, more));
  const stream = (content, more) => anthropic.messages.stream(asked(content, more)).finalMessage();
  const tools = [{ name: "get_tide", description: "High water.", input_schema: SCHEMA }];
  const textOf = (answer) => answer.content.find((block) => block.type === "text").text;

  for (const [how, ask] of Object.entries({ whole, stream })) {
    test(`a message is answered, ${how}`, async () => {
      const answer = await ask(QUESTION, { system: "Be brief." });
      assert.equal(textOf(answer), `${TEXT} You told me: Be brief.`);
      assert.equal(answer.stop_reason, "end_turn");
      assert.deepEqual([answer.usage.input_tokens, answer.usage.output_tokens], [120, 30]);
    });

    test(`a tool is called and its result read, ${how}`, async () => {
      const first = await ask("When is high water?", { tools });
      assert.equal(first.stop_reason, "tool_use");
      const call = first.content.find((block) => block.type === "tool_use");
      assert.deepEqual(call.input, HARBOUR);
      const history = [
        { role: "user", content: "When is high water?" },
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "at six" }] },
      ];
      assert.equal(textOf(await ask("", { tools, messages: history })), RESULT);
    });
  }

  test("structured output is parsed", async () => {
    const format = zodOutputFormat(Tide);
    const answer = await anthropic.messages.parse(asked("The tide, please.", { output_config: { format } }));
    assert.deepEqual(answer.parsed_output, HARBOUR);
  });

  test("errors are its own", async () => {
    await assert.rejects(whole("[fail:400]"), Anthropic.BadRequestError);
    await assert.rejects(stream("Begin. [break]"), Anthropic.APIError);
  });
};

// What is not kept must be sent again, which the SDK does where it is told so.
const once = {
  maxRetries: 0,
  maxOutputTokens: 300,
  providerOptions: { openai: { store: false } },
};
const vercel = (made) => (name) => {
  const model = made(name);

  test("a text is made whole and as a stream", async () => {
    const answer = await generateText({ ...once, model, prompt: "Why do tides come?" });
    assert.equal(answer.text, TEXT);
    assert.equal(answer.usage.outputTokens, 30);
    const stream = streamText({ ...once, model, prompt: "Why do tides come?" });
    assert.equal(await stream.text, TEXT);
    assert.equal(await stream.finishReason, "stop");
  });

  test("tools are called until there is an answer", async () => {
    const asked = [];
    const getTide = tool({
      description: "The time of high water.",
      inputSchema: Tide,
      execute: async (input) => {
        asked.push(input);
        return "at six";
      },
    });
    const stopWhen = stepCountIs(5);
    const tools = { getTide };
    const answer = await generateText({ ...once, model, tools, stopWhen, prompt: "When is it?" });
    assert.ok(answer.text.includes("at six"), answer.text);
    const stream = streamText({ ...once, model, tools, stopWhen, prompt: "When is it?" });
    assert.ok((await stream.text).includes("at six"));
    assert.deepEqual(asked, [HARBOUR, HARBOUR]);
  });

  test("structured output is parsed", async () => {
    const output = Output.object({ schema: Tide });
    const answer = await generateText({ ...once, model, output, prompt: "The tide, please." });
    assert.deepEqual(answer.output, HARBOUR);
  });

  test("errors have their status", async () => {
    await assert.rejects(generateText({ ...once, model, prompt: "[fail:400]" }), (error) => {
      assert.ok(APICallError.isInstance(error), String(error));
      assert.equal(error.statusCode, 400);
      return true;
    });
  });
};

const clients = {
  "OpenAI's client": chats,
  "Anthropic's client": messages,
  "the AI SDK by chats": vercel((model) => createOpenAI({ baseURL: base, apiKey: key }).chat(model)),
  "the AI SDK by responses": vercel((model) => createOpenAI({ baseURL: base, apiKey: key }).responses(model)),
  "the AI SDK by messages": vercel((model) => createAnthropic({ baseURL: base, apiKey: key })(model)),
  "the AI SDK by Google": vercel((model) =>
    createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: key })(model),
  ),
};

for (const [dialect, model] of Object.entries(models)) {
  for (const [name, suite] of Object.entries(clients)) {
    describe(`${name} to ${dialect}`, () => suite(model));
  }
}
