BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000001','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000002','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000003','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000004','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000010','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000011','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000012','2026-11-28 09:19:22');
INSERT INTO "__diesel_schema_migrations" VALUES('20261121000015','2026-11-28 09:19:22');
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'live' OR kind = 'test'),
    hash TEXT NOT NULL UNIQUE,
    last4 TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'revoked'),
    allowed_models TEXT,
    allowed_addresses TEXT,
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
, scopes TEXT NOT NULL DEFAULT 'inference usage', previous_hash TEXT, previous_last4 TEXT, previous_until BIGINT) WITHOUT ROWID;
INSERT INTO "api_keys" VALUES('key_0mx0783h4vv5wprkj0lmo3w8i7i','ten_0mx0783grwq8t22rw6yyhvgmxun','demo','live','84bddff0f6b53de6f064084933a3b2578c7437596ec20f56347ced45b978315a','stuv','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562264,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783ha03bjqjhgpr26pesgkn','ten_0mx0783grwq8t22rw6yyhvgmxun','demo test','test','14b2fa65c84084765c0f5de98791509bde8c8e570fc80b5dc4150b33f7ab8040','g62c','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562270,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783qf1ingstwli0akzuygcb','ten_0mx0783pvzzxecgldgdhca0lavb','first key','live','10c0d422889297b0189b5eb5de9f0c9f5f8fcb21e896bcc1912813889458e20d','bkdb','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562599,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783rm7a1307z5k38sha8prt','ten_0mx0783r0vr2iv78cmpd1go8boo','first key','live','e57833f4b44c6c66522c28d6e617a6c452af179a592aa9454d9ad266764ff3c0','8ajs','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562642,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783t9p5727mcaz3vj45ghlj','ten_0mx0783sk0gfg19ifw5xu6h8k4b','first key','live','3c89a9c0508b194efaee919f37716661cc7f07fb1cc9e2a92a0588321879ba7c','55hf','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562701,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783tmzejzed1hbbg4gbyg6s','ten_0mx0783pvzzxecgldgdhca0lavb','batch','live','29d3fc9d73d30d1c12a396ee00ee91dee494e469715ad5d0125162b884f78bb3','lmd1','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562714,NULL,'inference usage',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('key_0mx0783twbs8sa4a388ves2t1q4','ten_0mx0783pvzzxecgldgdhca0lavb','probe','test','4a6e0bf90dcd59bafd502e3c9069d5fef34cb16203c4b3a25ae7a232ad9e79ac','oon0','active',NULL,NULL,NULL,NULL,NULL,NULL,1795857562724,NULL,'inference usage',NULL,NULL,NULL);
CREATE TABLE audit_entries (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    address TEXT NOT NULL,
    tenant_id TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before_json TEXT,
    after_json TEXT
) WITHOUT ROWID;
INSERT INTO "audit_entries" VALUES('aud_0mx0783g7qp4kobjzclascjekd1',1795857562225,'system','','first start','',NULL,'model.create','sandbox-chat',NULL,'{"operation":"chat","targets":[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}],"max_output_tokens":4096,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783g89xg54py80uoripceqv',1795857562225,'system','','first start','',NULL,'price.create','prc_0mx0783g14idlafmj5shdn4o8yv',NULL,'{"model_id":"sandbox-chat","valid_from":1795857562225,"items":{"per_request":0,"input_per_million":2.5,"output_per_million":10},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783ge4kyxayutfh1os3tfja',1795857562236,'system','','first start','',NULL,'model.create','sandbox-embedding',NULL,'{"operation":"embedding","targets":[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783gekdwb7gskozcgzqo20f',1795857562236,'system','','first start','',NULL,'price.create','prc_0mx0783gcu60qkmbfaqbk0mjj8k',NULL,'{"model_id":"sandbox-embedding","valid_from":1795857562236,"items":{"per_request":0,"input_per_million":0.1,"output_per_million":0},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783gl43ey9h0rhhoxie71xg',1795857562244,'system','','first start','',NULL,'model.create','sandbox-image',NULL,'{"operation":"image","targets":[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783glq7ngp8zojy4i8q4sm2',1795857562244,'system','','first start','',NULL,'price.create','prc_0mx0783gkctphyi1fng9yefi1x8',NULL,'{"model_id":"sandbox-image","valid_from":1795857562244,"items":{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.01},{"credits":0.04}]},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783gt2m23czhplc0eld24m4',1795857562251,'system','','first start','','ten_0mx0783grwq8t22rw6yyhvgmxun','tenant.create','ten_0mx0783grwq8t22rw6yyhvgmxun',NULL,'{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"demo","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783h5royjq8pkq2ougi65nk',1795857562264,'system','','first start','','ten_0mx0783grwq8t22rw6yyhvgmxun','key.create','key_0mx0783h4vv5wprkj0lmo3w8i7i',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"stuv","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"demo","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783hccv5sdh7exnea8pfld9',1795857562270,'system','','first start','','ten_0mx0783grwq8t22rw6yyhvgmxun','key.create','key_0mx0783ha03bjqjhgpr26pesgkn',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"test","last4":"g62c","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"demo test","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783if5opz0ya73hmh1xkeyz',1795857562310,'system','','first start','',NULL,'superadmin.create','adm_0mx0783hewx7cfszdlt9mf3s26v',NULL,'{"role":"owner","status":"active","username":"admin"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783ogacmg3a8hukoonbecmy',1795857562528,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'provider.create','far',NULL,'{"base_url":"http://127.0.0.1:25999/v1","enabled":true,"kind":"openai"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783orogde1e58qahu2kny5u',1795857562538,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'provider_key.create','far/pkey_0mx0783oo56oomuofthwd597n7n',NULL,'{"label":"","last4":"6789","status":"active","weight":1}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783oyd5bpwq0qa8j3sfh1d7',1795857562544,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'model.create','thinker',NULL,'{"operation":"chat","targets":[{"provider":"far","model":"remote","weight":1,"priority":0}],"max_output_tokens":2000,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783oz1xaxxdtt2vv561v064',1795857562544,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'price.create','prc_0mx0783owoiqwzce3012ijhj8ad',NULL,'{"model_id":"thinker","valid_from":1795857562544,"items":{"per_request":0.01,"input_per_million":2.5,"cached_input_per_million":0.25,"cache_write_per_million":3,"output_per_million":10,"reasoning_per_million":12.5},"cost":{"per_request":0,"input_per_million":1.25,"output_per_million":5}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783p79kny7ofoxdl7mgo1xv',1795857562553,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'model.create','plain',NULL,'{"operation":"chat","targets":[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}],"max_output_tokens":4096,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783p7lg96bsloqsbafdgqzf',1795857562553,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'price.create','prc_0mx0783p5ruosm2tyxg7uwpc210',NULL,'{"model_id":"plain","valid_from":1795857562553,"items":{"per_request":0,"input_per_million":333.333,"output_per_million":777.777},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783pft6if1q1228701j66ba',1795857562561,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'model.create','painter',NULL,'{"operation":"image","targets":[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783pg3u9ieyk91sq7v75sn7',1795857562561,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'price.create','prc_0mx0783pdehcjz7p83acr58ag01',NULL,'{"model_id":"painter","valid_from":1795857562561,"items":{"per_request":0.002,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.5},{"size":"512x512","quality":"high","credits":2.25},{"credits":1}]},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"credits":0.4}]}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783pm3mhw4bscfbzmuy2qtg',1795857562569,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'price.create','prc_0mx0783plnyzlfauof3zovmjkhx',NULL,'{"model_id":"finder","valid_from":1795857562569,"items":{"per_request":0,"input_per_million":50,"output_per_million":0},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783pmsvv6dzie3ulyx8goog',1795857562569,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'model.create','finder',NULL,'{"operation":"embedding","targets":[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}],"max_output_tokens":0,"enabled":true}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783qidxrjma21i86gyx9ai1',1795857562599,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','tenant.create','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"acme","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783qj978ot74cfydpwm71y7',1795857562599,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','key.create','key_0mx0783qf1ingstwli0akzuygcb',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"bkdb","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783qjr8htgmxtts18fk9nqp',1795857562599,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','user.create','usr_0mx0783pvah4ubrz8ph3egf0isk',NULL,'{"role":"owner","status":"active","username":"acme-owner"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783qrxpp40uq6zteofi9k16',1795857562610,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','tenant.recharge','grt_0mx0783qplo1nohdkn5femerjkb',NULL,'{"amount":"100","expires_at":4102444800000,"note":"order 1","source_key":"recharge:order-1"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783qxgpmkvalwhonhn7i2n1',1795857562617,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','tenant.recharge','grt_0mx0783qv3nw0vpk1gixydz81ax',NULL,'{"amount":"50","expires_at":null,"note":"order 2","source_key":"recharge:order-2"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783rs3ndaci2qigzk8xjo6o',1795857562642,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','key.create','key_0mx0783rm7a1307z5k38sha8prt',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"8ajs","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783rsapcmh6ymkcxrgeu27d',1795857562642,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','user.create','usr_0mx0783r049lnbykluuyepm267a',NULL,'{"role":"owner","status":"active","username":"globex-owner"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783rskzau4nej61mgg5dil1',1795857562642,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','tenant.create','ten_0mx0783r0vr2iv78cmpd1go8boo',NULL,'{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783s8g19enxam1qwis03chw',1795857562664,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','tenant.recharge','grt_0mx0783s4wtpc58za90312ebvcb',NULL,'{"amount":"5","expires_at":null,"note":"order 3","source_key":"recharge:order-3"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783tcmqo5y6giprw84a8nkg',1795857562702,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783sk0gfg19ifw5xu6h8k4b','user.create','usr_0mx0783sk4sjg6b8qfaks3y9b0b',NULL,'{"role":"owner","status":"active","username":"initech-owner"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783tcyan89o59trk7c949hd',1795857562702,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783sk0gfg19ifw5xu6h8k4b','tenant.create','ten_0mx0783sk0gfg19ifw5xu6h8k4b',NULL,'{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"initech","price_multiplier_ppm":1000000,"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783tdpiwh70uywy2mtdmp7z',1795857562702,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783sk0gfg19ifw5xu6h8k4b','key.create','key_0mx0783t9p5727mcaz3vj45ghlj',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"55hf","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"first key","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783ti6pzycx6ob803ec79ch',1795857562710,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783sk0gfg19ifw5xu6h8k4b','tenant.recharge','grt_0mx0783tidybnyhzh13u0hgp6jf',NULL,'{"amount":"20","expires_at":null,"note":"order 4","source_key":"recharge:order-4"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783tma5ggirhz20s2vg7098',1795857562714,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','key.create','key_0mx0783tmzejzed1hbbg4gbyg6s',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"lmd1","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"batch","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783tuaa6087u0dld0q3yqzk',1795857562722,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','budget.set','key:key_0mx0783tmzejzed1hbbg4gbyg6s',NULL,'{"limit":"30","period":"month"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0783txxglcb58f3ho57um1tv',1795857562724,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783pvzzxecgldgdhca0lavb','key.create','key_0mx0783twbs8sa4a388ves2t1q4',NULL,'{"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"test","last4":"oon0","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"probe","scopes":["inference","usage"],"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx07842kd9ct3wrincti70yz8z',1795857563035,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'price.create','prc_0mx07842j2tcnnpfepwfgv8yqdg',NULL,'{"model_id":"plain","valid_from":1795857563035,"items":{"per_request":0,"input_per_million":400,"output_per_million":900},"cost":{"per_request":0,"input_per_million":0,"output_per_million":0}}');
INSERT INTO "audit_entries" VALUES('aud_0mx07842o3ze8v0ng1g0jfv6ro7',1795857563040,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','tenant.update','ten_0mx0783r0vr2iv78cmpd1go8boo','{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1000000,"status":"active"}','{"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"globex","price_multiplier_ppm":1500000,"status":"active"}');
INSERT INTO "audit_entries" VALUES('aud_0mx0788px5sadwhp9mowz0ewf1w',1795857569061,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1','ten_0mx0783r0vr2iv78cmpd1go8boo','tenant.adjust','adj_0mx0788pwl4wgye7ro3t957eqd1',NULL,'{"amount":"-7","into_debt":true,"reason":"paid back","source_key":"adjust:adj-1"}');
INSERT INTO "audit_entries" VALUES('aud_0mx078de3723ml8o81ffio4optr',1795857575111,'superadmin','adm_0mx0783hewx7cfszdlt9mf3s26v','admin','127.0.0.1',NULL,'session.begin','ses_0mx078de26zj3c5l5k9zw6paegf',NULL,'{"agent":"Python-urllib/3.11"}');
CREATE TABLE changes (
    version BIGINT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "changes" VALUES(1,'catalogue',1795857562225);
INSERT INTO "changes" VALUES(2,'catalogue',1795857562236);
INSERT INTO "changes" VALUES(3,'catalogue',1795857562244);
INSERT INTO "changes" VALUES(4,'catalogue',1795857562544);
INSERT INTO "changes" VALUES(5,'catalogue',1795857562553);
INSERT INTO "changes" VALUES(6,'catalogue',1795857562561);
INSERT INTO "changes" VALUES(7,'catalogue',1795857562569);
INSERT INTO "changes" VALUES(8,'catalogue',1795857563035);
INSERT INTO "changes" VALUES(9,'tenant:ten_0mx0783r0vr2iv78cmpd1go8boo',1795857563040);
CREATE TABLE gateway_events (
    journal TEXT NOT NULL REFERENCES gateway_journals (id),
    cursor BIGINT NOT NULL,
    at BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (journal, cursor)
) WITHOUT ROWID;
INSERT INTO "gateway_events" VALUES('jrn_0mx0783ev2wqo2uqopqzry1zuxd',1,1795857562195,'the gateway of this process','gateway_started','{"version":"0.1.0"}');
CREATE TABLE gateway_journals (
    id TEXT NOT NULL PRIMARY KEY,
    cursor BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "gateway_journals" VALUES('jrn_0mx0783ev2wqo2uqopqzry1zuxd',1);
CREATE TABLE gateways (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),
    priority BIGINT NOT NULL,
    created_at BIGINT NOT NULL
, name TEXT NOT NULL DEFAULT '', region TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
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
INSERT INTO "ledger_accounts" VALUES('ten_0mx0783grwq8t22rw6yyhvgmxun',1,1,1000000000,0,0,0,0,0,0,-1000000000);
INSERT INTO "ledger_accounts" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',29,28,142357026,0,7642974,0,0,0,0,-150000000);
INSERT INTO "ledger_accounts" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',6,6,0,0,53850,0,7000000,-2053850,0,-5000000);
INSERT INTO "ledger_accounts" VALUES('ten_0mx0783sk0gfg19ifw5xu6h8k4b',2,2,16269600,3730400,0,0,0,0,0,-20000000);
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
INSERT INTO "ledger_adjustments" VALUES('adj_0mx0788pwl4wgye7ro3t957eqd1','ten_0mx0783r0vr2iv78cmpd1go8boo','adjust:adj-1',-7000000,1,'admin','paid back',1795857569060);
CREATE TABLE ledger_allocations (
    hold_id TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    grant_id TEXT NOT NULL,
    amount_micros BIGINT NOT NULL CHECK (amount_micros > 0),
    PRIMARY KEY (hold_id, position)
) WITHOUT ROWID;
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
INSERT INTO "ledger_budgets" VALUES('key:key_0mx0783tmzejzed1hbbg4gbyg6s','month','ten_0mx0783pvzzxecgldgdhca0lavb','bud_0mx0783tt1w3hotpzzoksndanzr',30000000,11667,0,1793491200000);
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
INSERT INTO "ledger_entries" VALUES('ten_0mx0783grwq8t22rw6yyhvgmxun',1,'grant','grt_0mx0783gxshadelm8mf4k9aln7h',1000000000,0,0,0,0,0,0,-1000000000,1000000000,0,1795857562256);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',1,'grant','grt_0mx0783qplo1nohdkn5femerjkb',100000000,0,0,0,0,0,0,-100000000,100000000,0,1795857562608);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',2,'grant','grt_0mx0783qv3nw0vpk1gixydz81ax',50000000,0,0,0,0,0,0,-50000000,150000000,0,1795857562615);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',3,'hold','gen_0mx0783tzjyrugdt9icfnsuv5av',-3209108,3209108,0,0,0,0,0,0,146790892,3209108,1795857562727);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',4,'settle','gen_0mx0783tzjyrugdt9icfnsuv5av',3189774,-3209108,19334,0,0,0,0,0,149980666,0,1795857562730);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',5,'hold','gen_0mx0783u4pewmnbnkc86m3fvjfx',-3213108,3213108,0,0,0,0,0,0,146767558,3213108,1795857562734);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',6,'settle','gen_0mx0783u4pewmnbnkc86m3fvjfx',3195885,-3213108,17223,0,0,0,0,0,149963443,0,1795857562737);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',7,'hold','gen_0mx0783ucne2ul4yh0khez7ha4k',-3218775,3218775,0,0,0,0,0,0,146744668,3218775,1795857562740);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',8,'settle','gen_0mx0783ucne2ul4yh0khez7ha4k',3193775,-3218775,25000,0,0,0,0,0,149938443,0,1795857562744);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',9,'hold','gen_0mx0783ukaddsowzq7jl8lafjo4',-3216108,3216108,0,0,0,0,0,0,146722335,3216108,1795857562749);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',10,'settle','gen_0mx0783ukaddsowzq7jl8lafjo4',3204441,-3216108,11667,0,0,0,0,0,149926776,0,1795857562751);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',11,'hold','gen_0mx0783uwjpwvl3lflasdv9h1vk',-35216,35216,0,0,0,0,0,0,149891560,35216,1795857562760);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',12,'settle','gen_0mx0783uwjpwvl3lflasdv9h1vk',20841,-35216,14375,0,0,0,0,0,149912401,0,1795857562780);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',13,'hold','gen_0mx0783vkqrwvf1guvdwgc955bf',-16541,16541,0,0,0,0,0,0,149895860,16541,1795857562784);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',14,'settle','gen_0mx0783vkqrwvf1guvdwgc955bf',2166,-16541,14375,0,0,0,0,0,149898026,0,1795857562830);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',15,'hold','gen_0mx0783wxcnu47uiagn9q750pn6',-1002000,1002000,0,0,0,0,0,0,148896026,1002000,1795857562834);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',16,'settle','gen_0mx0783wxcnu47uiagn9q750pn6',0,-1002000,1002000,0,0,0,0,0,148896026,0,1795857562843);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',17,'hold','gen_0mx0783xiteyluv446jjgrvyhvv',-4502000,4502000,0,0,0,0,0,0,144394026,4502000,1795857562854);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',18,'settle','gen_0mx0783xiteyluv446jjgrvyhvv',0,-4502000,4502000,0,0,0,0,0,144394026,0,1795857562889);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',19,'hold','gen_0mx0783ymu87c6ewmrl7q9lrlfh',-2002000,2002000,0,0,0,0,0,0,142392026,2002000,1795857562895);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',20,'settle','gen_0mx0783ymu87c6ewmrl7q9lrlfh',0,-2002000,2002000,0,0,0,0,0,142392026,0,1795857563005);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',21,'hold','gen_0mx07842b2p5tlgchz457r3ccem',-3250,3250,0,0,0,0,0,0,142388776,3250,1795857563028);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',22,'settle','gen_0mx07842b2p5tlgchz457r3ccem',3050,-3250,200,0,0,0,0,0,142391826,0,1795857563031);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',23,'hold','gen_0mx0788pfh47ompsghr0w0vdaqy',-3723600,3723600,0,0,0,0,0,0,138668226,3723600,1795857569043);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',24,'settle','gen_0mx0788pfh47ompsghr0w0vdaqy',3707300,-3723600,16300,0,0,0,0,0,142375526,0,1795857569046);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',25,'hold','gen_0mx0788pzusruiebbdnbbdz78qv',-3728000,3728000,0,0,0,0,0,0,138647526,3728000,1795857569063);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',26,'settle','gen_0mx0788pzusruiebbdnbbdz78qv',3709500,-3728000,18500,0,0,0,0,0,142357026,0,1795857569067);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',27,'hold','gen_0mx078b1kl3ynin03wv2erx7sdm',-3722800,3722800,0,0,0,0,0,0,138634226,3722800,1795857572072);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb',28,'release','gen_0mx078b1kl3ynin03wv2erx7sdm',3722800,-3722800,0,0,0,0,0,0,142357026,0,1795857572077);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',1,'grant','grt_0mx0783s4wtpc58za90312ebvcb',5000000,0,0,0,0,0,0,-5000000,5000000,0,1795857562660);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',2,'hold','gen_0mx0788pmuoql03xtq8rgodqtk2',-5000000,5000000,0,0,0,0,0,0,0,5000000,1795857569050);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',3,'settle','gen_0mx0788pmuoql03xtq8rgodqtk2',4962650,-5000000,37350,0,0,0,0,0,4962650,0,1795857569052);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',4,'hold','gen_0mx0788pq0yf9b132481cuwswqt',-4962650,4962650,0,0,0,0,0,0,0,4962650,1795857569054);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',5,'settle','gen_0mx0788pq0yf9b132481cuwswqt',4946150,-4962650,16500,0,0,0,0,0,4946150,0,1795857569057);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo',6,'adjust','adj_0mx0788pwl4wgye7ro3t957eqd1',-4946150,0,0,0,7000000,-2053850,0,0,0,0,1795857569060);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783sk0gfg19ifw5xu6h8k4b',1,'grant','grt_0mx0783tidybnyhzh13u0hgp6jf',20000000,0,0,0,0,0,0,-20000000,20000000,0,1795857562709);
INSERT INTO "ledger_entries" VALUES('ten_0mx0783sk0gfg19ifw5xu6h8k4b',2,'hold','gen_0mx078eahkegy9zs4tcge8vbo2g',-3730400,3730400,0,0,0,0,0,0,16269600,3730400,1795857576281);
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
INSERT INTO "ledger_grants" VALUES('grt_0mx0783gxshadelm8mf4k9aln7h','ten_0mx0783grwq8t22rw6yyhvgmxun','gift','first start',1000000000,1000000000,NULL,'to try things out',1795857562256);
INSERT INTO "ledger_grants" VALUES('grt_0mx0783qplo1nohdkn5femerjkb','ten_0mx0783pvzzxecgldgdhca0lavb','manual','recharge:order-1',100000000,92357026,4102444800000,'order 1',1795857562608);
INSERT INTO "ledger_grants" VALUES('grt_0mx0783qv3nw0vpk1gixydz81ax','ten_0mx0783pvzzxecgldgdhca0lavb','manual','recharge:order-2',50000000,50000000,NULL,'order 2',1795857562615);
INSERT INTO "ledger_grants" VALUES('grt_0mx0783s4wtpc58za90312ebvcb','ten_0mx0783r0vr2iv78cmpd1go8boo','manual','recharge:order-3',5000000,0,NULL,'order 3',1795857562660);
INSERT INTO "ledger_grants" VALUES('grt_0mx0783tidybnyhzh13u0hgp6jf','ten_0mx0783sk0gfg19ifw5xu6h8k4b','manual','recharge:order-4',20000000,16269600,NULL,'order 4',1795857562709);
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
INSERT INTO "ledger_holds" VALUES('gen_0mx0783tzjyrugdt9icfnsuv5av','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3209108,35778,3209108,19334,0,'grt_0mx0783qplo1nohdkn5femerjkb',3209108,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx0783p5ruosm2tyxg7uwpc210","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0783tyfwljyoe1qjxclfmiw2"}',1795857562727,1795858222727,1795857562730);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783u4pewmnbnkc86m3fvjfx','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3213108,39778,3213108,17223,0,'grt_0mx0783qplo1nohdkn5femerjkb',3213108,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx0783p5ruosm2tyxg7uwpc210","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0783u4bwv21zah66sc0qz5t2"}',1795857562734,1795858222733,1795857562737);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783ucne2ul4yh0khez7ha4k','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3218775,45445,3218775,25000,0,'grt_0mx0783qplo1nohdkn5femerjkb',3218775,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx0783p5ruosm2tyxg7uwpc210","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0783uc851e1lo1yihsxin04n"}',1795857562740,1795858222740,1795857562744);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783ukaddsowzq7jl8lafjo4','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3216108,42778,3216108,11667,0,'grt_0mx0783qplo1nohdkn5femerjkb',3216108,'key:key_0mx0783tmzejzed1hbbg4gbyg6s|month|bud_0mx0783tt1w3hotpzzoksndanzr|1793491200000','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783tmzejzed1hbbg4gbyg6s","operation":"chat","model":"plain","price":"prc_0mx0783p5ruosm2tyxg7uwpc210","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0783uk3wt2yk8ce12qzvbshx"}',1795857562749,1795858222748,1795857562751);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783uwjpwvl3lflasdv9h1vk','ten_0mx0783pvzzxecgldgdhca0lavb','settled',35216,10416,35216,14375,0,'grt_0mx0783qplo1nohdkn5femerjkb',35216,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"thinker","price":"prc_0mx0783owoiqwzce3012ijhj8ad","multiplier_ppm":1000000,"image":null,"provider":"far","request":"req_0mx0783uwigrd2vy0al6uqnl5mu"}',1795857562760,1795858222760,1795857562780);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783vkqrwvf1guvdwgc955bf','ten_0mx0783pvzzxecgldgdhca0lavb','settled',16541,10491,16541,14375,0,'grt_0mx0783qplo1nohdkn5femerjkb',16541,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"thinker","price":"prc_0mx0783owoiqwzce3012ijhj8ad","multiplier_ppm":1000000,"image":null,"provider":"far","request":"req_0mx0783vkgf0531h8isc5sr3faz"}',1795857562784,1795858222784,1795857562830);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783wxcnu47uiagn9q750pn6','ten_0mx0783pvzzxecgldgdhca0lavb','settled',1002000,1002000,1002000,1002000,0,'grt_0mx0783qplo1nohdkn5femerjkb',1002000,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"image","model":"painter","price":"prc_0mx0783pdehcjz7p83acr58ag01","multiplier_ppm":1000000,"image":{"n":2,"size":"256x256","quality":null},"provider":"sandbox","request":"req_0mx0783wxu3p2e55bo324zl8yse"}',1795857562834,1795858222834,1795857562843);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783xiteyluv446jjgrvyhvv','ten_0mx0783pvzzxecgldgdhca0lavb','settled',4502000,4502000,4502000,4502000,0,'grt_0mx0783qplo1nohdkn5femerjkb',4502000,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"image","model":"painter","price":"prc_0mx0783pdehcjz7p83acr58ag01","multiplier_ppm":1000000,"image":{"n":2,"size":"512x512","quality":"high"},"provider":"sandbox","request":"req_0mx0783xi70qyg5ya2lbq866akz"}',1795857562854,1795858222854,1795857562889);
INSERT INTO "ledger_holds" VALUES('gen_0mx0783ymu87c6ewmrl7q9lrlfh','ten_0mx0783pvzzxecgldgdhca0lavb','settled',2002000,2002000,2002000,2002000,0,'grt_0mx0783qplo1nohdkn5femerjkb',2002000,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"image","model":"painter","price":"prc_0mx0783pdehcjz7p83acr58ag01","multiplier_ppm":1000000,"image":{"n":2,"size":"1024x1024","quality":null},"provider":"sandbox","request":"req_0mx0783ymb6zp0f5owoumwxlpna"}',1795857562895,1795858222895,1795857563005);
INSERT INTO "ledger_holds" VALUES('gen_0mx07842b2p5tlgchz457r3ccem','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3250,3250,3250,200,0,'grt_0mx0783qplo1nohdkn5femerjkb',3250,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"embedding","model":"finder","price":"prc_0mx0783plnyzlfauof3zovmjkhx","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx07842ab8g7grjxzyx2j64bja"}',1795857563028,1795858223027,1795857563031);
INSERT INTO "ledger_holds" VALUES('gen_0mx0788pfh47ompsghr0w0vdaqy','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3723600,51600,3723600,16300,0,'grt_0mx0783qplo1nohdkn5femerjkb',3723600,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0788pe7fri1tm6fo822mtbkn"}',1795857569043,1795858229043,1795857569046);
INSERT INTO "ledger_holds" VALUES('gen_0mx0788pmuoql03xtq8rgodqtk2','ten_0mx0783r0vr2iv78cmpd1go8boo','settled',5581200,73200,5000000,37350,0,'grt_0mx0783s4wtpc58za90312ebvcb',5000000,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783rm7a1307z5k38sha8prt","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1500000,"image":null,"provider":"sandbox","request":"req_0mx0788pk0ro8lp1o33g5bl6avt"}',1795857569050,1795858229050,1795857569052);
INSERT INTO "ledger_holds" VALUES('gen_0mx0788pq0yf9b132481cuwswqt','ten_0mx0783r0vr2iv78cmpd1go8boo','settled',5594400,86400,4962650,16500,0,'grt_0mx0783s4wtpc58za90312ebvcb',4962650,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783rm7a1307z5k38sha8prt","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1500000,"image":null,"provider":"sandbox","request":"req_0mx0788pqozmaz55rc7upwzykgj"}',1795857569054,1795858229054,1795857569057);
INSERT INTO "ledger_holds" VALUES('gen_0mx0788pzusruiebbdnbbdz78qv','ten_0mx0783pvzzxecgldgdhca0lavb','settled',3728000,56000,3728000,18500,0,'grt_0mx0783qplo1nohdkn5femerjkb',3728000,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx0788pz1dtkq8j0sg666jphyp"}',1795857569063,1795858229063,1795857569067);
INSERT INTO "ledger_holds" VALUES('gen_0mx078b1kl3ynin03wv2erx7sdm','ten_0mx0783pvzzxecgldgdhca0lavb','released',3722800,50800,3722800,0,0,'grt_0mx0783qplo1nohdkn5femerjkb',3722800,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783qf1ingstwli0akzuygcb","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx078b1k8p7hgioyt3f1e05cyn"}',1795857572072,1795858232072,1795857572077);
INSERT INTO "ledger_holds" VALUES('gen_0mx078eahkegy9zs4tcge8vbo2g','ten_0mx0783sk0gfg19ifw5xu6h8k4b','held',3730400,58400,3730400,0,0,'grt_0mx0783tidybnyhzh13u0hgp6jf',3730400,'','','boot_0mx0783fw5odck7bm81rbgotzgr','{"user":null,"key":"key_0mx0783t9p5727mcaz3vj45ghlj","operation":"chat","model":"plain","price":"prc_0mx07842j2tcnnpfepwfgv8yqdg","multiplier_ppm":1000000,"image":null,"provider":"sandbox","request":"req_0mx078eah65uxhybetasifrbfh9"}',1795857576281,1795858236281,NULL);
CREATE TABLE ledger_writers (
    boot TEXT NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "ledger_writers" VALUES('boot_0mx0783fw5odck7bm81rbgotzgr',39,1795857576281);
CREATE TABLE models (
    id TEXT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL CHECK (operation = 'chat' OR operation = 'embedding' OR operation = 'image'),
    targets TEXT NOT NULL,
    max_output_tokens BIGINT NOT NULL CHECK (max_output_tokens >= 0),
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "models" VALUES('finder','embedding','[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}]',0,1,1795857562569,1795857562569);
INSERT INTO "models" VALUES('painter','image','[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}]',0,1,1795857562561,1795857562561);
INSERT INTO "models" VALUES('plain','chat','[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}]',4096,1,1795857562553,1795857562553);
INSERT INTO "models" VALUES('sandbox-chat','chat','[{"provider":"sandbox","model":"sandbox-chat","weight":1,"priority":0}]',4096,1,1795857562225,1795857562225);
INSERT INTO "models" VALUES('sandbox-embedding','embedding','[{"provider":"sandbox","model":"sandbox-embedding","weight":1,"priority":0}]',0,1,1795857562236,1795857562236);
INSERT INTO "models" VALUES('sandbox-image','image','[{"provider":"sandbox","model":"sandbox-image","weight":1,"priority":0}]',0,1,1795857562244,1795857562244);
INSERT INTO "models" VALUES('thinker','chat','[{"provider":"far","model":"remote","weight":1,"priority":0}]',2000,1,1795857562544,1795857562544);
CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    valid_from BIGINT NOT NULL,
    items TEXT NOT NULL,
    cost TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (model_id, valid_from)
) WITHOUT ROWID;
INSERT INTO "prices" VALUES('prc_0mx0783g14idlafmj5shdn4o8yv','sandbox-chat',1795857562225,'{"per_request":0,"input_per_million":2.5,"output_per_million":10}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857562225);
INSERT INTO "prices" VALUES('prc_0mx0783gcu60qkmbfaqbk0mjj8k','sandbox-embedding',1795857562236,'{"per_request":0,"input_per_million":0.1,"output_per_million":0}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857562236);
INSERT INTO "prices" VALUES('prc_0mx0783gkctphyi1fng9yefi1x8','sandbox-image',1795857562244,'{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.01},{"credits":0.04}]}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857562244);
INSERT INTO "prices" VALUES('prc_0mx0783owoiqwzce3012ijhj8ad','thinker',1795857562544,'{"per_request":0.01,"input_per_million":2.5,"cached_input_per_million":0.25,"cache_write_per_million":3,"output_per_million":10,"reasoning_per_million":12.5}','{"per_request":0,"input_per_million":1.25,"output_per_million":5}',1795857562544);
INSERT INTO "prices" VALUES('prc_0mx0783p5ruosm2tyxg7uwpc210','plain',1795857562553,'{"per_request":0,"input_per_million":333.333,"output_per_million":777.777}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857562553);
INSERT INTO "prices" VALUES('prc_0mx0783pdehcjz7p83acr58ag01','painter',1795857562561,'{"per_request":0.002,"input_per_million":0,"output_per_million":0,"per_image":[{"size":"256x256","credits":0.5},{"size":"512x512","quality":"high","credits":2.25},{"credits":1}]}','{"per_request":0,"input_per_million":0,"output_per_million":0,"per_image":[{"credits":0.4}]}',1795857562561);
INSERT INTO "prices" VALUES('prc_0mx0783plnyzlfauof3zovmjkhx','finder',1795857562569,'{"per_request":0,"input_per_million":50,"output_per_million":0}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857562569);
INSERT INTO "prices" VALUES('prc_0mx07842j2tcnnpfepwfgv8yqdg','plain',1795857563035,'{"per_request":0,"input_per_million":400,"output_per_million":900}','{"per_request":0,"input_per_million":0,"output_per_million":0}',1795857563035);
CREATE TABLE recovery_codes (
    hash TEXT NOT NULL PRIMARY KEY,
    subject_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
) WITHOUT ROWID;
CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
) WITHOUT ROWID;
INSERT INTO "refresh_tokens" VALUES('e2508bbeb715cdd849bf1f164a043a46e800a93b412dd3b4b4446507a58f379c','ses_0mx0783nk2hwcs5qjkk36z3pkls',1795857562496,1795886362496,NULL);
CREATE TABLE revisions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "revisions" VALUES('changes',9);
INSERT INTO "revisions" VALUES('superadmins',0);
CREATE TABLE rollup_state (
    name TEXT NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
, kept_from BIGINT NOT NULL DEFAULT 0);
INSERT INTO "rollup_state" VALUES('usage',16,1795857573335,0);
CREATE TABLE rollup_tops (
    span TEXT NOT NULL PRIMARY KEY,
    tenants TEXT NOT NULL,
    at BIGINT NOT NULL
);
INSERT INTO "rollup_tops" VALUES('24h','[{"name":"ten_0mx0783pvzzxecgldgdhca0lavb","calls":10,"failed":0,"canceled":0,"credits":7.608174,"cost":2.406}]',1795857567321);
INSERT INTO "rollup_tops" VALUES('7d','[{"name":"ten_0mx0783pvzzxecgldgdhca0lavb","calls":10,"failed":0,"canceled":0,"credits":7.608174,"cost":2.406}]',1795857567321);
INSERT INTO "rollup_tops" VALUES('30d','[{"name":"ten_0mx0783pvzzxecgldgdhca0lavb","calls":10,"failed":0,"canceled":0,"credits":7.608174,"cost":2.406}]',1795857567321);
INSERT INTO "rollup_tops" VALUES('90d','[{"name":"ten_0mx0783pvzzxecgldgdhca0lavb","calls":10,"failed":0,"canceled":0,"credits":7.608174,"cost":2.406}]',1795857567321);
CREATE TABLE rollups (
    dimension TEXT NOT NULL CHECK (dimension IN ('all', 'operation', 'model', 'provider', 'tenant', 'call')),
    tenant_id TEXT NOT NULL,
    grain TEXT NOT NULL CHECK (grain IN ('hour', 'day')),
    starts_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    operation TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    canceled BIGINT NOT NULL,
    credits_micros BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL,
    media_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    first_byte_ms BIGINT NOT NULL,
    durations TEXT NOT NULL,
    first_bytes TEXT NOT NULL,
    PRIMARY KEY (dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, test)
);
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783qf1ingstwli0akzuygcb','finder','sandbox','embedding',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783qf1ingstwli0akzuygcb','painter','sandbox','image',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783qf1ingstwli0akzuygcb','thinker','far','chat',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783tmzejzed1hbbg4gbyg6s','plain','sandbox','chat',0,1,0,0,11667,0,7,0,0,12,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783twbs8sa4a388ves2t1q4','plain','sandbox','chat',1,1,0,0,0,0,5,0,0,12,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783qf1ingstwli0akzuygcb','finder','sandbox','embedding',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783qf1ingstwli0akzuygcb','painter','sandbox','image',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783qf1ingstwli0akzuygcb','thinker','far','chat',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783tmzejzed1hbbg4gbyg6s','plain','sandbox','chat',0,1,0,0,11667,0,7,0,0,12,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783twbs8sa4a388ves2t1q4','plain','sandbox','chat',1,1,0,0,0,0,5,0,0,12,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('model','','day',1795824000000,'','finder','','',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('model','','day',1795824000000,'','painter','','',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('model','','day',1795824000000,'','thinker','','',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('model','','hour',1795856400000,'','finder','','',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('model','','hour',1795856400000,'','painter','','',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('model','','hour',1795856400000,'','thinker','','',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('operation','','day',1795824000000,'','','','embedding',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('operation','','day',1795824000000,'','','','image',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('operation','','hour',1795856400000,'','','','embedding',0,1,0,0,200,0,4,0,0,0,0,0,0,0,1,1,1,'1:1','1:1');
INSERT INTO "rollups" VALUES('operation','','hour',1795856400000,'','','','image',0,3,0,0,7506000,2400000,0,0,0,0,0,6,0,0,3,147,138,'7:1 24:1 37:1','7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('provider','','day',1795824000000,'','','far','',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('provider','','hour',1795856400000,'','','far','',0,2,0,0,28750,6000,400,2000,0,100,500,0,0,0,2,57,57,'16:1 26:1','16:1 26:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783r0vr2iv78cmpd1go8boo','day',1795824000000,'key_0mx0783rm7a1307z5k38sha8prt','plain','sandbox','chat',0,2,0,0,53850,0,11,0,0,35,0,0,0,0,2,2,2,'1:2','1:2');
INSERT INTO "rollups" VALUES('call','ten_0mx0783r0vr2iv78cmpd1go8boo','hour',1795856400000,'key_0mx0783rm7a1307z5k38sha8prt','plain','sandbox','chat',0,2,0,0,53850,0,11,0,0,35,0,0,0,0,2,2,2,'1:2','1:2');
INSERT INTO "rollups" VALUES('tenant','ten_0mx0783r0vr2iv78cmpd1go8boo','day',1795824000000,'','','','',0,2,0,0,53850,0,11,0,0,35,0,0,0,0,2,2,2,'1:2','1:2');
INSERT INTO "rollups" VALUES('tenant','ten_0mx0783r0vr2iv78cmpd1go8boo','hour',1795856400000,'','','','',0,2,0,0,53850,0,11,0,0,35,0,0,0,0,2,2,2,'1:2','1:2');
INSERT INTO "rollups" VALUES('all','','day',1795824000000,'','','','',0,15,2,0,7696824,2406000,467,2000,0,245,500,6,0,0,15,219,205,'1:7 2:1 7:1 16:1 24:1 26:1 37:1','1:8 2:1 7:1 16:1 23:1 26:1 36:1');
INSERT INTO "rollups" VALUES('all','','hour',1795856400000,'','','','',0,15,2,0,7696824,2406000,467,2000,0,245,500,6,0,0,15,219,205,'1:7 2:1 7:1 16:1 24:1 26:1 37:1','1:8 2:1 7:1 16:1 23:1 26:1 36:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'key_0mx0783qf1ingstwli0akzuygcb','plain','sandbox','chat',0,6,2,0,96357,0,45,0,0,98,0,0,0,0,6,11,6,'1:3 2:1','1:4 2:1');
INSERT INTO "rollups" VALUES('call','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'key_0mx0783qf1ingstwli0akzuygcb','plain','sandbox','chat',0,6,2,0,96357,0,45,0,0,98,0,0,0,0,6,11,6,'1:3 2:1','1:4 2:1');
INSERT INTO "rollups" VALUES('model','','day',1795824000000,'','plain','','',0,9,2,0,161874,0,63,0,0,145,0,0,0,0,9,14,9,'1:6 2:1','1:7 2:1');
INSERT INTO "rollups" VALUES('model','','hour',1795856400000,'','plain','','',0,9,2,0,161874,0,63,0,0,145,0,0,0,0,9,14,9,'1:6 2:1','1:7 2:1');
INSERT INTO "rollups" VALUES('operation','','day',1795824000000,'','','','chat',0,11,2,0,190624,6000,463,2000,0,245,500,0,0,0,11,71,66,'1:6 2:1 16:1 26:1','1:7 2:1 16:1 26:1');
INSERT INTO "rollups" VALUES('operation','','hour',1795856400000,'','','','chat',0,11,2,0,190624,6000,463,2000,0,245,500,0,0,0,11,71,66,'1:6 2:1 16:1 26:1','1:7 2:1 16:1 26:1');
INSERT INTO "rollups" VALUES('provider','','day',1795824000000,'','','sandbox','',0,13,2,0,7668074,2400000,67,0,0,145,0,6,0,0,13,162,148,'1:7 2:1 7:1 24:1 37:1','1:8 2:1 7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('provider','','hour',1795856400000,'','','sandbox','',0,13,2,0,7668074,2400000,67,0,0,145,0,6,0,0,13,162,148,'1:7 2:1 7:1 24:1 37:1','1:8 2:1 7:1 23:1 36:1');
INSERT INTO "rollups" VALUES('tenant','ten_0mx0783pvzzxecgldgdhca0lavb','day',1795824000000,'','','','',0,13,2,0,7642974,2406000,456,2000,0,210,500,6,0,0,13,217,203,'1:5 2:1 7:1 16:1 24:1 26:1 37:1','1:6 2:1 7:1 16:1 23:1 26:1 36:1');
INSERT INTO "rollups" VALUES('tenant','ten_0mx0783pvzzxecgldgdhca0lavb','hour',1795856400000,'','','','',0,13,2,0,7642974,2406000,456,2000,0,210,500,6,0,0,13,217,203,'1:5 2:1 7:1 16:1 24:1 26:1 37:1','1:6 2:1 7:1 16:1 23:1 26:1 36:1');
CREATE TABLE second_factors (
    subject_id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- The newest step of time whose code was used, so that a code works once.
    used_step BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind = 'tenant_user' OR kind = 'superadmin'),
    tenant_id TEXT,
    subject_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
) WITHOUT ROWID;
INSERT INTO "sessions" VALUES('ses_0mx0783nk2hwcs5qjkk36z3pkls','superadmin',NULL,'adm_0mx0783hewx7cfszdlt9mf3s26v',1795857562496,1795886362496,NULL);
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value_json TEXT NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE superadmins (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),
    created_at BIGINT NOT NULL
, role TEXT NOT NULL DEFAULT 'owner'
    CHECK (role = 'owner' OR role = 'operator' OR role = 'finance' OR role = 'read_only'), password_given BOOLEAN NOT NULL DEFAULT FALSE) WITHOUT ROWID;
INSERT INTO "superadmins" VALUES('adm_0mx0783hewx7cfszdlt9mf3s26v','admin','$argon2id$v=19$m=19456,t=2,p=1$R/ZTpLW9Rl03uP8Wnuwi5w$+J/F5D8YTxXZmCUNjOJwuTc/aohXjH9j134ffi+SVwQ','active',1795857562310,'owner',0);
CREATE TABLE tenant_settings (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    alert_below_micros BIGINT CHECK (alert_below_micros > 0),
    require_second_factor BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'suspended'),
    price_multiplier_ppm BIGINT NOT NULL DEFAULT 1000000 CHECK (price_multiplier_ppm >= 0),
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    concurrency BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
, allowed_models TEXT, delete_at BIGINT) WITHOUT ROWID;
INSERT INTO "tenants" VALUES('ten_0mx0783grwq8t22rw6yyhvgmxun','demo','active',1000000,3000,5000000,500,1795857562251,1795857562251,NULL,NULL);
INSERT INTO "tenants" VALUES('ten_0mx0783pvzzxecgldgdhca0lavb','acme','active',1000000,3000,5000000,500,1795857562579,1795857562599,NULL,NULL);
INSERT INTO "tenants" VALUES('ten_0mx0783r0vr2iv78cmpd1go8boo','globex','active',1500000,3000,5000000,500,1795857562620,1795857563040,NULL,NULL);
INSERT INTO "tenants" VALUES('ten_0mx0783sk0gfg19ifw5xu6h8k4b','initech','active',1000000,3000,5000000,500,1795857562676,1795857562702,NULL,NULL);
CREATE TABLE usage_records (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT,
    key_id TEXT,
    test BOOLEAN NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    price_id TEXT,
    provider TEXT NOT NULL,
    provider_model TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL,
    media_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    estimated BOOLEAN NOT NULL,
    credits_micros BIGINT NOT NULL CHECK (credits_micros >= 0),
    cost_micros BIGINT NOT NULL CHECK (cost_micros >= 0),
    status TEXT NOT NULL,
    fault TEXT,
    attempts BIGINT NOT NULL,
    first_byte_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL
, number BIGINT, tries TEXT) WITHOUT ROWID;
INSERT INTO "usage_records" VALUES('gen_0mx0783tzjyrugdt9icfnsuv5av','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx0783p5ruosm2tyxg7uwpc210','sandbox','sandbox-chat',2,0,0,24,0,0,0,0,0,19334,0,'succeeded',NULL,1,1,1,1795857562727,1,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783u4pewmnbnkc86m3fvjfx','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx0783p5ruosm2tyxg7uwpc210','sandbox','sandbox-chat',5,0,0,20,0,0,0,0,0,17223,0,'succeeded',NULL,1,1,1,1795857562733,2,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783ucne2ul4yh0khez7ha4k','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx0783p5ruosm2tyxg7uwpc210','sandbox','sandbox-chat',5,0,0,30,0,0,0,0,0,25000,0,'succeeded',NULL,1,1,2,1795857562740,3,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":2}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783ukaddsowzq7jl8lafjo4','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783tmzejzed1hbbg4gbyg6s',0,'chat','plain','prc_0mx0783p5ruosm2tyxg7uwpc210','sandbox','sandbox-chat',7,0,0,12,0,0,0,0,0,11667,0,'succeeded',NULL,1,1,1,1795857562748,4,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783uq98fyejy4cw92sfrady','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783twbs8sa4a388ves2t1q4',1,'chat','plain',NULL,'sandbox','sandbox-chat',5,0,0,12,0,0,0,0,0,0,0,'succeeded',NULL,1,1,1,1795857562754,5,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783uwjpwvl3lflasdv9h1vk','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','thinker','prc_0mx0783owoiqwzce3012ijhj8ad','far','remote',200,1000,0,50,250,0,0,0,0,14375,3000,'succeeded',NULL,1,16,16,1795857562760,6,'[{"number":1,"provider":"far","model":"remote","key_last4":"6789","began_ms":0,"duration_ms":16}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783vkqrwvf1guvdwgc955bf','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','thinker','prc_0mx0783owoiqwzce3012ijhj8ad','far','remote',200,1000,0,50,250,0,0,0,0,14375,3000,'succeeded',NULL,1,41,41,1795857562784,7,'[{"number":1,"provider":"far","model":"remote","key_last4":"6789","began_ms":0,"duration_ms":41}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783wxcnu47uiagn9q750pn6','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'image','painter','prc_0mx0783pdehcjz7p83acr58ag01','sandbox','sandbox-image',0,0,0,0,0,2,0,0,0,1002000,800000,'succeeded',NULL,1,7,7,1795857562834,8,'[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":7}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783xiteyluv446jjgrvyhvv','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'image','painter','prc_0mx0783pdehcjz7p83acr58ag01','sandbox','sandbox-image',0,0,0,0,0,2,0,0,0,4502000,800000,'succeeded',NULL,1,30,32,1795857562854,9,'[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":32}]');
INSERT INTO "usage_records" VALUES('gen_0mx0783ymu87c6ewmrl7q9lrlfh','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'image','painter','prc_0mx0783pdehcjz7p83acr58ag01','sandbox','sandbox-image',0,0,0,0,0,2,0,0,0,2002000,800000,'succeeded',NULL,1,101,108,1795857562895,10,'[{"number":1,"provider":"sandbox","model":"sandbox-image","key_last4":"-key","began_ms":0,"duration_ms":108}]');
INSERT INTO "usage_records" VALUES('gen_0mx07842b2p5tlgchz457r3ccem','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'embedding','finder','prc_0mx0783plnyzlfauof3zovmjkhx','sandbox','sandbox-embedding',4,0,0,0,0,0,0,0,0,200,0,'succeeded',NULL,1,1,1,1795857563027,11,'[{"number":1,"provider":"sandbox","model":"sandbox-embedding","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0788pfh47ompsghr0w0vdaqy','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx07842j2tcnnpfepwfgv8yqdg','sandbox','sandbox-chat',7,0,0,15,0,0,0,0,0,16300,0,'succeeded',NULL,1,1,1,1795857569043,12,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0788pmuoql03xtq8rgodqtk2','ten_0mx0783r0vr2iv78cmpd1go8boo',NULL,'key_0mx0783rm7a1307z5k38sha8prt',0,'chat','plain','prc_0mx07842j2tcnnpfepwfgv8yqdg','sandbox','sandbox-chat',6,0,0,25,0,0,0,0,0,37350,0,'succeeded',NULL,1,1,1,1795857569050,13,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0788pq0yf9b132481cuwswqt','ten_0mx0783r0vr2iv78cmpd1go8boo',NULL,'key_0mx0783rm7a1307z5k38sha8prt',0,'chat','plain','prc_0mx07842j2tcnnpfepwfgv8yqdg','sandbox','sandbox-chat',5,0,0,10,0,0,0,0,0,16500,0,'succeeded',NULL,1,1,1,1795857569054,14,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","began_ms":0,"duration_ms":1}]');
INSERT INTO "usage_records" VALUES('gen_0mx0788pzusruiebbdnbbdz78qv','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx07842j2tcnnpfepwfgv8yqdg','sandbox','sandbox-chat',26,0,0,9,0,0,0,0,1,18500,0,'failed','interrupted',1,2,2,1795857569063,15,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","fault":"interrupted","began_ms":0,"duration_ms":2}]');
INSERT INTO "usage_records" VALUES('gen_0mx078b1kl3ynin03wv2erx7sdm','ten_0mx0783pvzzxecgldgdhca0lavb',NULL,'key_0mx0783qf1ingstwli0akzuygcb',0,'chat','plain','prc_0mx07842j2tcnnpfepwfgv8yqdg','sandbox','',0,0,0,0,0,0,0,0,0,0,0,'failed','overloaded',1,0,4,1795857572072,16,'[{"number":1,"provider":"sandbox","model":"sandbox-chat","key_last4":"-key","fault":"overloaded","began_ms":0,"duration_ms":1}]');
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    username TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'owner' OR role = 'admin' OR role = 'member'),
    password_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled' OR status = 'deleted'),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, username)
) WITHOUT ROWID;
INSERT INTO "users" VALUES('usr_0mx0783pvah4ubrz8ph3egf0isk','ten_0mx0783pvzzxecgldgdhca0lavb','acme-owner','owner','$argon2id$v=19$m=19456,t=2,p=1$1TF73DnpSOjbAMmAYVVOeA$rLP2HMqapjI1LexrF0Ol26GvljNQ74mw0x01fkfVBp4','active',1795857562599,1795857562599);
INSERT INTO "users" VALUES('usr_0mx0783r049lnbykluuyepm267a','ten_0mx0783r0vr2iv78cmpd1go8boo','globex-owner','owner','$argon2id$v=19$m=19456,t=2,p=1$W/Laz4y4aZW4oQW/pL/4Wg$oTIcTb+c8NFW4RlxwB9cZhfiH2rKzHe/WQ3Ax4AFPPc','active',1795857562642,1795857562642);
INSERT INTO "users" VALUES('usr_0mx0783sk4sjg6b8qfaks3y9b0b','ten_0mx0783sk0gfg19ifw5xu6h8k4b','initech-owner','owner','$argon2id$v=19$m=19456,t=2,p=1$njmdveebjytfrHwg0nBoDw$6809R/KQqEsji8irj69aKLabg6jbT9BzRH4Q2/Ame8k','active',1795857562701,1795857562702);
CREATE TABLE web_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind = 'superadmin' OR kind = 'tenant_user'),
    -- What is still asked for after the right password; `open` when nothing is.
    stage TEXT NOT NULL CHECK (
        stage = 'second_factor' OR stage = 'new_password' OR stage = 'factor_setup' OR stage = 'open'
    ),
    tenant_id TEXT,
    subject_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    csrf TEXT NOT NULL,
    confirmed_at BIGINT
) WITHOUT ROWID;
INSERT INTO "web_sessions" VALUES('ses_0mx078de26zj3c5l5k9zw6paegf','2449e8375dbb02e866a1e36858d54a236af8baa53f0a20d8773afc863038feb8','superadmin','open',NULL,'adm_0mx0783hewx7cfszdlt9mf3s26v',1795857575111,1795857575111,1795864775111,1795900775111,'127.0.0.1','Python-urllib/3.11','5ue9wb7nstsp27ulfbcd03pcutp7i0wf',1795857575111);
CREATE INDEX sessions_subject ON sessions (subject_id);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);
CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, id);
CREATE INDEX ledger_grants_open ON ledger_grants (tenant_id) WHERE remaining_micros > 0;
CREATE INDEX ledger_grants_expiring ON ledger_grants (expires_at) WHERE remaining_micros > 0 AND expires_at IS NOT NULL;
CREATE INDEX ledger_holds_open ON ledger_holds (deadline_at) WHERE state = 'held';
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
CREATE INDEX web_sessions_subject ON web_sessions (subject_id);
CREATE INDEX web_sessions_expires_at ON web_sessions (expires_at);
CREATE INDEX recovery_codes_subject ON recovery_codes (subject_id);
CREATE INDEX usage_records_number ON usage_records (number);
CREATE INDEX usage_records_unnumbered ON usage_records (id) WHERE number IS NULL;
CREATE INDEX usage_records_at ON usage_records (created_at, id);
CREATE INDEX usage_records_tenant_at ON usage_records (tenant_id, created_at, id);
CREATE INDEX usage_records_key ON usage_records (key_id, created_at, id) WHERE key_id IS NOT NULL;
CREATE INDEX usage_records_user ON usage_records (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX usage_records_model ON usage_records (model, created_at, id);
CREATE INDEX usage_records_provider ON usage_records (provider, created_at, id);
CREATE INDEX usage_records_unwell ON usage_records (created_at, id) WHERE status <> 'succeeded';
CREATE INDEX tenants_name_folded ON tenants (lower(name), id);
CREATE INDEX ledger_grants_tenant ON ledger_grants (tenant_id, id);
CREATE INDEX audit_entries_at ON audit_entries (at, id);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, at, id);
CREATE INDEX audit_entries_action ON audit_entries (action, at, id);
CREATE INDEX audit_entries_subject ON audit_entries (subject, at, id);
CREATE INDEX rollups_tenants ON rollups (grain, starts_at, tenant_id) WHERE dimension = 'tenant';
CREATE INDEX gateway_events_at ON gateway_events (at);
CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX tenants_delete_at ON tenants (delete_at) WHERE delete_at IS NOT NULL;
COMMIT;
