//! What is done to keys that are there: changed, rotated with a grace, revoked.

mod rotation;

use std::time::Duration;

use server::accounts::{AccountError, GRACE_DEFAULT, NewKey};
use server::limits::LimitSettings;
use server::sessions::{LoggedIn, SessionError};
use server::store::accounts::{ApiKey, ApiKeyKind, Field, KeyPatch, Scope, Scopes};
use shared::id::ApiKeyId;
use shared::secret::Secret;

use self::rotation::rotate;
use super::process::{Process, processes};
use super::{PASSWORD, actor, assert_refused, live, place, secret, shown};

async fn logged_in(process: &Process, key: &Secret<String>) -> Result<LoggedIn, SessionError> {
    let password = secret(PASSWORD);
    process.sessions.log_in(key, shown("ada", &password)).await
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_is_in_force_at_once() {
    for (process, _db) in processes().await {
        let tenant = process.tenant("Acme").await;
        let limits = LimitSettings {
            requests_per_minute: Some(7),
            tokens_per_minute: Some(9),
            concurrency: Some(3),
        };
        let new = NewKey {
            allowed_models: Some(vec!["m1".to_owned()]),
            limits,
            ..live()
        };
        let (key, text) = process.key(&tenant, new).await;
        process.by_key(&text).await.expect(process.name);
        let at = place(&tenant.id, &key.id);
        let ends = process.clock.now().after(Duration::from_secs(90));
        let patch = KeyPatch {
            name: Some(" worker ".to_owned()),
            scopes: Some(Scopes::of([Scope::Keys])),
            allowed_models: Field::Set(vec!["m2".to_owned()]),
            tokens_per_minute: Field::Clear,
            expires_at: Field::Set(ends),
            ..KeyPatch::default()
        };
        let changed = process.accounts.update_key(&actor(), at, patch).await;
        let changed = changed.expect(process.name);
        let kept = process.accounts.key(&tenant.id, &key.id).await;
        assert_eq!(kept.expect(process.name), changed);
        let found = process.by_key(&text).await.expect(process.name);
        assert_eq!(found.key_name.as_deref(), Some("worker"));
        assert_eq!(found.scopes, Scopes::of([Scope::Keys]));
        assert_eq!(
            found.allowed_models.as_deref(),
            Some(&["m2".to_owned()][..])
        );
        let tokens_per_minute = None;
        assert_eq!(
            found.key_limits,
            LimitSettings {
                tokens_per_minute,
                ..limits
            }
        );
        let patch = KeyPatch {
            allowed_models: Field::Clear,
            ..KeyPatch::default()
        };
        let changed = process.accounts.update_key(&actor(), at, patch).await;
        let changed = changed.expect(process.name);
        assert_eq!(
            (changed.name.as_str(), changed.expires_at),
            ("worker", Some(ends))
        );
        let found = process.by_key(&text).await.expect(process.name);
        assert_eq!(found.allowed_models, None);
        process.clock.advance(Duration::from_secs(90));
        assert_refused(&process.by_key(&text).await);
    }
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_or_is_out_of_reach_changes_nothing() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let (test, _) = process
            .key(&who.tenant, NewKey::plain("test", ApiKeyKind::Test))
            .await;
        let scopes = |scopes| KeyPatch {
            scopes: Some(scopes),
            ..KeyPatch::default()
        };
        let cases = [
            (&who.key.id, scopes(Scopes::of([])), "scopes"),
            (&test.id, scopes(Scopes::ALL), "scopes"),
            (
                &who.key.id,
                KeyPatch {
                    expires_at: Field::Set(process.clock.now()),
                    ..KeyPatch::default()
                },
                "expires_at",
            ),
            (
                &who.key.id,
                KeyPatch {
                    concurrency: Field::Set(0),
                    ..KeyPatch::default()
                },
                "limits",
            ),
        ];
        for (id, patch, wrong) in cases {
            let at = place(&who.tenant.id, id);
            let refused = process.accounts.update_key(&actor(), at, patch).await;
            assert!(
                matches!(&refused, Err(AccountError::Invalid { field, .. }) if *field == wrong),
                "{wrong}: {refused:?}"
            );
        }
        let mut strong = place(&who.tenant.id, &who.key.id);
        strong.reach = Scopes::of([Scope::Inference]);
        let refused = process.accounts.revoke_key(&actor(), strong).await;
        assert!(matches!(refused, Err(AccountError::OutOfReach)));
        let refused = rotate(&process, strong, GRACE_DEFAULT).await;
        assert!(matches!(refused, Err(AccountError::OutOfReach)));
        let now = process.accounts.key(&who.tenant.id, &who.key.id).await;
        assert_eq!(now.expect(process.name), who.key);
    }
}

#[tokio::test]
async fn the_keys_of_another_tenant_can_be_neither_changed_nor_rotated() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let stranger = process.tenant("Stranger").await.id;
        for at in [
            place(&stranger, &who.key.id),
            place(&who.tenant.id, &ApiKeyId::random()),
        ] {
            let accounts = &process.accounts;
            let patch = KeyPatch {
                scopes: Some(Scopes::ALL),
                ..KeyPatch::default()
            };
            for outcome in [
                accounts.update_key(&actor(), at, patch).await.map(drop),
                accounts
                    .rotate_key(&actor(), at, Duration::ZERO)
                    .await
                    .map(drop),
                accounts.revoke_key(&actor(), at).await,
                accounts.key(at.tenant, at.id).await.map(drop),
            ] {
                assert!(
                    matches!(outcome, Err(AccountError::NotFound("key"))),
                    "{outcome:?}"
                );
            }
        }
        let now = process.accounts.key(&who.tenant.id, &who.key.id).await;
        assert_eq!(now.expect(process.name), who.key);
        process.by_key(&who.secret).await.expect(process.name);
    }
}

#[tokio::test]
async fn revoking_a_key_revokes_what_was_made_with_it_and_nothing_else() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let accounts = &process.accounts;
        let made = async |outer: &ApiKey| {
            let new = NewKey::plain("made", ApiKeyKind::Live);
            let new = NewKey {
                scopes: Scopes::ALL,
                ..new
            };
            let made = accounts.create_key_with(&actor(), outer, new).await;
            made.expect(process.name)
        };
        let maker = NewKey {
            scopes: Scopes::ALL,
            ..NewKey::plain("maker", ApiKeyKind::Live)
        };
        let maker = accounts.create_key(&actor(), &who.tenant.id, maker).await;
        let (maker, _) = maker.expect(process.name);
        let (child, child_secret) = made(&maker).await;
        let (grandchild, grandchild_secret) = made(&child).await;
        let (other, other_secret) = made(&ApiKey {
            scopes: Scopes::ALL,
            ..who.key.clone()
        })
        .await;
        for secret in [&child_secret, &grandchild_secret, &other_secret] {
            process.by_key(secret).await.expect(process.name);
        }
        let at = place(&who.tenant.id, &maker.id);
        accounts.revoke_key(&actor(), at).await.expect(process.name);
        for secret in [&child_secret, &grandchild_secret] {
            assert!(process.by_key(secret).await.is_err(), "{}", process.name);
        }
        for id in [&child.id, &grandchild.id] {
            let key = accounts.key(&who.tenant.id, id).await;
            assert!(key.expect(process.name).revoked);
        }
        process.by_key(&other_secret).await.expect(process.name);
        let other = accounts.key(&who.tenant.id, &other.id).await;
        assert!(!other.expect(process.name).revoked);
        process.by_key(&who.secret).await.expect(process.name);
    }
}

#[tokio::test]
async fn lists_of_models_are_read_without_case() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let listed = |models: &[&str]| NewKey {
            allowed_models: Some(models.iter().map(|name| (*name).to_owned()).collect()),
            scopes: Scopes::ALL,
            ..NewKey::plain("listed", ApiKeyKind::Live)
        };
        let accounts = &process.accounts;
        let outer = accounts
            .create_key(&actor(), &who.tenant.id, listed(&["GPT-X", "vendor/Big"]))
            .await;
        let (outer, secret) = outer.expect(process.name);
        let principal = process.by_key(&secret).await.expect(process.name);
        assert!(principal.may_use("gpt-x") && principal.may_use("Vendor/big"));
        assert!(!principal.may_use("gpt-y"));
        let inner = listed(&["gpt-x"]);
        let inner = accounts.create_key_with(&actor(), &outer, inner).await;
        inner.expect("it is within");
        let beyond = listed(&["gpt-y"]);
        let beyond = accounts.create_key_with(&actor(), &outer, beyond).await;
        assert!(matches!(
            beyond,
            Err(AccountError::Beyond("allowed_models"))
        ));
    }
}
