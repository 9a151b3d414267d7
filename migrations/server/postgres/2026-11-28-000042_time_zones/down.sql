ALTER TABLE ledger_budgets DROP COLUMN period_end;
ALTER TABLE tenants DROP COLUMN time_zone;
