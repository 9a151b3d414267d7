ALTER TABLE gateways DROP COLUMN secret_fingerprint;
ALTER TABLE gateways DROP COLUMN secret_sealed;
ALTER TABLE api_keys DROP COLUMN parent_id;
ALTER TABLE sessions DROP COLUMN address;
