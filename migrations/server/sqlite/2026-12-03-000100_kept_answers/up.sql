-- For how many days a tenant's answers are kept; nothing is kept where it is absent.
ALTER TABLE tenant_settings ADD COLUMN keep_days BIGINT;
-- What is kept for tenants: responses, chat completions, conversations and, with their conversation as
-- parent, the items of these. What people and models said is in `sealed`, bound to tenant and id.
CREATE TABLE kept (
    tenant_id TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('response', 'completion', 'conversation', 'item')),
    place BIGINT NOT NULL,
    user_id TEXT,
    status TEXT NOT NULL,
    model TEXT NOT NULL,
    boot TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    sealed TEXT NOT NULL,
    PRIMARY KEY (tenant_id, parent, id)
);
CREATE INDEX kept_places ON kept (tenant_id, kind, parent, place, id);
CREATE INDEX kept_weights ON kept (tenant_id, bytes);
CREATE INDEX kept_ends ON kept (expires_at);
CREATE INDEX kept_running ON kept (tenant_id) WHERE status = 'in_progress';
