DROP TABLE ledger_checks;
DROP TABLE ledger_checked;
DROP INDEX ledger_entries_rare;
