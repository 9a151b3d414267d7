// What makes pages wide: names as long as they may be, in both scripts, amounts with all their
// digits, and a row of everything that lists can have. It comes after the furniture, so that
// pictures for readers are of ordinary things.

import { PASSWORD } from "./furnish.mjs";
import { until } from "./wait.mjs";

const LONG_TENANT = "北方联合远洋运输与港口物流信息技术股份有限公司 Northern United Ocean Shipping & Harbour Logistics Ltd.";
/** Sixty characters, as names of models come. */
const LONG_MODEL = "accounts/fireworks/models/deepseek-v3p2-instruct-128k-202611";
const LONG_PROVIDER = "openrouter-europe-west-zero-retention-02";
export const LONG_PERSON = "konstantina.papadopoulou-christodoulopoulou.external.consultants";

async function supply(product, provider) {
  const { admin } = product.api;
  await admin("POST", "/providers", { name: LONG_PROVIDER, kind: "openai", base_url: provider.url });
  const terms = {
    priority: 3,
    requests_per_minute: 12_000,
    tokens_per_minute: 30_000_000,
    calls_at_once: 250,
    requests_per_day: 1_000_000,
    tokens_per_day: 2_000_000_000,
    models: [LONG_MODEL, "gpt-5.1"],
    tags: ["europe-west", "zero-retention", "批发合同"],
  };
  for (const [label, more] of [["team Ostsee, invoices of the second quarter of 2026", { terms }], ["备用密钥（华东区域专线，夜间批处理）", {}]]) {
    const secret = `sk-long-${label.length}-x7QdaaK2mN`;
    await admin("POST", `/providers/${LONG_PROVIDER}/keys`, { secret, label, weight: 100, ...more });
  }
  await admin("POST", "/models", {
    id: LONG_MODEL,
    operation: "chat",
    max_output_tokens: 16_384,
    targets: [{ provider: LONG_PROVIDER, model: LONG_MODEL }],
    price: {
      input_per_million: "1234.567891",
      output_per_million: "9876.543219",
      cached_input_per_million: "0.000001",
      cost: { input_per_million: "1000.000001", output_per_million: "9000.123456" },
    },
  });
}

async function tenant(product) {
  const { admin } = product.api;
  const made = await admin("POST", "/tenants", { name: LONG_TENANT, username: "grace", password: PASSWORD });
  const { id } = made.tenant;
  await admin("PATCH", `/tenants/${id}`, { price_multiplier_ppm: 1_234_567 });
  await admin("POST", `/tenants/${id}/recharge`, { amount: "123456789.123456", note: "advance for the whole of 2027, invoice 2026-118-A-77, as agreed with 财务部" });
  await admin("POST", `/tenants/${id}/adjust`, { direction: "take", amount: "0.000001", reason: "a rounding that both sides have agreed on" });
  const person = await admin("POST", `/tenants/${id}/users`, { username: LONG_PERSON, password: PASSWORD, role: "admin" });
  await admin("PUT", `/tenants/${id}/users/${person.id}/budgets/month`, { limit: "98765432.123456" });
  await key(product, id, "夜间批处理：合同摘要、翻译与归档（请勿在其他系统中使用）");
  return { id, key: made.key };
}

async function key(product, tenant, name) {
  const { admin } = product.api;
  const made = await admin("POST", `/tenants/${tenant}/keys`, {
    name,
    kind: "live",
    expires_at: new Date(Date.now() + 200 * 86_400_000).toISOString(),
    allowed_models: [LONG_MODEL, "gpt-5.1", "deepseek-reasoner", "deepseek-v3.2"],
    limits: { requests_per_minute: 600, tokens_per_minute: 2_000_000 },
  });
  const id = made.key?.id ?? made.id;
  await admin("PUT", `/tenants/${tenant}/keys/${id}/budgets/month`, { limit: "1234567.891234" });
  return { id, secret: made.secret };
}

const shipped = "The harbour is calm tonight, and the tide alarm rings forty minutes before high water. ";

/** Burdens a furnished product; answers what places of the walk are named by. */
export async function burden(product, provider, tenants) {
  const { admin } = product.api;
  await supply(product, provider);
  const heavy = await tenant(product);
  const [first] = tenants;
  const own = await key(product, first.id, "quarterly reports of all regions, with translations into 简体中文");
  await admin("POST", `/tenants/${first.id}/users`, { username: LONG_PERSON, password: PASSWORD, role: "member" });
  for (const who of ["customer-7f3a9c1e-2b4d-4c8e-9a6f-0d1e2f3a4b5c@resellers.example", "用户-20261129-华东"]) {
    await admin("POST", `/tenants/${first.id}/end-users/suspended`, { end_user: who, reason: "asked for what no provider may make, three times within an hour", hours: 72 });
  }
  await admin("POST", "/superadmins", { username: LONG_PERSON, password: PASSWORD, role: "operator" });
  const wish = { model: LONG_MODEL, max_tokens: 8_000 };
  for (const secret of [heavy.key, heavy.key, first.keys[0]]) {
    await product.api.as(secret).chat(`${shipped.repeat(40)}[in:987654][out:7654]`, wish, { any: true });
  }
  const list = JSON.stringify({ "gpt-5.1": { input_cost_per_token: 0.00000125, output_cost_per_token: 0.00001, mode: "chat" }, [LONG_MODEL]: { input_cost_per_token: 0.1, output_cost_per_token: 0, mode: "chat" } });
  const currency = { code: "USD", credits: "7.123456", as_of: new Date().toISOString().slice(0, 10) };
  const review = await admin("POST", "/price-reviews", { file: list, file_name: "model_prices_and_context_window_backup_2026-11-29.json", currency });
  const people = (await admin("GET", `/tenants/${first.id}/users`)).data;
  const keys = (await admin("GET", "/providers/openai-us/keys")).data;
  const entries = (await admin("GET", "/audit")).data;
  const calls = await until("calls are listed", 10_000, async () => {
    const usage = await admin("GET", `/tenants/${first.id}/usage?limit=100`);
    return usage.records.data.length > 0 && usage.records.data;
  });
  return {
    tenant: first.id,
    long: heavy.id,
    model: "gpt-5.1",
    longModel: LONG_MODEL,
    longProvider: LONG_PROVIDER,
    review: review.id,
    member: people.find(({ username }) => username === LONG_PERSON).id,
    key: own.id,
    providerKey: keys[0].id,
    entry: entries[0].id,
    call: (calls.find(({ status, attempts }) => status === "succeeded" && attempts > 1) ?? calls[0]).id,
    failed: (calls.find(({ status }) => status === "failed") ?? calls[0]).id,
  };
}

