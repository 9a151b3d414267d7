//! Rotated keys: both secrets work within the grace, and neither beyond it.

use std::time::Duration;

use server::accounts::{AccountError, GRACE_DEFAULT, GRACE_MAX, NewKey};
use server::store::accounts::{ApiKey, KeyPatch, KeyPlace};
use shared::secret::Secret;

use super::super::process::{Process, processes};
use super::super::{actor, assert_refused, live, place};
use super::logged_in;

pub(super) async fn rotate(
    process: &Process,
    at: KeyPlace<'_>,
    grace: Duration,
) -> Result<(ApiKey, Secret<String>), AccountError> {
    process.accounts.rotate_key(&actor(), at, grace).await
}

#[tokio::test]
async fn both_secrets_of_a_rotated_key_work_until_the_grace_ends() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let (tenant, id) = (&who.tenant.id, &who.key.id);
        // Known to the cache before, so that it is the cache that must obey.
        process.by_key(&who.secret).await.expect(process.name);
        let rotated = rotate(&process, place(tenant, id), Duration::from_secs(60)).await;
        let (key, new) = rotated.expect(process.name);
        assert_eq!(key.id, *id);
        assert!(new.expose().ends_with(&key.last4) && new.expose() != who.secret.expose());
        for text in [&who.secret, &new] {
            let found = process.by_key(text).await.expect(process.name);
            assert_eq!(found.key.as_ref(), Some(id), "{}", process.name);
            let login = logged_in(&process, text).await;
            login.expect("either secret names the tenant");
        }
        process.clock.advance(Duration::from_secs(59));
        process.by_key(&who.secret).await.expect(process.name);
        process.clock.advance(Duration::from_secs(1));
        assert_refused(&process.by_key(&who.secret).await);
        let login = logged_in(&process, &who.secret).await;
        assert!(login.is_err(), "{}", process.name);
        process.by_key(&new).await.expect(process.name);
    }
}

#[tokio::test]
async fn without_a_grace_the_old_secret_ends_at_once() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        process.by_key(&who.secret).await.expect(process.name);
        let at = place(&who.tenant.id, &who.key.id);
        let rotated = rotate(&process, at, Duration::ZERO).await;
        let (key, new) = rotated.expect(process.name);
        assert_eq!(key.previous, None);
        assert_refused(&process.by_key(&who.secret).await);
        process.by_key(&new).await.expect(process.name);
    }
}

#[tokio::test]
async fn a_second_rotation_ends_the_older_secret_and_a_revocation_both() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let at = place(&who.tenant.id, &who.key.id);
        let next = async || {
            let rotated = rotate(&process, at, GRACE_DEFAULT).await;
            rotated.expect(process.name).1
        };
        let second = next().await;
        let third = next().await;
        assert_refused(&process.by_key(&who.secret).await);
        process.by_key(&second).await.expect(process.name);
        process.by_key(&third).await.expect(process.name);
        let revoked = process.accounts.revoke_key(&actor(), at).await;
        revoked.expect(process.name);
        for text in [&who.secret, &second, &third] {
            assert_refused(&process.by_key(text).await);
        }
        let again = process.accounts.revoke_key(&actor(), at).await;
        assert!(matches!(again, Err(AccountError::NotFound("key"))));
        let rotated = rotate(&process, at, GRACE_DEFAULT).await;
        assert!(matches!(rotated, Err(AccountError::Ended("key"))));
        let patch = KeyPatch::default();
        let changed = process.accounts.update_key(&actor(), at, patch).await;
        assert!(matches!(changed, Err(AccountError::Ended("key"))));
    }
}

#[tokio::test]
async fn neither_secret_outlives_its_key_and_an_expired_key_is_not_rotated() {
    for (process, _db) in processes().await {
        let tenant = process.tenant("Acme").await;
        let ends = process.clock.now().after(Duration::from_secs(60));
        let new = NewKey {
            expires_at: Some(ends),
            ..live()
        };
        let (key, old) = process.key(&tenant, new).await;
        let at = place(&tenant.id, &key.id);
        let rotated = rotate(&process, at, GRACE_MAX).await;
        let (_, new) = rotated.expect(process.name);
        process.clock.advance(Duration::from_secs(60));
        for text in [&old, &new] {
            assert_refused(&process.by_key(text).await);
        }
        let rotated = rotate(&process, at, GRACE_DEFAULT).await;
        assert!(matches!(rotated, Err(AccountError::Ended("key"))));
        let too_long = GRACE_MAX + Duration::from_secs(1);
        let refused = rotate(&process, at, too_long).await;
        assert!(matches!(
            refused,
            Err(AccountError::Invalid { field: "grace", .. })
        ));
    }
}

#[tokio::test]
async fn a_rotation_leaves_an_entry_that_tells_both_ends_and_no_secret() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        let at = place(&who.tenant.id, &who.key.id);
        let rotated = rotate(&process, at, GRACE_DEFAULT).await;
        let (key, new) = rotated.expect(process.name);
        let patch = KeyPatch {
            name: Some("other".to_owned()),
            ..KeyPatch::default()
        };
        let changed = process.accounts.update_key(&actor(), at, patch).await;
        changed.expect(process.name);
        let entries = process.accounts.audit(None, 100).await;
        let entries = entries.expect(process.name);
        let entry = |action: &str| {
            let found = entries.iter().find(|entry| entry.action == action);
            found.unwrap_or_else(|| panic!("{action} has no entry"))
        };
        let rotation = entry("key.rotate");
        assert_eq!(rotation.subject, who.key.id.as_str());
        assert_eq!(rotation.tenant.as_deref(), Some(who.tenant.id.as_str()));
        assert_eq!(
            rotation.before.as_deref(),
            Some(format!(r#"{{"last4":"{}"}}"#, who.key.last4).as_str())
        );
        let until = process.clock.now().after(GRACE_DEFAULT).unix_ms();
        assert_eq!(
            rotation.after.as_deref(),
            Some(format!(r#"{{"last4":"{}","old_until":{until}}}"#, key.last4).as_str())
        );
        let change = entry("key.update");
        let told = |text: &Option<String>, name: &str| {
            let text = text.as_deref().unwrap_or_default();
            text.contains(&format!(r#""name":"{name}""#))
        };
        assert!(told(&change.before, "main") && told(&change.after, "other"));
        let all = format!("{entries:?}");
        for hidden in [new.expose(), who.secret.expose(), &key.hash, &who.key.hash] {
            assert!(!all.contains(hidden), "{hidden} in {all}");
        }
    }
}
