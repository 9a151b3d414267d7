-- Logins of browsers, second factors, roles of superadmins, settings. Secrets of second factors are
-- sealed; cookies and recovery codes are kept as hashes.

ALTER TABLE superadmins ADD COLUMN role TEXT NOT NULL DEFAULT 'owner'
    CHECK (role IN ('owner', 'operator', 'finance', 'read_only'));
-- The password was made by somebody else, or by the first start, and must be replaced.
ALTER TABLE superadmins ADD COLUMN password_given BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE web_sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('superadmin', 'tenant_user')),
    -- What is still asked for after the right password; `open` when nothing is.
    stage TEXT NOT NULL CHECK (stage IN ('second_factor', 'new_password', 'factor_setup', 'open')),
    tenant_id TEXT COLLATE "C",
    subject_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    csrf TEXT NOT NULL,
    confirmed_at BIGINT
);
CREATE INDEX web_sessions_subject ON web_sessions (subject_id);
CREATE INDEX web_sessions_expires_at ON web_sessions (expires_at);

-- One for each person at most; not in force until `confirmed_at`.
CREATE TABLE second_factors (
    subject_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- The newest step of time whose code was used, so that a code works once.
    used_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX recovery_codes_subject ON recovery_codes (subject_id);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value_json TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Locked by each change of superadmins, so that two owners can't demote each other at once.
INSERT INTO revisions (name, version) VALUES ('superadmins', 0);
