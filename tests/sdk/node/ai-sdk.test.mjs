// Vercel's AI SDK against the sandbox by each of its providers: OpenAI's by chats and by Responses, Anthropic's,
// Google's, and the one for whoever is compatible with OpenAI.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const base = process.env.WAULE_BASE_URL.replace(/\/$/, "");
const origin = base.replace(/\/api\/v1$/, "");
const apiKey = process.env.WAULE_KEY;

const CHAT = "sandbox-chat";
const providers = (key) => {
  const openai = createOpenAI({ baseURL: base, apiKey: key });
  return {
    "openai by chats": openai.chat(CHAT),
    "openai by responses": openai.responses(CHAT),
    anthropic: createAnthropic({ baseURL: base, apiKey: key })(CHAT),
    google: createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: key })(CHAT),
    "openai compatible": createOpenAICompatible({
      name: "waule",
      baseURL: base,
      apiKey: key,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(CHAT),
  };
};
// Retries would hide the answers that these tests are about.
const once = { maxRetries: 0, maxOutputTokens: 300 };
const Tide = z.object({ harbour: z.string(), days: z.number().int() });

const tides = () => {
  const asked = [];
  const getTide = tool({
    description: "The time of high water.",
    inputSchema: z.object({ harbour: z.string() }),
    execute: async ({ harbour }) => {
      asked.push(harbour);
      return "at six";
    },
  });
  return { asked, tools: { getTide }, stopWhen: stepCountIs(5) };
};

for (const [name, model] of Object.entries(providers(apiKey))) {
  describe(name, () => {
    test("a text is made and counted", async () => {
      const answer = await generateText({ ...once, model, prompt: "Say something. [tokens:12]" });
      assert.ok(answer.text);
      assert.equal(answer.finishReason, "stop");
      assert.equal(answer.usage.outputTokens, 12);
      assert.ok(answer.usage.inputTokens > 0);
    });

    test("a stream says the same", async () => {
      const prompt = "Stream it. [tokens:15]";
      const whole = await generateText({ ...once, model, prompt });
      const stream = streamText({ ...once, model, prompt });
      const pieces = [];
      for await (const piece of stream.textStream) pieces.push(piece);
      assert.ok(pieces.length > 1);
      assert.equal(pieces.join(""), whole.text);
      assert.equal((await stream.usage).outputTokens, 15);
      assert.equal(await stream.finishReason, "stop");
    });

    test("tools are called until there is an answer", async () => {
      const { asked, ...given } = tides();
      const answer = await generateText({ ...once, ...given, model, prompt: "When is high water?" });
      assert.equal(asked.length, 1);
      assert.equal(answer.steps.length, 2);
      assert.ok(answer.text);
    });

    test("tools are called in streams", async () => {
      const { asked, ...given } = tides();
      const stream = streamText({ ...once, ...given, model, prompt: "When is high water?" });
      const text = await stream.text;
      assert.equal(asked.length, 1);
      assert.equal((await stream.steps).length, 2);
      assert.ok(text);
    });

    test("structured output is parsed", async () => {
      const output = Output.object({ schema: Tide });
      const answer = await generateText({ ...once, model, output, prompt: "The tide, please." });
      assert.ok(Tide.parse(answer.output));
      const stream = streamText({ ...once, model, output, prompt: "The tide, please." });
      assert.deepEqual(await stream.output, answer.output);
    });

    test("errors have their status", async () => {
      for (const status of [400, 429]) {
        await assert.rejects(generateText({ ...once, model, prompt: `[fail:${status}]` }), (error) => {
          assert.ok(APICallError.isInstance(error), String(error));
          assert.equal(error.statusCode, status);
          return true;
        });
      }
      const stranger = providers(`wk_live_${"a".repeat(32)}`)[name];
      await assert.rejects(generateText({ ...once, model: stranger, prompt: "hi" }), (error) => {
        assert.equal(error.statusCode, 401);
        return true;
      });
    });

    test("a stream that breaks tells an error", async () => {
      const errors = [];
      const stream = streamText({
        ...once,
        model,
        prompt: "Begin. [tokens:30][cut:5]",
        onError: ({ error }) => errors.push(error),
      });
      await stream.consumeStream();
      assert.equal(errors.length, 1);
    });
  });
}
