-- The models a tenant may use, as JSON; all when absent.
ALTER TABLE tenants ADD COLUMN allowed_models TEXT;

-- When a tenant that was deleted goes away for good; until then it can be restored.
ALTER TABLE tenants ADD COLUMN delete_at BIGINT;
CREATE INDEX tenants_delete_at ON tenants (delete_at) WHERE delete_at IS NOT NULL;
