//! Gateways through their page. Nobody listens at any of them.

use poem::http::StatusCode;
use serde_json::json;

use super::super::{PASSWORD, Start, places};

const PATH: &str = "/admin/gateways";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_added_switched_off_and_taken_away() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        let page = owner.get(PATH).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("http://127.0.0.1:1"), "{}", page.body);
        assert!(!page.body.contains("/edit\""), "those of the settings stay");

        let odd = [
            ("url", "far away"),
            ("name", "A B"),
            ("region", "us"),
            ("priority", "256"),
        ];
        let again = owner.post(PATH, &odd).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["url", "name", "priority"] {
            let error = format!("id=\"f-add-{field}-error\"");
            assert!(again.body.contains(&error), "{field}: {}", again.body);
        }
        let open = [("url", "http://gw.example.com:9443")];
        let again = owner.post(PATH, &open).await;
        assert!(again.body.contains("f-add-url-error"), "in the clear");
        let new = [
            ("url", "http://10.255.255.1:9/"),
            ("name", "us-1"),
            ("region", "us"),
            ("priority", "2"),
        ];
        let added = owner.post(PATH, &new).await;
        assert_eq!(added.status, StatusCode::OK, "its secret is shown once");
        assert!(added.body.contains("Gateway secret"), "{}", added.body);
        let again = owner.post(PATH, &new).await;
        assert!(again.body.contains("f-add-url-error"), "there already");

        let nothing = json!({});
        let list = place.api(
            poem::http::Method::GET,
            "/admin/api/gateways",
            &token,
            &nothing,
        );
        let list = list.await.json();
        let all = list["data"].as_array().expect("a list");
        let one = all.iter().find(|one| one["name"] == "us-1").expect("it");
        let id = one["id"].as_str().expect("an id");
        let at = |verb: &str| format!("{PATH}/{id}/{verb}");
        let off = owner.post(&at("disable"), &[]).await;
        assert_eq!(off.location(), PATH, "{}", off.body);
        let page = owner.get(PATH).await;
        assert!(page.body.contains(&at("enable")), "{}", page.body);
        assert!(!page.body.contains(&at("disable")));
        let wrong = owner
            .post(&at("edit"), &[("name", "X"), ("priority", "-1")])
            .await;
        for field in ["name", "priority"] {
            let error = format!("f-change-{field}-error");
            assert!(wrong.body.contains(&error), "{field}: {}", wrong.body);
        }
        let edit = [("name", "us-2"), ("region", ""), ("priority", "0")];
        let edited = owner.post(&at("edit"), &edit).await;
        assert_eq!(edited.location(), PATH, "{}", edited.body);
        let on = owner.post(&at("enable"), &[]).await;
        assert_eq!(on.location(), PATH, "{}", on.body);
        let gone = owner.post(&at("delete"), &[]).await;
        assert_eq!(gone.location(), PATH, "{}", gone.body);
        let twice = owner.post(&at("delete"), &[]).await;
        assert_eq!(twice.status, StatusCode::NOT_FOUND);
        assert!(!owner.get(PATH).await.body.contains("us-2"));
        place.end().await;
    }
}
