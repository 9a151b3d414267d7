-- On what terms a key is used; what is absent limits nothing. Models and tags are JSON, headers are sealed
-- as the key is.
ALTER TABLE provider_keys ADD COLUMN priority BIGINT NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 100);
ALTER TABLE provider_keys ADD COLUMN requests_per_minute BIGINT CHECK (requests_per_minute > 0);
ALTER TABLE provider_keys ADD COLUMN tokens_per_minute BIGINT CHECK (tokens_per_minute > 0);
ALTER TABLE provider_keys ADD COLUMN calls_at_once BIGINT CHECK (calls_at_once > 0);
ALTER TABLE provider_keys ADD COLUMN requests_per_day BIGINT CHECK (requests_per_day > 0);
ALTER TABLE provider_keys ADD COLUMN models TEXT;
ALTER TABLE provider_keys ADD COLUMN base_url TEXT;
ALTER TABLE provider_keys ADD COLUMN headers BYTEA;
ALTER TABLE provider_keys ADD COLUMN tags TEXT;
