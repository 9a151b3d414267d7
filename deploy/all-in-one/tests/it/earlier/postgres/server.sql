CREATE FUNCTION ledger_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END $$;
CREATE TABLE __diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE api_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    kind text NOT NULL,
    hash text NOT NULL COLLATE pg_catalog."C",
    last4 text NOT NULL,
    status text NOT NULL,
    allowed_models text,
    allowed_addresses text,
    requests_per_minute bigint,
    tokens_per_minute bigint,
    concurrency bigint,
    expires_at bigint,
    created_at bigint NOT NULL,
    revoked_at bigint,
    scopes text DEFAULT 'inference usage'::text NOT NULL,
    previous_hash text COLLATE pg_catalog."C",
    previous_last4 text,
    previous_until bigint,
    CONSTRAINT api_keys_kind_check CHECK ((kind = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT api_keys_status_check CHECK ((status = ANY (ARRAY['active'::text, 'revoked'::text])))
);
CREATE TABLE audit_entries (
    id text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    address text NOT NULL,
    tenant_id text COLLATE pg_catalog."C",
    action text NOT NULL,
    subject text NOT NULL,
    before_json text,
    after_json text
);
CREATE TABLE changes (
    version bigint NOT NULL,
    subject text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE gateway_events (
    journal text NOT NULL COLLATE pg_catalog."C",
    cursor bigint NOT NULL,
    at bigint NOT NULL,
    gateway text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL
);
CREATE TABLE gateway_journals (
    id text NOT NULL COLLATE pg_catalog."C",
    cursor bigint NOT NULL
);
CREATE TABLE gateways (
    id text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL,
    status text NOT NULL,
    priority bigint NOT NULL,
    created_at bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    CONSTRAINT gateways_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);
CREATE TABLE ledger_accounts (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    entries bigint NOT NULL,
    grants_micros bigint NOT NULL,
    held_micros bigint NOT NULL,
    revenue_micros bigint NOT NULL,
    breakage_micros bigint NOT NULL,
    refund_micros bigint NOT NULL,
    debt_micros bigint NOT NULL,
    loss_micros bigint NOT NULL,
    issuance_micros bigint NOT NULL,
    CONSTRAINT ledger_accounts_breakage_micros_check CHECK ((breakage_micros >= 0)),
    CONSTRAINT ledger_accounts_check CHECK (((((((((grants_micros + held_micros) + revenue_micros) + breakage_micros) + refund_micros) + debt_micros) + loss_micros) + issuance_micros) = 0)),
    CONSTRAINT ledger_accounts_debt_micros_check CHECK ((debt_micros <= 0)),
    CONSTRAINT ledger_accounts_grants_micros_check CHECK ((grants_micros >= 0)),
    CONSTRAINT ledger_accounts_held_micros_check CHECK ((held_micros >= 0)),
    CONSTRAINT ledger_accounts_issuance_micros_check CHECK ((issuance_micros <= 0)),
    CONSTRAINT ledger_accounts_loss_micros_check CHECK ((loss_micros <= 0)),
    CONSTRAINT ledger_accounts_refund_micros_check CHECK ((refund_micros >= 0)),
    CONSTRAINT ledger_accounts_revenue_micros_check CHECK ((revenue_micros >= 0))
);
CREATE TABLE ledger_adjustments (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    source_key text NOT NULL,
    amount_micros bigint NOT NULL,
    into_debt boolean NOT NULL,
    operator text NOT NULL,
    reason text NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT ledger_adjustments_amount_micros_check CHECK ((amount_micros <> 0))
);
CREATE TABLE ledger_allocations (
    hold_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    grant_id text NOT NULL COLLATE pg_catalog."C",
    amount_micros bigint NOT NULL,
    CONSTRAINT ledger_allocations_amount_micros_check CHECK ((amount_micros > 0)),
    CONSTRAINT ledger_allocations_position_check CHECK (("position" > 0))
);
CREATE TABLE ledger_budgets (
    spender text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL,
    limit_micros bigint NOT NULL,
    spent_micros bigint NOT NULL,
    held_micros bigint NOT NULL,
    period_start bigint NOT NULL,
    CONSTRAINT ledger_budgets_held_micros_check CHECK ((held_micros >= 0)),
    CONSTRAINT ledger_budgets_limit_micros_check CHECK ((limit_micros >= 0)),
    CONSTRAINT ledger_budgets_period_check CHECK ((period = ANY (ARRAY['day'::text, 'month'::text, 'total'::text]))),
    CONSTRAINT ledger_budgets_spent_micros_check CHECK ((spent_micros >= 0))
);
CREATE TABLE ledger_entries (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    grants_delta bigint NOT NULL,
    held_delta bigint NOT NULL,
    revenue_delta bigint NOT NULL,
    breakage_delta bigint NOT NULL,
    refund_delta bigint NOT NULL,
    debt_delta bigint NOT NULL,
    loss_delta bigint NOT NULL,
    issuance_delta bigint NOT NULL,
    grants_after bigint NOT NULL,
    held_after bigint NOT NULL,
    at bigint NOT NULL,
    CONSTRAINT ledger_entries_check CHECK (((((((((grants_delta + held_delta) + revenue_delta) + breakage_delta) + refund_delta) + debt_delta) + loss_delta) + issuance_delta) = 0)),
    CONSTRAINT ledger_entries_kind_check CHECK ((kind = ANY (ARRAY['grant'::text, 'hold'::text, 'extend'::text, 'settle'::text, 'release'::text, 'expire'::text, 'adjust'::text])))
);
CREATE TABLE ledger_grants (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    source_key text NOT NULL,
    granted_micros bigint NOT NULL,
    remaining_micros bigint NOT NULL,
    expires_at bigint,
    note text NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT ledger_grants_check CHECK (((remaining_micros >= 0) AND (remaining_micros <= granted_micros))),
    CONSTRAINT ledger_grants_granted_micros_check CHECK ((granted_micros > 0)),
    CONSTRAINT ledger_grants_kind_check CHECK ((kind = ANY (ARRAY['purchase'::text, 'subscription'::text, 'gift'::text, 'redeem_code'::text, 'manual'::text, 'refund'::text])))
);
CREATE TABLE ledger_holds (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    requested_micros bigint NOT NULL,
    least_micros bigint NOT NULL,
    held_micros bigint NOT NULL,
    settled_micros bigint NOT NULL,
    shortfall_micros bigint NOT NULL,
    grant_id text COLLATE pg_catalog."C",
    grant_micros bigint NOT NULL,
    budgets text NOT NULL,
    refusal text NOT NULL,
    owner text NOT NULL,
    call text NOT NULL,
    created_at bigint NOT NULL,
    deadline_at bigint NOT NULL,
    closed_at bigint,
    CONSTRAINT ledger_holds_check CHECK (((least_micros >= 0) AND (least_micros <= requested_micros))),
    CONSTRAINT ledger_holds_grant_micros_check CHECK ((grant_micros >= 0)),
    CONSTRAINT ledger_holds_held_micros_check CHECK ((held_micros >= 0)),
    CONSTRAINT ledger_holds_requested_micros_check CHECK ((requested_micros >= 0)),
    CONSTRAINT ledger_holds_settled_micros_check CHECK ((settled_micros >= 0)),
    CONSTRAINT ledger_holds_shortfall_micros_check CHECK ((shortfall_micros >= 0)),
    CONSTRAINT ledger_holds_state_check CHECK ((state = ANY (ARRAY['held'::text, 'settled'::text, 'released'::text, 'refused'::text])))
);
CREATE TABLE ledger_writers (
    boot text NOT NULL COLLATE pg_catalog."C",
    batch bigint NOT NULL,
    seen_at bigint NOT NULL
);
CREATE TABLE models (
    id text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL,
    targets text NOT NULL,
    max_output_tokens bigint NOT NULL,
    enabled boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT models_max_output_tokens_check CHECK ((max_output_tokens >= 0)),
    CONSTRAINT models_operation_check CHECK ((operation = ANY (ARRAY['chat'::text, 'embedding'::text, 'image'::text])))
);
CREATE TABLE prices (
    id text NOT NULL COLLATE pg_catalog."C",
    model_id text NOT NULL COLLATE pg_catalog."C",
    valid_from bigint NOT NULL,
    items text NOT NULL,
    cost text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE recovery_codes (
    hash text NOT NULL COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    used_at bigint
);
CREATE TABLE refresh_tokens (
    hash text NOT NULL COLLATE pg_catalog."C",
    session_id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE TABLE revisions (
    name text NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE rollup_state (
    name text NOT NULL,
    through bigint NOT NULL,
    updated_at bigint NOT NULL,
    kept_from bigint DEFAULT 0 NOT NULL
);
CREATE TABLE rollup_tops (
    span text NOT NULL,
    tenants text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE rollups (
    dimension text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    grain text NOT NULL COLLATE pg_catalog."C",
    starts_at bigint NOT NULL,
    key_id text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL COLLATE pg_catalog."C",
    test boolean NOT NULL,
    calls bigint NOT NULL,
    failed bigint NOT NULL,
    canceled bigint NOT NULL,
    credits_micros bigint NOT NULL,
    cost_micros bigint NOT NULL,
    input_tokens bigint NOT NULL,
    cached_input_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    images bigint NOT NULL,
    media_ms bigint NOT NULL,
    characters bigint NOT NULL,
    attempts bigint NOT NULL,
    duration_ms bigint NOT NULL,
    first_byte_ms bigint NOT NULL,
    durations text NOT NULL,
    first_bytes text NOT NULL,
    CONSTRAINT rollups_dimension_check CHECK ((dimension = ANY (ARRAY['all'::text, 'operation'::text, 'model'::text, 'provider'::text, 'tenant'::text, 'call'::text]))),
    CONSTRAINT rollups_grain_check CHECK ((grain = ANY (ARRAY['hour'::text, 'day'::text])))
);
CREATE TABLE second_factors (
    subject_id text NOT NULL COLLATE pg_catalog."C",
    sealed text NOT NULL,
    created_at bigint NOT NULL,
    confirmed_at bigint,
    used_step bigint NOT NULL
);
CREATE TABLE sessions (
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    tenant_id text COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint,
    CONSTRAINT sessions_kind_check CHECK ((kind = ANY (ARRAY['tenant_user'::text, 'superadmin'::text])))
);
CREATE TABLE settings (
    name text NOT NULL,
    value_json text NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE superadmins (
    id text NOT NULL COLLATE pg_catalog."C",
    username text NOT NULL,
    password_hash text NOT NULL,
    status text NOT NULL,
    created_at bigint NOT NULL,
    role text DEFAULT 'owner'::text NOT NULL,
    password_given boolean DEFAULT false NOT NULL,
    CONSTRAINT superadmins_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'operator'::text, 'finance'::text, 'read_only'::text]))),
    CONSTRAINT superadmins_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);
CREATE TABLE tenant_settings (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    alert_below_micros bigint,
    require_second_factor boolean NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT tenant_settings_alert_below_micros_check CHECK ((alert_below_micros > 0))
);
CREATE TABLE tenants (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    status text NOT NULL,
    price_multiplier_ppm bigint DEFAULT 1000000 NOT NULL,
    requests_per_minute bigint,
    tokens_per_minute bigint,
    concurrency bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    allowed_models text,
    delete_at bigint,
    CONSTRAINT tenants_price_multiplier_ppm_check CHECK ((price_multiplier_ppm >= 0)),
    CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);
CREATE TABLE usage_records (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    user_id text COLLATE pg_catalog."C",
    key_id text COLLATE pg_catalog."C",
    test boolean NOT NULL,
    operation text NOT NULL,
    model text NOT NULL,
    price_id text COLLATE pg_catalog."C",
    provider text NOT NULL,
    provider_model text NOT NULL,
    input_tokens bigint NOT NULL,
    cached_input_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    images bigint NOT NULL,
    media_ms bigint NOT NULL,
    characters bigint NOT NULL,
    estimated boolean NOT NULL,
    credits_micros bigint NOT NULL,
    cost_micros bigint NOT NULL,
    status text NOT NULL,
    fault text,
    attempts bigint NOT NULL,
    first_byte_ms bigint NOT NULL,
    duration_ms bigint NOT NULL,
    created_at bigint NOT NULL,
    number bigint,
    tries text,
    CONSTRAINT usage_records_cost_micros_check CHECK ((cost_micros >= 0)),
    CONSTRAINT usage_records_credits_micros_check CHECK ((credits_micros >= 0))
);
CREATE SEQUENCE usage_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE usage_numbers OWNED BY usage_records.number;
CREATE TABLE users (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    username text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    status text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text]))),
    CONSTRAINT users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text, 'deleted'::text])))
);
CREATE TABLE web_sessions (
    id text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    stage text NOT NULL,
    tenant_id text COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    csrf text NOT NULL,
    confirmed_at bigint,
    CONSTRAINT web_sessions_kind_check CHECK ((kind = ANY (ARRAY['superadmin'::text, 'tenant_user'::text]))),
    CONSTRAINT web_sessions_stage_check CHECK ((stage = ANY (ARRAY['second_factor'::text, 'new_password'::text, 'factor_setup'::text, 'open'::text])))
);
ALTER TABLE ONLY usage_records ALTER COLUMN number SET DEFAULT nextval('usage_numbers'::regclass);
INSERT INTO __diesel_schema_migrations VALUES ('20261121000001', '2026-11-28 09:20:01.267767');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000002', '2026-11-28 09:20:01.669386');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000003', '2026-11-28 09:20:01.975768');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000004', '2026-11-28 09:20:02.115768');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000010', '2026-11-28 09:20:02.315773');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000011', '2026-11-28 09:20:02.41222');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000012', '2026-11-28 09:20:02.52379');
INSERT INTO __diesel_schema_migrations VALUES ('20261121000015', '2026-11-28 09:20:02.560111');
INSERT INTO api_keys VALUES ('key_0mx079068ojqd1fqt4egbla6gfy', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'demo', 'live', '84bddff0f6b53de6f064084933a3b2578c7437596ec20f56347ced45b978315a', 'stuv', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857604640, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx0790d8q6iyva0l700tlvkw8q', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'demo test', 'test', '30e1c7a411781b3bd8aaad46e5d54c8ec160f26946e6ed362e11cbc9b20fe535', '5pqj', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857604892, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx0797x8qkmb2hixh06znhjxr8', 'ten_0mx0797fa6k3scjegywayujqg5l', 'first key', 'live', 'd12806eb9f8c3850ec0035e12809a65f2cb22bcb90f8668f5235533e9b9f5231', '2h48', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857614684, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx0799cjd6z08qsukhbfarjuzg', 'ten_0mx0798yev5d268yyx72al6arye', 'first key', 'live', 'a50558e67f57c1b8725ebac58750d94fc5de3c30f8141880817c28015b7c1042', '87ia', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857616531, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx079adqjvnd6yo5fbupa5t8lc', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'first key', 'live', '5dddb359fbc7a5ac605ff55ae64b7725c69d5be63dabe7a6df0227415e9306c6', 'he9a', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857617870, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx079b285q6kg7ctmwx84t8xg3', 'ten_0mx0797fa6k3scjegywayujqg5l', 'batch', 'live', '1be4c882d0f5270cd3a697a9770cbb5e03244fab471af1f0572e1454b168a8f5', '6oyj', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857618752, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('key_0mx079bnvihou0qu5ih1t3q8sqk', 'ten_0mx0797fa6k3scjegywayujqg5l', 'probe', 'test', 'dd213bb4e77cab5daa88110202988709cb4b8ff27b1d7d3211e5d0605b05b568', 'tthl', 'active', NULL, NULL, NULL, NULL, NULL, NULL, 1795857619531, NULL, 'inference usage', NULL, NULL, NULL);
INSERT INTO audit_entries VALUES ('aud_0mx078z0kdpr6z3wccpz87foj1m', 1795857603023, 'system', '', 'first start', '', NULL, 'model.create', 'sandbox-chat', NULL, '{"operation":"chat","targets":[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}],"max_output_tokens":4096,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx078z3bre6r8czfjwltyurxag', 1795857603023, 'system', '', 'first start', '', NULL, 'price.create', 'prc_0mx078yxbo4dy9t4hzkrh9zzofj', NULL, '{"model_id":"sandbox-chat","valid_from":1795857603023,"items":{"per_request":0,"input_per_million":2.5,"output_per_million":10},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx078z97c9bfzf3anljkkmnxy9', 1795857603346, 'system', '', 'first start', '', NULL, 'model.create', 'sandbox-embedding', NULL, '{"operation":"embedding","targets":[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx078z9v204s7ljckudcwnlyfl', 1795857603346, 'system', '', 'first start', '', NULL, 'price.create', 'prc_0mx078z6a75ui0onujhuwiw8lge', NULL, '{"model_id":"sandbox-embedding","valid_from":1795857603346,"items":{"per_request":0,"input_per_million":0.1,"output_per_million":0},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx078zerhykaojr2w4g4l6da7d', 1795857603536, 'system', '', 'first start', '', NULL, 'model.create', 'sandbox-image', NULL, '{"operation":"image","targets":[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx078zgr6gyyl1d9ih3tz4ok2z', 1795857603536, 'system', '', 'first start', '', NULL, 'price.create', 'prc_0mx078zbkjmdge9dwkjvpug0t9i', NULL, '{"model_id":"sandbox-image","valid_from":1795857603536,"items":{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.01},{"credits":0.04}]},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx078zrnfforzrf4og78p5vgb9', 1795857603944, 'system', '', 'first start', '', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'tenant.create', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', NULL, '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"demo","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx0790940uep3mj21ihtb198if', 1795857604640, 'system', '', 'first start', '', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'key.create', 'key_0mx079068ojqd1fqt4egbla6gfy', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"stuv","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"demo","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx0790f3eyob40l23f4nr4rdd5', 1795857604892, 'system', '', 'first start', '', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'key.create', 'key_0mx0790d8q6iyva0l700tlvkw8q', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"test","last4":"5pqj","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"demo test","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx0790vbxfe0oetdnvm1ott251', 1795857605455, 'system', '', 'first start', '', NULL, 'superadmin.create', 'adm_0mx0790fnwa7ft3npsofw4r9stm', NULL, '{"role":"owner","status":"active","username":"admin"}');
INSERT INTO audit_entries VALUES ('aud_0mx07954028c83moqjbd4gybeiq', 1795857611023, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'provider.create', 'far', NULL, '{"base_url":"http://127.0.0.1:25999/v1","enabled":true,"kind":"openai"}');
INSERT INTO audit_entries VALUES ('aud_0mx0795nne2fcj7j70raiq100tm', 1795857611724, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'provider_key.create', 'far/pkey_0mx0795fcwflowaunyquf0w1i4s', NULL, '{"label":"","last4":"6789","status":"active","weight":1}');
INSERT INTO audit_entries VALUES ('aud_0mx0795ywkvgtukj78w62rfb3gm', 1795857611956, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'model.create', 'thinker', NULL, '{"operation":"chat","targets":[{"provider":"far","model":"remote","weight":1,"priority":0}],"max_output_tokens":2000,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx079607j7kh86ojnrca08q8fg', 1795857611956, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'price.create', 'prc_0mx0795tgdtglng7pt4hogpuaeo', NULL, '{"model_id":"thinker","valid_from":1795857611956,"items":{"per_request":0.01,"input_per_million":2.5,"cached_input_per_million":0.25,"cache_write_per_million":3,"output_per_million":10,"reasoning_per_million":12.5},"cost":{"per_request":0,"input_per_million":1.25,"output_per_million":5}}');
INSERT INTO audit_entries VALUES ('aud_0mx0796csowbmwde0fzaqiqwz2f', 1795857612496, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'model.create', 'plain', NULL, '{"operation":"chat","targets":[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}],"max_output_tokens":4096,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx0796d7f5qm39dnuswqf45b7e', 1795857612496, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'price.create', 'prc_0mx07968g0hkpqj0gugm8weh3hq', NULL, '{"model_id":"plain","valid_from":1795857612496,"items":{"per_request":0,"input_per_million":333.333,"output_per_million":777.777},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx0796rrbby9833k9csuz1j5iv', 1795857612932, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'model.create', 'painter', NULL, '{"operation":"image","targets":[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx0796twswu34midawmhuqky32', 1795857612932, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'price.create', 'prc_0mx0796kkjfyz4aa0fadf4wqdzg', NULL, '{"model_id":"painter","valid_from":1795857612932,"items":{"per_request":0.002,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.5},{"size":"512x512","quality":"high","credits":2.25},{"credits":1}]},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"credits":0.4}]}}');
INSERT INTO audit_entries VALUES ('aud_0mx07976r1dqcnnvvsk9t5cmn6z', 1795857613623, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'model.create', 'finder', NULL, '{"operation":"embedding","targets":[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO audit_entries VALUES ('aud_0mx07977kg7yue83zjvw90didwh', 1795857613623, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'price.create', 'prc_0mx07973sq8d18murvod03b6ytc', NULL, '{"model_id":"finder","valid_from":1795857613623,"items":{"per_request":0,"input_per_million":50,"output_per_million":0},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx0797yp9vdrk2dkghry4h4sb3', 1795857614684, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'tenant.create', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"acme","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx07980sitpa7m17vsvbk2uky5', 1795857614684, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'user.create', 'usr_0mx0797faxibfvf5l953jm9ajyy', NULL, '{"role":"owner","status":"active","username":"acme-owner"}');
INSERT INTO audit_entries VALUES ('aud_0mx07983gig9is1hm8cof9jkssg', 1795857614684, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'key.create', 'key_0mx0797x8qkmb2hixh06znhjxr8', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"2h48","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx0798fqedi7jzycr80qnkgey0', 1795857615275, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'tenant.recharge', 'grt_0mx0798bwlslp9jqi9kqtsdfda5', NULL, '{"amount":"100","expires_at":4102444800000,"note":"order 1","source_key":"recharge:order-1"}');
INSERT INTO audit_entries VALUES ('aud_0mx079i4tbgev5l6onv5385vh11', 1795857627772, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'tenant.update', 'ten_0mx0798yev5d268yyx72al6arye', '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1000000,"status":"active"}', '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1500000,"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx079nnp6fe5iube5sun6klvww', 1795857635051, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'tenant.adjust', 'adj_0mx079nj887up6ywbhnxc8combr', NULL, '{"amount":"-7","into_debt":true,"reason":"paid back","source_key":"adjust:adj-1"}');
INSERT INTO audit_entries VALUES ('aud_0mx079teztz7ad3fs6e9qebh0jw', 1795857642432, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'session.begin', 'ses_0mx079td4w0tmenz8csm0ka7x5p', NULL, '{"agent":"Python-urllib/3.11"}');
INSERT INTO audit_entries VALUES ('aud_0mx0798r8f8z3lg48cssrlf8phx', 1795857615708, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'tenant.recharge', 'grt_0mx0798o1wgb60gy7oyvyxbrwjk', NULL, '{"amount":"50","expires_at":null,"note":"order 2","source_key":"recharge:order-2"}');
INSERT INTO audit_entries VALUES ('aud_0mx0799ttp1hic2p565fpiwpjsz', 1795857617079, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'tenant.recharge', 'grt_0mx0799q8in6leiua5mctaosmps', NULL, '{"amount":"5","expires_at":null,"note":"order 3","source_key":"recharge:order-3"}');
INSERT INTO audit_entries VALUES ('aud_0mx079agbj7hqnjzyr93cloda10', 1795857617870, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'tenant.create', 'ten_0mx079a2gr2hqn85dqesihd5bwn', NULL, '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"initech","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx079ai5bpw5z94s3zt5oe33px', 1795857617870, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'user.create', 'usr_0mx079a2gmhzin0ahcsne7y4zk8', NULL, '{"role":"owner","status":"active","username":"initech-owner"}');
INSERT INTO audit_entries VALUES ('aud_0mx079ajc9cuy8p50ed0esrwl84', 1795857617870, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'key.create', 'key_0mx079adqjvnd6yo5fbupa5t8lc', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"he9a","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx079bjajuhfnr48uoacfh6vom', 1795857619311, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'budget.set', 'key:key_0mx079b285q6kg7ctmwx84t8xg3', NULL, '{"limit":"30","period":"month"}');
INSERT INTO audit_entries VALUES ('aud_0mx0799fn17od8sixwd5hxvt3fo', 1795857616532, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'tenant.create', 'ten_0mx0798yev5d268yyx72al6arye', NULL, '{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx0799gvxtygxwfo99gezv32ls', 1795857616532, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'user.create', 'usr_0mx0798yeazf12xk1ibnlk8jsae', NULL, '{"role":"owner","status":"active","username":"globex-owner"}');
INSERT INTO audit_entries VALUES ('aud_0mx0799istwpga85sdybnjjw13t', 1795857616532, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0798yev5d268yyx72al6arye', 'key.create', 'key_0mx0799cjd6z08qsukhbfarjuzg', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"87ia","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx079b4u3bb30au5kxsaiopmbj', 1795857618752, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'key.create', 'key_0mx079b285q6kg7ctmwx84t8xg3', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"6oyj","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"batch","scopes":["inference","usage"],"status":"active"}');
INSERT INTO audit_entries VALUES ('aud_0mx079htcjtrft9pn6gca3r23rd', 1795857627396, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', NULL, 'price.create', 'prc_0mx079hqcz7f6sgp25rgptzooat', NULL, '{"model_id":"plain","valid_from":1795857627396,"items":{"per_request":0,"input_per_million":400,"output_per_million":900},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO audit_entries VALUES ('aud_0mx079auvvx3940dtcip5hdknqe', 1795857618471, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'tenant.recharge', 'grt_0mx079asf08zshco27gcpxc69pc', NULL, '{"amount":"20","expires_at":null,"note":"order 4","source_key":"recharge:order-4"}');
INSERT INTO audit_entries VALUES ('aud_0mx079bpqua4qhxajw706ayl5g5', 1795857619531, 'superadmin', 'adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '127.0.0.1', 'ten_0mx0797fa6k3scjegywayujqg5l', 'key.create', 'key_0mx079bnvihou0qu5ih1t3q8sqk', NULL, '{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"test","last4":"tthl","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"probe","scopes":["inference","usage"],"status":"active"}');
INSERT INTO changes VALUES (1, 'catalogue', 1795857603023);
INSERT INTO changes VALUES (2, 'catalogue', 1795857603346);
INSERT INTO changes VALUES (3, 'catalogue', 1795857603536);
INSERT INTO changes VALUES (4, 'catalogue', 1795857611956);
INSERT INTO changes VALUES (5, 'catalogue', 1795857612496);
INSERT INTO changes VALUES (6, 'catalogue', 1795857612932);
INSERT INTO changes VALUES (7, 'catalogue', 1795857613623);
INSERT INTO changes VALUES (8, 'catalogue', 1795857627396);
INSERT INTO changes VALUES (9, 'tenant:ten_0mx0798yev5d268yyx72al6arye', 1795857627772);
INSERT INTO gateway_events VALUES ('jrn_0mx078wcdhtlcueub87qfj6i92v', 1, 1795857600476, 'the gateway of this process', 'gateway_started', '{"version":"0.1.0"}');
INSERT INTO gateway_journals VALUES ('jrn_0mx078wcdhtlcueub87qfj6i92v', 1);
INSERT INTO ledger_accounts VALUES ('ten_0mx078zmvi5bdgvt3gtqbec0znm', 1, 1, 1000000000, 0, 0, 0, 0, 0, 0, -1000000000);
INSERT INTO ledger_accounts VALUES ('ten_0mx0798yev5d268yyx72al6arye', 6, 6, 0, 0, 53850, 0, 7000000, -2053850, 0, -5000000);
INSERT INTO ledger_accounts VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 29, 28, 142357026, 0, 7642974, 0, 0, 0, 0, -150000000);
INSERT INTO ledger_accounts VALUES ('ten_0mx079a2gr2hqn85dqesihd5bwn', 2, 2, 16269600, 3730400, 0, 0, 0, 0, 0, -20000000);
INSERT INTO ledger_adjustments VALUES ('adj_0mx079nj887up6ywbhnxc8combr', 'ten_0mx0798yev5d268yyx72al6arye', 'adjust:adj-1', -7000000, true, 'admin', 'paid back', 1795857634864);
INSERT INTO ledger_budgets VALUES ('key:key_0mx079b285q6kg7ctmwx84t8xg3', 'month', 'ten_0mx0797fa6k3scjegywayujqg5l', 'bud_0mx079bfogwzbr5a6tx42985264', 30000000, 11667, 0, 1793491200000);
INSERT INTO ledger_entries VALUES ('ten_0mx078zmvi5bdgvt3gtqbec0znm', 1, 'grant', 'grt_0mx078zzc2q5z6ot0mlv41jg0q5', 1000000000, 0, 0, 0, 0, 0, 0, -1000000000, 1000000000, 0, 1795857604168);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 1, 'grant', 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 100000000, 0, 0, 0, 0, 0, 0, -100000000, 100000000, 0, 1795857615136);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 2, 'grant', 'grt_0mx0798o1wgb60gy7oyvyxbrwjk', 50000000, 0, 0, 0, 0, 0, 0, -50000000, 150000000, 0, 1795857615648);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 1, 'grant', 'grt_0mx0799q8in6leiua5mctaosmps', 5000000, 0, 0, 0, 0, 0, 0, -5000000, 5000000, 0, 1795857616953);
INSERT INTO ledger_entries VALUES ('ten_0mx079a2gr2hqn85dqesihd5bwn', 1, 'grant', 'grt_0mx079asf08zshco27gcpxc69pc', 20000000, 0, 0, 0, 0, 0, 0, -20000000, 20000000, 0, 1795857618359);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 3, 'hold', 'gen_0mx079bwooqrxbl8i7ru2nbvm61', -3209108, 3209108, 0, 0, 0, 0, 0, 0, 146790892, 3209108, 1795857619848);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 4, 'settle', 'gen_0mx079bwooqrxbl8i7ru2nbvm61', 3189774, -3209108, 19334, 0, 0, 0, 0, 0, 149980666, 0, 1795857620031);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 5, 'hold', 'gen_0mx079c7wkts1w27mqw3dath3k9', -3213108, 3213108, 0, 0, 0, 0, 0, 0, 146767558, 3213108, 1795857620255);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 6, 'settle', 'gen_0mx079c7wkts1w27mqw3dath3k9', 3195885, -3213108, 17223, 0, 0, 0, 0, 0, 149963443, 0, 1795857620367);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 7, 'hold', 'gen_0mx079ce893mczufifywm19fy7e', -3218775, 3218775, 0, 0, 0, 0, 0, 0, 146744668, 3218775, 1795857620483);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 8, 'settle', 'gen_0mx079ce893mczufifywm19fy7e', 3193775, -3218775, 25000, 0, 0, 0, 0, 0, 149938443, 0, 1795857620575);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 9, 'hold', 'gen_0mx079cq0x3b7nkkd780kuq5fnq', -3216108, 3216108, 0, 0, 0, 0, 0, 0, 146722335, 3216108, 1795857620904);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 10, 'settle', 'gen_0mx079cq0x3b7nkkd780kuq5fnq', 3204441, -3216108, 11667, 0, 0, 0, 0, 0, 149926776, 0, 1795857620967);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 11, 'hold', 'gen_0mx079d31pp52ddi2j8e3onq1iq', -35216, 35216, 0, 0, 0, 0, 0, 0, 149891560, 35216, 1795857621375);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 12, 'settle', 'gen_0mx079d31pp52ddi2j8e3onq1iq', 20841, -35216, 14375, 0, 0, 0, 0, 0, 149912401, 0, 1795857621520);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 13, 'hold', 'gen_0mx079dapwqbvguuoe762bgga7w', -16541, 16541, 0, 0, 0, 0, 0, 0, 149895860, 16541, 1795857621649);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 14, 'settle', 'gen_0mx079dapwqbvguuoe762bgga7w', 2166, -16541, 14375, 0, 0, 0, 0, 0, 149898026, 0, 1795857621799);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 15, 'hold', 'gen_0mx079dikxji4z1g805775gbzpi', -1002000, 1002000, 0, 0, 0, 0, 0, 0, 148896026, 1002000, 1795857621935);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 16, 'settle', 'gen_0mx079dikxji4z1g805775gbzpi', 0, -1002000, 1002000, 0, 0, 0, 0, 0, 148896026, 0, 1795857622227);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 17, 'hold', 'gen_0mx079duemc2ouc3n4du8rby6nt', -4502000, 4502000, 0, 0, 0, 0, 0, 0, 144394026, 4502000, 1795857622393);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 18, 'settle', 'gen_0mx079duemc2ouc3n4du8rby6nt', 0, -4502000, 4502000, 0, 0, 0, 0, 0, 144394026, 0, 1795857623177);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 19, 'hold', 'gen_0mx079em5954rztqdsmdcdjt2i4', -2002000, 2002000, 0, 0, 0, 0, 0, 0, 142392026, 2002000, 1795857623357);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 20, 'settle', 'gen_0mx079em5954rztqdsmdcdjt2i4', 0, -2002000, 2002000, 0, 0, 0, 0, 0, 142392026, 0, 1795857626675);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 21, 'hold', 'gen_0mx079hisbjwtuxrf2b4jsobkoo', -3250, 3250, 0, 0, 0, 0, 0, 0, 142388776, 3250, 1795857627127);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 22, 'settle', 'gen_0mx079hisbjwtuxrf2b4jsobkoo', 3050, -3250, 200, 0, 0, 0, 0, 0, 142391826, 0, 1795857627255);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 23, 'hold', 'gen_0mx079mu0drqn667z5ef1j81upn', -3723600, 3723600, 0, 0, 0, 0, 0, 0, 138668226, 3723600, 1795857634019);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 24, 'settle', 'gen_0mx079mu0drqn667z5ef1j81upn', 3707300, -3723600, 16300, 0, 0, 0, 0, 0, 142375526, 0, 1795857634051);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 2, 'hold', 'gen_0mx079mz3w667dy0c30jc40lzoz', -5000000, 5000000, 0, 0, 0, 0, 0, 0, 0, 5000000, 1795857634199);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 3, 'settle', 'gen_0mx079mz3w667dy0c30jc40lzoz', 4962650, -5000000, 37350, 0, 0, 0, 0, 0, 4962650, 0, 1795857634299);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 4, 'hold', 'gen_0mx079n51bgtakopshd89sfyvnu', -4962650, 4962650, 0, 0, 0, 0, 0, 0, 0, 4962650, 1795857634405);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 5, 'settle', 'gen_0mx079n51bgtakopshd89sfyvnu', 4946150, -4962650, 16500, 0, 0, 0, 0, 0, 4946150, 0, 1795857634510);
INSERT INTO ledger_entries VALUES ('ten_0mx0798yev5d268yyx72al6arye', 6, 'adjust', 'adj_0mx079nj887up6ywbhnxc8combr', -4946150, 0, 0, 0, 7000000, -2053850, 0, 0, 0, 0, 1795857634864);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 25, 'hold', 'gen_0mx079np5l3t0qlkxpuymjflnxd', -3728000, 3728000, 0, 0, 0, 0, 0, 0, 138647526, 3728000, 1795857635129);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 26, 'settle', 'gen_0mx079np5l3t0qlkxpuymjflnxd', 3709500, -3728000, 18500, 0, 0, 0, 0, 0, 142357026, 0, 1795857635231);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 27, 'hold', 'gen_0mx079q613lik4pjdnf75wi1s5b', -3722800, 3722800, 0, 0, 0, 0, 0, 0, 138634226, 3722800, 1795857638351);
INSERT INTO ledger_entries VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 28, 'release', 'gen_0mx079q613lik4pjdnf75wi1s5b', 3722800, -3722800, 0, 0, 0, 0, 0, 0, 142357026, 0, 1795857638419);
INSERT INTO ledger_entries VALUES ('ten_0mx079a2gr2hqn85dqesihd5bwn', 2, 'hold', 'gen_0mx07a29sgzxaelqw7amho2e7de', -3730400, 3730400, 0, 0, 0, 0, 0, 0, 16269600, 3730400, 1795857654016);
INSERT INTO ledger_grants VALUES ('grt_0mx078zzc2q5z6ot0mlv41jg0q5', 'ten_0mx078zmvi5bdgvt3gtqbec0znm', 'gift', 'first start', 1000000000, 1000000000, NULL, 'to try things out', 1795857604168);
INSERT INTO ledger_grants VALUES ('grt_0mx0798o1wgb60gy7oyvyxbrwjk', 'ten_0mx0797fa6k3scjegywayujqg5l', 'manual', 'recharge:order-2', 50000000, 50000000, NULL, 'order 2', 1795857615648);
INSERT INTO ledger_grants VALUES ('grt_0mx0799q8in6leiua5mctaosmps', 'ten_0mx0798yev5d268yyx72al6arye', 'manual', 'recharge:order-3', 5000000, 0, NULL, 'order 3', 1795857616953);
INSERT INTO ledger_grants VALUES ('grt_0mx0798bwlslp9jqi9kqtsdfda5', 'ten_0mx0797fa6k3scjegywayujqg5l', 'manual', 'recharge:order-1', 100000000, 92357026, 4102444800000, 'order 1', 1795857615136);
INSERT INTO ledger_grants VALUES ('grt_0mx079asf08zshco27gcpxc69pc', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'manual', 'recharge:order-4', 20000000, 16269600, NULL, 'order 4', 1795857618359);
INSERT INTO ledger_holds VALUES ('gen_0mx079bwooqrxbl8i7ru2nbvm61', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3209108, 35778, 3209108, 19334, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3209108, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx07968g0hkpqj0gugm8weh3hq","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079btcszfc0aoidne8ymxeb3"}', 1795857619848, 1795858279848, 1795857620031);
INSERT INTO ledger_holds VALUES ('gen_0mx079c7wkts1w27mqw3dath3k9', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3213108, 39778, 3213108, 17223, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3213108, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx07968g0hkpqj0gugm8weh3hq","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079c7wrfl2fik5zmqigkoy61"}', 1795857620255, 1795858280252, 1795857620367);
INSERT INTO ledger_holds VALUES ('gen_0mx079ce893mczufifywm19fy7e', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3218775, 45445, 3218775, 25000, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3218775, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx07968g0hkpqj0gugm8weh3hq","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079ce8ciz46so8pdtrniff8e"}', 1795857620483, 1795858280480, 1795857620575);
INSERT INTO ledger_holds VALUES ('gen_0mx079cq0x3b7nkkd780kuq5fnq', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3216108, 42778, 3216108, 11667, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3216108, 'key:key_0mx079b285q6kg7ctmwx84t8xg3|month|bud_0mx079bfogwzbr5a6tx42985264|1793491200000', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx079b285q6kg7ctmwx84t8xg3","operation":"chat","model":"plain","price":"prc_0mx07968g0hkpqj0gugm8weh3hq","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079cl4dsccxtfrav5uqks0jv"}', 1795857620904, 1795858280904, 1795857620967);
INSERT INTO ledger_holds VALUES ('gen_0mx079d31pp52ddi2j8e3onq1iq', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 35216, 10416, 35216, 14375, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 35216, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"thinker","price":"prc_0mx0795tgdtglng7pt4hogpuaeo","multiplier_ppm":1000000,"image":null,"provider":"far","request":"req_0mx079d31v3hcwz61wwdekpw638"}', 1795857621375, 1795858281373, 1795857621520);
INSERT INTO ledger_holds VALUES ('gen_0mx079dapwqbvguuoe762bgga7w', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 16541, 10491, 16541, 14375, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 16541, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"thinker","price":"prc_0mx0795tgdtglng7pt4hogpuaeo","multiplier_ppm":1000000,"image":null,"provider":"far","request":"req_0mx079dap2f3wde9z4lcirzi990"}', 1795857621649, 1795858281649, 1795857621799);
INSERT INTO ledger_holds VALUES ('gen_0mx079dikxji4z1g805775gbzpi', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 1002000, 1002000, 1002000, 1002000, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 1002000, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"image","model":"painter","price":"prc_0mx0796kkjfyz4aa0fadf4wqdzg","multiplier_ppm":1000000,"image":{"n":2,"size":"256x256","quality":null},"provider":"sandbox","request":"req_0mx079dijh8caujw37lml5u2w13"}', 1795857621935, 1795858281932, 1795857622227);
INSERT INTO ledger_holds VALUES ('gen_0mx079duemc2ouc3n4du8rby6nt', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 4502000, 4502000, 4502000, 4502000, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 4502000, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"image","model":"painter","price":"prc_0mx0796kkjfyz4aa0fadf4wqdzg","multiplier_ppm":1000000,"image":{"n":2,"size":"512x512","quality":"high"},"provider":"sandbox","request":"req_0mx079dud3hs8wuridiplmm3jw2"}', 1795857622393, 1795858282358, 1795857623177);
INSERT INTO ledger_holds VALUES ('gen_0mx079em5954rztqdsmdcdjt2i4', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 2002000, 2002000, 2002000, 2002000, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 2002000, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"image","model":"painter","price":"prc_0mx0796kkjfyz4aa0fadf4wqdzg","multiplier_ppm":1000000,"image":{"n":2,"size":"1024x1024","quality":null},"provider":"sandbox","request":"req_0mx079em4vtpy7rsyixartibxcs"}', 1795857623357, 1795858283357, 1795857626675);
INSERT INTO ledger_holds VALUES ('gen_0mx079hisbjwtuxrf2b4jsobkoo', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3250, 3250, 3250, 200, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3250, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"embedding","model":"finder","price":"prc_0mx07973sq8d18murvod03b6ytc","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079hisw3z4ye61rbzutt7emd"}', 1795857627127, 1795858287125, 1795857627255);
INSERT INTO ledger_holds VALUES ('gen_0mx079mu0drqn667z5ef1j81upn', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3723600, 51600, 3723600, 16300, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3723600, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079mu0rrmgcq55uakz8caxxn"}', 1795857634019, 1795858294008, 1795857634051);
INSERT INTO ledger_holds VALUES ('gen_0mx079mz3w667dy0c30jc40lzoz', 'ten_0mx0798yev5d268yyx72al6arye', 'settled', 5581200, 73200, 5000000, 37350, 0, 'grt_0mx0799q8in6leiua5mctaosmps', 5000000, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0799cjd6z08qsukhbfarjuzg","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1500000,"image":null,"provider":"sandbox","request":"req_0mx079mygcsy4bkjp504vhbqiw6"}', 1795857634199, 1795858294191, 1795857634299);
INSERT INTO ledger_holds VALUES ('gen_0mx079n51bgtakopshd89sfyvnu', 'ten_0mx0798yev5d268yyx72al6arye', 'settled', 5594400, 86400, 4962650, 16500, 0, 'grt_0mx0799q8in6leiua5mctaosmps', 4962650, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0799cjd6z08qsukhbfarjuzg","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1500000,"image":null,"provider":"sandbox","request":"req_0mx079n50lmfl3r5r2htq10zwuz"}', 1795857634405, 1795858294405, 1795857634510);
INSERT INTO ledger_holds VALUES ('gen_0mx079np5l3t0qlkxpuymjflnxd', 'ten_0mx0797fa6k3scjegywayujqg5l', 'settled', 3728000, 56000, 3728000, 18500, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3728000, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079np4nku3mhtmf9aame4tod"}', 1795857635129, 1795858295129, 1795857635231);
INSERT INTO ledger_holds VALUES ('gen_0mx079q613lik4pjdnf75wi1s5b', 'ten_0mx0797fa6k3scjegywayujqg5l', 'released', 3722800, 50800, 3722800, 0, 0, 'grt_0mx0798bwlslp9jqi9kqtsdfda5', 3722800, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx0797x8qkmb2hixh06znhjxr8","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx079q60mf82el77u2mqnnrew8"}', 1795857638351, 1795858298329, 1795857638419);
INSERT INTO ledger_holds VALUES ('gen_0mx07a29sgzxaelqw7amho2e7de', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'held', 3730400, 58400, 3730400, 0, 0, 'grt_0mx079asf08zshco27gcpxc69pc', 3730400, '', '', 'boot_0mx078yos76ql6thgblx668658j', '{"user":null,"key":"key_0mx079adqjvnd6yo5fbupa5t8lc","operation":"chat","model":"plain","price":"prc_0mx079hqcz7f6sgp25rgptzooat","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx07a29s0ftrsjhlcl4vja91gk"}', 1795857654016, 1795858314016, NULL);
INSERT INTO ledger_writers VALUES ('boot_0mx078yos76ql6thgblx668658j', 39, 1795857654016);
INSERT INTO models VALUES ('sandbox-chat', 'chat', '[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}]', 4096, true, 1795857603023, 1795857603023);
INSERT INTO models VALUES ('sandbox-embedding', 'embedding', '[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}]', 0, true, 1795857603346, 1795857603346);
INSERT INTO models VALUES ('sandbox-image', 'image', '[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}]', 0, true, 1795857603536, 1795857603536);
INSERT INTO models VALUES ('thinker', 'chat', '[{"provider":"far","model":"remote","weight":1,"priority":0}]', 2000, true, 1795857611956, 1795857611956);
INSERT INTO models VALUES ('plain', 'chat', '[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}]', 4096, true, 1795857612496, 1795857612496);
INSERT INTO models VALUES ('painter', 'image', '[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}]', 0, true, 1795857612932, 1795857612932);
INSERT INTO models VALUES ('finder', 'embedding', '[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}]', 0, true, 1795857613623, 1795857613623);
INSERT INTO prices VALUES ('prc_0mx078yxbo4dy9t4hzkrh9zzofj', 'sandbox-chat', 1795857603023, '{"per_request":0,"input_per_million":2.5,"output_per_million":10}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857603023);
INSERT INTO prices VALUES ('prc_0mx078z6a75ui0onujhuwiw8lge', 'sandbox-embedding', 1795857603346, '{"per_request":0,"input_per_million":0.1,"output_per_million":0}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857603346);
INSERT INTO prices VALUES ('prc_0mx078zbkjmdge9dwkjvpug0t9i', 'sandbox-image', 1795857603536, '{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.01},{"credits":0.04}]}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857603536);
INSERT INTO prices VALUES ('prc_0mx0795tgdtglng7pt4hogpuaeo', 'thinker', 1795857611956, '{"per_request":0.01,"input_per_million":2.5,"cached_input_per_million":0.25,"cache_write_per_million":3,"output_per_million":10,"reasoning_per_million":12.5}', '{"per_request":0,"input_per_million":1.25,"output_per_million":5}', 1795857611956);
INSERT INTO prices VALUES ('prc_0mx07968g0hkpqj0gugm8weh3hq', 'plain', 1795857612496, '{"per_request":0,"input_per_million":333.333,"output_per_million":777.777}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857612496);
INSERT INTO prices VALUES ('prc_0mx0796kkjfyz4aa0fadf4wqdzg', 'painter', 1795857612932, '{"per_request":0.002,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.5},{"size":"512x512","quality":"high","credits":2.25},{"credits":1}]}', '{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"credits":0.4}]}', 1795857612932);
INSERT INTO prices VALUES ('prc_0mx07973sq8d18murvod03b6ytc', 'finder', 1795857613623, '{"per_request":0,"input_per_million":50,"output_per_million":0}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857613623);
INSERT INTO prices VALUES ('prc_0mx079hqcz7f6sgp25rgptzooat', 'plain', 1795857627396, '{"per_request":0,"input_per_million":400,"output_per_million":900}', '{"per_request":0,"input_per_million":0,"output_per_million":0}', 1795857627396);
INSERT INTO refresh_tokens VALUES ('d18860e813ef1281de5c58bfb8cbeba72a4a885a78ca2a0c3d9f963860e69278', 'ses_0mx0794bgrkpagwd74xjpv393si', 1795857610012, 1795886410012, NULL);
INSERT INTO revisions VALUES ('superadmins', 0);
INSERT INTO revisions VALUES ('changes', 9);
INSERT INTO rollup_state VALUES ('usage', 16, 1795857639864, 0);
INSERT INTO rollup_tops VALUES ('24h', '[{"name":"ten_0mx0797fa6k3scjegywayujqg5l","calls":13,"failed":2,"canceled":0,"credits":7.642974,"cost":2.406},{"name":"ten_0mx0798yev5d268yyx72al6arye","calls":2,"failed":0,"canceled":0,"credits":0.05385,"cost":0}]', 1795857642240);
INSERT INTO rollup_tops VALUES ('7d', '[{"name":"ten_0mx0797fa6k3scjegywayujqg5l","calls":13,"failed":2,"canceled":0,"credits":7.642974,"cost":2.406},{"name":"ten_0mx0798yev5d268yyx72al6arye","calls":2,"failed":0,"canceled":0,"credits":0.05385,"cost":0}]', 1795857642240);
INSERT INTO rollup_tops VALUES ('30d', '[{"name":"ten_0mx0797fa6k3scjegywayujqg5l","calls":13,"failed":2,"canceled":0,"credits":7.642974,"cost":2.406},{"name":"ten_0mx0798yev5d268yyx72al6arye","calls":2,"failed":0,"canceled":0,"credits":0.05385,"cost":0}]', 1795857642240);
INSERT INTO rollup_tops VALUES ('90d', '[{"name":"ten_0mx0797fa6k3scjegywayujqg5l","calls":13,"failed":2,"canceled":0,"credits":7.642974,"cost":2.406},{"name":"ten_0mx0798yev5d268yyx72al6arye","calls":2,"failed":0,"canceled":0,"credits":0.05385,"cost":0}]', 1795857642240);
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx079b285q6kg7ctmwx84t8xg3', 'plain', 'sandbox', 'chat', false, 1, 0, 0, 11667, 0, 7, 0, 0, 12, 0, 0, 0, 0, 1, 14, 14, '14:1', '14:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx079bnvihou0qu5ih1t3q8sqk', 'plain', 'sandbox', 'chat', true, 1, 0, 0, 0, 0, 5, 0, 0, 12, 0, 0, 0, 0, 1, 28, 28, '22:1', '22:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx079b285q6kg7ctmwx84t8xg3', 'plain', 'sandbox', 'chat', false, 1, 0, 0, 11667, 0, 7, 0, 0, 12, 0, 0, 0, 0, 1, 14, 14, '14:1', '14:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx079bnvihou0qu5ih1t3q8sqk', 'plain', 'sandbox', 'chat', true, 1, 0, 0, 0, 0, 5, 0, 0, 12, 0, 0, 0, 0, 1, 28, 28, '22:1', '22:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'thinker', 'far', 'chat', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'thinker', 'far', 'chat', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('model', '', 'day', 1795824000000, '', 'thinker', '', '', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('model', '', 'hour', 1795856400000, '', 'thinker', '', '', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'plain', 'sandbox', 'chat', false, 6, 2, 0, 96357, 0, 45, 0, 0, 98, 0, 0, 0, 0, 6, 135, 49, '2:2 15:1 17:1', '2:2 12:1 15:1 17:1');
INSERT INTO rollups VALUES ('model', '', 'day', 1795824000000, '', 'plain', '', '', false, 9, 2, 0, 161874, 0, 63, 0, 0, 145, 0, 0, 0, 0, 9, 167, 81, '2:2 9:2 14:1 15:1 17:1', '2:2 9:2 12:1 14:1 15:1 17:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'painter', 'sandbox', 'image', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'painter', 'sandbox', 'image', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('model', '', 'day', 1795824000000, '', 'painter', '', '', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('model', '', 'hour', 1795856400000, '', 'painter', '', '', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('all', '', 'day', 1795824000000, '', '', '', '', false, 15, 2, 0, 7696824, 2406000, 467, 2000, 0, 245, 500, 6, 0, 0, 15, 4102, 3769, '0:1 2:2 9:2 14:1 15:1 17:1 25:1 29:1 40:1 58:1 75:1', '1:1 2:2 9:2 12:1 14:1 15:1 17:1 25:1 29:1 40:1 56:1 75:1');
INSERT INTO rollups VALUES ('all', '', 'hour', 1795856400000, '', '', '', '', false, 15, 2, 0, 7696824, 2406000, 467, 2000, 0, 245, 500, 6, 0, 0, 15, 4102, 3769, '0:1 2:2 9:2 14:1 15:1 17:1 25:1 29:1 40:1 58:1 75:1', '1:1 2:2 9:2 12:1 14:1 15:1 17:1 25:1 29:1 40:1 56:1 75:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'plain', 'sandbox', 'chat', false, 6, 2, 0, 96357, 0, 45, 0, 0, 98, 0, 0, 0, 0, 6, 135, 49, '2:2 15:1 17:1', '2:2 12:1 15:1 17:1');
INSERT INTO rollups VALUES ('model', '', 'hour', 1795856400000, '', 'plain', '', '', false, 9, 2, 0, 161874, 0, 63, 0, 0, 145, 0, 0, 0, 0, 9, 167, 81, '2:2 9:2 14:1 15:1 17:1', '2:2 9:2 12:1 14:1 15:1 17:1');
INSERT INTO rollups VALUES ('provider', '', 'day', 1795824000000, '', '', 'far', '', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('provider', '', 'hour', 1795856400000, '', '', 'far', '', false, 2, 0, 0, 28750, 6000, 400, 2000, 0, 100, 500, 0, 0, 0, 2, 90, 89, '25:1 29:1', '25:1 29:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'finder', 'sandbox', 'embedding', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, 'key_0mx0797x8qkmb2hixh06znhjxr8', 'finder', 'sandbox', 'embedding', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('model', '', 'day', 1795824000000, '', 'finder', '', '', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('model', '', 'hour', 1795856400000, '', 'finder', '', '', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('operation', '', 'day', 1795824000000, '', '', '', 'embedding', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('operation', '', 'day', 1795824000000, '', '', '', 'image', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('operation', '', 'hour', 1795856400000, '', '', '', 'embedding', false, 1, 0, 0, 200, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, '0:1', '1:1');
INSERT INTO rollups VALUES ('operation', '', 'hour', 1795856400000, '', '', '', 'image', false, 3, 0, 0, 7506000, 2400000, 0, 0, 0, 0, 0, 6, 0, 0, 3, 3845, 3598, '40:1 58:1 75:1', '40:1 56:1 75:1');
INSERT INTO rollups VALUES ('provider', '', 'hour', 1795856400000, '', '', 'sandbox', '', false, 13, 2, 0, 7668074, 2400000, 67, 0, 0, 145, 0, 6, 0, 0, 13, 4012, 3680, '0:1 2:2 9:2 14:1 15:1 17:1 40:1 58:1 75:1', '1:1 2:2 9:2 12:1 14:1 15:1 17:1 40:1 56:1 75:1');
INSERT INTO rollups VALUES ('tenant', 'ten_0mx0797fa6k3scjegywayujqg5l', 'day', 1795824000000, '', '', '', '', false, 13, 2, 0, 7642974, 2406000, 456, 2000, 0, 210, 500, 6, 0, 0, 13, 4084, 3751, '0:1 2:2 14:1 15:1 17:1 25:1 29:1 40:1 58:1 75:1', '1:1 2:2 12:1 14:1 15:1 17:1 25:1 29:1 40:1 56:1 75:1');
INSERT INTO rollups VALUES ('tenant', 'ten_0mx0797fa6k3scjegywayujqg5l', 'hour', 1795856400000, '', '', '', '', false, 13, 2, 0, 7642974, 2406000, 456, 2000, 0, 210, 500, 6, 0, 0, 13, 4084, 3751, '0:1 2:2 14:1 15:1 17:1 25:1 29:1 40:1 58:1 75:1', '1:1 2:2 12:1 14:1 15:1 17:1 25:1 29:1 40:1 56:1 75:1');
INSERT INTO rollups VALUES ('call', 'ten_0mx0798yev5d268yyx72al6arye', 'day', 1795824000000, 'key_0mx0799cjd6z08qsukhbfarjuzg', 'plain', 'sandbox', 'chat', false, 2, 0, 0, 53850, 0, 11, 0, 0, 35, 0, 0, 0, 0, 2, 18, 18, '9:2', '9:2');
INSERT INTO rollups VALUES ('call', 'ten_0mx0798yev5d268yyx72al6arye', 'hour', 1795856400000, 'key_0mx0799cjd6z08qsukhbfarjuzg', 'plain', 'sandbox', 'chat', false, 2, 0, 0, 53850, 0, 11, 0, 0, 35, 0, 0, 0, 0, 2, 18, 18, '9:2', '9:2');
INSERT INTO rollups VALUES ('tenant', 'ten_0mx0798yev5d268yyx72al6arye', 'day', 1795824000000, '', '', '', '', false, 2, 0, 0, 53850, 0, 11, 0, 0, 35, 0, 0, 0, 0, 2, 18, 18, '9:2', '9:2');
INSERT INTO rollups VALUES ('tenant', 'ten_0mx0798yev5d268yyx72al6arye', 'hour', 1795856400000, '', '', '', '', false, 2, 0, 0, 53850, 0, 11, 0, 0, 35, 0, 0, 0, 0, 2, 18, 18, '9:2', '9:2');
INSERT INTO rollups VALUES ('operation', '', 'day', 1795824000000, '', '', '', 'chat', false, 11, 2, 0, 190624, 6000, 463, 2000, 0, 245, 500, 0, 0, 0, 11, 257, 170, '2:2 9:2 14:1 15:1 17:1 25:1 29:1', '2:2 9:2 12:1 14:1 15:1 17:1 25:1 29:1');
INSERT INTO rollups VALUES ('operation', '', 'hour', 1795856400000, '', '', '', 'chat', false, 11, 2, 0, 190624, 6000, 463, 2000, 0, 245, 500, 0, 0, 0, 11, 257, 170, '2:2 9:2 14:1 15:1 17:1 25:1 29:1', '2:2 9:2 12:1 14:1 15:1 17:1 25:1 29:1');
INSERT INTO rollups VALUES ('provider', '', 'day', 1795824000000, '', '', 'sandbox', '', false, 13, 2, 0, 7668074, 2400000, 67, 0, 0, 145, 0, 6, 0, 0, 13, 4012, 3680, '0:1 2:2 9:2 14:1 15:1 17:1 40:1 58:1 75:1', '1:1 2:2 9:2 12:1 14:1 15:1 17:1 40:1 56:1 75:1');
INSERT INTO sessions VALUES ('ses_0mx0794bgrkpagwd74xjpv393si', 'superadmin', NULL, 'adm_0mx0790fnwa7ft3npsofw4r9stm', 1795857610012, 1795886410012, NULL);
INSERT INTO superadmins VALUES ('adm_0mx0790fnwa7ft3npsofw4r9stm', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$lPQAFIZQL4GrU4QP3xBbyg$ST4JRkO00+Ke2coXrK6ostJcQm9vNVZPg/JWXhPF9ZI', 'active', 1795857605455, 'owner', false);
INSERT INTO tenants VALUES ('ten_0mx078zmvi5bdgvt3gtqbec0znm', 'demo', 'active', 1000000, 3000, 5000000, 500, 1795857603944, 1795857603944, NULL, NULL);
INSERT INTO tenants VALUES ('ten_0mx0797fa6k3scjegywayujqg5l', 'acme', 'active', 1000000, 3000, 5000000, 500, 1795857614038, 1795857614684, NULL, NULL);
INSERT INTO tenants VALUES ('ten_0mx079a2gr2hqn85dqesihd5bwn', 'initech', 'active', 1000000, 3000, 5000000, 500, 1795857617464, 1795857617870, NULL, NULL);
INSERT INTO tenants VALUES ('ten_0mx0798yev5d268yyx72al6arye', 'globex', 'active', 1500000, 3000, 5000000, 500, 1795857616022, 1795857627772, NULL, NULL);
INSERT INTO usage_records VALUES ('gen_0mx079bwooqrxbl8i7ru2nbvm61', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx07968g0hkpqj0gugm8weh3hq', 'sandbox', 'sandbox-chat', 2, 0, 0, 24, 0, 0, 0, 0, false, 19334, 0, 'succeeded', NULL, 1, 18, 18, 1795857619848, 1, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":18}]');
INSERT INTO usage_records VALUES ('gen_0mx079c7wkts1w27mqw3dath3k9', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx07968g0hkpqj0gugm8weh3hq', 'sandbox', 'sandbox-chat', 5, 0, 0, 20, 0, 0, 0, 0, false, 17223, 0, 'succeeded', NULL, 1, 2, 2, 1795857620252, 2, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":2}]');
INSERT INTO usage_records VALUES ('gen_0mx079ce893mczufifywm19fy7e', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx07968g0hkpqj0gugm8weh3hq', 'sandbox', 'sandbox-chat', 5, 0, 0, 30, 0, 0, 0, 0, false, 25000, 0, 'succeeded', NULL, 1, 15, 15, 1795857620480, 3, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":15}]');
INSERT INTO usage_records VALUES ('gen_0mx079cq0x3b7nkkd780kuq5fnq', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx079b285q6kg7ctmwx84t8xg3', false, 'chat', 'plain', 'prc_0mx07968g0hkpqj0gugm8weh3hq', 'sandbox', 'sandbox-chat', 7, 0, 0, 12, 0, 0, 0, 0, false, 11667, 0, 'succeeded', NULL, 1, 14, 14, 1795857620904, 4, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":14}]');
INSERT INTO usage_records VALUES ('gen_0mx079cz82shinq7l3d2ivnp124', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx079bnvihou0qu5ih1t3q8sqk', true, 'chat', 'plain', NULL, 'sandbox', 'sandbox-chat', 5, 0, 0, 12, 0, 0, 0, 0, false, 0, 0, 'succeeded', NULL, 1, 28, 28, 1795857621236, 5, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":28}]');
INSERT INTO usage_records VALUES ('gen_0mx079d31pp52ddi2j8e3onq1iq', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'thinker', 'prc_0mx0795tgdtglng7pt4hogpuaeo', 'far', 'remote', 200, 1000, 0, 50, 250, 0, 0, 0, false, 14375, 3000, 'succeeded', NULL, 1, 37, 38, 1795857621373, 6, '[{"number":1,"provider":"far","model":"remote","key_last4":"6789","began_ms":0,"duration_ms":38}]');
INSERT INTO usage_records VALUES ('gen_0mx079dapwqbvguuoe762bgga7w', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'thinker', 'prc_0mx0795tgdtglng7pt4hogpuaeo', 'far', 'remote', 200, 1000, 0, 50, 250, 0, 0, 0, false, 14375, 3000, 'succeeded', NULL, 1, 52, 52, 1795857621649, 7, '[{"number":1,"provider":"far","model":"remote","key_last4":"6789","began_ms":0,"duration_ms":52}]');
INSERT INTO usage_records VALUES ('gen_0mx079dikxji4z1g805775gbzpi', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'image', 'painter', 'prc_0mx0796kkjfyz4aa0fadf4wqdzg', 'sandbox', 'sandbox-image', 0, 0, 0, 0, 0, 2, 0, 0, false, 1002000, 800000, 'succeeded', NULL, 1, 142, 142, 1795857621932, 8, '[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":142}]');
INSERT INTO usage_records VALUES ('gen_0mx079duemc2ouc3n4du8rby6nt', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'image', 'painter', 'prc_0mx0796kkjfyz4aa0fadf4wqdzg', 'sandbox', 'sandbox-image', 0, 0, 0, 0, 0, 2, 0, 0, false, 4502000, 800000, 'succeeded', NULL, 1, 555, 688, 1795857622358, 9, '[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":688}]');
INSERT INTO usage_records VALUES ('gen_0mx079em5954rztqdsmdcdjt2i4', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'image', 'painter', 'prc_0mx0796kkjfyz4aa0fadf4wqdzg', 'sandbox', 'sandbox-image', 0, 0, 0, 0, 0, 2, 0, 0, false, 2002000, 800000, 'succeeded', NULL, 1, 2901, 3015, 1795857623357, 10, '[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":3015}]');
INSERT INTO usage_records VALUES ('gen_0mx079hisbjwtuxrf2b4jsobkoo', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'embedding', 'finder', 'prc_0mx07973sq8d18murvod03b6ytc', 'sandbox', 'sandbox-embedding', 4, 0, 0, 0, 0, 0, 0, 0, false, 200, 0, 'succeeded', NULL, 1, 1, 0, 1795857627124, 11, '[{"number":1,"provider":"sandbox","model":"sandbox-embedding","key_last4":"-key","began_ms":0,"duration_ms":0}]');
INSERT INTO usage_records VALUES ('gen_0mx079mu0drqn667z5ef1j81upn', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx079hqcz7f6sgp25rgptzooat', 'sandbox', 'sandbox-chat', 7, 0, 0, 15, 0, 0, 0, 0, false, 16300, 0, 'succeeded', NULL, 1, 2, 2, 1795857634008, 12, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":2}]');
INSERT INTO usage_records VALUES ('gen_0mx079mz3w667dy0c30jc40lzoz', 'ten_0mx0798yev5d268yyx72al6arye', NULL, 'key_0mx0799cjd6z08qsukhbfarjuzg', false, 'chat', 'plain', 'prc_0mx079hqcz7f6sgp25rgptzooat', 'sandbox', 'sandbox-chat', 6, 0, 0, 25, 0, 0, 0, 0, false, 37350, 0, 'succeeded', NULL, 1, 9, 9, 1795857634191, 13, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":9}]');
INSERT INTO usage_records VALUES ('gen_0mx079n51bgtakopshd89sfyvnu', 'ten_0mx0798yev5d268yyx72al6arye', NULL, 'key_0mx0799cjd6z08qsukhbfarjuzg', false, 'chat', 'plain', 'prc_0mx079hqcz7f6sgp25rgptzooat', 'sandbox', 'sandbox-chat', 5, 0, 0, 10, 0, 0, 0, 0, false, 16500, 0, 'succeeded', NULL, 1, 9, 9, 1795857634405, 14, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":9}]');
INSERT INTO usage_records VALUES ('gen_0mx079np5l3t0qlkxpuymjflnxd', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx079hqcz7f6sgp25rgptzooat', 'sandbox', 'sandbox-chat', 26, 0, 0, 9, 0, 0, 0, 0, true, 18500, 0, 'failed', 'interrupted', 1, 12, 12, 1795857635129, 15, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","fault":"interrupted","began_ms":0,"duration_ms":12}]');
INSERT INTO usage_records VALUES ('gen_0mx079q613lik4pjdnf75wi1s5b', 'ten_0mx0797fa6k3scjegywayujqg5l', NULL, 'key_0mx0797x8qkmb2hixh06znhjxr8', false, 'chat', 'plain', 'prc_0mx079hqcz7f6sgp25rgptzooat', 'sandbox', '', 0, 0, 0, 0, 0, 0, 0, 0, false, 0, 0, 'failed', 'overloaded', 1, 0, 86, 1795857638329, 16, '[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","fault":"overloaded","began_ms":0,"duration_ms":6}]');
INSERT INTO users VALUES ('usr_0mx0797faxibfvf5l953jm9ajyy', 'ten_0mx0797fa6k3scjegywayujqg5l', 'acme-owner', 'owner', '$argon2id$v=19$m=19456,t=2,p=1$7liQazcEsFTz8OHn4FJQ+g$ubkAOqyAbbPCD5edBevB7hV1rgjDhhfUedsCBJ2Jyyw', 'active', 1795857614684, 1795857614684);
INSERT INTO users VALUES ('usr_0mx0798yeazf12xk1ibnlk8jsae', 'ten_0mx0798yev5d268yyx72al6arye', 'globex-owner', 'owner', '$argon2id$v=19$m=19456,t=2,p=1$qYvO2tdwrYV7UcEs6bbktg$sN1uqdvPZFO/cTrYaTTSrHyyaQDZg6FG+l/VlWsXWAg', 'active', 1795857616531, 1795857616532);
INSERT INTO users VALUES ('usr_0mx079a2gmhzin0ahcsne7y4zk8', 'ten_0mx079a2gr2hqn85dqesihd5bwn', 'initech-owner', 'owner', '$argon2id$v=19$m=19456,t=2,p=1$3huzrqD7JW4TA8W76INAow$gdDaGlZfL4mPT9n3CI+E9KHJw69RzJ9lgC/WFqO6+uA', 'active', 1795857617870, 1795857617870);
INSERT INTO web_sessions VALUES ('ses_0mx079td4w0tmenz8csm0ka7x5p', '8544edd6c0961a52648d7e35c38a9f51d738dab9732775f1a0734dd5e5fd85b4', 'superadmin', 'open', NULL, 'adm_0mx0790fnwa7ft3npsofw4r9stm', 1795857642432, 1795857642432, 1795864842432, 1795900842432, '127.0.0.1', 'Python-urllib/3.11', '30s1s76y1itq6jwh8ifyx3i5ahdcbjlg', 1795857642432);
SELECT pg_catalog.setval('usage_numbers', 16, true);
ALTER TABLE ONLY __diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);
ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (version);
ALTER TABLE ONLY gateway_events
    ADD CONSTRAINT gateway_events_pkey PRIMARY KEY (journal, cursor);
ALTER TABLE ONLY gateway_journals
    ADD CONSTRAINT gateway_journals_pkey PRIMARY KEY (id);
ALTER TABLE ONLY gateways
    ADD CONSTRAINT gateways_pkey PRIMARY KEY (id);
ALTER TABLE ONLY gateways
    ADD CONSTRAINT gateways_url_key UNIQUE (url);
ALTER TABLE ONLY ledger_accounts
    ADD CONSTRAINT ledger_accounts_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY ledger_adjustments
    ADD CONSTRAINT ledger_adjustments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger_adjustments
    ADD CONSTRAINT ledger_adjustments_tenant_id_source_key_key UNIQUE (tenant_id, source_key);
ALTER TABLE ONLY ledger_allocations
    ADD CONSTRAINT ledger_allocations_pkey PRIMARY KEY (hold_id, "position");
ALTER TABLE ONLY ledger_budgets
    ADD CONSTRAINT ledger_budgets_pkey PRIMARY KEY (spender, period);
ALTER TABLE ONLY ledger_entries
    ADD CONSTRAINT ledger_entries_pkey PRIMARY KEY (tenant_id, number);
ALTER TABLE ONLY ledger_grants
    ADD CONSTRAINT ledger_grants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger_grants
    ADD CONSTRAINT ledger_grants_tenant_id_source_key_key UNIQUE (tenant_id, source_key);
ALTER TABLE ONLY ledger_holds
    ADD CONSTRAINT ledger_holds_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger_writers
    ADD CONSTRAINT ledger_writers_pkey PRIMARY KEY (boot);
ALTER TABLE ONLY models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_model_id_valid_from_key UNIQUE (model_id, valid_from);
ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY revisions
    ADD CONSTRAINT revisions_pkey PRIMARY KEY (name);
ALTER TABLE ONLY rollup_state
    ADD CONSTRAINT rollup_state_pkey PRIMARY KEY (name);
ALTER TABLE ONLY rollup_tops
    ADD CONSTRAINT rollup_tops_pkey PRIMARY KEY (span);
ALTER TABLE ONLY rollups
    ADD CONSTRAINT rollups_pkey PRIMARY KEY (dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, test);
ALTER TABLE ONLY second_factors
    ADD CONSTRAINT second_factors_pkey PRIMARY KEY (subject_id);
ALTER TABLE ONLY sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);
ALTER TABLE ONLY superadmins
    ADD CONSTRAINT superadmins_pkey PRIMARY KEY (id);
ALTER TABLE ONLY superadmins
    ADD CONSTRAINT superadmins_username_key UNIQUE (username);
ALTER TABLE ONLY tenant_settings
    ADD CONSTRAINT tenant_settings_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);
ALTER TABLE ONLY tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY usage_records
    ADD CONSTRAINT usage_records_pkey PRIMARY KEY (id);
ALTER TABLE ONLY users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY users
    ADD CONSTRAINT users_tenant_id_username_key UNIQUE (tenant_id, username);
ALTER TABLE ONLY web_sessions
    ADD CONSTRAINT web_sessions_hash_key UNIQUE (hash);
ALTER TABLE ONLY web_sessions
    ADD CONSTRAINT web_sessions_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX api_keys_previous ON api_keys USING btree (previous_hash) WHERE (previous_hash IS NOT NULL);
CREATE INDEX api_keys_tenant ON api_keys USING btree (tenant_id, id);
CREATE INDEX audit_entries_action ON audit_entries USING btree (action, at, id);
CREATE INDEX audit_entries_actor ON audit_entries USING btree (actor_id, at, id);
CREATE INDEX audit_entries_at ON audit_entries USING btree (at, id);
CREATE INDEX audit_entries_subject ON audit_entries USING btree (subject, at, id);
CREATE INDEX audit_entries_tenant ON audit_entries USING btree (tenant_id, id);
CREATE INDEX gateway_events_at ON gateway_events USING btree (at);
CREATE INDEX ledger_grants_expiring ON ledger_grants USING btree (expires_at) WHERE ((remaining_micros > 0) AND (expires_at IS NOT NULL));
CREATE INDEX ledger_grants_open ON ledger_grants USING btree (tenant_id) WHERE (remaining_micros > 0);
CREATE INDEX ledger_grants_tenant ON ledger_grants USING btree (tenant_id, id);
CREATE INDEX ledger_holds_open ON ledger_holds USING btree (deadline_at) WHERE (state = 'held'::text);
CREATE INDEX recovery_codes_subject ON recovery_codes USING btree (subject_id);
CREATE INDEX refresh_tokens_session ON refresh_tokens USING btree (session_id);
CREATE INDEX rollups_tenants ON rollups USING btree (grain, starts_at, tenant_id) WHERE (dimension = 'tenant'::text);
CREATE INDEX sessions_subject ON sessions USING btree (subject_id);
CREATE INDEX tenants_delete_at ON tenants USING btree (delete_at) WHERE (delete_at IS NOT NULL);
CREATE INDEX tenants_name_folded ON tenants USING btree (lower((name COLLATE "C")), id);
CREATE INDEX usage_records_at ON usage_records USING btree (created_at, id);
CREATE INDEX usage_records_key ON usage_records USING btree (key_id, created_at, id) WHERE (key_id IS NOT NULL);
CREATE INDEX usage_records_model ON usage_records USING btree (model, created_at, id);
CREATE INDEX usage_records_number ON usage_records USING btree (number);
CREATE INDEX usage_records_provider ON usage_records USING btree (provider, created_at, id);
CREATE INDEX usage_records_tenant_at ON usage_records USING btree (tenant_id, created_at, id);
CREATE INDEX usage_records_unnumbered ON usage_records USING btree (id) WHERE (number IS NULL);
CREATE INDEX usage_records_unwell ON usage_records USING btree (created_at, id) WHERE (status <> 'succeeded'::text);
CREATE INDEX usage_records_user ON usage_records USING btree (user_id, created_at, id) WHERE (user_id IS NOT NULL);
CREATE INDEX web_sessions_expires_at ON web_sessions USING btree (expires_at);
CREATE INDEX web_sessions_subject ON web_sessions USING btree (subject_id);
CREATE TRIGGER ledger_adjustments_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_adjustments FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER ledger_entries_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id);
ALTER TABLE ONLY gateway_events
    ADD CONSTRAINT gateway_events_journal_fkey FOREIGN KEY (journal) REFERENCES gateway_journals(id);
ALTER TABLE ONLY ledger_adjustments
    ADD CONSTRAINT ledger_adjustments_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES ledger_accounts(tenant_id);
ALTER TABLE ONLY ledger_grants
    ADD CONSTRAINT ledger_grants_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES ledger_accounts(tenant_id);
ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_model_id_fkey FOREIGN KEY (model_id) REFERENCES models(id) ON DELETE CASCADE;
ALTER TABLE ONLY refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id);
ALTER TABLE ONLY users
    ADD CONSTRAINT users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id);
