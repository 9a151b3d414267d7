-- From where somebody logged in over the API; unknown for logins before this.
ALTER TABLE sessions ADD COLUMN address TEXT;

-- The key that made a key: the one it made counts against its limits and budgets too.
ALTER TABLE api_keys ADD COLUMN parent_id TEXT COLLATE "C";

-- The secret of a gateway that an operator added, sealed, and what is shown of it. Without one it is
-- spoken to with the secret of the settings, as those added before this are.
ALTER TABLE gateways ADD COLUMN secret_sealed TEXT;
ALTER TABLE gateways ADD COLUMN secret_fingerprint TEXT;
