-- Providers and their keys. A key is sealed with AES-256-GCM for its own row.

CREATE TABLE providers (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE provider_keys (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL REFERENCES providers (name),
    label TEXT NOT NULL,
    sealed BLOB NOT NULL,
    last4 TEXT NOT NULL,
    weight BIGINT NOT NULL CHECK (weight BETWEEN 1 AND 100),
    disabled BOOLEAN NOT NULL,
    reason TEXT,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX provider_keys_provider ON provider_keys (provider, id);

-- Moves on with every change, so that other gateways on this database read the list again.
CREATE TABLE revisions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO revisions (name, version) VALUES ('providers', 0);
