-- The zone in which a tenant's days begin, by its IANA name; the platform's where it is absent.
ALTER TABLE tenants ADD COLUMN time_zone TEXT;
-- When a budget's period ends. It is fixed when the period begins, so that a change of zone can't end
-- it early; absent in rows of earlier days, whose periods are those of UTC.
ALTER TABLE ledger_budgets ADD COLUMN period_end BIGINT;
