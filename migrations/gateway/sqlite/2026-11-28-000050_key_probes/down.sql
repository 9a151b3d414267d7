ALTER TABLE provider_keys DROP COLUMN probe_at;
