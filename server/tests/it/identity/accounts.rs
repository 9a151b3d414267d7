//! Tenants, users and keys: what is refused, what is audited, and whose is whose.

mod changes;

use std::time::Duration;

use server::accounts::{AccountError, NewKey, UserChange};
use server::auth::{AuthError, Role};
use server::limits::LimitSettings;
use server::store::accounts::{ApiKeyKind, TenantPatch};
use shared::id::{ApiKeyId, TenantId, UserId};

use super::process::processes;
use super::{HOME, actor, assert_refused, bearer, live, one_header, place};

#[tokio::test]
async fn a_key_lets_in_by_either_header_and_brings_what_a_call_needs() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let patch = TenantPatch {
            price_multiplier_ppm: Some(1_200_000),
            ..TenantPatch::default()
        };
        process
            .accounts
            .update_tenant(&actor(), &who.tenant.id, patch)
            .await
            .expect(process.name);
        let limits = LimitSettings {
            requests_per_minute: Some(7),
            ..LimitSettings::default()
        };
        let new = NewKey {
            allowed_models: Some(vec!["m1".to_owned()]),
            limits,
            ..NewKey::plain("test", ApiKeyKind::Test)
        };
        let (key, text) = process.key(&who.tenant, new).await;
        let found = process.by_key(&text).await.expect(process.name);
        assert_eq!(
            (found.tenant.clone(), found.key.clone()),
            (who.tenant.id.clone(), Some(key.id))
        );
        assert!(found.test && found.user.is_none() && found.role == Role::Owner);
        assert_eq!(
            (found.price_multiplier_ppm, found.key_limits),
            (1_200_000, limits)
        );
        assert_eq!(
            found.allowed_models.as_deref(),
            Some(&["m1".to_owned()][..])
        );
        let other = process
            .auth
            .authenticate(&one_header("x-api-key", who.secret.expose()), HOME)
            .await;
        assert!(!other.expect(process.name).test);
    }
}

#[tokio::test]
async fn what_is_no_key_or_token_is_refused_alike() {
    for (process, _db) in processes().await {
        process.somebody().await;
        let unknown = format!("wk_live_{}", "a".repeat(32));
        let long = "a".repeat(70_000);
        let bearers = [
            &unknown,
            "wk_live_' OR 1=1 --",
            "wk_live_",
            "sk-1",
            "a.b.c",
            "Bearer Bearer",
            &long,
        ];
        for text in bearers {
            assert_refused(&process.auth.authenticate(&bearer(text), HOME).await);
            assert_refused(
                &process
                    .auth
                    .authenticate(&one_header("x-api-key", text), HOME)
                    .await,
            );
        }
        for text in ["Basic YWRhOmFkYQ==", "Bearer", ""] {
            assert_refused(
                &process
                    .auth
                    .authenticate(&one_header("authorization", text), HOME)
                    .await,
            );
        }
        assert_refused(
            &process
                .auth
                .authenticate(&http::HeaderMap::new(), HOME)
                .await,
        );
    }
}

#[tokio::test]
async fn a_key_ends_at_its_time_and_stays_in_its_networks() {
    for (process, _db) in processes().await {
        let tenant = process.tenant("Acme").await;
        let ends = process.clock.now().after(Duration::from_secs(60));
        let (_, text) = process
            .key(
                &tenant,
                NewKey {
                    expires_at: Some(ends),
                    ..live()
                },
            )
            .await;
        process.by_key(&text).await.expect(process.name);
        process.clock.advance(Duration::from_secs(60));
        assert_refused(&process.by_key(&text).await);

        let networks = vec!["198.51.100.0/24".to_owned(), "2001:db8::/32".to_owned()];
        let (_, text) = process
            .key(
                &tenant,
                NewKey {
                    allowed_addresses: Some(networks),
                    ..live()
                },
            )
            .await;
        let from = async |peer: &str| {
            process
                .auth
                .authenticate(&bearer(text.expose()), peer.parse().expect(peer))
                .await
        };
        from("198.51.100.200").await.expect(process.name);
        from("2001:db8:1::1").await.expect(process.name);
        let outside = from("198.51.101.1").await;
        assert!(
            matches!(outside, Err(AuthError::AddressNotAllowed)),
            "{outside:?}"
        );
    }
}

#[tokio::test]
async fn the_ids_of_another_tenant_are_not_there() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let stranger = process.tenant("Stranger").await.id;
        let accounts = &process.accounts;
        let change = UserChange {
            active: Some(false),
            ..UserChange::default()
        };
        let missing = |outcome: Result<(), AccountError>, what: &str| {
            assert!(
                matches!(&outcome, Err(AccountError::NotFound(found)) if *found == what),
                "{outcome:?}"
            );
        };
        missing(
            accounts.user(&stranger, &who.user.id).await.map(drop),
            "user",
        );
        missing(
            accounts
                .update_user(&actor(), &stranger, &who.user.id, change.clone())
                .await
                .map(drop),
            "user",
        );
        missing(
            accounts
                .delete_user(&actor(), &stranger, &who.user.id)
                .await,
            "user",
        );
        missing(
            accounts
                .revoke_key(&actor(), place(&stranger, &who.key.id))
                .await,
            "key",
        );
        assert!(
            accounts
                .users(&stranger, None, 9)
                .await
                .expect("a list")
                .is_empty()
        );
        assert!(
            accounts
                .keys(&stranger, None, 9)
                .await
                .expect("a list")
                .is_empty()
        );

        let nobody = TenantId::random();
        missing(accounts.tenant(&nobody).await.map(drop), "tenant");
        missing(accounts.users(&nobody, None, 9).await.map(drop), "tenant");
        missing(accounts.keys(&nobody, None, 9).await.map(drop), "tenant");
        missing(
            accounts
                .update_tenant(&actor(), &nobody, TenantPatch::default())
                .await
                .map(drop),
            "tenant",
        );
        missing(
            accounts
                .create_key(&actor(), &nobody, live())
                .await
                .map(drop),
            "tenant",
        );
        missing(
            accounts
                .update_user(&actor(), &who.tenant.id, &UserId::random(), change)
                .await
                .map(drop),
            "user",
        );
        missing(
            accounts
                .revoke_key(&actor(), place(&who.tenant.id, &ApiKeyId::random()))
                .await,
            "key",
        );
        process
            .by_key(&who.secret)
            .await
            .expect("nothing of it happened");
    }
}

#[tokio::test]
async fn a_search_takes_its_signs_as_they_stand() {
    for (process, _db) in processes().await {
        for name in ["10% off", "100 off", "a_b", "acb"] {
            process.tenant(name).await;
        }
        let found = async |search: &str| -> Vec<String> {
            let tenants = process
                .accounts
                .tenants(search, None, 9)
                .await
                .expect(process.name);
            tenants.into_iter().map(|tenant| tenant.name).collect()
        };
        assert_eq!(found("10%").await, ["10% off"]);
        assert_eq!(found("a_").await, ["a_b"]);
        assert!(
            found("\\").await.is_empty() && found("'; DROP TABLE tenants; --").await.is_empty()
        );
        let odd = process.accounts.tenants("a\0", None, 9).await;
        assert!(
            matches!(
                odd,
                Err(AccountError::Invalid {
                    field: "search",
                    ..
                })
            ),
            "{odd:?}"
        );
    }
}
