-- The ledger. A hold moves amounts out of named grants, so `remaining_micros` is what is available.
-- An entry is a group of account changes in one row; the CHECK makes every group sum to zero.
-- An IN list in a CHECK would build a temporary table for each statement, so words are compared one by one.

CREATE TABLE ledger_accounts (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    grants_micros BIGINT NOT NULL CHECK (grants_micros >= 0),
    held_micros BIGINT NOT NULL CHECK (held_micros >= 0),
    revenue_micros BIGINT NOT NULL CHECK (revenue_micros >= 0),
    breakage_micros BIGINT NOT NULL CHECK (breakage_micros >= 0),
    refund_micros BIGINT NOT NULL CHECK (refund_micros >= 0),
    debt_micros BIGINT NOT NULL CHECK (debt_micros <= 0),
    loss_micros BIGINT NOT NULL CHECK (loss_micros <= 0),
    issuance_micros BIGINT NOT NULL CHECK (issuance_micros <= 0),
    CHECK (grants_micros + held_micros + revenue_micros + breakage_micros + refund_micros
        + debt_micros + loss_micros + issuance_micros = 0)
) WITHOUT ROWID;

CREATE TABLE ledger_grants (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES ledger_accounts (tenant_id),
    kind TEXT NOT NULL CHECK (kind = 'purchase' OR kind = 'subscription' OR kind = 'gift' OR kind = 'redeem_code' OR kind = 'manual' OR kind = 'refund'),
    source_key TEXT NOT NULL,
    granted_micros BIGINT NOT NULL CHECK (granted_micros > 0),
    remaining_micros BIGINT NOT NULL CHECK (remaining_micros >= 0 AND remaining_micros <= granted_micros),
    expires_at BIGINT,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (tenant_id, source_key)
) WITHOUT ROWID;
CREATE INDEX ledger_grants_open ON ledger_grants (tenant_id) WHERE remaining_micros > 0;
CREATE INDEX ledger_grants_expiring ON ledger_grants (expires_at) WHERE remaining_micros > 0 AND expires_at IS NOT NULL;

-- Nearly every hold is paid by one grant; it stands in the hold's own row, others in ledger_allocations.
CREATE TABLE ledger_holds (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'held' OR state = 'settled' OR state = 'released' OR state = 'refused'),
    requested_micros BIGINT NOT NULL CHECK (requested_micros >= 0),
    least_micros BIGINT NOT NULL CHECK (least_micros >= 0 AND least_micros <= requested_micros),
    held_micros BIGINT NOT NULL CHECK (held_micros >= 0),
    settled_micros BIGINT NOT NULL CHECK (settled_micros >= 0),
    shortfall_micros BIGINT NOT NULL CHECK (shortfall_micros >= 0),
    grant_id TEXT,
    grant_micros BIGINT NOT NULL CHECK (grant_micros >= 0),
    budgets TEXT NOT NULL,
    refusal TEXT NOT NULL,
    owner TEXT NOT NULL,
    call TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    closed_at BIGINT
) WITHOUT ROWID;
CREATE INDEX ledger_holds_open ON ledger_holds (deadline_at) WHERE state = 'held';

-- The second and further parts of a hold, from position 1.
CREATE TABLE ledger_allocations (
    hold_id TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    grant_id TEXT NOT NULL,
    amount_micros BIGINT NOT NULL CHECK (amount_micros > 0),
    PRIMARY KEY (hold_id, position)
) WITHOUT ROWID;

CREATE TABLE ledger_entries (
    tenant_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'grant' OR kind = 'hold' OR kind = 'extend' OR kind = 'settle' OR kind = 'release' OR kind = 'expire' OR kind = 'adjust'),
    reference TEXT NOT NULL,
    grants_delta BIGINT NOT NULL,
    held_delta BIGINT NOT NULL,
    revenue_delta BIGINT NOT NULL,
    breakage_delta BIGINT NOT NULL,
    refund_delta BIGINT NOT NULL,
    debt_delta BIGINT NOT NULL,
    loss_delta BIGINT NOT NULL,
    issuance_delta BIGINT NOT NULL,
    grants_after BIGINT NOT NULL,
    held_after BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, number),
    CHECK (grants_delta + held_delta + revenue_delta + breakage_delta + refund_delta
        + debt_delta + loss_delta + issuance_delta = 0)
) WITHOUT ROWID;

CREATE TABLE ledger_adjustments (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES ledger_accounts (tenant_id),
    source_key TEXT NOT NULL,
    amount_micros BIGINT NOT NULL CHECK (amount_micros <> 0),
    into_debt BOOLEAN NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (tenant_id, source_key)
) WITHOUT ROWID;

-- What a key or a user may spend in a period; checked with the balance, under the account's lock.
CREATE TABLE ledger_budgets (
    spender TEXT NOT NULL,
    period TEXT NOT NULL CHECK (period = 'day' OR period = 'month' OR period = 'total'),
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    limit_micros BIGINT NOT NULL CHECK (limit_micros >= 0),
    spent_micros BIGINT NOT NULL CHECK (spent_micros >= 0),
    held_micros BIGINT NOT NULL CHECK (held_micros >= 0),
    period_start BIGINT NOT NULL,
    PRIMARY KEY (spender, period)
) WITHOUT ROWID;

-- The lives of processes that write: their sign of life, and their last batch.
CREATE TABLE ledger_writers (
    boot TEXT NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_adjustments_no_update BEFORE UPDATE ON ledger_adjustments
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_adjustments_no_delete BEFORE DELETE ON ledger_adjustments
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
