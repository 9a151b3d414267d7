//! Whom an operator means, and what stays of suspended end users when their tenant goes.

use std::time::Duration;

use server::end_users::{EndUsers, EndUsersParts, NewSuspension, SuspendedQuery};
use server::store::Store;
use server::store::accounts::TenantPatch;
use shared::seal::Sealer;

use super::process::processes;
use super::{actor, secret};

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_is_one_of_the_tenant_and_all_go_with_it() {
    for (process, db) in processes().await {
        let sealing = secret("one more secret of more than thirty-two bytes");
        let store = Store::new(db.db.clone());
        let rooms = EndUsers::load(EndUsersParts {
            store,
            clock: process.clock.clone(),
            sealer: Sealer::new(&sealing),
            secret: sealing,
        });
        let rooms = rooms.await.expect(process.name);
        let tenant = process.tenant("Acme").await;
        let own = process.user(&tenant, "ada").await;
        let elsewhere = process.tenant("Other").await;
        let stranger = process.user(&elsewhere, "bob").await;
        for (word, is_subject) in [
            (own.id.as_str(), true),
            ("usr_42", false),
            ("key_42", false),
            (stranger.id.as_str(), false),
        ] {
            let new = NewSuspension {
                tenant: tenant.id.clone(),
                word: word.to_owned(),
                detail: "abuse".to_owned(),
                span: None,
            };
            let made = rooms.suspend_by_hand(&actor(), new).await;
            let made = made.expect(process.name);
            assert_eq!(made.subject.is_some(), is_subject, "{word}");
            assert!(rooms.suspension(&made.identity).is_some(), "{word}");
        }
        let (who, patch) = (actor(), TenantPatch::default());
        let ending = process.accounts.delete_tenant(&who, &tenant.id, patch);
        ending.await.expect(process.name);
        process.clock.advance(Duration::from_secs(400 * 86_400));
        process.accounts.end_deleted().await.expect(process.name);
        let query = SuspendedQuery {
            tenant: Some(&tenant.id),
            limit: 10,
            ..SuspendedQuery::default()
        };
        let left = rooms.list(query).await.expect(process.name);
        assert!(left.is_empty(), "{}: {left:?}", process.name);
    }
}
