PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'kind = ''adjust'' OR kind = ''claim'')', 'kind = ''adjust'')')
    WHERE type = 'table' AND name = 'ledger_entries';
PRAGMA writable_schema = RESET;
DROP INDEX ledger_holds_unknown;
ALTER TABLE ledger_writers DROP COLUMN skew_ms;
ALTER TABLE usage_records DROP COLUMN loss;
ALTER TABLE usage_records DROP COLUMN loss_micros;
ALTER TABLE ledger_holds DROP COLUMN promised;
ALTER TABLE ledger_holds DROP COLUMN ask_until;
