// Every page of the product, and how a walk gets there. A test of the server holds this list against
// its router, and a test of the templates against the list of views: neither may know a page that is
// not here. Both read the lines below as text, so every line keeps the form of its neighbours.

/**
 * `route` and `view` name a page; `path` is where it is looked at, braces name what the furnished
 * product has. `who` looks: nobody, `ada` in the console or `grace` in the portal. `step` says that
 * a form leads there (`STEPS` in walk.mjs), and `elsewhere` which test looks at it instead.
 */
export const PLACES = [
  { view: "sign-in", route: "/admin/login", who: "nobody" },
  { view: "sign-in", route: "/portal/login", who: "nobody", name: "portal-sign-in" },

  { view: "dashboard", route: "/admin", path: "/admin?range=30d" },
  { view: "dashboard", route: "/admin", path: "/admin?range=24h", name: "dashboard-day" },
  { view: "search", route: "/admin/search", path: "/admin/search?q=no" },
  { view: "tenants", route: "/admin/tenants" },
  { view: "tenants", route: "/admin/tenants", path: "/admin/tenants?q=north&status=active", name: "tenants-filtered" },
  { view: "tenant-new", route: "/admin/tenants/new" },
  { view: "tenant", route: "/admin/tenants/:id", path: "/admin/tenants/{tenant}" },
  { view: "tenant", route: "/admin/tenants/:id", path: "/admin/tenants/{long}", name: "tenant-long" },
  { view: "tenant-members", route: "/admin/tenants/:id/members", path: "/admin/tenants/{long}/members" },
  { view: "tenant-keys", route: "/admin/tenants/:id/keys", path: "/admin/tenants/{long}/keys" },
  { view: "tenant-usage", route: "/admin/tenants/:id/usage", path: "/admin/tenants/{tenant}/usage?range=7d" },
  { view: "tenant-money", route: "/admin/tenants/:id/money", path: "/admin/tenants/{long}/money" },
  { view: "tenant-limits", route: "/admin/tenants/:id/limits", path: "/admin/tenants/{long}/limits" },
  { view: "models", route: "/admin/models" },
  { view: "model-new", route: "/admin/models/new" },
  { view: "model", route: "/admin/models/:id", path: "/admin/models/{model}?preview_input=1000&preview_output=500" },
  { view: "model", route: "/admin/models/:id", path: "/admin/models/{longModel}", name: "model-long" },
  { view: "route-check", route: "/admin/models/:id/route", path: "/admin/models/{model}/route" },
  { view: "price-imports", route: "/admin/price-imports" },
  { view: "price-review", route: "/admin/price-imports/:id", path: "/admin/price-imports/{review}" },
  { view: "providers", route: "/admin/providers" },
  { view: "provider-pick", route: "/admin/providers/new" },
  { view: "provider-pick", route: "/admin/providers/new", path: "/admin/providers/new?q=nothing-like-it", name: "provider-pick-none" },
  { view: "provider-new", route: "/admin/providers/new", path: "/admin/providers/new?vendor=custom" },
  { view: "provider-new", route: "/admin/providers/new", path: "/admin/providers/new?vendor=deepseek", name: "provider-new-known" },
  { view: "provider", route: "/admin/providers/:id", path: "/admin/providers/openai-us" },
  { view: "provider", route: "/admin/providers/:id", path: "/admin/providers/{longProvider}", name: "provider-long" },
  { view: "provider-key", route: "/admin/providers/:id/keys/:key/edit", path: "/admin/providers/openai-us/keys/{providerKey}/edit" },
  { view: "provider-models", route: "/admin/providers/:id/models", path: "/admin/providers/openai-us/models" },
  { view: "provider_data", route: "/admin/providers/:id/data", path: "/admin/providers/openai-us/data" },
  { view: "provider-import", route: "/admin/provider-import" },
  { view: "bulk-add", route: "/admin/providers/:id/keys/bulk", path: "/admin/providers/openai-us/keys/bulk" },
  { view: "balances", route: "/admin/balances" },
  { view: "gateways", route: "/admin/gateways" },
  { view: "usage", route: "/admin/usage" },
  { view: "usage", route: "/admin/usage", path: "/admin/usage?status=failed&model=nothing-like-it", name: "usage-none" },
  { view: "call", route: "/admin/usage/:id", path: "/admin/usage/{call}" },
  { view: "call", route: "/admin/usage/:id", path: "/admin/usage/{failed}", name: "call-failed" },
  { view: "superadmins", route: "/admin/superadmins" },
  { view: "end-users", route: "/admin/end-users" },
  { view: "audit", route: "/admin/audit" },
  { view: "audit-entry", route: "/admin/audit/:id", path: "/admin/audit/{entry}" },
  { view: "settings", route: "/admin/settings" },
  { view: "health", route: "/admin/health" },
  { view: "security", route: "/admin/security" },
  { view: "totp-setup", route: "/admin/security/totp" },
  { view: "confirm-password", route: "/admin/confirm" },
  { view: "error-inside", path: "/admin/nothing-here", status: 404 },

  { view: "overview", route: "/portal", who: "grace" },
  { view: "search", route: "/portal/search", path: "/portal/search?q=chen", who: "grace", name: "portal-search" },
  { view: "own-usage", route: "/portal/usage", path: "/portal/usage?range=30d", who: "grace" },
  { view: "own-call", route: "/portal/usage/:id", path: "/portal/usage/{call}", who: "grace" },
  { view: "ledger", route: "/portal/ledger", who: "grace" },
  { view: "studio-chat", route: "/portal/studio/chat", who: "grace" },
  { view: "studio-image", route: "/portal/studio/images", who: "grace" },
  { view: "history", route: "/portal/history", who: "grace" },
  { view: "members", route: "/portal/members", who: "grace" },
  { view: "member", route: "/portal/members/new", who: "grace" },
  { view: "member", route: "/portal/members/:id", path: "/portal/members/{member}", who: "grace", name: "member-change" },
  { view: "keys", route: "/portal/keys", who: "grace" },
  { view: "key", route: "/portal/keys/new", who: "grace" },
  { view: "key", route: "/portal/keys/:id", path: "/portal/keys/{key}", who: "grace", name: "key-change" },
  { view: "own-end-users", route: "/portal/end-users", who: "grace" },
  { view: "own-settings", route: "/portal/settings", who: "grace" },
  { view: "security", route: "/portal/security", who: "grace", name: "portal-security" },
  { view: "totp-setup", route: "/portal/security/totp", who: "grace", name: "portal-totp" },
  { view: "confirm-password", route: "/portal/confirm", who: "grace", name: "portal-confirm" },
  { view: "error-inside", path: "/portal/nothing-here", status: 404, who: "grace", name: "portal-error" },

  // Forms lead here.
  { view: "secret-once", step: "secret", who: "grace" },
  { view: "password-once", step: "password", who: "grace" },
  // A superadmin whose password somebody else chose sets a second factor up.
  { view: "first-start", route: "/admin/setup", step: "setup", who: "lena" },
  { view: "recovery-codes", step: "recovery", who: "lena" },
  { view: "second-factor", route: "/admin/login/second", step: "second", who: "lena" },
  { view: "second-factor", route: "/portal/login/second", elsewhere: "the console's is the same" },

  // Where one process is both halves, no gateway can be added.
  { view: "gateway-secret", elsewhere: "secret-once has the same parts" },
  { view: "error", path: "/nothing-here", elsewhere: "error-inside has the same parts" },
];

/** What is asked for as pages are, and is none. */
export const FILES = [
  { file: "/" },
  { file: "/admin/live" },
  { file: "/admin/audit.csv" },
  { file: "/admin/usage.csv" },
  { file: "/admin/models/:id/prices.csv" },
  { file: "/admin/models/:id/prices.json" },
  { file: "/admin/providers/export.json" },
  { file: "/admin/providers/:id/export.json" },
  { file: "/portal/ledger.csv" },
  { file: "/portal/usage.csv" },
];
