//! Keys are written back only as long as they are what was read, on both databases.

use diesel_async::SimpleAsyncConnection;
use shared::clock::Moment;
use shared::db::{Db, DbTarget, migrate};
use shared::id::random_text;
use shared::link::events::{GatewayEvent, KeyEvent};

use super::*;
use crate::store::{MIGRATIONS, ProviderRow, tests_key};

const OLD: &str = "https://one.example.com/v1";
const NEW: &str = "https://two.example.com/v1";

#[expect(
    clippy::disallowed_methods,
    reason = "tests take their services from the environment ./test.sh sets"
)]
fn postgres_url() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

/// A fresh schema on the test PostgreSQL.
async fn postgres(url: String) -> Store {
    let schema = format!("test_{}", random_text(12));
    let owner = Db::connect(&DbTarget::Postgres(url.clone())).await;
    if let Db::Postgres(pool) = &owner.expect("PostgreSQL answers") {
        let mut conn = pool.get().await.expect("a connection");
        let create = format!("CREATE SCHEMA {schema}");
        conn.batch_execute(&create).await.expect("a schema");
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    let of_schema = format!("{url}{separator}options=-csearch_path%3D{schema}");
    migrated(DbTarget::Postgres(of_schema)).await
}

async fn migrated(target: DbTarget) -> Store {
    let db = Db::connect(&target).await.expect("connected");
    migrate::run(&db, MIGRATIONS).await.expect("migrated");
    Store::new(db)
}

/// Stores of both databases; of PostgreSQL where there is one.
async fn stores(folder: &std::path::Path) -> Vec<Store> {
    let mut stores = vec![migrated(DbTarget::Sqlite(folder.join("gateway.db"))).await];
    if let Some(url) = postgres_url() {
        stores.push(postgres(url).await);
    }
    stores
}

/// A provider with two keys.
async fn fill(store: &Store, name: &str) {
    let row = ProviderRow {
        name: name.to_owned(),
        kind: "openai".to_owned(),
        base_url: OLD.to_owned(),
        enabled: true,
        created_at: 0,
        options: "{}".to_owned(),
    };
    store.insert_provider(&row).await.expect("a provider");
    let rows = [1, 2].map(|at| tests_key(&format!("{name}-{at}"), name));
    store.insert_keys(&rows).await.expect("keys");
}

async fn read(store: &Store, name: &str, at: u32) -> KeyRow {
    let id = ProviderKeyId::from_stored(format!("{name}-{at}"));
    let found = store.key(name, &id).await.expect("read");
    found.expect("a key")
}

fn labelled(before: &KeyRow) -> KeyChange {
    let after = KeyRow {
        label: "changed".to_owned(),
        ..before.clone()
    };
    KeyChange {
        before: before.clone(),
        after,
    }
}

async fn moved_to(store: &Store, name: &str, to: &str) -> bool {
    let moved = store.update_provider(name, Some(to), None, None, |old, new| old != new);
    moved.await.expect("moved")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_its_provider_moved_brings_no_secret_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in stores(folder.path()).await {
        fill(&store, "p").await;
        let old = [read(&store, "p", 1).await, read(&store, "p", 2).await];
        assert!(moved_to(&store, "p", NEW).await);
        let changes = old.each_ref().map(labelled);
        for seen in [OLD, NEW] {
            let written = store.update_keys(("p", seen), &changes).await;
            assert!(!written.expect("answered"), "{seen}");
        }
        for at in [1, 2] {
            let key = read(&store, "p", at).await;
            assert!(key.has_no_secret() && key.disabled);
            assert_eq!(key.label, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_changed_since_it_was_read_stops_all_of_a_change() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in stores(folder.path()).await {
        fill(&store, "p").await;
        let old = [read(&store, "p", 1).await, read(&store, "p", 2).await];
        let off = GatewayEvent::KeyDisabled(KeyEvent {
            provider: "p".to_owned(),
            key: ProviderKeyId::from_stored("p-2".to_owned()),
            last4: "last".to_owned(),
            reason: Some("refused".to_owned()),
            probe_at: Some(5),
        });
        let at = Moment::from_unix_ms(1);
        store.record(&off, at).await.expect("recorded");
        let changes = old.each_ref().map(labelled);
        let written = store.update_keys(("p", OLD), &changes).await;
        assert!(!written.expect("answered"));
        assert_eq!(read(&store, "p", 1).await, old[0]);
        assert!(read(&store, "p", 2).await.disabled, "it stays off");
        let now = read(&store, "p", 2).await;
        let changes = [labelled(&old[0]), labelled(&now)];
        let written = store.update_keys(("p", OLD), &changes).await;
        assert!(written.expect("answered"));
        assert_eq!(read(&store, "p", 1).await.label, "changed");
        let absent = store.update_keys(("nobody", OLD), &changes).await;
        assert!(!absent.expect("answered"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_change_and_a_move_at_once_the_secret_never_survives_the_move() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in stores(folder.path()).await {
        for round in 0..20 {
            let name = format!("p{round}");
            fill(&store, &name).await;
            let old = [read(&store, &name, 1).await, read(&store, &name, 2).await];
            let changes = old.each_ref().map(labelled);
            let (written, moved) = tokio::join!(
                store.update_keys((&name, OLD), &changes),
                moved_to(&store, &name, NEW)
            );
            written.expect("answered");
            assert!(moved);
            for at in [1, 2] {
                assert!(read(&store, &name, at).await.has_no_secret(), "{round}");
            }
        }
    }
}
