-- Price lists that were uploaded and wait to be looked through: in the database, so that every replica has
-- them. They expire, and there is a bounded number of them.
CREATE TABLE price_reviews (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Who uploaded it, by name.
    author TEXT NOT NULL,
    file_name TEXT NOT NULL,
    -- SHA-256 of the file, in hexadecimal digits.
    file_hash TEXT NOT NULL,
    -- Terms, rows and problems, as JSON.
    body TEXT NOT NULL,
    -- When its prices were set, and which, as JSON; absent before.
    applied_at BIGINT,
    applied TEXT
);
-- Models whose price no import changes.
CREATE TABLE price_pins (
    model_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,
    pinned_at BIGINT NOT NULL,
    pinned_by TEXT NOT NULL
);
