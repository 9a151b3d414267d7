//! Two processes over one database, which each keep in memory what the other changes.

use server::ledger::HoldError;
use shared::credits::Credits;
use shared::id::TenantId;

use crate::ledger::{ask, balance, exact, grant, ledger, usage};
use crate::support::databases;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_over_one_database_stay_exact_together() {
    for db in databases().await {
        let writers = [ledger(&db).await, ledger(&db).await];
        let tenant = TenantId::random();
        writers[0]
            .grant(grant(&tenant, 3_003, "a"))
            .await
            .expect("granted");
        let mut calls = tokio::task::JoinSet::new();
        for turn in 0..300 {
            let (ledger, ask) = (writers[turn % 2].clone(), ask(&tenant, 20, 1));
            let other = writers[(turn + 1) % 2].clone();
            calls.spawn(async move {
                let Ok(held) = ledger.hold(ask.clone()).await else {
                    return 0;
                };
                let used = Credits::from_micros(held.micros().min(7));
                other
                    .settle(&ask.id, &ask.tenant, used, usage(&ask, used.micros()))
                    .await
                    .expect("settled");
                used.micros()
            });
        }
        let used: i64 = calls.join_all().await.into_iter().sum();
        let end = writers[0].balance(&tenant).await.expect("read");
        assert_eq!(end, balance(3_003 - used, 0, used), "{}", db.name);
        exact(&writers[1], db.name).await;
    }
}

/// Nothing is refused, and nothing given, from what memory holds of an account that another process wrote.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_gave_or_took_counts_here_at_once() {
    for db in databases().await {
        let [here, there] = [ledger(&db).await, ledger(&db).await];
        let tenant = TenantId::random();
        let given = here.grant(grant(&tenant, 10, "a")).await;
        given.expect("granted");
        let refused = here.hold(ask(&tenant, 50, 50)).await;
        assert!(
            matches!(refused, Err(HoldError::Insufficient { .. })),
            "{}: {refused:?}",
            db.name
        );
        let given = there.grant(grant(&tenant, 90, "b")).await;
        given.expect("granted");
        let held = here.hold(ask(&tenant, 50, 50)).await;
        assert_eq!(held.expect(db.name).micros(), 50);
        let held = there.hold(ask(&tenant, 45, 45)).await;
        assert_eq!(held.expect(db.name).micros(), 45);
        let refused = here.hold(ask(&tenant, 50, 50)).await;
        assert!(
            matches!(refused, Err(HoldError::Insufficient { .. })),
            "{}: {refused:?}",
            db.name
        );
        let end = here.balance(&tenant).await.expect("read");
        assert_eq!(end, balance(5, 95, 0), "{}", db.name);
        exact(&there, db.name).await;
    }
}
