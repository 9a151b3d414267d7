// A provider that speaks OpenAI's protocol, whose keys do what a journey tells them to.

import { createServer } from "node:http";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

const sleep = (ms) => ms && new Promise((resolve) => setTimeout(resolve, ms));
const number = (text, name, otherwise) => Number(new RegExp(`\\[${name}:(\\d+)\\]`).exec(text)?.[1] ?? otherwise);
const ANSWER = `**Tide alarm**: a small bell that knows the moon.

- It rings 40 minutes before high water, by tables for 1,200 harbours.
- It asks for no account and works without a network.
- One battery lasts two winters.

Set the harbour once with \`tide set kirkwall\`, and forget it.`.split(/(?<= )/);

/**
 * Starts one on this machine. `keys` holds what a key is answered with instead of success:
 * `{status, code, retryAfter}`. Texts may hold `[in:1200]`, `[cached:800]`, `[out:300]`: the tokens it says it used;
 * `[delay:300]`, `[pace:20]` in milliseconds; `[refuse]` is answered with an error.
 */
export async function startProvider() {
  const keys = new Map();
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const key = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const trouble = keys.get(key);
    const answer = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    if (trouble) {
      const { status, code, retryAfter } = trouble;
      const error = { message: `the key is answered with ${status}`, type: "test", code };
      return answer(status, { error }, retryAfter ? { "retry-after": String(retryAfter) } : {});
    }
    if (request.url.endsWith("/models")) return answer(200, { object: "list", data: [] });
    const wish = JSON.parse(Buffer.concat(parts).toString("utf8"));
    if (request.url.endsWith("/images/generations")) {
      return answer(200, { created: 0, data: [{ b64_json: PNG }] });
    }
    const text = JSON.stringify(wish.messages ?? wish.input);
    if (text.includes("[refuse]")) {
      return answer(400, { error: { message: "The prompt is against the rules.", type: "test", code: "content_policy_violation" } });
    }
    const [prompt, cached, output] = [number(text, "in", 120), number(text, "cached", 0), number(text, "out", 96)];
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      prompt_tokens_details: { cached_tokens: cached },
    };
    await sleep(number(text, "delay", 0));
    const id = "chatcmpl-test";
    if (!wish.stream) {
      const message = { role: "assistant", content: ANSWER.join("") };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return answer(200, { id, object: "chat.completion", created: 0, model: wish.model, choices, usage });
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = (choices, more = {}) => {
      const body = { id, object: "chat.completion.chunk", created: 0, model: wish.model, choices, ...more };
      response.write(`data: ${JSON.stringify(body)}\n\n`);
    };
    for (const content of ANSWER) {
      chunk([{ index: 0, delta: { content }, finish_reason: null }]);
      await sleep(number(text, "pace", 0));
    }
    chunk([{ index: 0, delta: {}, finish_reason: "stop" }]);
    chunk([], { usage });
    response.end("data: [DONE]\n\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    keys,
    stop: () => {
      server.closeAllConnections?.();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
