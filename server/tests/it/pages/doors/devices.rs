//! A browser that somebody logged in with before has brakes of its own.

use poem::http::StatusCode;

use super::super::{PASSWORD, Start, places};

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_was_there_before_is_not_locked_out_by_its_neighbours() {
    for (place, _db) in places(Start::default()).await {
        let names = [("username", "admin")];
        let mut mine = place.browser();
        assert_eq!(
            mine.log_in("/admin", &names, PASSWORD).await.location(),
            "/admin"
        );
        mine.post("/admin/logout", &[]).await;
        // From the same address: all of them have none here.
        let mut stranger = place.browser();
        for _ in 0..40 {
            stranger.log_in("/admin", &names, "a guess").await;
        }
        let locked = stranger.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(
            locked.status,
            StatusCode::TOO_MANY_REQUESTS,
            "{}",
            place.name
        );
        let entered = mine.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(entered.location(), "/admin", "{}", place.name);
        place.end().await;
    }
}
