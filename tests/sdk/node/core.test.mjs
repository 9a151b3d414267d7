// The official Node client against a running Waule: what every Node program will do first.
// Money and the finer points are the Python suite's.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inflateSync } from "node:zlib";

import OpenAI, { toFile } from "openai";

const required = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run ./test.sh`);
  return value;
};

const baseURL = required("WAULE_BASE_URL");
const apiKey = required("WAULE_KEY");
// Retries would hide the answers that these tests are about.
const clientWith = (key, more = {}) =>
  new OpenAI({ baseURL, apiKey: key, maxRetries: 0, timeout: 10_000, ...more });
const client = clientWith(apiKey);

const CHAT = "sandbox-chat";
const ask = (text, more = {}) =>
  client.chat.completions.create({
    model: CHAT,
    messages: [{ role: "user", content: text }],
    ...more,
  });

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

const textOf = (chunks) =>
  chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? "")).join("");

describe("models", () => {
  test("the models of the demo are listed and retrieved", async () => {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    for (const name of [CHAT, "sandbox-embedding", "sandbox-image"]) {
      assert.ok(names.includes(name), `${name} is missing in ${names}`);
    }
    assert.equal((await client.models.retrieve(CHAT)).id, CHAT);
  });

  test("the key may come in x-api-key", async () => {
    const other = clientWith("unused", {
      defaultHeaders: { Authorization: null, "X-API-Key": apiKey },
    });
    assert.equal((await other.models.retrieve(CHAT)).object, "model");
  });
});

describe("chat", () => {
  test("a chat is answered with text and usage", async () => {
    const answer = await ask("Say something. [tokens:12]");
    assert.equal(answer.choices.length, 1);
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.ok(answer.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.completion_tokens, 12);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 12);
  });

  test("a stream carries the same text, and no usage unless asked", async () => {
    const whole = await ask("Stream it. [tokens:15]");
    const chunks = await collect(await ask("Stream it. [tokens:15]", { stream: true }));
    assert.ok(chunks.length > 1);
    assert.ok(chunks.every((chunk) => chunk.choices.length > 0));
    assert.ok(chunks.every((chunk) => chunk.usage == null));
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.equal(textOf(chunks), whole.choices[0].message.content);
  });

  test("a stream ends with usage when asked", async () => {
    const chunks = await collect(
      await ask("Stream it. [tokens:15]", {
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).usage.completion_tokens, 15);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.choices.length > 0));
  });

  test("a stream can be left midway", async () => {
    const stream = await ask("Go on. [tokens:200][pace:20]", { stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 5) break;
    assert.equal(seen, 5);
    assert.ok(stream.controller.signal.aborted);
  });

  test("answers tell the limits and the request id", async () => {
    const { response } = await ask("Count me. [tokens:3]").withResponse();
    assert.ok(response.headers.get("x-request-id"));
    for (const what of ["requests", "tokens"]) {
      assert.ok(Number(response.headers.get(`x-ratelimit-limit-${what}`)) > 0);
      assert.notEqual(response.headers.get(`x-ratelimit-remaining-${what}`), null);
      assert.ok(response.headers.get(`x-ratelimit-reset-${what}`));
    }
  });
});

describe("embeddings", () => {
  const embed = (more) =>
    client.embeddings.create({ model: "sandbox-embedding", input: ["a cat", "a dog"], ...more });

  test("the client's default gives the same numbers as floats", async () => {
    // Left to itself the client asks for base64 and decodes it.
    const packed = await embed({});
    const plain = await embed({ encoding_format: "float" });
    assert.equal(plain.data.length, 2);
    assert.ok(plain.usage.prompt_tokens > 0);
    plain.data.forEach((item, index) => {
      assert.equal(item.index, index);
      assert.equal(packed.data[index].embedding.length, item.embedding.length);
      item.embedding.forEach((number, at) => {
        assert.ok(Math.abs(number - packed.data[index].embedding[at]) < 1e-6);
      });
    });
  });
});

describe("images", () => {
  test("an image is a real PNG of the size asked for", async () => {
    const answer = await client.images.generate({
      model: "sandbox-image",
      prompt: "a red boat",
      size: "256x256",
      response_format: "b64_json",
    });
    const png = Buffer.from(answer.data[0].b64_json, "base64");
    assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const pixels = [];
    for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
      const kind = png.toString("latin1", at + 4, at + 8);
      const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
      if (kind === "IHDR") {
        assert.deepEqual([body.readUInt32BE(0), body.readUInt32BE(4)], [256, 256]);
      }
      if (kind === "IDAT") pixels.push(body);
    }
    assert.ok(inflateSync(Buffer.concat(pixels)).length > 256);
  });

  const bytesOf = (image) => Buffer.from(image.b64_json, "base64");
  const sizeOf = (png) => [png.readUInt32BE(16), png.readUInt32BE(20)];
  const boat = async () => {
    const answer = await client.images.generate({
      model: "sandbox-image",
      prompt: "a red boat",
      size: "256x128",
    });
    return bytesOf(answer.data[0]);
  };

  test("an edit of an uploaded picture has its size", async () => {
    const png = await boat();
    const file = async (name) => toFile(png, name, { type: "image/png" });
    const answer = await client.images.edit({
      model: "sandbox-image",
      image: [await file("a.png"), await file("b.png")],
      mask: await file("mask.png"),
      prompt: "make the boat blue",
    });
    assert.deepEqual(sizeOf(bytesOf(answer.data[0])), [256, 128]);
    assert.equal(answer.usage.input_tokens_details.image_tokens, 512);
  });

  test("an edit streams its drafts before itself", async () => {
    const stream = await client.images.edit({
      model: "sandbox-image",
      image: await toFile(await boat(), "a.png", { type: "image/png" }),
      prompt: "make the boat blue",
      stream: true,
      partial_images: 1,
    });
    const kinds = (await collect(stream)).map((event) => event.type);
    assert.deepEqual(kinds, ["image_edit.partial_image", "image_edit.completed"]);
  });

  test("variations of an uploaded picture are several others", async () => {
    const png = await boat();
    const answer = await client.images.createVariation({
      model: "sandbox-image",
      image: await toFile(png, "a.png", { type: "image/png" }),
      n: 2,
    });
    const [one, two] = answer.data.map(bytesOf);
    assert.deepEqual(sizeOf(one), [256, 128]);
    assert.ok(!one.equals(two) && !one.equals(png));
  });
});

describe("errors", () => {
  const fails = async (call, kind, code) => {
    const error = await call.then(
      () => assert.fail("the call should have failed"),
      (reason) => reason,
    );
    assert.ok(error instanceof kind, `${error}`);
    if (code) assert.equal(error.code, code);
    return error;
  };

  test("a wrong key is an authentication error", async () => {
    const stranger = clientWith(`wk_live_${"a".repeat(32)}`);
    await fails(stranger.models.list(), OpenAI.AuthenticationError, "invalid_api_key");
  });

  test("an unknown model is not found", async () => {
    await fails(ask("hello", { model: "nobody" }), OpenAI.NotFoundError, "model_not_found");
    await fails(client.models.retrieve("nobody"), OpenAI.NotFoundError, "model_not_found");
  });

  test("a field of the wrong kind is a bad request", async () => {
    const error = await fails(ask("hello", { messages: "no list" }), OpenAI.BadRequestError);
    assert.equal(error.type, "invalid_request_error");
  });

  test("a failure of the provider is a server error", async () => {
    await fails(ask("[fail:500]"), OpenAI.InternalServerError);
  });
});
