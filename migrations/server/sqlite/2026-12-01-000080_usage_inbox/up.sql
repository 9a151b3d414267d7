-- Usage records as settlements write them, with their primary key alone. A task moves them to
-- `usage_records`, where lists, sums and exports look, in the order of their ids and in one
-- transaction with the sums.
CREATE TABLE usage_inbox (
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
    created_at BIGINT NOT NULL,
    tries TEXT,
    loss_micros BIGINT NOT NULL,
    loss TEXT,
    measures TEXT,
    -- By the database's clock, which also tells the delay.
    put_at BIGINT NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) WITHOUT ROWID;
