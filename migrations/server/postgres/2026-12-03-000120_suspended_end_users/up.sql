-- End users of tenants that may make no calls, since a provider refuses them or an operator says so. One row
-- for each, also where it ended: `until` says when it does by itself, `lifted_at` that somebody ended it.
-- `word` is the tenant's own word for them, sealed for this row; NULL where the tenant named nobody, and
-- then `subject` is the user or the key of Waule that stands for them.
--
-- Expand: a new table, which servers of before don't read: they let these people call until they end.
CREATE TABLE suspended_end_users (
    identity TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    subject TEXT,
    word TEXT,
    why TEXT NOT NULL CHECK (why IN ('provider', 'flagged', 'operator')),
    provider TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    until BIGINT,
    lifted_at BIGINT
);
CREATE INDEX suspended_end_users_of ON suspended_end_users (tenant_id, created_at);
