//! Tenants, users and keys: what is refused, what is audited, and whose is whose.

use std::collections::BTreeSet;
use std::time::Duration;

use server::accounts::{AccountError, NewKey, NewUser, UserChange};
use server::auth::{AuthError, Role};
use server::limits::LimitSettings;
use server::store::accounts::{ApiKeyKind, TenantPatch, TenantStatus, UserStatus};
use shared::id::{ApiKeyId, TenantId, UserId};

use super::{
    HOME, PASSWORD, actor, assert_refused, bearer, first_superadmin, live, one_header, place,
    processes, secret, shown,
};

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
async fn every_change_leaves_an_entry_that_says_who_and_from_where_and_no_secret() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let accounts = &process.accounts;
        let (tenant, user) = (&who.tenant.id, &who.user.id);
        let patch = TenantPatch {
            status: Some(TenantStatus::Suspended),
            ..TenantPatch::default()
        };
        accounts
            .update_tenant(&actor(), tenant, patch)
            .await
            .expect(process.name);
        let change = UserChange {
            role: Some(Role::Admin),
            password: Some(secret("another horse")),
            active: None,
        };
        accounts
            .update_user(&actor(), tenant, user, change)
            .await
            .expect(process.name);
        accounts
            .delete_user(&actor(), tenant, user)
            .await
            .expect(process.name);
        accounts
            .revoke_key(&actor(), place(tenant, &who.key.id))
            .await
            .expect(process.name);
        first_superadmin(accounts).await;

        let entries = accounts.audit(None, 100).await.expect(process.name);
        let told: BTreeSet<_> = entries
            .iter()
            .map(|entry| {
                let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
                format!(
                    "{} | {} | {}",
                    entry.action,
                    before.unwrap_or("-"),
                    after.unwrap_or("-")
                )
            })
            .map(|line| {
                line.replace(&who.key.last4, "LAST")
                    .replace(user.as_str(), "USER")
            })
            .collect();
        let told: Vec<_> = told.into_iter().collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.join("\n"), @r#"
            key.create | - | {"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"LAST","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"main","scopes":["inference","usage"],"status":"active"}
            key.revoke | {"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"LAST","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"main","scopes":["inference","usage"],"status":"active"} | {"allowed_addresses":null,"allowed_models":null,"expires_at":null,"kind":"live","last4":"LAST","limits":{"concurrency":null,"requests_per_minute":null,"tokens_per_minute":null},"name":"main","scopes":["inference","usage"],"status":"revoked"}
            superadmin.create | - | {"role":"owner","status":"active","username":"admin"}
            tenant.create | - | {"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"Acme","price_multiplier_ppm":1000000,"status":"active"}
            tenant.update | {"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"Acme","price_multiplier_ppm":1000000,"status":"active"} | {"limits":{"concurrency":500,"requests_per_minute":3000,"tokens_per_minute":5000000},"name":"Acme","price_multiplier_ppm":1000000,"status":"suspended"}
            user.create | - | {"role":"member","status":"active","username":"ada"}
            user.delete | {"role":"admin","status":"active","username":"ada"} | {"role":"admin","status":"deleted","username":"ada USER"}
            user.update | {"role":"member","status":"active","username":"ada"} | {"password":"changed","role":"admin","status":"active","username":"ada"}
            "#);
        }

        for entry in entries
            .iter()
            .filter(|entry| entry.action != "superadmin.create")
        {
            assert_eq!(
                (&entry.actor, entry.tenant.as_deref()),
                (&actor(), Some(tenant.as_str()))
            );
            assert_eq!(entry.at, process.clock.now());
        }
        let all = format!("{entries:?}");
        for hidden in [
            who.secret.expose(),
            &who.key.hash,
            &who.user.password_hash,
            PASSWORD,
            "another horse",
            "argon2",
        ] {
            assert!(!all.contains(hidden), "{hidden} in {all}");
        }
        let page = accounts.audit(None, 2).await.expect(process.name);
        let rest = accounts
            .audit(Some(&page[1].id), 100)
            .await
            .expect(process.name);
        assert_eq!([page, rest].concat(), entries);
    }
}

#[tokio::test]
async fn a_refused_tenant_leaves_nothing_behind() {
    for (process, _db) in processes().await {
        let owner = |password: &str| {
            Some(NewUser {
                username: "ada".to_owned(),
                password: secret(password),
                role: Role::Owner,
            })
        };
        let short = process
            .accounts
            .found_tenant(&actor(), "Acme", owner("short"))
            .await;
        assert!(
            matches!(
                short,
                Err(AccountError::Invalid {
                    field: "password",
                    ..
                })
            ),
            "{short:?}"
        );
        let (tenant, key) = process
            .accounts
            .found_tenant(&actor(), "Acme", owner(PASSWORD))
            .await
            .expect("the name is free");
        process.by_key(&key).await.expect(process.name);
        process
            .sessions
            .log_in(&key, shown("ada", &secret(PASSWORD)))
            .await
            .expect(process.name);

        let taken = process
            .accounts
            .found_tenant(&actor(), "Acme", owner(PASSWORD))
            .await;
        assert!(
            matches!(taken, Err(AccountError::Taken("name"))),
            "{taken:?}"
        );
        let tenants = process
            .accounts
            .tenants("", None, 9)
            .await
            .expect(process.name);
        assert_eq!(tenants, vec![tenant]);
        assert_eq!(
            process
                .accounts
                .audit(None, 99)
                .await
                .expect(process.name)
                .len(),
            3
        );
    }
}

#[tokio::test]
async fn a_deleted_users_name_is_free_and_a_present_one_is_taken() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let again = || NewUser {
            username: "ada".to_owned(),
            password: secret(PASSWORD),
            role: Role::Member,
        };
        let taken = process
            .accounts
            .create_user(&actor(), &who.tenant.id, again())
            .await;
        assert!(
            matches!(taken, Err(AccountError::Taken("username"))),
            "{taken:?}"
        );
        process
            .accounts
            .delete_user(&actor(), &who.tenant.id, &who.user.id)
            .await
            .expect(process.name);
        let second = process.user(&who.tenant, "ada").await;
        let users = process
            .accounts
            .users(&who.tenant.id, None, 9)
            .await
            .expect(process.name);
        assert_eq!((users.len(), users[0].status), (1, UserStatus::Active));
        assert_eq!(users[0].id, second.id);
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
