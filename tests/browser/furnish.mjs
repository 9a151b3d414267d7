// A platform that has been in use for two months, for looking at its pages: tenants and their people,
// models at two providers, calls with their sums, a key that cools and one that was refused.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { shape } from "./product.mjs";
import { micros, until } from "./wait.mjs";

const run = promisify(execFile);
const HISTORY = fileURLToPath(new URL("history.py", import.meta.url));

export const PASSWORD = "a password of my own";
/** The tenant whose portal is looked at. */
export const TENANT = "Northwind 北风科技";

const MODELS = [
  { id: "gpt-5.1", provider: "openai-us", input: 90, output: 720, share: 30 },
  { id: "gpt-5-mini", provider: "openai-us", input: 18, output: 144, share: 18 },
  { id: "deepseek-v3.2", provider: "deepseek", input: 20, output: 120, share: 34 },
  { id: "deepseek-reasoner", provider: "deepseek", input: 40, output: 320, share: 12 },
];
const TENANTS = [
  { name: TENANT, credits: "1200", share: 34 },
  { name: "海豚在线教育", credits: "800", share: 22, multiplier: "0.95" },
  { name: "Lantern Studio", credits: "640", share: 14, multiplier: "1.1" },
  { name: "Kestrel Robotics", credits: "500", share: 11 },
  { name: "青木设计", credits: "260", share: 8 },
  { name: "Blue Harbour Freight", credits: "420", share: 7, multiplier: "1.25" },
  { name: "云梦互娱", credits: "9", share: 4 },
];
const PEOPLE = [
  { username: "mia.chen", role: "member" },
  { username: "tom.weber", role: "member" },
  { username: "chen.yu", role: "admin" },
];

/** Numbers that look like chance and are the same each time (mulberry32). */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of several, each by its share. */
function pick(random, choices) {
  let left = random() * choices.reduce((sum, { share }) => sum + share, 0);
  return choices.find(({ share }) => (left -= share) < 0) ?? choices[0];
}

/** Does all, a few at once. */
async function each(items, atOnce, work) {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

async function supply(product, provider) {
  const { admin } = product.api;
  for (const name of ["openai-us", "deepseek"]) {
    await admin("POST", "/providers", { name, kind: "openai", base_url: provider.url });
    for (const label of ["team-a", "team-b", "reserve"]) {
      const secret = `sk-${name}-${label}-${label.length}${name.length}x7Qd`;
      await admin("POST", `/providers/${name}/keys`, { secret: `${secret}${label.slice(-1)}`, label, weight: label === "reserve" ? 1 : 3 });
    }
  }
  for (const { id, provider: name, input, output } of MODELS) {
    const part = (share) => ({ input_per_million: String(input * share), output_per_million: String(output * share) });
    await admin("POST", "/models", {
      id,
      operation: "chat",
      max_output_tokens: 16_384,
      targets: [{ provider: name, model: id }],
      price: { ...part(1), cost: part(0.64) },
    });
  }
}

async function people(product) {
  const { admin } = product.api;
  const tenants = [];
  for (const { name, credits, share, multiplier } of TENANTS) {
    const made = await admin("POST", "/tenants", { name, username: "grace", password: PASSWORD });
    const { id } = made.tenant;
    await admin("POST", `/tenants/${id}/recharge`, { amount: credits, note: "annual plan" });
    if (multiplier) {
      const price_multiplier_ppm = Math.round(Number(multiplier) * 1_000_000);
      await admin("PATCH", `/tenants/${id}`, { price_multiplier_ppm });
    }
    tenants.push({ id, name, share, keys: [made.key] });
  }
  const [first] = tenants;
  for (const person of PEOPLE) await admin("POST", `/tenants/${first.id}/users`, { ...person, password: PASSWORD });
  for (const name of ["website", "nightly batch"]) {
    const made = await admin("POST", `/tenants/${first.id}/keys`, { name });
    first.keys.push(made.secret ?? made.key);
  }
  const tomorrow = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  await admin("POST", `/tenants/${first.id}/recharge`, { amount: "150", note: "spring promotion", expires_at: tomorrow });
  return tenants;
}

function wish(random) {
  const output = Math.round(200 + random() * 1_800);
  const input = Math.round(400 + random() * 2_600);
  const refused = random() < 0.03 ? "[refuse]" : "";
  const text = `Write a note about our tide alarm. [in:${input}][cached:${Math.round(input * random() * 0.6)}][out:${output}]${refused}`;
  return text + " The harbour is calm tonight.".repeat(Math.ceil(input / 6));
}

/** Fills a fresh product; answers what the pages are looked at with. */
export async function furnish(product, provider, calls) {
  const random = chance(7);
  await supply(product, provider);
  const tenants = await people(product);
  const wishes = Array.from({ length: calls }, () => ({
    tenant: pick(random, tenants),
    model: pick(random, MODELS).id,
    key: random(),
    stream: random() < 0.6,
    text: wish(random),
  }));
  await each(wishes, 6, async ({ tenant, model, key, stream, text }) => {
    const api = product.api.as(tenant.keys[Math.floor(key * tenant.keys.length)]);
    await api.chat(text, { model, stream, max_tokens: 2_000 }, { any: true });
  });
  if (shape === "sqlite") {
    await product.restart(async (env) => {
      await run("python3", [HISTORY, `${product.data}/server.db`]);
      await run(process.env.WAULE_BINARY, ["rollup", "rebuild"], { env });
    });
  }
  await trouble(product, provider, tenants);
  const { admin } = product.api;
  const suspended = tenants.find(({ name }) => name === "青木设计");
  await admin("PATCH", `/tenants/${suspended.id}`, { status: "suspended" });
  const api = product.api.as(tenants[0].keys[0]);
  await until("the last calls are settled", 10_000, async () => micros((await api.get("/api/v1/credits/balance")).held) === 0n);
  return { tenants };
}

/** One key is told to slow down, another is refused; the calls that met them went on elsewhere. */
async function trouble(product, provider, tenants) {
  const { admin } = product.api;
  const api = product.api.as(tenants[0].keys[0]);
  const meet = async (name, model, answer) => {
    const secret = `sk-${name}-team-a-6${name.length}x7Qda`;
    provider.keys.set(secret, answer);
    await until(`a call meets the key of ${name}`, 20_000, async () => {
      await api.chat("How far does the bell carry? [in:180][out:300][delay:160][pace:4]", { model, stream: true }, { any: true });
      const keys = (await admin("GET", `/providers/${name}/keys`)).data;
      return keys.some((key) => key.status !== "active");
    });
  };
  await meet("openai-us", "gpt-5.1", { status: 429, code: "rate_limit_exceeded", retryAfter: 1_500 });
  await meet("deepseek", "deepseek-v3.2", { status: 401, code: "invalid_api_key" });
}
