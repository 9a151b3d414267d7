-- What somebody should look at, found in the background: one row from its beginning to its end.
CREATE TABLE alerts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    -- What it is about: a kind of thing and its id, and how that was called when it was seen last.
    subject_kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    label TEXT NOT NULL,
    -- How a key's secret ends, to know its calls by; empty for others.
    last4 TEXT NOT NULL,
    severity TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- Since when it was looked for and not found. It ends when that lasts; until then it may come back.
    quiet_since BIGINT,
    ended_at BIGINT,
    -- Calls that failed on it since it was first seen, and whether there may be more.
    hit_calls BIGINT NOT NULL,
    hits_at_least BOOLEAN NOT NULL,
    muted_until BIGINT,
    muted_by TEXT
);
-- One at a time for each thing, whoever looks.
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject_kind, subject) WHERE ended_at IS NULL;
CREATE INDEX alerts_ended ON alerts (ended_at) WHERE ended_at IS NOT NULL;
-- How far usage records are counted as hit calls, and when somebody last looked.
CREATE TABLE alert_rounds (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL,
    looked_at BIGINT NOT NULL
);
-- What one process alone saw and every other should know.
CREATE TABLE alert_sightings (
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    first_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

-- Of calls that failed, those that failed for what their callers sent: no alert says of a model or a provider
-- what one tenant does wrong. Sums of which the records are still there are counted anew from these.
ALTER TABLE rollups ADD COLUMN caller_faults BIGINT NOT NULL DEFAULT 0;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT u.tenant_id, COALESCE(u.key_id, '') AS key_id, u.model, u.provider, u.operation, u.test,
        g.grain, u.created_at - u.created_at % g.ms AS starts_at, COUNT(*) AS calls
    FROM usage_records u CROSS JOIN (SELECT 'hour' AS grain, 3600000 AS ms UNION ALL SELECT 'day', 86400000) g
    WHERE u.number > 0 AND u.number <= (SELECT through FROM rollup_state WHERE name = 'usage')
        AND u.status = 'failed' AND u.fault IN ('bad_request', 'content_policy', 'end_user_blocked', 'canceled')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
) f WHERE rollups.dimension = 'call' AND rollups.tenant_id = f.tenant_id AND rollups.grain = f.grain
    AND rollups.starts_at = f.starts_at AND rollups.key_id = f.key_id AND rollups.model = f.model
    AND rollups.provider = f.provider AND rollups.operation = f.operation AND rollups.test = f.test;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT grain, starts_at, CAST(SUM(caller_faults) AS BIGINT) AS calls
    FROM rollups WHERE dimension = 'call' AND NOT test AND caller_faults > 0 GROUP BY grain, starts_at
) f WHERE rollups.dimension = 'all' AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT operation, grain, starts_at, CAST(SUM(caller_faults) AS BIGINT) AS calls
    FROM rollups WHERE dimension = 'call' AND NOT test AND caller_faults > 0 GROUP BY operation, grain, starts_at
) f WHERE rollups.dimension = 'operation' AND rollups.operation = f.operation AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT model, grain, starts_at, CAST(SUM(caller_faults) AS BIGINT) AS calls
    FROM rollups WHERE dimension = 'call' AND NOT test AND caller_faults > 0 GROUP BY model, grain, starts_at
) f WHERE rollups.dimension = 'model' AND rollups.model = f.model AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT provider, grain, starts_at, CAST(SUM(caller_faults) AS BIGINT) AS calls
    FROM rollups WHERE dimension = 'call' AND NOT test AND caller_faults > 0 GROUP BY provider, grain, starts_at
) f WHERE rollups.dimension = 'provider' AND rollups.provider = f.provider AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET caller_faults = f.calls FROM (
    SELECT tenant_id, grain, starts_at, CAST(SUM(caller_faults) AS BIGINT) AS calls
    FROM rollups WHERE dimension = 'call' AND NOT test AND caller_faults > 0 GROUP BY tenant_id, grain, starts_at
) f WHERE rollups.dimension = 'tenant' AND rollups.tenant_id = f.tenant_id AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
