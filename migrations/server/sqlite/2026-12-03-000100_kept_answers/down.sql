DROP TABLE kept;
ALTER TABLE tenant_settings DROP COLUMN keep_days;
