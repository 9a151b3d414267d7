//! The last owner of a tenant stays, whichever way and however many at once try to make them go.

use server::accounts::{AccountError, NewUser, UserChange};
use server::auth::Role;
use server::store::accounts::{Tenant, TenantPatch, User};

use super::process::{Process, processes};
use super::{PASSWORD, actor, secret};

async fn owner(process: &Process, tenant: &Tenant, username: &str) -> User {
    let new = NewUser {
        username: username.to_owned(),
        password: secret(PASSWORD),
        role: Role::Owner,
    };
    let who = actor();
    let made = process.accounts.create_user(&who, &tenant.id, new);
    made.await.expect(process.name)
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Demote,
    Disable,
    Delete,
}

async fn go(process: &Process, tenant: &Tenant, user: &User, way: Way) -> Result<(), AccountError> {
    let accounts = &process.accounts;
    let change = match way {
        Way::Demote => UserChange {
            role: Some(Role::Member),
            ..UserChange::default()
        },
        Way::Disable => UserChange {
            active: Some(false),
            ..UserChange::default()
        },
        Way::Delete => return accounts.delete_user(&actor(), &tenant.id, &user.id).await,
    };
    let who = actor();
    let changed = accounts.update_user(&who, &tenant.id, &user.id, change);
    changed.await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_make_each_other_go_at_once_one_stays() {
    let ways = [Way::Demote, Way::Disable, Way::Delete];
    for (process, _db) in processes().await {
        for first in ways {
            for second in ways {
                let tenant = process.tenant(&format!("{first:?} {second:?}")).await;
                let left = owner(&process, &tenant, "left").await;
                let right = owner(&process, &tenant, "right").await;
                let (one, two) = tokio::join!(
                    go(&process, &tenant, &left, first),
                    go(&process, &tenant, &right, second),
                );
                let name = process.name;
                assert_ne!(one.is_ok(), two.is_ok(), "{name}: {first:?}, {second:?}");
                let refused = one.err().or(two.err());
                assert!(
                    matches!(refused, Some(AccountError::LastOwner)),
                    "{name}: {refused:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sole_owner_goes_with_the_tenant_alone() {
    for (process, _db) in processes().await {
        let tenant = process.tenant("Sole").await;
        let sole = owner(&process, &tenant, "sole").await;
        let member = process.user(&tenant, "member").await;
        for way in [Way::Demote, Way::Disable, Way::Delete] {
            let refused = go(&process, &tenant, &sole, way).await;
            assert!(
                matches!(refused, Err(AccountError::LastOwner)),
                "{way:?}: {refused:?}"
            );
        }
        // Others go, and another password makes nobody go.
        go(&process, &tenant, &member, Way::Delete)
            .await
            .expect(process.name);
        let change = UserChange {
            password: Some(secret("another horse")),
            ..UserChange::default()
        };
        let who = actor();
        let changed = process
            .accounts
            .update_user(&who, &tenant.id, &sole.id, change);
        changed.await.expect(process.name);
        let ending = process
            .accounts
            .delete_tenant(&actor(), &tenant.id, TenantPatch::default())
            .await;
        ending.expect(process.name);
        process
            .clock
            .advance(std::time::Duration::from_secs(400 * 86_400));
        assert_eq!(process.accounts.end_deleted().await.expect(process.name), 1);
        let left = process.accounts.users(&tenant.id, None, 10).await;
        assert!(left.expect(process.name).is_empty());
    }
}
