DROP TABLE gateway_events;
DROP TABLE gateway_journals;
ALTER TABLE gateways DROP COLUMN region;
ALTER TABLE gateways DROP COLUMN name;
