//! Migrations run up, down and up again on both databases, by several processes at once, and bring
//! the tables that `store::schema` names.

use std::collections::BTreeSet;

use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use server::store::MIGRATIONS;
use server::store::schema::{ROLLUP_COLUMNS, USAGE_COLUMNS};
use shared::db::{Db, migrate};

use crate::support::{TestDb, databases};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    column: String,
}

const POSTGRES: &str = "SELECT table_name || '.' || column_name || ' ' || \
     CASE data_type WHEN 'text' THEN 'Text' WHEN 'bigint' THEN 'BigInt' WHEN 'boolean' THEN 'Bool' WHEN 'bytea' THEN 'Binary' ELSE data_type END || \
     CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END AS column \
     FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_diesel%'";

const SQLITE: &str = "SELECT m.name || '.' || c.name || ' ' || \
     CASE c.type WHEN 'TEXT' THEN 'Text' WHEN 'BIGINT' THEN 'BigInt' WHEN 'BOOLEAN' THEN 'Bool' WHEN 'BLOB' THEN 'Binary' ELSE c.type END || \
     CASE WHEN c.\"notnull\" = 0 THEN ' null' ELSE '' END AS column \
     FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";

async fn columns(db: &TestDb) -> BTreeSet<String> {
    let rows: Vec<Column> = match &db.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            diesel::sql_query(POSTGRES)
                .load(&mut conn)
                .await
                .expect("columns")
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await.expect("a connection");
            diesel::sql_query(SQLITE)
                .load(&mut *conn)
                .await
                .expect("columns")
        }
    };
    rows.into_iter().map(|row| row.column).collect()
}

/// The columns that the diesel tables name, read from their source.
fn schema() -> BTreeSet<String> {
    let source = include_str!("../../store/src/schema.rs");
    let mut table = "";
    let mut columns = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        if let Some((name, kind)) = line
            .strip_suffix(',')
            .and_then(|line| line.split_once(" -> "))
            .filter(|(name, _)| !name.contains(['$', ' ']))
        {
            columns.insert(column(table, name, kind));
        } else if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with('{')) {
            table = name;
        }
    }
    // Those of tables that are made of a list of columns.
    for (tables, listed) in [
        (&["usage_inbox", "usage_records"][..], USAGE_COLUMNS),
        (&["rollups"], ROLLUP_COLUMNS),
    ] {
        assert!(listed.len() > 20, "the list is read");
        for (table, (name, kind)) in tables
            .iter()
            .flat_map(|table| listed.iter().map(move |column| (table, column)))
        {
            columns.insert(column(table, name, kind));
        }
    }
    columns.insert("usage_inbox.put_at BigInt".to_owned());
    columns.insert("usage_records.number BigInt null".to_owned());
    columns
}

fn column(table: &str, name: &str, kind: &str) -> String {
    let kind = kind.replace(' ', "");
    let inner = kind
        .strip_prefix("Nullable<")
        .and_then(|kind| kind.strip_suffix('>'));
    let null = if inner.is_some() { " null" } else { "" };
    format!("{table}.{name} {}{null}", inner.unwrap_or(&kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn up_down_up_brings_exactly_the_columns_of_the_schema() {
    for db in databases().await {
        assert_eq!(columns(&db).await, schema(), "{}", db.name);
        migrate::revert_all(&db.db, MIGRATIONS).await.expect("down");
        assert_eq!(columns(&db).await, BTreeSet::new(), "{}", db.name);
        migrate::run(&db.db, MIGRATIONS).await.expect("up again");
        assert_eq!(columns(&db).await, schema(), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_replicas_may_start_at_once() {
    for db in databases().await {
        migrate::revert_all(&db.db, MIGRATIONS).await.expect("down");
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let target = db.target.clone();
            starts.spawn(async move {
                let db = Db::connect(&target).await.expect("connected");
                migrate::run(&db, MIGRATIONS).await
            });
        }
        for outcome in starts.join_all().await {
            outcome.expect("migrated");
        }
        assert_eq!(columns(&db).await, schema(), "{}", db.name);
    }
}

async fn execute(db: &TestDb, sql: &str) -> QueryResult<()> {
    match &db.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            conn.batch_execute(sql).await
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await.expect("a connection");
            conn.batch_execute(sql).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_of_before_stay_and_new_operations_need_no_migration() {
    for db in databases().await {
        let (down, up) = match &db.db {
            Db::Postgres(_) => (
                include_str!(
                    "../../../migrations/server/postgres/2026-12-01-000060_any_operation/down.sql"
                ),
                include_str!(
                    "../../../migrations/server/postgres/2026-12-01-000060_any_operation/up.sql"
                ),
            ),
            Db::Sqlite { .. } => (
                include_str!(
                    "../../../migrations/server/sqlite/2026-12-01-000060_any_operation/down.sql"
                ),
                include_str!(
                    "../../../migrations/server/sqlite/2026-12-01-000060_any_operation/up.sql"
                ),
            ),
        };
        let model = |id: &str, operation: &str| {
            format!(
                "INSERT INTO models (id, operation, targets, max_output_tokens, enabled, created_at, updated_at) \
                 VALUES ('{id}', '{operation}', '[]', 0, TRUE, 1, 1);"
            )
        };
        execute(&db, down).await.expect("down");
        execute(&db, &model("old", "image"))
            .await
            .expect("as before");
        let early = execute(&db, &model("early", "completion")).await;
        assert!(
            early.is_err(),
            "{}: the code before could not read it",
            db.name
        );
        execute(&db, up).await.expect("up");
        execute(&db, &model("new", "completion"))
            .await
            .expect("as now");
        // Its copy is there only if it kept its word.
        let check = "INSERT INTO models (id, operation, targets, max_output_tokens, enabled, created_at, updated_at) \
             SELECT 'copy', operation, targets, max_output_tokens, enabled, created_at, updated_at \
             FROM models WHERE id = 'old' AND operation = 'image';";
        execute(&db, check).await.expect("copied");
        let again = execute(&db, &model("copy", "chat")).await;
        assert!(
            again.is_err(),
            "{}: the old model kept its operation",
            db.name
        );
    }
}
