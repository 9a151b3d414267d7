//! Fills PostgreSQL with tenants, their money, records and audit entries of thirty days, by SQL alone.
//! A third of the calls is made by a hundred busy tenants all the time, the rest by all others, each
//! in a busy quarter of an hour, as people and jobs call in bursts.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared::clock::Moment;

use crate::failure::{Outcome, Step};
use crate::say;

/// Tenants that call all the time.
pub(super) const BUSY: i64 = 100;
/// Others that call in one block of records.
const BURSTS: i64 = 50;
/// What the records cover.
pub(super) const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) records: i64,
    pub(super) tenants: i64,
    pub(super) audit: i64,
}

impl Size {
    /// Records in which the same other tenants call; each of them calls in one block or a few.
    fn block(self) -> i64 {
        (self.records * BURSTS / self.tenants).max(1)
    }
}

/// An id of the real length that follows from a number.
pub(super) fn id(prefix: &str, number: &str) -> String {
    format!(
        "'{prefix}_0mw' || lpad(CAST({number} AS TEXT), 8, '0') || reverse(lpad(CAST({number} AS TEXT), 16, '0'))"
    )
}

/// The same id.
pub(super) fn id_text(prefix: &str, number: i64) -> String {
    let tail: String = format!("{number:016}").chars().rev().collect();
    format!("{prefix}_0mw{number:08}{tail}")
}

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

/// Fills an empty, migrated database; `now` is behind the last record.
pub(super) async fn fill(conn: &mut AsyncPgConnection, size: Size, now: Moment) -> Outcome<()> {
    let run = async |conn: &mut AsyncPgConnection, what: &str, text: &str| {
        say(&format!("filling: {what}"));
        conn.batch_execute(text)
            .await
            .step(|| format!("filling: {what}"))
    };
    run(
        conn,
        "settings",
        "SET maintenance_work_mem = '512MB'; SET synchronous_commit = off",
    )
    .await?;
    run(conn, "tenants", &tenants(size, now)).await?;
    run(conn, "people and keys", &people(size, now)).await?;
    run(conn, "a ledger", &ledger(size, now)).await?;
    run(conn, "audit entries", &audit(size, now)).await?;
    // Indexes are built behind the rows: ten times as quick as row by row.
    let indexes: Vec<IndexRow> = diesel::sql_query(
        "SELECT CAST(indexname AS TEXT) AS name, CAST(indexdef AS TEXT) AS definition FROM pg_indexes \
         WHERE tablename = 'usage_records' AND indexname <> 'usage_records_pkey'",
    )
    .load(conn)
    .await
    .step(|| "the indexes".into())?;
    for index in &indexes {
        run(
            conn,
            "without an index",
            &format!("DROP INDEX {}", index.name),
        )
        .await?;
    }
    run(conn, "usage records", &records(size, now)).await?;
    for index in &indexes {
        run(conn, &index.definition, &index.definition).await?;
    }
    run(conn, "statistics", "VACUUM ANALYZE").await
}

fn tenants(size: Size, now: Moment) -> String {
    let (tenant, grant, now) = (id("ten", "n"), id("grt", "n"), now.unix_ms());
    let series = format!("generate_series(0, {} - 1) AS n", size.tenants);
    format!(
        "INSERT INTO tenants (id, name, status, price_multiplier_ppm, created_at, updated_at) \
         SELECT {tenant}, (ARRAY['Acme', 'Blue', 'Cedar', 'Delta', 'Ember', 'Fjord', 'Grove', 'Haven', 'Iris', \
         'Juno'])[1 + n % 10] || ' ' || (ARRAY['Labs', 'Works', 'Media', 'Games', 'Health'])[1 + n / 10 % 5] || \
         ' ' || CAST(n AS TEXT), 'active', 1000000, {now}, {now} FROM {series}; \
         INSERT INTO ledger_accounts (tenant_id, version, entries, grants_micros, held_micros, revenue_micros, \
         breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros) \
         SELECT {tenant}, 1, 1, 5000000000, 0, 0, 0, 0, 0, 0, -5000000000 FROM {series}; \
         INSERT INTO ledger_grants (id, tenant_id, kind, source_key, granted_micros, remaining_micros, note, created_at) \
         SELECT {grant}, {tenant}, 'purchase', 'fill', 5000000000, 5000000000, '', {now} FROM {series}"
    )
}

/// The calls whose number is a multiple of this one stand in the ledger of the first busy tenant.
pub(super) const LEDGER_OF: i64 = 10;
/// Among so many lines of it there is one that gives credits.
const GIVEN_IN: i64 = 2_000;

/// How many calls that ledger has.
pub(super) fn calls_of_ledger(size: Size) -> i64 {
    (size.records / LEDGER_OF).max(1)
}

/// A person and a key of each tenant.
fn people(size: Size, now: Moment) -> String {
    let (tenant, now) = (id("ten", "n"), now.unix_ms());
    let (user, key) = (id("usr", "(n * 3)"), id("key", "(n * 2)"));
    let series = format!("generate_series(0, {} - 1) AS n", size.tenants);
    format!(
        "INSERT INTO users (id, tenant_id, username, role, password_hash, status, created_at, updated_at) \
         SELECT {user}, {tenant}, 'person ' || CAST(n AS TEXT), 'owner', '', 'active', {now}, {now} FROM {series}; \
         INSERT INTO api_keys (id, tenant_id, name, kind, hash, last4, status, created_at, scopes) \
         SELECT {key}, {tenant}, 'production ' || CAST(n AS TEXT), 'live', md5(CAST(n AS TEXT)), \
         right(md5(CAST(n AS TEXT)), 4), 'active', {now}, 'inference' FROM {series}"
    )
}

/// Holds and entries of one tenant, whose sums are not looked at here.
fn ledger(size: Size, now: Moment) -> String {
    let (calls, span) = (calls_of_ledger(size), DAYS * DAY_MS);
    let number = format!("(n * {LEDGER_OF})");
    let (call, request, key) = (id("gen", &number), id("req", &number), id("key", "0"));
    let tenant = id("ten", "0");
    let from = now.unix_ms() - span;
    format!(
        "INSERT INTO ledger_holds (id, tenant_id, state, requested_micros, least_micros, held_micros, settled_micros, \
         shortfall_micros, grant_id, grant_micros, budgets, refusal, owner, call, created_at, deadline_at, closed_at) \
         SELECT {call}, {tenant}, 'settled', 1000, 1000, 1000, 100, 0, NULL, 0, '', '', 'boot_fill', \
         '{{\"user\":null,\"key\":\"' || {key} || '\",\"operation\":\"chat\",\"model\":\"model-1\",\"price\":null,\
         \"multiplier_ppm\":1000000,\"provider\":\"provider-1\",\"request\":\"' || {request} || '\"}}', \
         {from} + n * {span} / {calls}, {from}, {from} + n * {span} / {calls} \
         FROM generate_series(CAST(0 AS BIGINT), {calls} - 1) AS n; \
         INSERT INTO ledger_entries (tenant_id, number, kind, reference, grants_delta, held_delta, revenue_delta, \
         breakage_delta, refund_delta, debt_delta, loss_delta, issuance_delta, grants_after, held_after, at) \
         SELECT {tenant}, j + 1, CASE WHEN j % {GIVEN_IN} = 0 THEN 'grant' WHEN j % 2 = 0 THEN 'hold' ELSE 'settle' END, \
         CASE WHEN j % {GIVEN_IN} = 0 THEN {grant} ELSE {of} END, \
         CASE WHEN j % 2 = 0 THEN -1000 ELSE 900 END, CASE WHEN j % 2 = 0 THEN 1000 ELSE -1000 END, \
         CASE WHEN j % 2 = 0 THEN 0 ELSE 100 END, 0, 0, 0, 0, 0, 5000000000 - j, 0, {from} + j * {span} / {calls} / 2 \
         FROM generate_series(CAST(0 AS BIGINT), {calls} * 2 - 1) AS j",
        grant = id("grt", "0"),
        of = id("gen", &format!("(j / 2 * {LEDGER_OF})")),
    )
}

fn audit(size: Size, now: Moment) -> String {
    let span = DAYS * DAY_MS;
    format!(
        "INSERT INTO audit_entries (id, at, actor_kind, actor_id, actor_name, address, tenant_id, action, subject, \
         before_json, after_json) SELECT {entry}, {from} + n * {span} / {audit}, 'superadmin', \
         'adm_' || CAST(n % 20 AS TEXT), 'operator', '127.0.0.1', {tenant}, \
         (ARRAY['tenant.update', 'key.create', 'key.revoke', 'recharge.create', 'model.update'])[1 + n % 5], \
         {tenant}, '{{\"status\":\"active\"}}', '{{\"status\":\"suspended\"}}' FROM generate_series(0, {audit} - 1) AS n",
        entry = id("aud", "n"),
        tenant = id("ten", &format!("(n * 7919 % {})", size.tenants)),
        from = now.unix_ms() - span,
        audit = size.audit,
    )
}

fn records(size: Size, now: Moment) -> String {
    let (count, block, span) = (size.records, size.block(), DAYS * DAY_MS);
    let others = (size.tenants - BUSY).max(1);
    // Whatever looks like chance follows from the number, so that every run has the same rows.
    format!(
        "INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, price_id, provider, \
         provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, \
         images, media_ms, characters, estimated, credits_micros, cost_micros, status, fault, attempts, first_byte_ms, \
         duration_ms, created_at) \
         SELECT {record}, {tenant}, CASE WHEN r % 10 = 0 THEN {user} END, CASE WHEN r % 10 <> 0 THEN {key} END, FALSE, \
         CASE r % 20 WHEN 0 THEN 'image' WHEN 1 THEN 'embedding' ELSE 'chat' END, 'model-' || CAST((t + r % 4) % 40 AS TEXT), \
         {price}, 'provider-' || CAST(r % 8 AS TEXT), 'vendor-model', r % 4000, r % 500, 0, r % 900, r % 90, 0, 0, 0, FALSE, \
         100 + r % 9000, 50 + r % 4000, CASE WHEN r % 50 = 0 THEN 'failed' WHEN r % 97 = 0 THEN 'canceled' ELSE 'succeeded' END, \
         CASE WHEN r % 50 = 0 THEN 'timeout' END, 1, 80 + r % 900, 300 + r % 700 * (1 + r % 13), {from} + n * {span} / {count} \
         FROM (SELECT n, r, CASE WHEN r % 3 = 0 THEN r / 3 % {BUSY} \
         ELSE {BUSY} + (n / {block} * {BURSTS} + r / 3 % {BURSTS}) % {others} END AS t \
         FROM (SELECT n, abs(CAST(hashint8(n) AS BIGINT)) AS r FROM generate_series(CAST(0 AS BIGINT), {count} - 1) AS n) a) b",
        record = id("gen", "n"),
        tenant = id("ten", "t"),
        user = id("usr", "(t * 3 + r % 3)"),
        key = id("key", "(t * 2 + r % 2)"),
        price = id("prc", "(t % 40)"),
        from = now.unix_ms() - span,
    )
}
