-- A hold that was given back because nobody knew how its call ended. Until `ask_until` gateways are
-- asked all the same, and what they know then counts; `promised` says that the tenant was told that
-- nothing is charged, so that only the platform's loss is learned.
ALTER TABLE ledger_holds ADD COLUMN ask_until BIGINT;
ALTER TABLE ledger_holds ADD COLUMN promised BOOLEAN NOT NULL DEFAULT FALSE;

-- What a call came to and nobody pays, and why; a call that nobody knows the end of has the number 0
-- and counts in no sum until its end is known.
ALTER TABLE usage_records ADD COLUMN loss_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_records ADD COLUMN loss TEXT;

-- By how much a process's clock is ahead of the database's.
ALTER TABLE ledger_writers ADD COLUMN skew_ms BIGINT NOT NULL DEFAULT 0;

-- A further word for entries, without writing the table anew: SQLite's own way to change a CHECK
-- (lang_altertable, 8). The index behind it tells other connections that the schema changed.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'kind = ''adjust'')', 'kind = ''adjust'' OR kind = ''claim'')')
    WHERE type = 'table' AND name = 'ledger_entries';
PRAGMA writable_schema = RESET;
CREATE INDEX ledger_holds_unknown ON ledger_holds (ask_until) WHERE ask_until IS NOT NULL;
