//! Ends that become known late: charged once by whoever learns them, and never where it was
//! promised.

use std::time::Duration;

use server::ledger::{HoldState, Unknown};
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::db::Db;
use shared::id::{GenerationId, TenantId};

use super::{ask, balance, exact, give, grant, ledger, usage};
use crate::support::{TestDb, databases};

/// The number of a record that counts in sums once it is filed, 0 of one that does not count yet.
async fn counted(db: &TestDb, id: &GenerationId) -> i64 {
    use diesel_async::RunQueryDsl;

    #[derive(diesel::QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let mut roller = Roller::new(Store::new(db.db.clone()), Clock::system());
    let patience = Duration::from_secs(60);
    assert!(
        roller.catch_up(patience).await.expect("filed"),
        "{}",
        db.name
    );
    let text =
        format!("SELECT COALESCE(number, -1) AS number FROM usage_records WHERE id = '{id}'");
    let rows: Vec<Number> = match &db.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            diesel::sql_query(text).load(&mut conn).await.expect("read")
        }
        Db::Sqlite { readers, .. } => {
            let mut conn = readers.get().await.expect("a connection");
            diesel::sql_query(text)
                .load(&mut *conn)
                .await
                .expect("read")
        }
    };
    assert_eq!(rows.len(), 1, "one record a call");
    rows[0].number
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_becomes_known_late_is_charged_once_by_whoever_learns_it() {
    for db in databases().await {
        let writers = [ledger(&db).await, ledger(&db).await];
        let (tenant, store) = (TenantId::random(), Store::new(db.db.clone()));
        writers[0]
            .grant(grant(&tenant, 100, "a"))
            .await
            .expect("granted");
        let ask = ask(&tenant, 60, 60);
        writers[0].hold(ask.clone()).await.expect("held");
        let unknown = Unknown {
            ask_until: Moment::from_unix_ms(i64::MAX),
            promised: false,
        };
        let open = UsageRecord {
            fault: Some("unknown".to_owned()),
            status: UsageStatus::Failed,
            ..usage(&ask, 0)
        };
        for writer in &writers {
            let given = writer.give_back(&ask.id, &tenant, unknown, open.clone());
            given.await.expect("given back");
        }
        assert_eq!(
            writers[0].balance(&tenant).await.expect("read"),
            balance(100, 0, 0)
        );
        assert_eq!(counted(&db, &ask.id).await, 0, "it counts in no sum yet");
        let listed = writers[1].unknown(None).await.expect("read");
        assert_eq!(listed.len(), 1, "{}", db.name);
        assert_eq!(listed[0].state, HoldState::Unknown);
        exact(&writers[0], db.name).await;
        let used = Credits::from_micros(70);
        let known = usage(&ask, 70);
        let (first, second) = tokio::join!(
            writers[0].settle(&ask.id, &tenant, used, known.clone()),
            writers[1].settle(&ask.id, &tenant, used, known.clone()),
        );
        for settled in [first.expect("charged"), second.expect("the same")] {
            assert_eq!(
                (settled.charged.micros(), settled.shortfall.micros()),
                (60, 10)
            );
        }
        assert_eq!(
            writers[0].balance(&tenant).await.expect("read"),
            balance(40, 0, 60)
        );
        let record = store
            .usage_record(&ask.id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!((record.credits.micros(), record.loss.micros()), (60, 10));
        assert_eq!(record.loss_why.as_deref(), Some("provider_overrun"));
        assert_eq!(record.status, UsageStatus::Succeeded);
        assert!(
            counted(&db, &ask.id).await > 0,
            "{}: and now it counts",
            db.name
        );
        let kinds = writers[0].history(&tenant, None, 10).await.expect("read");
        let kinds: Vec<String> = kinds.into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, ["claim", "release", "hold", "grant"]);
        assert!(writers[1].unknown(None).await.expect("read").is_empty());
        exact(&writers[1], db.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_nothing_is_charged_is_kept_whatever_becomes_known() {
    for db in databases().await {
        let (ledger, tenant) = (ledger(&db).await, TenantId::random());
        let store = Store::new(db.db.clone());
        give(&ledger, &tenant, 100, "a").await;
        let unknown = Unknown {
            ask_until: Moment::from_unix_ms(i64::MAX),
            promised: true,
        };
        // One of which nothing is ever learned, and one that the provider finished.
        let (lost, made) = (ask(&tenant, 30, 30), ask(&tenant, 40, 40));
        for ask in [&lost, &made] {
            ledger.hold(ask.clone()).await.expect("held");
            let given = ledger.give_back(&ask.id, &tenant, unknown, usage(ask, 0));
            given.await.expect("given back");
        }
        let used = Credits::from_micros(25);
        let settled = ledger
            .settle(&made.id, &tenant, used, usage(&made, 25))
            .await;
        assert_eq!(settled.expect("told").charged, Credits::ZERO);
        let record = store
            .usage_record(&made.id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!((record.credits.micros(), record.loss.micros()), (0, 25));
        assert_eq!(record.loss_why.as_deref(), Some("not_delivered"));
        ledger
            .release(&lost.id, &tenant, Some(usage(&lost, 0)))
            .await
            .expect("closed");
        assert!(counted(&db, &lost.id).await > 0, "{}", db.name);
        assert!(ledger.unknown(None).await.expect("read").is_empty());
        assert_eq!(
            ledger.balance(&tenant).await.expect("read"),
            balance(100, 0, 0)
        );
        exact(&ledger, db.name).await;
    }
}
