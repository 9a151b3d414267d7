-- For how many days what people do in the studio is kept; 0 keeps nothing, and where nothing is said the
-- product's own number counts.
ALTER TABLE tenant_settings ADD COLUMN studio_days BIGINT;
-- Ids are in byte order, as everywhere.
-- Conversations of people in the studio. What was said is sealed, bound to tenant and place; beside it stand
-- what lists, bounds and sweeps need.
CREATE TABLE studio_chats (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    model TEXT NOT NULL,
    -- The first words of the first message.
    title BYTEA NOT NULL,
    charged_micros BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX studio_chats_listed ON studio_chats (tenant_id, user_id, touched_at, id);
-- What is to go has 0 there, and nobody reads it any more.
CREATE INDEX studio_chats_ends ON studio_chats (tenant_id, touched_at, id);
-- A person's message. `follows` is the place of the turn before it, so that a message that was written
-- anew begins a branch and nothing is lost.
CREATE TABLE studio_turns (
    tenant_id TEXT COLLATE "C" NOT NULL,
    chat_id TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    follows BIGINT,
    -- Names the attempt, so that one that is sent twice is one.
    nonce TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, chat_id, place),
    FOREIGN KEY (tenant_id, chat_id) REFERENCES studio_chats (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX studio_turns_nonces ON studio_turns (tenant_id, chat_id, nonce);
CREATE INDEX studio_turns_weights ON studio_turns (tenant_id, bytes);
-- Answers to it, by several models where they were asked.
CREATE TABLE studio_answers (
    tenant_id TEXT COLLATE "C" NOT NULL,
    chat_id TEXT COLLATE "C" NOT NULL,
    turn BIGINT NOT NULL,
    place BIGINT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    -- The life of the process that works on it.
    boot TEXT,
    call_id TEXT,
    charged_micros BIGINT,
    created_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    sealed BYTEA,
    PRIMARY KEY (tenant_id, chat_id, turn, place),
    FOREIGN KEY (tenant_id, chat_id, turn) REFERENCES studio_turns (tenant_id, chat_id, place) ON DELETE CASCADE
);
CREATE INDEX studio_answers_weights ON studio_answers (tenant_id, bytes);
CREATE INDEX studio_answers_coming ON studio_answers (boot) WHERE status = 'coming';
-- Images that people made there; what was asked for is sealed.
CREATE TABLE studio_images (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    model TEXT NOT NULL,
    call_id TEXT NOT NULL,
    -- The content type; empty where no picture came.
    kind TEXT NOT NULL,
    charged_micros BIGINT,
    created_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX studio_images_listed ON studio_images (tenant_id, user_id, created_at, id);
CREATE INDEX studio_images_ends ON studio_images (tenant_id, created_at, id);
CREATE INDEX studio_images_weights ON studio_images (tenant_id, bytes);
-- The picture itself, sealed in parts: each is written in a transaction of its own, so that nobody waits for
-- megabytes.
CREATE TABLE studio_parts (
    tenant_id TEXT COLLATE "C" NOT NULL,
    image_id TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, image_id, place),
    FOREIGN KEY (tenant_id, image_id) REFERENCES studio_images (tenant_id, id) ON DELETE CASCADE
);
-- Which models a person used last.
CREATE TABLE studio_choices (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, operation)
);
-- People who were deleted, until nothing of theirs can come any more: the sweep looks here, not at everybody's.
CREATE TABLE studio_leavers (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    left_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
