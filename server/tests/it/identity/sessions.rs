//! Logging in, refreshing, logging out.

use std::time::{Duration, Instant};

use server::accounts::{NewKey, UserChange};
use server::sessions::{LoggedIn, SessionError};
use server::store::accounts::{TenantPatch, TenantStatus};
use shared::secret::Secret;

use super::process::{Process, Somebody, processes};
use super::{PASSWORD, actor, assert_refused, first_superadmin, live, place, secret, shown};

/// Longer than any wait between attempts to log in.
const CALM: Duration = Duration::from_secs(61);

fn is_refused(answer: &Result<LoggedIn, SessionError>) -> bool {
    matches!(answer, Err(SessionError::Invalid))
}

#[tokio::test]
async fn a_user_logs_in_and_the_token_lets_in_until_it_ends() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let login = process.log_in(&who, PASSWORD).await.expect(process.name);
        assert_eq!(
            (&login.user.id, &login.tenant.id),
            (&who.user.id, &who.tenant.id)
        );
        let found = process.by_token(&login).await.expect(process.name);
        assert_eq!(
            (&found.tenant, found.user.as_ref()),
            (&who.tenant.id, Some(&who.user.id))
        );
        assert!(found.key.is_none() && !found.test);
        process.clock.advance(login.expires_in);
        assert_refused(&process.by_token(&login).await);
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_login_the_refusal_is_the_same() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let unknown = secret(&format!("wk_live_{}", "a".repeat(32)));
        let attempt = async |key: &Secret<String>, username: &str, password: &str| {
            process.clock.advance(CALM);
            process
                .sessions
                .log_in(key, shown(username, &secret(password)))
                .await
        };
        for key in [&unknown, &secret(""), &secret("wk_live_\0"), &secret("x")] {
            assert!(
                is_refused(&attempt(key, "ada", PASSWORD).await),
                "{}",
                key.expose()
            );
        }
        for username in ["eve", "", "adá", "ada\0", "ada' --", "é"] {
            assert!(
                is_refused(&attempt(&who.secret, username, PASSWORD).await),
                "{username}"
            );
        }
        for password in ["", "wrong horse", "correct horse ", "\0"] {
            assert!(
                is_refused(&attempt(&who.secret, "ada", password).await),
                "{password}"
            );
        }
        for username in ["ada", "ADA"] {
            attempt(&who.secret, username, PASSWORD)
                .await
                .expect(process.name);
        }

        let elsewhere = NewKey {
            allowed_addresses: Some(vec!["10.0.0.0/8".to_owned()]),
            ..live()
        };
        let (_, elsewhere) = process.key(&who.tenant, elsewhere).await;
        assert!(
            is_refused(&attempt(&elsewhere, "ada", PASSWORD).await),
            "not from here"
        );
        let (ended, old) = process.key(&who.tenant, live()).await;
        process
            .accounts
            .revoke_key(&actor(), place(&who.tenant.id, &ended.id))
            .await
            .expect(process.name);
        assert!(
            is_refused(&attempt(&old, "ada", PASSWORD).await),
            "a revoked key"
        );

        set_active(&process, &who, false).await;
        assert!(
            is_refused(&attempt(&who.secret, "ada", PASSWORD).await),
            "a disabled user"
        );
        set_active(&process, &who, true).await;
        let patch = TenantPatch {
            status: Some(TenantStatus::Suspended),
            ..TenantPatch::default()
        };
        process
            .accounts
            .update_tenant(&actor(), &who.tenant.id, patch)
            .await
            .expect(process.name);
        assert!(
            is_refused(&attempt(&who.secret, "ada", PASSWORD).await),
            "a suspended tenant"
        );
    }
}

async fn set_active(process: &Process, who: &Somebody, active: bool) {
    let change = UserChange {
        active: Some(active),
        ..UserChange::default()
    };
    process
        .accounts
        .update_user(&actor(), &who.tenant.id, &who.user.id, change)
        .await
        .expect(process.name);
}

#[tokio::test]
async fn an_unknown_key_or_user_takes_as_long_as_a_wrong_password() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let unknown = secret(&format!("wk_live_{}", "a".repeat(32)));
        let timed = async |key: &Secret<String>, username: &str| {
            process.clock.advance(CALM);
            let begun = Instant::now();
            let answer = process
                .sessions
                .log_in(key, shown(username, &secret("wrong horse")))
                .await;
            assert!(is_refused(&answer));
            begun.elapsed()
        };
        for (key, username) in [
            (&who.secret, "eve"),
            (&unknown, "ada"),
            (&secret("x"), "ada"),
        ] {
            // The shortest of each: a busy machine makes some longer, none shorter.
            let (mut known, mut other) = (Duration::MAX, Duration::MAX);
            for _ in 0..30 {
                known = known.min(timed(&who.secret, "ada").await);
                other = other.min(timed(key, username).await);
                if other * 2 > known {
                    break;
                }
            }
            assert!(
                other * 2 > known,
                "{other:?} against {known:?} tells that {username} is not there"
            );
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let first = process.log_in(&who, PASSWORD).await.expect(process.name);
        let other = process.log_in(&who, PASSWORD).await.expect(process.name);
        process.clock.advance(Duration::from_secs(1));
        let second = process
            .sessions
            .refresh(&first.refresh_token)
            .await
            .expect(process.name);
        assert_ne!(first.refresh_token, second.refresh_token);
        process.by_token(&second).await.expect(process.name);

        assert!(
            is_refused(&process.sessions.refresh(&first.refresh_token).await),
            "used before"
        );
        assert!(
            is_refused(&process.sessions.refresh(&second.refresh_token).await),
            "the family is ended"
        );
        assert_refused(&process.by_token(&second).await);
        process.by_token(&other).await.expect("another login stays");
        for text in ["", "wr_", "wr_\0", &"a".repeat(54)] {
            assert!(
                is_refused(&process.sessions.refresh(&secret(text)).await),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_wins_at_most() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let login = process.log_in(&who, PASSWORD).await.expect(process.name);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (sessions, token) = (process.sessions.clone(), login.refresh_token.clone());
                process
                    .supervisor
                    .spawn("refresh", async move { sessions.refresh(&token).await })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            won.extend(task.await.expect("joined").expect("no panic").ok());
        }
        assert_eq!(won.len(), 1, "{}", process.name);
        assert!(
            is_refused(&process.sessions.refresh(&won[0].refresh_token).await),
            "the others were reuse"
        );
    }
}

#[tokio::test]
async fn a_session_ends_by_logging_out_and_by_its_age() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let login = process.log_in(&who, PASSWORD).await.expect(process.name);
        let tenant = process
            .sessions
            .log_out(&login.refresh_token)
            .await
            .expect(process.name);
        assert_eq!(tenant, Some(who.tenant.id.clone()));
        assert_refused(&process.by_token(&login).await);
        assert!(is_refused(
            &process.sessions.refresh(&login.refresh_token).await
        ));
        let nobody = process.sessions.log_out(&secret("wr_unknown")).await;
        assert_eq!(nobody.expect("an unknown token ends nothing"), None);

        let login = process.log_in(&who, PASSWORD).await.expect(process.name);
        process.clock.advance(Duration::from_secs(29 * 24 * 3_600));
        let late = process
            .sessions
            .refresh(&login.refresh_token)
            .await
            .expect("within thirty days");
        process.clock.advance(Duration::from_secs(24 * 3_600));
        assert!(
            is_refused(&process.sessions.refresh(&late.refresh_token).await),
            "refreshing prolongs nothing"
        );
    }
}

#[tokio::test]
async fn a_new_password_and_a_disabled_user_end_their_sessions_for_good() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let login = process.log_in(&who, PASSWORD).await.expect(process.name);
        let change = UserChange {
            password: Some(secret("another horse")),
            ..UserChange::default()
        };
        process
            .accounts
            .update_user(&actor(), &who.tenant.id, &who.user.id, change)
            .await
            .expect(process.name);
        assert_refused(&process.by_token(&login).await);
        assert!(is_refused(
            &process.sessions.refresh(&login.refresh_token).await
        ));
        assert!(is_refused(&process.log_in(&who, PASSWORD).await));

        let login = process
            .log_in(&who, "another horse")
            .await
            .expect(process.name);
        set_active(&process, &who, false).await;
        set_active(&process, &who, true).await;
        assert_refused(&process.by_token(&login).await);
        assert!(is_refused(
            &process.sessions.refresh(&login.refresh_token).await
        ));
        process
            .log_in(&who, "another horse")
            .await
            .expect("may log in again");
    }
}

#[tokio::test]
async fn attempts_are_limited_for_users_and_superadmins() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        first_superadmin(&process.accounts).await;
        let mut waits = Vec::new();
        for _ in 0..5 {
            if let Err(SessionError::TooMany { retry_after }) =
                process.log_in(&who, "wrong horse").await
            {
                waits.push(retry_after);
            }
        }
        assert_eq!(
            waits,
            [Duration::from_secs(1)],
            "the fourth failure costs a second"
        );
        let right = process.log_in(&who, PASSWORD).await;
        assert!(
            matches!(right, Err(SessionError::TooMany { .. })),
            "{right:?}"
        );

        let admin = async |password: &str| {
            process
                .sessions
                .log_in_superadmin(shown("admin", &secret(password)))
                .await
        };
        let found = admin(PASSWORD).await.expect("another account");
        assert_eq!(
            (found.expires_in, found.admin.username.as_str()),
            (Duration::from_secs(8 * 3_600), "admin")
        );
        for _ in 0..4 {
            assert!(matches!(
                admin("wrong horse").await,
                Err(SessionError::Invalid)
            ));
        }
        assert!(matches!(
            admin(PASSWORD).await,
            Err(SessionError::TooMany { .. })
        ));
        let odd = process
            .sessions
            .log_in_superadmin(shown("ad\0min", &secret(PASSWORD)))
            .await;
        assert!(matches!(odd, Err(SessionError::Invalid)), "{odd:?}");
    }
}
