-- Tenants, people, keys, catalogue, usage, audit. Ids are text in byte order, money is micro-credits,
-- time is unix milliseconds, JSON is text: the same columns on both databases.
-- An IN list in a CHECK would build a temporary table for each statement, so words are compared one by one.

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'suspended'),
    price_multiplier_ppm BIGINT NOT NULL DEFAULT 1000000 CHECK (price_multiplier_ppm >= 0),
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    username TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'owner' OR role = 'admin' OR role = 'member'),
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled' OR status = 'deleted'),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, username)
) WITHOUT ROWID;

CREATE TABLE superadmins (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- One login and the chain of refresh tokens that follows from it.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind = 'tenant_user' OR kind = 'superadmin'),
    tenant_id TEXT,
    subject_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
) WITHOUT ROWID;
CREATE INDEX sessions_subject ON sessions (subject_id);

CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'live' OR kind = 'test'),
    hash TEXT NOT NULL UNIQUE,
    last4 TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'revoked'),
    allowed_models TEXT,
    allowed_addresses TEXT,
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
) WITHOUT ROWID;
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE models (
    id TEXT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL CHECK (operation = 'chat' OR operation = 'embedding' OR operation = 'image'),
    targets TEXT NOT NULL,
    max_output_tokens BIGINT NOT NULL CHECK (max_output_tokens >= 0),
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    valid_from BIGINT NOT NULL,
    items TEXT NOT NULL,
    cost TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (model_id, valid_from)
) WITHOUT ROWID;

CREATE TABLE usage_records (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT,
    key_id TEXT,
    test BOOLEAN NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    price_id TEXT,
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
) WITHOUT ROWID;
CREATE INDEX usage_records_tenant ON usage_records (tenant_id, id);
CREATE INDEX usage_records_tenant_at ON usage_records (tenant_id, created_at);

CREATE TABLE gateways (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),
    priority BIGINT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit_entries (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    address TEXT NOT NULL,
    tenant_id TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before_json TEXT,
    after_json TEXT
) WITHOUT ROWID;
CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, id);

-- What replicas must forget from their caches. `revisions` is locked by each writer, so that the
-- versions in `changes` become visible in their order and a reader may ask for all above the last.
CREATE TABLE revisions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO revisions (name, version) VALUES ('changes', 0);

CREATE TABLE changes (
    version BIGINT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;
