//! Changes of accounts: what each leaves in the audit log, and what a refused one leaves behind.

use std::collections::BTreeSet;

use server::accounts::{AccountError, NewUser, UserChange};
use server::auth::Role;
use server::store::accounts::{TenantPatch, TenantStatus, UserStatus};

use super::super::process::processes;
use super::super::{PASSWORD, actor, first_superadmin, place, secret, shown};

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
