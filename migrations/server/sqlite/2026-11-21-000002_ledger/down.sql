DROP TABLE ledger_writers;
DROP TABLE ledger_budgets;
DROP TABLE ledger_adjustments;
DROP TABLE ledger_entries;
DROP TABLE ledger_allocations;
DROP TABLE ledger_holds;
DROP TABLE ledger_grants;
DROP TABLE ledger_accounts;
