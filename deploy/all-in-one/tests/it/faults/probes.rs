//! A key that was switched off comes back by itself when its provider accepts it again, whatever version
//! wrote that it was off; one that an operator switched off does not. On both databases of a gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use shared::db::{Db, DbTarget};
use shared::id::{GenerationId, ProviderKeyId, RequestId};
use shared::link::options::ProviderOptions;
use shared::link::{
    Call, KeyTerms, Link, NewProvider, NewProviderKey, Operation, ProviderAdmin, ProviderKeyPatch,
    Target,
};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::surface::Surface;

use super::fake::{Fake, GOOD, answer, models};
use crate::support::joined::node::gateway;
use crate::support::{Place, places, until};

const PATIENCE: Duration = Duration::from_secs(15);

fn call() -> Call {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(Operation::Chat),
        targets: Arc::new([Target {
            provider: "p".to_owned(),
            model: "theirs".to_owned(),
            gateway: None,
            answers: None,
        }]),
        body: Bytes::from(body.to_string()),
        stream: false,
        show_usage: false,
        headers: Vec::new(),
        tenant: None,
        caller: 1,
        end_user: None,
        answer_model: None,
        says_all: false,
        bounds: None,
        deadline: Duration::from_secs(30),
    }
}

/// Changes the gateway's row of the key behind its back, as soon as it is as `found` says.
async fn change(place: &Place, statement: &str, found: &str) {
    let target = DbTarget::from_settings(Some(&place.database_url), place.folder(), "gateway.db");
    let db = Db::connect(&target.expect("a target"))
        .await
        .expect("connected");
    let row =
        format!("UPDATE provider_keys SET {statement} WHERE provider = 'p' AND disabled = {found}");
    let moved = "UPDATE revisions SET version = version + 1 WHERE name = 'providers'";
    until("the row was there", PATIENCE, async || {
        execute(&db, &row).await == 1
    })
    .await;
    assert_eq!(execute(&db, moved).await, 1);
}

async fn execute(db: &Db, statement: &str) -> usize {
    // Not for all of the file: it gives a `load` to everything.
    use diesel_async::RunQueryDsl;
    let query = diesel::sql_query(statement);
    let changed = match db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            query.execute(&mut *conn).await
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await.expect("a connection");
            query.execute(&mut *conn).await
        }
    };
    changed.expect("written")
}

fn admin(link: &Arc<dyn Link>) -> Arc<dyn ProviderAdmin> {
    link.provider_admins().remove(0)
}

async fn is(link: &Arc<dyn Link>, status: &str) -> bool {
    let keys = admin(link).provider_keys("p").await.expect("keys");
    keys[0].status == status
}

async fn switch(link: &Arc<dyn Link>, key: &ProviderKeyId, status: &str) {
    let patch = ProviderKeyPatch {
        status: Some(status.to_owned()),
        ..ProviderKeyPatch::default()
    };
    let changed = admin(link).update_provider_key("p", key, patch).await;
    assert_eq!(changed.expect("changed").status, status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_its_provider_refused_comes_back_when_it_is_accepted_again() {
    for place in places().await {
        let is_good = Arc::new(AtomicBool::new(false));
        let accepts = is_good.clone();
        let (fake, address) = Fake::start(move |seen| {
            if !accepts.load(Ordering::SeqCst) {
                let body = r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#;
                answer("401 Unauthorized", "", body)
            } else if seen.asks_models() {
                models()
            } else {
                answer("200 OK", "", GOOD)
            }
        })
        .await;
        let supervisor = Supervisor::new();
        let settings = ["--gateway-database-url", place.database_url.as_str()];
        let node = gateway(&place, &supervisor, &settings).await;
        let link = node.gateway.local();
        let provider = NewProvider {
            name: "p".to_owned(),
            kind: "openai".to_owned(),
            base_url: format!("http://{address}/v1"),
            options: ProviderOptions::default(),
        };
        let admin = admin(&link);
        admin.create_provider(provider).await.expect("a provider");
        let new = NewProviderKey {
            secret: Secret::new("key-of-p-0".to_owned()),
            label: String::new(),
            weight: 1,
            terms: KeyTerms::default(),
        };
        let key = admin.create_provider_key("p", new).await.expect("a key").id;
        assert!(link.open(call()).await.is_err());
        until("it is off", PATIENCE, async || is(&link, "disabled").await).await;
        let probe_at = async || admin.provider_keys("p").await.expect("keys")[0].probe_at;
        let first = probe_at().await.expect("it is asked again");

        // Asked while it is still bad: later, and then later still.
        change(&place, "probe_at = 1", "TRUE").await;
        until("it was asked", PATIENCE, async || {
            probe_at().await.is_some_and(|at| at > first)
        })
        .await;
        assert!(is(&link, "disabled").await, "{}", place.name);

        is_good.store(true, Ordering::SeqCst);
        change(&place, "probe_at = 1", "TRUE").await;
        until("it is back", PATIENCE, async || is(&link, "active").await).await;
        until("it is used", PATIENCE, async || {
            link.open(call()).await.is_ok()
        })
        .await;

        // As a version before wrote it: without a time. It is asked at once, so that it is seen to be
        // off only while its provider refuses it.
        is_good.store(false, Ordering::SeqCst);
        let old = "disabled = TRUE, reason = 'invalid_key', probe_at = NULL";
        change(&place, old, "FALSE").await;
        until("it was asked", PATIENCE, async || {
            probe_at().await.is_some_and(|at| at > first)
        })
        .await;
        assert!(is(&link, "disabled").await, "{}", place.name);
        let before = fake.calls().len();
        assert!(link.open(call()).await.is_err());
        assert_eq!(fake.calls().len(), before, "a key that is off is not used");
        is_good.store(true, Ordering::SeqCst);
        change(&place, "probe_at = NULL", "TRUE").await;
        until("it is back", PATIENCE, async || {
            link.open(call()).await.is_ok()
        })
        .await;
        until("that is written", PATIENCE, async || {
            is(&link, "active").await
        })
        .await;

        switch(&link, &key, "disabled").await;
        assert_eq!(probe_at().await, None, "an operator's word");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(is(&link, "disabled").await && link.open(call()).await.is_err());
        switch(&link, &key, "active").await;
        assert!(link.open(call()).await.is_ok());
        assert!(supervisor.finish(Duration::from_secs(10)).await);
    }
}
