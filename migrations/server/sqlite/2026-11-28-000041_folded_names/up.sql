-- Names as they are compared, without case. Absent until the server has written it, and for ever where
-- two names of earlier days are the same without case: those are found as they are written.
ALTER TABLE tenants ADD COLUMN name_folded TEXT;
CREATE UNIQUE INDEX tenants_name_once ON tenants (name_folded);
-- The list of tenants is looked through in this order.
CREATE INDEX tenants_name_compared ON tenants (coalesce(name_folded, lower(name)), id);
ALTER TABLE users ADD COLUMN username_folded TEXT;
CREATE UNIQUE INDEX users_username_once ON users (tenant_id, username_folded);
ALTER TABLE superadmins ADD COLUMN username_folded TEXT;
CREATE UNIQUE INDEX superadmins_username_once ON superadmins (username_folded);
