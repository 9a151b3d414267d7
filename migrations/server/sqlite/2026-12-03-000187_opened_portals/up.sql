-- Portals that superadmins opened as one of a tenant's people, to look. A table of its own: a server that
-- does not know it lets nobody in by it, and no list of a person's own sessions has them.
CREATE TABLE opened_portals (
    id TEXT NOT NULL PRIMARY KEY,
    -- Of the cookie.
    hash TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    superadmin_id TEXT NOT NULL,
    superadmin_name TEXT NOT NULL,
    -- The superadmin's own session; without it this one is over.
    session_id TEXT NOT NULL,
    csrf TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX opened_portals_sessions ON opened_portals (session_id);
