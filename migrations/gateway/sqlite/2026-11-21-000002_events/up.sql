-- What happened, for servers that listen. The revision `events` is the last cursor: taking the next
-- one under that row's lock makes cursors visible in their order.

CREATE TABLE events (
    cursor BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- One row: cursors mean something within one journal only.
CREATE TABLE journals (
    id TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

INSERT INTO revisions (name, version) VALUES ('events', 0);
