-- Sums of usage per hour and day, and the indexes that keep lists quick on large tables.

-- Records are added up in the order of `number`. It is given when a record is written, which is after
-- the call, so unlike an id it tells what is new; the writer is alone, so it counts on by itself. Old
-- records get theirs from the task that adds up, in small steps.
ALTER TABLE usage_records ADD COLUMN number BIGINT;
CREATE INDEX usage_records_number ON usage_records (number);
CREATE INDEX usage_records_unnumbered ON usage_records (id) WHERE number IS NULL;

-- What is known of the provider calls of a call, as JSON.
ALTER TABLE usage_records ADD COLUMN tries TEXT;

-- Lists are in order of time; each filter that people choose has its own way into it.
CREATE INDEX usage_records_at ON usage_records (created_at, id);
DROP INDEX usage_records_tenant_at;
CREATE INDEX usage_records_tenant_at ON usage_records (tenant_id, created_at, id);
CREATE INDEX usage_records_key ON usage_records (key_id, created_at, id) WHERE key_id IS NOT NULL;
CREATE INDEX usage_records_user ON usage_records (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX usage_records_model ON usage_records (model, created_at, id);
CREATE INDEX usage_records_provider ON usage_records (provider, created_at, id);
CREATE INDEX usage_records_unwell ON usage_records (created_at, id) WHERE status <> 'succeeded';

CREATE INDEX tenants_name_folded ON tenants (lower(name), id);
CREATE INDEX ledger_grants_tenant ON ledger_grants (tenant_id, id);
CREATE INDEX audit_entries_at ON audit_entries (at, id);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, at, id);
CREATE INDEX audit_entries_action ON audit_entries (action, at, id);
CREATE INDEX audit_entries_subject ON audit_entries (subject, at, id);

-- One row a dimension, its value and a span of time; columns that a dimension leaves open are empty.
-- `all`, `operation`, `model`, `provider` are the platform's; `tenant` a tenant's; `call` has every column.
-- Test calls stand in `call` only.
CREATE TABLE rollups (
    dimension TEXT NOT NULL CHECK (dimension IN ('all', 'operation', 'model', 'provider', 'tenant', 'call')),
    tenant_id TEXT NOT NULL,
    grain TEXT NOT NULL CHECK (grain IN ('hour', 'day')),
    starts_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    operation TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    canceled BIGINT NOT NULL,
    credits_micros BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL,
    media_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    first_byte_ms BIGINT NOT NULL,
    durations TEXT NOT NULL,
    first_bytes TEXT NOT NULL,
    PRIMARY KEY (dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, test)
);
CREATE INDEX rollups_tenants ON rollups (grain, starts_at, tenant_id) WHERE dimension = 'tenant';

-- How far records are added up; its lock makes one process do it at a time.
CREATE TABLE rollup_state (
    name TEXT NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO rollup_state (name, through, updated_at) VALUES ('usage', 0, 0);

-- The tenants that spent most in a span, found in the background: adding up every tenant takes longer
-- than a page may.
CREATE TABLE rollup_tops (
    span TEXT NOT NULL PRIMARY KEY,
    tenants TEXT NOT NULL,
    at BIGINT NOT NULL
);
