-- Where alerts are sent to.
CREATE TABLE alert_channels (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('webhook', 'feishu', 'dingtalk', 'wecom')),
    enabled BOOLEAN NOT NULL,
    -- Nothing less urgent is sent.
    severity TEXT NOT NULL,
    -- Kinds of alerts as a JSON list; all of them when it is empty.
    kinds TEXT NOT NULL,
    lang TEXT NOT NULL,
    -- Hours between two reminders of what is critical; 0 for none.
    remind_hours BIGINT NOT NULL,
    -- What is shown of the address, and the address with its secret, sealed and in hex.
    shown TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Before that nothing is sent: what receives bounds how often.
    next_at BIGINT NOT NULL,
    -- Since when and why deliveries fail; when a message was last given up.
    failing_since BIGINT,
    failure TEXT,
    gave_up_at BIGINT
);
