DROP INDEX superadmins_username_once;
ALTER TABLE superadmins DROP COLUMN username_folded;
DROP INDEX users_username_once;
ALTER TABLE users DROP COLUMN username_folded;
DROP INDEX tenants_name_compared;
DROP INDEX tenants_name_once;
ALTER TABLE tenants DROP COLUMN name_folded;
