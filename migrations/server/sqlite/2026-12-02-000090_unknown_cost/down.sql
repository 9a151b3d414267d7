-- The code before reads a number, and takes what is not known for nothing.
UPDATE usage_records SET cost_micros = 0 WHERE cost_micros IS NULL;
UPDATE usage_inbox SET cost_micros = 0 WHERE cost_micros IS NULL;
ALTER TABLE usage_records ADD COLUMN plain_cost_micros BIGINT NOT NULL DEFAULT 0 CHECK (plain_cost_micros >= 0);
UPDATE usage_records SET plain_cost_micros = cost_micros;
ALTER TABLE usage_records DROP COLUMN cost_micros;
ALTER TABLE usage_records RENAME COLUMN plain_cost_micros TO cost_micros;
ALTER TABLE usage_inbox ADD COLUMN plain_cost_micros BIGINT NOT NULL DEFAULT 0 CHECK (plain_cost_micros >= 0);
UPDATE usage_inbox SET plain_cost_micros = cost_micros;
ALTER TABLE usage_inbox DROP COLUMN cost_micros;
ALTER TABLE usage_inbox RENAME COLUMN plain_cost_micros TO cost_micros;
ALTER TABLE rollups DROP COLUMN costed_calls;
ALTER TABLE rollups DROP COLUMN costed_credits_micros;
