//! Superadmins and second factors when several things happen at once, and what the settings change.

use server::accounts::{AccountError, NewSuperadmin, SuperadminChange};
use server::auth::factors::{FactorError, FactorOwner};
use server::auth::totp;
use server::settings::{Settings, SettingsError, TenantDefaults};
use server::store::Store;
use server::store::accounts::AdminRole;
use server::store::audit::Actor;

use super::process::processes;
use super::{HOME, PASSWORD, first_superadmin, secret};
use crate::support::decoded;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_demote_each_other_at_once_one_stays() {
    for (process, _db) in processes().await {
        let accounts = &process.accounts;
        let left = first_superadmin(accounts).await;
        let new = NewSuperadmin {
            username: "second".to_owned(),
            password: secret(PASSWORD),
            password_given: false,
            role: AdminRole::Owner,
        };
        let right = accounts.create_superadmin(&Actor::system(), new).await;
        let right = right.expect(process.name);
        let to = |role| SuperadminChange {
            role: Some(role),
            ..SuperadminChange::default()
        };
        for round in 0..8 {
            let actor = Actor::system();
            let (first, second) = tokio::join!(
                accounts.update_superadmin(&actor, &left.id, to(AdminRole::ReadOnly)),
                accounts.update_superadmin(&actor, &right.id, to(AdminRole::Operator)),
            );
            let demoted = [first.is_ok(), second.is_ok()];
            assert_ne!(demoted[0], demoted[1], "{} {round}", process.name);
            let refused = first.err().or(second.err());
            assert!(
                matches!(refused, Some(AccountError::LastOwner)),
                "{refused:?}"
            );
            for id in [&left.id, &right.id] {
                let raised = accounts.update_superadmin(&actor, id, to(AdminRole::Owner));
                raised.await.expect(process.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_shown_twice_at_once_passes_once() {
    for (process, _db) in processes().await {
        let admin = first_superadmin(&process.accounts).await;
        let actor = Actor::superadmin(&admin, HOME);
        let owner = FactorOwner {
            actor: &actor,
            tenant: None,
        };
        let factors = &process.factors;
        let draft = factors.draft(&actor.id, "admin").await.expect(process.name);
        let key = decoded(draft.letters.expose());
        let code = |process: &super::Process| totp::code_at(&key, process.clock.now());
        let codes = factors.turn_on(owner, &code(&process), HOME).await;
        let codes = codes.expect(process.name);
        assert!(matches!(
            factors.draft(&actor.id, "admin").await,
            Err(FactorError::AlreadyOn)
        ));
        process.clock.advance(std::time::Duration::from_secs(60));
        let code = code(&process);
        for shown in [code.as_str(), codes[0].expose()] {
            let (first, second) = tokio::join!(
                factors.check(owner, shown, HOME),
                factors.check(owner, shown, HOME)
            );
            let passed = [first.is_ok(), second.is_ok()];
            assert_ne!(passed[0], passed[1], "{} {shown}", process.name);
            process.clock.advance(std::time::Duration::from_secs(60));
        }
        let left = factors.recovery_left(&actor.id).await;
        assert_eq!(left.expect(process.name), 9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_tenants_begin_as_the_settings_say() {
    for (process, db) in processes().await {
        let settings = Settings::new(Store::new(db.db.clone()), process.clock.clone());
        let before = process.tenant("Before").await;
        let wanted = TenantDefaults {
            requests_per_minute: Some(7),
            tokens_per_minute: None,
            price_multiplier_ppm: 1_500_000,
            ..TenantDefaults::default()
        };
        settings
            .put(&super::actor(), &wanted)
            .await
            .expect(process.name);
        let after = process.tenant("After").await;
        assert_eq!(before.limits.requests_per_minute, Some(3_000));
        assert_eq!(after.limits.requests_per_minute, Some(7));
        assert_eq!(after.limits.tokens_per_minute, None);
        assert_eq!(after.price_multiplier_ppm, 1_500_000);
        let wrong = TenantDefaults {
            requests_per_minute: Some(0),
            ..wanted
        };
        let refused = settings.put(&super::actor(), &wrong).await;
        assert!(matches!(refused, Err(SettingsError::Invalid { .. })));
        let kept: TenantDefaults = settings.get().await.expect(process.name);
        assert_eq!(kept, wanted);
        let log = process.accounts.audit(None, 10).await.expect(process.name);
        let entry = log.iter().find(|entry| entry.action == "settings.update");
        let entry = entry.expect("an entry");
        assert!(
            entry
                .before
                .as_deref()
                .is_some_and(|text| text.contains("3000"))
        );
        assert!(
            entry
                .after
                .as_deref()
                .is_some_and(|text| text.contains(":7"))
        );
    }
}
