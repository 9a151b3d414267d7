//! The form of a new provider where no gateway says what there is: what is wrong stands beside its field,
//! and what was typed stays. With gateways it is tried in `deploy/all-in-one`.

use poem::http::StatusCode;

use super::super::{Start, places};

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_can_not_be_is_told_why_beside_each_field() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let page = owner.get("/admin/providers/new").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for field in ["kind", "name", "base_url", "headers", "leave_out", "rename"] {
            let id = format!("id=\"f-{field}\"");
            assert!(page.body.contains(&id), "{field}: {}", page.body);
        }
        let odd = [
            ("kind", "custom"),
            ("name", "No such Name!"),
            ("base_url", "models.example.com"),
            ("key_header", ""),
            ("key_prefix", "Bearer"),
            ("headers", "x-title: Waule\r\nhost"),
            ("api_version", "2024&x"),
            ("leave_out", "seed, max_tokens"),
            ("rename", "a b -> c"),
            ("maximum", "most"),
        ];
        let again = owner.post("/admin/providers/new", &odd).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in [
            "name",
            "base_url",
            "key_header",
            "headers",
            "api_version",
            "leave_out",
            "rename",
            "maximum",
        ] {
            let error = format!("id=\"f-{field}-error\"");
            assert!(again.body.contains(&error), "{field}: {}", again.body);
        }
        for typed in ["value=\"custom\"", "x-title: Waule", "seed, max_tokens"] {
            assert!(again.body.contains(typed), "{typed}: {}", again.body);
        }
        assert!(again.body.contains("<details class=\"fold\" open>"));
    }
}
