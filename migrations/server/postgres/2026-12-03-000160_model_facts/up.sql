-- What is told of models, when tenants were warned of a model's end, and what providers say they have.
--
-- Expand: a model of before has no facts, and a server of before that still runs neither reads nor writes
-- them. There is nothing to fill or to contract.
ALTER TABLE models ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';

-- A warning that a model ends, once for each tenant that used it, end and step.
CREATE TABLE model_notices (
    tenant_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    retires_at BIGINT NOT NULL,
    days BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, model, retires_at, days)
);

-- What the list of models of a provider had when it was last asked. A question that failed leaves the list.
CREATE TABLE provider_model_lists (
    gateway TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    listed_at BIGINT,
    failure TEXT,
    list TEXT NOT NULL,
    PRIMARY KEY (gateway, provider)
);

-- Work that one server does for all: whoever moves its moment on does it.
CREATE TABLE task_claims (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    claimed_at BIGINT NOT NULL
);
