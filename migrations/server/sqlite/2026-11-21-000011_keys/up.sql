-- What a key may do, and the secret it had before its last rotation, which works until its grace
-- ends. Keys that exist could call models and read usage, and still can.

ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'inference usage';
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT;
ALTER TABLE api_keys ADD COLUMN previous_last4 TEXT;
ALTER TABLE api_keys ADD COLUMN previous_until BIGINT;
CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;
