-- What somebody should look at, found in the background: one row from its beginning to its end.
CREATE TABLE alerts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    -- What it is about: a kind of thing and its id, and how that was called when it was seen last.
    subject_kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    label TEXT NOT NULL,
    -- How a key's secret ends, to know its calls by; empty for others.
    last4 TEXT NOT NULL,
    severity TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- Since when it was looked for and not found. It ends when that lasts; until then it may come back.
    quiet_since BIGINT,
    ended_at BIGINT,
    -- Calls that failed on it since it was first seen, and whether there may be more.
    hit_calls BIGINT NOT NULL,
    hits_at_least BOOLEAN NOT NULL,
    muted_until BIGINT,
    muted_by TEXT
);
-- One at a time for each thing, whoever looks.
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject_kind, subject) WHERE ended_at IS NULL;
CREATE INDEX alerts_ended ON alerts (ended_at) WHERE ended_at IS NOT NULL;
-- How far usage records are counted as hit calls, and when somebody last looked.
CREATE TABLE alert_rounds (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL,
    looked_at BIGINT NOT NULL
);
-- What one process alone saw and every other should know.
CREATE TABLE alert_sightings (
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
