-- How a provider differs from its kind, as JSON.
ALTER TABLE providers ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
