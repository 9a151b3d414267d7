ALTER TABLE providers DROP COLUMN options;
