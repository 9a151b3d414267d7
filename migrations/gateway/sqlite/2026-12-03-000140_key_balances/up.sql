-- What vendors said is left on the accounts of keys. Amounts are millionths of the vendor's currency; an
-- amount that nobody told is absent. Of several gateways the one that moves `next_at` on asks.
CREATE TABLE key_balances (
    key_id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    amount BIGINT,
    currency TEXT,
    read_at BIGINT,
    asked_at BIGINT,
    next_at BIGINT NOT NULL,
    problem TEXT,
    failures BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'unknown'
) WITHOUT ROWID;

-- One an hour for some days, to reckon how fast a balance falls.
CREATE TABLE balance_samples (
    key_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (key_id, at)
) WITHOUT ROWID;

-- What an operator wants done about the balances of a provider's keys, as JSON.
CREATE TABLE balance_terms (
    provider TEXT NOT NULL PRIMARY KEY,
    terms TEXT NOT NULL
) WITHOUT ROWID;
