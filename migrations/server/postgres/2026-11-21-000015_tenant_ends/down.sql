DROP INDEX tenants_delete_at;
ALTER TABLE tenants DROP COLUMN delete_at;
ALTER TABLE tenants DROP COLUMN allowed_models;
