-- Lines of a ledger that people look for by their kind and that are few among those of calls: what was given,
-- lapsed, was corrected, not charged or charged late.
--
-- Expand: no row is changed, and a server of before that still runs sees none of it. While the index is built,
-- which reads the table once (about a second for three million lines), calls wait for it.
CREATE INDEX ledger_entries_rare ON ledger_entries (tenant_id, kind, number)
    WHERE kind NOT IN ('hold', 'extend', 'settle');

-- How far the check of each account has come: which version of it, its lines up to which number, and what those
-- add up to, column by column. Says what differs, and nothing where all agrees.
CREATE TABLE ledger_checked (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    number BIGINT NOT NULL,
    sums TEXT NOT NULL,
    difference TEXT NOT NULL,
    checked_at BIGINT NOT NULL
);

-- The last checks of all accounts, as JSON: of what changed, and of the whole once a night.
CREATE TABLE ledger_checks (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    checked_at BIGINT NOT NULL,
    outcome TEXT NOT NULL
);
