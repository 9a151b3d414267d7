-- Where gateways are may be named; what they tell is kept.

ALTER TABLE gateways ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN region TEXT NOT NULL DEFAULT '';

-- How far each journal was read.
CREATE TABLE gateway_journals (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    cursor BIGINT NOT NULL
);

CREATE TABLE gateway_events (
    journal TEXT COLLATE "C" NOT NULL REFERENCES gateway_journals (id),
    cursor BIGINT NOT NULL,
    at BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (journal, cursor)
);
CREATE INDEX gateway_events_at ON gateway_events (at);
