DROP TABLE ledger_entries;
DROP TABLE ledger_allocations;
DROP TABLE ledger_holds;
DROP TABLE ledger_grants;
DROP TABLE ledger_accounts;
DROP FUNCTION ledger_entries_refuse();
