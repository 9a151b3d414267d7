//! Names without case: those that earlier servers wrote get their folded form, and two that are the
//! same so are still found as they are written.

use server::store::Store;
use shared::id::{TenantId, UserId};

use crate::support::databases;

#[tokio::test(flavor = "multi_thread")]
async fn names_of_earlier_days_are_found_without_case_where_only_one_can_be_meant() {
    for db in databases().await {
        let store = Store::new(db.db.clone());
        let mut ids: Vec<String> = (0..4).map(|_| TenantId::random().into_string()).collect();
        ids.sort();
        for (id, name) in ids.iter().zip(["Émile", "Acme", "ACME", "ДОМ"]) {
            let row = format!(
                "INSERT INTO tenants (id, name, status, created_at, updated_at) VALUES ('{id}', '{name}', 'active', 1, 1)"
            );
            db.execute(&row).await.expect("written");
        }
        let tenant = TenantId::from_stored(ids[0].clone());
        for name in ["ada", "Ada", "bob"] {
            let id = UserId::random();
            let row = format!(
                "INSERT INTO users (id, tenant_id, username, role, password_hash, status, created_at, updated_at) \
                 VALUES ('{id}', '{tenant}', '{name}', 'member', 'x', 'active', 1, 1)"
            );
            db.execute(&row).await.expect("written");
        }
        // As often as servers start.
        for _ in 0..2 {
            store.fold_names().await.expect("folded");
        }
        for (asked, found) in [
            ("Émile", Some("Émile")),
            ("éMILE", Some("Émile")),
            ("e\u{301}mile", Some("Émile")),
            ("дом", Some("ДОМ")),
            ("Acme", Some("Acme")),
            ("ACME", Some("ACME")),
            ("aCmE", Some("Acme")),
            ("emile", None),
            ("", None),
        ] {
            let tenant = store.tenant_by_name(asked).await.expect("read");
            let name = tenant.map(|tenant| tenant.name);
            assert_eq!(name.as_deref(), found, "{} {asked}", db.name);
        }
        for (asked, found) in [("Ada", "Ada"), ("ada", "ada"), ("BOB", "bob")] {
            let user = store.user_by_name(&tenant, asked).await.expect("read");
            assert_eq!(
                user.expect("somebody").username,
                found,
                "{} {asked}",
                db.name
            );
        }
        let nobody = store
            .user_by_name(&TenantId::random(), "bob")
            .await
            .expect("read");
        assert!(nobody.is_none());
    }
}
