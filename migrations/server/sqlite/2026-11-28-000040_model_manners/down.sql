ALTER TABLE models DROP COLUMN is_default;
ALTER TABLE models DROP COLUMN answers_public_name;
