-- What a key used of a day in UTC (days since 1970), added up by all gateways of this database, so that the
-- limits of a day hold over a restart. A row of an earlier day counts for nothing.
ALTER TABLE provider_keys ADD COLUMN tokens_per_day BIGINT CHECK (tokens_per_day > 0);

CREATE TABLE key_days (
    key_id TEXT NOT NULL PRIMARY KEY,
    day BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    tokens BIGINT NOT NULL
) WITHOUT ROWID;
