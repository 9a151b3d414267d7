DROP TABLE revisions;
DROP TABLE provider_keys;
DROP TABLE providers;
