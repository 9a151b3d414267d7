ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_kind_check
    CHECK (kind IN ('grant', 'hold', 'extend', 'settle', 'release', 'expire', 'adjust')) NOT VALID;
ALTER TABLE ledger_writers DROP COLUMN skew_ms;
ALTER TABLE usage_records DROP COLUMN loss;
ALTER TABLE usage_records DROP COLUMN loss_micros;
DROP INDEX ledger_holds_unknown;
ALTER TABLE ledger_holds DROP COLUMN promised;
ALTER TABLE ledger_holds DROP COLUMN ask_until;
