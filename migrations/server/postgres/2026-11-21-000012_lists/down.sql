CREATE INDEX usage_records_tenant ON usage_records (tenant_id, id);
