DROP TABLE key_days;
ALTER TABLE provider_keys DROP COLUMN tokens_per_day;
