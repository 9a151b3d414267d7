//! Two gateways on one database and one Redis: what a key may take holds over both, and calls that find it
//! full wait for a place, wherever it comes free.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use futures_util::StreamExt;
use futures_util::future::join_all;
use shared::db::{Db, DbTarget};
use shared::id::random_text;
use shared::link::{KeyTerms, ProviderKeyPatch, ReplyBody};

use crate::support::{Node, SECRET, call};

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by ./test.sh where the services are"
)]
fn service(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run ./test.sh"))
}

/// The address of a database that is empty.
async fn database() -> String {
    let url = service("TEST_DATABASE_URL");
    let schema = format!("test_{}", random_text(12));
    let owner = Db::connect(&DbTarget::Postgres(url.clone())).await;
    if let Db::Postgres(pool) = owner.expect("PostgreSQL answers") {
        let mut conn = pool.get().await.expect("a connection");
        let create = format!("CREATE SCHEMA {schema}");
        conn.batch_execute(&create).await.expect("a schema");
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

/// Calls that run on the sandbox's key at this gateway.
async fn running(node: &Node) -> u32 {
    let admin = node.gateway.local().provider_admins().remove(0);
    let keys = admin.provider_keys("sandbox").await.expect("told");
    keys.iter().map(|key| key.in_flight).sum()
}

async fn limit(node: &Node, terms: KeyTerms) {
    let admin = node.gateway.local().provider_admins().remove(0);
    let keys = admin.provider_keys("sandbox").await.expect("told");
    let patch = ProviderKeyPatch {
        terms: Some(terms),
        ..ProviderKeyPatch::default()
    };
    let changed = admin.update_provider_key("sandbox", &keys[0].id, patch);
    changed.await.expect("changed");
}

/// Whether a call was answered to its end.
async fn is_answered(node: &Node) -> bool {
    let asked = call("hello [tokens:8][pace:20]", true);
    let Ok(reply) = node.gateway.local().open(asked).await else {
        return false;
    };
    let ReplyBody::Stream(mut pieces) = reply.body else {
        return false;
    };
    while let Some(piece) = pieces.next().await {
        if piece.is_err() {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_keep_a_key_s_limits_together_and_refuse_nobody_who_can_wait() {
    let (database, redis) = (database().await, service("TEST_REDIS_URL"));
    let shared = [
        ["--gateway-database-url", &database],
        ["--gateway-redis-url", &redis],
        // Both open the keys that one of them sealed.
        ["--config-encryption-key", SECRET],
    ];
    let shared = shared.as_flattened();
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let first = Node::start(folders[0].path(), shared).await;
    let terms = KeyTerms {
        calls_at_once: Some(3),
        ..KeyTerms::default()
    };
    limit(&first, terms).await;
    let nodes = [first, Node::start(folders[1].path(), shared).await];
    let (is_over, most) = (AtomicBool::new(false), AtomicU32::new(0));
    let watching = async {
        while !is_over.load(Ordering::SeqCst) {
            let now = running(&nodes[0]).await + running(&nodes[1]).await;
            most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let calling = async {
        // Each place serves three of them, one after the other, well within two seconds.
        let answered = join_all((0..9).map(|n| is_answered(&nodes[n % 2]))).await;
        is_over.store(true, Ordering::SeqCst);
        answered
            .into_iter()
            .filter(|is_answered| *is_answered)
            .count()
    };
    let (answered, ()) = tokio::join!(calling, watching);
    let pages = nodes.each_ref().map(|node| node.metrics.page());
    assert_eq!(answered, 9, "{}", pages.join("\n"));
    let most = most.into_inner();
    // A place is told to be free a moment after it is.
    assert!((2..=3).contains(&most), "{most} at once");
    let waited = |page: &&String| page.contains(r#"waule_room_waits_total{end="served"}"#);
    assert!(pages.iter().any(|page| waited(&page)));
    let asked = r#"waule_joint_counts_total{answer="room"}"#;
    assert!(pages.iter().all(|page| page.contains(asked)));
    for node in nodes {
        node.stop().await;
    }
}
