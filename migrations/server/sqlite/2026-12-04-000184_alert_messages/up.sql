-- What channels are to be told and were told: written with the change of the alerts, sent afterwards.
CREATE TABLE alert_messages (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES alert_channels (id) ON DELETE CASCADE,
    -- What happened, as JSON; it becomes words when it is sent.
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'gave_up')),
    attempts BIGINT NOT NULL,
    -- Of these, those to which the receiver said for good that it does not take it.
    refusals BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it may be tried; in the future while somebody tries it.
    due_at BIGINT NOT NULL,
    done_at BIGINT,
    -- What came of the last attempt.
    http_status BIGINT,
    answer TEXT
);
-- What waits, by channel. No partial index: states come as parameters, and then none is used.
CREATE INDEX alert_messages_waiting ON alert_messages (state, channel_id, created_at, id);
-- The last ones of a channel, for the page; and what is old.
CREATE INDEX alert_messages_channel ON alert_messages (channel_id, created_at, id);
CREATE INDEX alert_messages_at ON alert_messages (created_at);
