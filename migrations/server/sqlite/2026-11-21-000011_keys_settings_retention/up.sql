-- What a key may do, and the secret it had before its last rotation, which works until its grace
-- ends. Keys that exist could call models and read usage, and still can.

ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'inference usage';
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT;
ALTER TABLE api_keys ADD COLUMN previous_last4 TEXT;
ALTER TABLE api_keys ADD COLUMN previous_until BIGINT;
CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;

-- What a tenant's own people set. No row means that nothing was ever set.
CREATE TABLE tenant_settings (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    alert_below_micros BIGINT CHECK (alert_below_micros > 0),
    require_second_factor BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Records of calls before this moment, the begin of a day in UTC, are or will be deleted. Sums of
-- what came before it can't be made anew and are left alone.
ALTER TABLE rollup_state ADD COLUMN kept_from BIGINT NOT NULL DEFAULT 0;
