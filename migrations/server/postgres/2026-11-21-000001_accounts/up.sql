-- Tenants, people, keys, catalogue, usage, audit. Ids are text in byte order, money is micro-credits,
-- time is unix milliseconds, JSON is text: the same columns on both databases.

CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    price_multiplier_ppm BIGINT NOT NULL DEFAULT 1000000 CHECK (price_multiplier_ppm >= 0),
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    username TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'deleted')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, username)
);

CREATE TABLE superadmins (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at BIGINT NOT NULL
);

-- One login and the chain of refresh tokens that follows from it.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('tenant_user', 'superadmin')),
    tenant_id TEXT COLLATE "C",
    subject_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX sessions_subject ON sessions (subject_id);

CREATE TABLE refresh_tokens (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('live', 'test')),
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    last4 TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    allowed_models TEXT,
    allowed_addresses TEXT,
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE models (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL CHECK (operation IN ('chat', 'embedding', 'image')),
    targets TEXT NOT NULL,
    max_output_tokens BIGINT NOT NULL CHECK (max_output_tokens >= 0),
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE prices (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    model_id TEXT COLLATE "C" NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    valid_from BIGINT NOT NULL,
    items TEXT NOT NULL,
    cost TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (model_id, valid_from)
);

CREATE TABLE usage_records (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    key_id TEXT COLLATE "C",
    test BOOLEAN NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    price_id TEXT COLLATE "C",
    provider TEXT NOT NULL,
    provider_model TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL,
    media_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    estimated BOOLEAN NOT NULL,
    credits_micros BIGINT NOT NULL CHECK (credits_micros >= 0),
    cost_micros BIGINT NOT NULL CHECK (cost_micros >= 0),
    status TEXT NOT NULL,
    fault TEXT,
    attempts BIGINT NOT NULL,
    first_byte_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX usage_records_tenant ON usage_records (tenant_id, id);
CREATE INDEX usage_records_tenant_at ON usage_records (tenant_id, created_at);

CREATE TABLE gateways (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    priority BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE audit_entries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    address TEXT NOT NULL,
    tenant_id TEXT COLLATE "C",
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before_json TEXT,
    after_json TEXT
);
CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, id);

-- What replicas must forget from their caches. `revisions` is locked by each writer, so that the
-- versions in `changes` become visible in their order and a reader may ask for all above the last.
CREATE TABLE revisions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO revisions (name, version) VALUES ('changes', 0);

CREATE TABLE changes (
    version BIGINT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);
