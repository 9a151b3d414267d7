// A running Waule for one file of journeys: its process over fresh databases, and clients of its
// JSON API to prepare what a journey needs and to check what a page says.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { until } from "./wait.mjs";

export const ADMIN_PASSWORD = "quite-a-long-password";
/** The demo tenant's key where a product is started with a chosen password. */
export const DEMO_KEY = "wk_live_0123456789abcdefghijklmnopqrstuv";

const START_MS = 30_000;
const STOP_MS = 10_000;
const LOG_LINES = 40;

const required = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run ./test.sh`);
  return value;
};

/** "sqlite", or "postgres" for PostgreSQL and Redis. */
export const shape = process.env.WAULE_SHAPE ?? "sqlite";
assert.ok(["sqlite", "postgres"].includes(shape), `WAULE_SHAPE is ${shape}`);

const running = new Set();
// However the tests end, no product outlives them.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Two databases of their own on the PostgreSQL of the tests. */
function databases() {
  const url = new URL(required("TEST_DATABASE_URL"));
  const programs = required("TEST_POSTGRES_PROGRAMS");
  const host = ["-h", url.hostname, "-p", url.port || "5432", "-U", url.username];
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(url.password) };
  const program = (name, ...more) =>
    execFileSync(join(programs, name), [...host, ...more], { env, stdio: ["ignore", "ignore", "pipe"] });
  const stem = `browser_${randomBytes(6).toString("hex")}`;
  const names = [`${stem}_server`, `${stem}_gateway`];
  for (const name of names) program("createdb", name);
  const [server, gateway] = names.map((name) => Object.assign(new URL(url), { pathname: `/${name}` }).href);
  return {
    env: { DATABASE_URL: server, GATEWAY_DATABASE_URL: gateway, REDIS_URL: required("TEST_REDIS_URL") },
    drop: () => names.forEach((name) => program("dropdb", "--if-exists", "--force", name)),
  };
}

/** The settings of a product at a place. */
function environment(place) {
  const first = place.chosen ? { ADMIN_PASSWORD, DEMO_TENANT_KEY: DEMO_KEY } : {};
  return {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    PORT: "0",
    GATEWAY_PORT: "0",
    METRICS_PORT: "0",
    DATA_DIR: place.data,
    LOG_FORMAT: "json",
    SHUTDOWN_SECONDS: "2",
    ...place.stores.env,
    ...first,
  };
}

async function boot(place) {
  const child = spawn(required("WAULE_BINARY"), [], {
    cwd: place.folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(place),
  });
  running.add(child);
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  const log = [];
  const told = { greeting: "", address: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (told.greeting += text));
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(line);
    if (log.length > LOG_LINES) log.shift();
    const found = /the server listens on (127\.0\.0\.1:\d+)/.exec(line);
    if (found) told.address = found[1];
  });
  const origin = await until("the product listens", START_MS, async () => {
    const alive = child.exitCode === null && child.signalCode === null;
    assert.ok(alive, `the product ended while starting:\n${log.join("\n")}`);
    if (!told.address) return null;
    const answer = await fetch(`http://${told.address}/readyz`).catch(() => null);
    return answer?.ok ? `http://${told.address}` : null;
  });
  const end = async () => {
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    const status = await ended;
    clearTimeout(killer);
    running.delete(child);
    assert.equal(status, 0, `the product ended with ${status}:\n${log.join("\n")}`);
  };
  return { origin, told, log, end };
}

/**
 * Starts a product. With `chosen: false` it makes the superadmin's one-time password itself and
 * prints it, as at a newcomer's first start.
 */
export async function startProduct({ chosen = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "waule-browser-"));
  const stores = shape === "postgres" ? databases() : { env: {}, drop: () => {} };
  const place = { folder, data: join(folder, "data"), stores, chosen };
  let current = await boot(place);
  const product = {
    origin: current.origin,
    data: place.data,
    /** What the first start printed for the person at the terminal. */
    greeting: () => current.told.greeting,
    api: client(current.origin),
    /** Stops it, runs `between` while nobody has its databases open, and starts it again. */
    async restart(between) {
      await current.end();
      await between(environment(place));
      current = await boot(place);
      product.origin = current.origin;
      product.api = client(current.origin);
    },
    async stop() {
      try {
        await current.end();
      } finally {
        rmSync(folder, { recursive: true, force: true });
        stores.drop();
      }
    },
  };
  return product;
}

/** Asks the JSON API; an answer that is not 2xx is an error, unless `any` is set. */
function client(origin) {
  let admin;
  const ask = async (method, path, { token, body, any = false } = {}) => {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        // Each wish is one of its own; only movements of money look at it.
        ...(method !== "GET" && { "idempotency-key": randomUUID() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    let json = null;
    try {
      json = JSON.parse(text);
    } catch {
      // Streams and files are no JSON.
    }
    if (!any) assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
    return any ? { status: answer.status, json, text } : (json ?? text);
  };
  return {
    /** As a tenant's key. */
    as: (key) => ({
      get: (path, more) => ask("GET", path, { token: key, ...more }),
      post: (path, body, more) => ask("POST", path, { token: key, body, ...more }),
      chat: (content, more = {}, options = {}) => {
        const body = { model: "sandbox-chat", messages: [{ role: "user", content }], ...more };
        return ask("POST", "/api/v1/chat/completions", { token: key, body, ...options });
      },
    }),
    /** As the superadmin who was there first. */
    async admin(method, path, body, more = {}) {
      if (!admin) {
        const login = { username: "admin", password: ADMIN_PASSWORD };
        admin = (await ask("POST", "/admin/api/login", { body: login })).token;
      }
      return ask(method, `/admin/api${path}`, { token: admin, body, ...more });
    },
  };
}
