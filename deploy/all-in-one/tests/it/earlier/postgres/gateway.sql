CREATE TABLE __diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE events (
    cursor bigint NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL
);
CREATE TABLE journals (
    id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE provider_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    label text NOT NULL,
    sealed bytea NOT NULL,
    last4 text NOT NULL,
    weight bigint NOT NULL,
    disabled boolean NOT NULL,
    reason text,
    created_at bigint NOT NULL,
    CONSTRAINT provider_keys_weight_check CHECK (((weight >= 1) AND (weight <= 100)))
);
CREATE TABLE providers (
    name text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    base_url text NOT NULL,
    enabled boolean NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE revisions (
    name text NOT NULL,
    version bigint NOT NULL
);
INSERT INTO __diesel_schema_migrations VALUES ('20261121000001', '2026-11-28 09:19:59.32391');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000002', '2026-11-28 09:19:59.431883');
INSERT INTO events VALUES (1, 1795857600476, 'gateway_started', '{"version":"0.1.0"}');
INSERT INTO journals VALUES ('jrn_0mx078wcdhtlcueub87qfj6i92v');
INSERT INTO provider_keys VALUES ('pkey_0mx078wss0i3g1w0y1hboeq73hy', 'sandbox', 'made at start', '\xd8ba72ca7686d1f23d17bba007f93f361e2c9f4e5ce74bcce7d4c9f792aa12708bc1babbbee15e8bf6ec83cc4983c6c9f0a3f042', '-key', 1, false, NULL, 1795857600268);
INSERT INTO provider_keys VALUES ('pkey_0mx0795fcwflowaunyquf0w1i4s', 'far', '', '\xd8ba72cad5c194446ba5b69d9610af7ae1d8a827c3fa58ec234b5879691e2bb028a444cb21b9a38dd4d24e98f84c29a449', '6789', 1, false, NULL, 1795857611448);
INSERT INTO providers VALUES ('sandbox', 'sandbox', '', true, 1795857599884);
INSERT INTO providers VALUES ('far', 'openai', 'http://127.0.0.1:25999/v1', true, 1795857610780);
INSERT INTO revisions VALUES ('events', 1);
INSERT INTO revisions VALUES ('providers', 4);
ALTER TABLE ONLY __diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY events
    ADD CONSTRAINT events_pkey PRIMARY KEY (cursor);
ALTER TABLE ONLY journals
    ADD CONSTRAINT journals_pkey PRIMARY KEY (id);
ALTER TABLE ONLY provider_keys
    ADD CONSTRAINT provider_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY providers
    ADD CONSTRAINT providers_pkey PRIMARY KEY (name);
ALTER TABLE ONLY revisions
    ADD CONSTRAINT revisions_pkey PRIMARY KEY (name);
CREATE INDEX provider_keys_provider ON provider_keys USING btree (provider, id);
ALTER TABLE ONLY provider_keys
    ADD CONSTRAINT provider_keys_provider_fkey FOREIGN KEY (provider) REFERENCES providers(name);
