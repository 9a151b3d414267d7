//! What a second process over the same database sees, and when.

use std::time::{Duration, Instant};

use server::accounts::UserChange;
use server::auth::{AuthError, Watched};
use server::store::accounts::{TenantPatch, TenantStatus};
use shared::clock::Clock;
use shared::db::Db;

use super::process::{Process, Somebody};
use super::{PASSWORD, actor, assert_refused, place, start};
use crate::support::{TestDb, databases};

/// What the product promises.
const PROMISED: Duration = Duration::from_secs(1);

/// Two processes over each database, both following the changes, and somebody whom both know.
async fn pairs() -> Vec<(Process, Process, Somebody, TestDb)> {
    let mut pairs = Vec::new();
    for db in databases().await {
        let second = Db::connect(&db.target).await.expect(db.name);
        let near = Process::over(db.name, db.db.clone(), Clock::system());
        let far = Process::over(db.name, second, Clock::system());
        let who = near.somebody().await;
        for process in [&near, &far] {
            process.auth.watch(Watched::default(), &process.supervisor);
        }
        // Both have looked once, so that what they know is trusted.
        tokio::time::sleep(Duration::from_millis(400)).await;
        near.by_key(&who.secret).await.expect(db.name);
        far.by_key(&who.secret).await.expect(db.name);
        pairs.push((near, far, who, db));
    }
    pairs
}

async fn refused_after(far: &Process, who: &Somebody) -> Duration {
    let begun = Instant::now();
    while far.by_key(&who.secret).await.is_ok() {
        assert!(begun.elapsed() < PROMISED * 10, "{} never saw it", far.name);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_here_and_within_a_second_there() {
    for (near, far, who, _db) in pairs().await {
        near.accounts
            .revoke_key(&actor(), place(&who.tenant.id, &who.key.id))
            .await
            .expect(near.name);
        assert_refused(&near.by_key(&who.secret).await);
        let after = refused_after(&far, &who).await;
        assert!(after < PROMISED, "{}: {after:?}", far.name);
    }
}

#[tokio::test]
async fn a_secret_without_grace_is_refused_there_within_a_second_and_the_new_one_taken() {
    for (near, far, who, _db) in pairs().await {
        let at = place(&who.tenant.id, &who.key.id);
        let rotated = near.accounts.rotate_key(&actor(), at, Duration::ZERO).await;
        let (_, new) = rotated.expect(near.name);
        assert_refused(&near.by_key(&who.secret).await);
        far.by_key(&new).await.expect(far.name);
        let after = refused_after(&far, &who).await;
        assert!(after < PROMISED, "{}: {after:?}", far.name);
    }
}

#[tokio::test]
async fn a_suspended_tenant_is_shut_out_and_let_in_again_within_a_second() {
    for (near, far, who, _db) in pairs().await {
        let set = async |status| {
            let patch = TenantPatch {
                status: Some(status),
                ..TenantPatch::default()
            };
            near.accounts
                .update_tenant(&actor(), &who.tenant.id, patch)
                .await
                .expect(near.name);
        };
        set(TenantStatus::Suspended).await;
        assert_refused(&near.by_key(&who.secret).await);
        let after = refused_after(&far, &who).await;
        assert!(after < PROMISED, "{}: {after:?}", far.name);
        set(TenantStatus::Active).await;
        near.by_key(&who.secret).await.expect(near.name);
        tokio::time::sleep(PROMISED).await;
        far.by_key(&who.secret).await.expect(far.name);
    }
}

#[tokio::test]
async fn a_disabled_user_and_a_logged_out_one_are_refused_there_within_a_second() {
    for (near, far, who, _db) in pairs().await {
        let (left, right) = (
            near.log_in(&who, PASSWORD).await,
            near.log_in(&who, PASSWORD).await,
        );
        let (left, right) = (left.expect(near.name), right.expect(near.name));
        far.by_token(&left)
            .await
            .expect("both processes sign with the same secret");
        far.by_token(&right).await.expect(far.name);
        near.sessions
            .log_out(&left.refresh_token)
            .await
            .expect(near.name);
        tokio::time::sleep(PROMISED).await;
        assert_refused(&far.by_token(&left).await);
        far.by_token(&right).await.expect("the other session stays");
        let change = UserChange {
            active: Some(false),
            ..UserChange::default()
        };
        near.accounts
            .update_user(&actor(), &who.tenant.id, &who.user.id, change)
            .await
            .expect(near.name);
        tokio::time::sleep(PROMISED).await;
        assert_refused(&far.by_token(&right).await);
        far.by_key(&who.secret)
            .await
            .expect("the tenant's key stays");
    }
}

#[tokio::test]
async fn what_changed_before_the_first_look_is_not_missed() {
    for db in databases().await {
        let second = Db::connect(&db.target).await.expect(db.name);
        let near = Process::over(db.name, db.db.clone(), Clock::system());
        let far = Process::over(db.name, second, Clock::system());
        let who = near.somebody().await;
        far.by_key(&who.secret).await.expect(db.name);
        near.accounts
            .revoke_key(&actor(), place(&who.tenant.id, &who.key.id))
            .await
            .expect(db.name);
        far.auth.watch(Watched::default(), &far.supervisor);
        tokio::time::sleep(PROMISED).await;
        assert_refused(&far.by_key(&who.secret).await);
    }
}

#[tokio::test]
async fn without_the_database_nobody_is_let_in_for_long() {
    for db in databases().await {
        let process = Process::over(db.name, db.db.clone(), start());
        let who = process.somebody().await;
        process.auth.watch(Watched::default(), &process.supervisor);
        tokio::time::sleep(Duration::from_millis(400)).await;
        process.by_key(&who.secret).await.expect(db.name);
        assert!(
            process.supervisor.finish(Duration::from_secs(5)).await,
            "the watcher stops"
        );
        db.execute("ALTER TABLE api_keys RENAME TO api_keys_away")
            .await
            .expect(db.name);

        process.clock.advance(Duration::from_millis(899));
        process
            .by_key(&who.secret)
            .await
            .expect("known, and the last look is young");
        process.clock.advance(Duration::from_millis(1));
        let answer = process.by_key(&who.secret).await;
        assert!(
            matches!(answer, Err(AuthError::Unavailable(_))),
            "{answer:?}"
        );

        db.execute("ALTER TABLE api_keys_away RENAME TO api_keys")
            .await
            .expect(db.name);
        process
            .by_key(&who.secret)
            .await
            .expect("read from the database each time");
    }
}
