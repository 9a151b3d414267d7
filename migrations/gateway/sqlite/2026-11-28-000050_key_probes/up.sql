-- When a key that its provider refused is asked about again; absent where an operator switched it off.
ALTER TABLE provider_keys ADD COLUMN probe_at BIGINT;
