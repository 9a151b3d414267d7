//! The list of what a new platform needs: it ticks itself, says what is for demonstration alone, and is put
//! away for all.

use poem::http::StatusCode;

use super::portal::people::tenant;
use super::{PASSWORD, Start, places, superadmin};

/// How many rows have a state.
fn count(page: &str, state: &str) -> usize {
    page.matches(&format!(">{state}</span>")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_ticks_itself_until_it_is_put_away() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        let page = owner.get("/admin").await.body;
        assert!(page.contains("Getting started"), "{}", place.name);
        // The sandbox's models are there with their prices; no gateway answers, and nobody has called.
        assert_eq!(count(&page, "Demo only"), 2);
        assert_eq!(count(&page, "To do"), 3);
        tenant(&place, &token, "Acme").await;
        let page = owner.get("/admin").await.body;
        assert_eq!((count(&page, "Done"), count(&page, "To do")), (1, 2));
        for path in [
            "/admin/providers",
            "/admin/models",
            "/admin/tenants",
            "/admin/docs",
        ] {
            assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        }

        superadmin(&place, &token, "reader", "read_only").await;
        let mut reader = place.admin("reader", PASSWORD).await;
        let seen = reader.get("/admin").await.body;
        assert!(seen.contains("Getting started"));
        assert!(
            !seen.contains("/admin/start/dismiss"),
            "it is the owner's to hide"
        );
        let refused = reader.post("/admin/start/dismiss", &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);

        owner.get("/admin").await;
        let answer = owner.post("/admin/start/dismiss", &[]).await;
        assert_eq!(answer.location(), "/admin", "{}", answer.body);
        for browser in [&mut owner, &mut reader] {
            let page = browser.get("/admin").await.body;
            assert!(!page.contains("Getting started"));
        }
        place.end().await;
    }
}
