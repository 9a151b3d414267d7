-- What is said of where calls go, as JSON: of models (`model`), of tenants by operators (`tenant`) and by
-- their own people (`own`), of keys (`key`); and what providers do with data (`provider`).
-- `tenant_id` is empty where it is the platform's. Expand: a new table, which programs of before don't read.
CREATE TABLE route_rules (
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    rule TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX route_rules_by_tenant ON route_rules (tenant_id, kind, subject);
