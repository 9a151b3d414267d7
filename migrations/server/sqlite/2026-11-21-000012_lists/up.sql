-- Every settlement writes every index. A tenant's records are listed in order of time, for which
-- `usage_records_tenant_at` stands ready; nothing asks for a tenant's records in order of id any more.
DROP INDEX usage_records_tenant;
