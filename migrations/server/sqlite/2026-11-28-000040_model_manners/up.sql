-- Whether answers name the model as tenants do, and whether it takes calls that name none.
ALTER TABLE models ADD COLUMN answers_public_name BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE models ADD COLUMN is_default BOOLEAN NOT NULL DEFAULT FALSE;
