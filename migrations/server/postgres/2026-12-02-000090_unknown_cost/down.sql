-- The code before reads a number, and takes what is not known for nothing.
UPDATE usage_records SET cost_micros = 0 WHERE cost_micros IS NULL;
UPDATE usage_inbox SET cost_micros = 0 WHERE cost_micros IS NULL;
ALTER TABLE usage_records ALTER COLUMN cost_micros SET NOT NULL;
ALTER TABLE usage_inbox ALTER COLUMN cost_micros SET NOT NULL;
ALTER TABLE rollups DROP COLUMN costed_calls;
ALTER TABLE rollups DROP COLUMN costed_credits_micros;
