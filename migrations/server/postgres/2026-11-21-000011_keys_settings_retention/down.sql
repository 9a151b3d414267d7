ALTER TABLE rollup_state DROP COLUMN kept_from;
DROP TABLE tenant_settings;
DROP INDEX api_keys_previous;
ALTER TABLE api_keys DROP COLUMN previous_until;
ALTER TABLE api_keys DROP COLUMN previous_last4;
ALTER TABLE api_keys DROP COLUMN previous_hash;
ALTER TABLE api_keys DROP COLUMN scopes;
