//! Models and prices through their pages.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::{PASSWORD, Place, Start, places, superadmin};
use super::text;

const PATH: &str = "/admin/models/meta%2Fllama";

/// The model as the API shows it.
async fn shown(place: &Place, token: &str) -> Value {
    let path = "/admin/api/models/meta%2Fllama";
    let answer = place.api(Method::GET, path, token, &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_added_run_elsewhere_and_taken_away() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        assert!(
            owner
                .get("/admin/models/new")
                .await
                .body
                .contains("sandbox")
        );
        let odd = [
            ("id", "a b"),
            ("operation", "chat"),
            ("provider", "sandbox"),
            ("model", ""),
            ("input", "-1"),
            ("images", "odd"),
        ];
        let again = owner.post("/admin/models/new", &odd).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["id", "model", "input", "images"] {
            let error = format!("id=\"f-{field}-error\"");
            assert!(again.body.contains(&error), "{field}: {}", again.body);
        }
        assert!(again.body.contains("value=\"a b\""), "what was typed stays");

        let new = [
            ("id", "meta/llama"),
            ("operation", "chat"),
            ("provider", "sandbox"),
            ("model", "sandbox-chat"),
            ("max_output_tokens", "1000"),
            ("enabled", "on"),
            ("input", "2"),
            ("output", "8"),
            ("cost_input", "1"),
        ];
        let made = owner.post("/admin/models/new", &new).await;
        assert_eq!(made.location(), PATH, "{}", made.body);
        let taken = owner.post("/admin/models/new", &new).await;
        assert!(taken.body.contains("id=\"f-id-error\""), "{}", taken.body);
        let list = owner
            .get("/admin/models?q=LLAMA&operation=chat&sort=-calls")
            .await;
        assert!(list.body.contains(PATH), "{}", list.body);
        let none = owner.get("/admin/models?provider=nobody").await;
        assert!(!none.body.contains(PATH));

        // 1,000 tokens in at 2 and 500 out at 8 a million, twice: 0.012; held for 1,000 out: 0.02.
        let query = "preview_input=1000&preview_output=500&preview_multiplier=2";
        let page = owner.get(&format!("{PATH}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for amount in ["0.012", "0.02", "0.011"] {
            let shown = text(&page.body);
            assert!(shown.contains(amount), "{amount}: {shown}");
        }
        let odd = owner.get(&format!("{PATH}?preview_input=many")).await;
        assert!(odd.body.contains("id=\"f-preview_input-error\""));

        let target = [
            ("provider", "other"),
            ("model", "llama-4"),
            ("priority", "1"),
            ("weight", "7"),
            ("gateway", "us-1"),
        ];
        let added = owner.post(&format!("{PATH}/targets"), &target).await;
        assert_eq!(added.location(), PATH, "{}", added.body);
        let twice = owner.post(&format!("{PATH}/targets"), &target).await;
        assert!(
            twice.body.contains("f-target-model-error"),
            "{}",
            twice.body
        );
        let other = format!("{PATH}/targets/other%3Aus-1%3Allama-4");
        let wrong = owner
            .post(&other, &[("priority", "1"), ("weight", "0")])
            .await;
        assert!(
            wrong.body.contains("f-change-weight-error"),
            "{}",
            wrong.body
        );
        let first = [("priority", "0"), ("weight", "9"), ("gateway", "")];
        let changed = owner.post(&other, &first).await;
        assert_eq!(changed.location(), PATH, "{}", changed.body);
        let gone = owner.post(&other, &first).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "it leads elsewhere now");
        let model = shown(&place, &token).await;
        assert_eq!(model["targets"][1]["weight"], 9, "{model}");
        assert!(
            model["targets"][1]
                .get("gateway")
                .is_none_or(Value::is_null)
        );

        let sandbox = format!("{PATH}/targets/sandbox%3A%3Asandbox-chat/delete");
        let removed = owner.post(&sandbox, &[]).await;
        assert_eq!(removed.location(), PATH, "{}", removed.body);
        let other = format!("{PATH}/targets/other%3A%3Allama-4/delete");
        let last = owner.post(&other, &[]).await;
        assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY, "the last");

        let edit = [("max_output_tokens", "0")];
        let edited = owner.post(&format!("{PATH}/edit"), &edit).await;
        assert!(edited.body.contains("f-max_output_tokens-error"));
        let edit = [("max_output_tokens", "50")];
        let edited = owner.post(&format!("{PATH}/edit"), &edit).await;
        assert_eq!(edited.location(), PATH, "{}", edited.body);
        assert_eq!(shown(&place, &token).await["enabled"], false);
        let deleted = owner.post(&format!("{PATH}/delete"), &[]).await;
        assert_eq!(deleted.location(), "/admin/models", "{}", deleted.body);
        assert_eq!(owner.get(PATH).await.status, StatusCode::NOT_FOUND);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_sets_prices_and_operators_do_not() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        for role in ["finance", "operator"] {
            superadmin(&place, &token, role, role).await;
        }
        let mut operator = place.admin("operator", PASSWORD).await;
        let mut finance = place.admin("finance", PASSWORD).await;
        let new = [
            ("id", "meta/llama"),
            ("operation", "image"),
            ("provider", "sandbox"),
            ("model", "sandbox-image"),
        ];
        operator.get("/admin/models/new").await;
        let priced = [&new[..], &[("image", "1")]].concat();
        let refused = operator.post("/admin/models/new", &priced).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", place.name);
        operator.get("/admin/models/new").await;
        let made = operator.post("/admin/models/new", &new).await;
        assert_eq!(made.location(), PATH, "{}", made.body);
        let page = operator.get(PATH).await;
        assert!(
            !page.body.contains("/prices"),
            "no form that would be refused"
        );
        let query = "?preview_images=1";
        let page = operator.get(&format!("{PATH}{query}")).await;
        assert!(page.body.contains("A model has no price"), "{}", page.body);

        finance.get(PATH).await;
        let prices = format!("{PATH}/prices");
        let empty = finance.post(&prices, &[("images", "")]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(empty.body.contains("0 makes it free"), "{}", empty.body);
        let gift = finance.post(&prices, &[("cost_image", "1")]).await;
        assert!(gift.body.contains("f-input-error"), "a cost is no price");
        let price = [
            ("image", "0.04"),
            ("cost_image", "0.03"),
            ("images", "1024x1024 high 0.175 0.14\n* low 0.01"),
        ];
        let set = finance.post(&prices, &price).await;
        assert_eq!(set.location(), PATH, "{}", set.body);
        let later = [("image", "0.05"), ("valid_from", "2030-01-01")];
        let set = finance.post(&prices, &later).await;
        assert_eq!(set.location(), PATH, "{}", set.body);
        let twice = finance.post(&prices, &later).await;
        assert!(twice.body.contains("f-valid_from-error"), "{}", twice.body);
        let model = shown(&place, &token).await;
        let images = model["price"]["per_image"].as_array().expect("a list");
        assert_eq!(images.len(), 3, "{model}");
        assert_eq!(
            model["price"]["cost"]["per_image"].as_array().map(Vec::len),
            Some(3),
            "what has no cost of its own has that of any image"
        );

        let page = finance.get(&format!("{PATH}{query}")).await;
        let seen = text(&page.body);
        for part in ["1024x1024 high", "0.175", "0.05", "finance", "0.04"] {
            assert!(seen.contains(part), "{part}: {seen}");
        }
        // Only what has not begun can be withdrawn.
        let rest = page.body.split("/prices/prc").nth(1).expect("a form");
        let id = rest.split('/').next().expect("an id");
        assert_eq!(page.body.matches("/prices/prc").count(), 1);
        let withdrawn = finance.post(&format!("{prices}/prc{id}/delete"), &[]).await;
        assert_eq!(withdrawn.location(), PATH, "{}", withdrawn.body);
        let current = model["price"]["id"].as_str().expect("an id");
        finance
            .post(&format!("{prices}/{current}/delete"), &[])
            .await;
        assert_eq!(shown(&place, &token).await["price"]["id"], current);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_is_somebodys_call_and_tells_why_it_was_refused() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let body = json!({"name": "Acme"});
        let made = place.api(Method::POST, "/admin/api/tenants", &token, &body);
        assert_eq!(made.await.status, StatusCode::CREATED);
        let mut owner = place.owner().await;
        let path = "/admin/models/sandbox-chat/try";
        owner.get("/admin/models/sandbox-chat").await;
        let nobody = owner
            .post(path, &[("tenant", "Nobody"), ("prompt", "")])
            .await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["tenant", "prompt"] {
            let error = format!("id=\"f-{field}-error\"");
            assert!(nobody.body.contains(&error), "{field}: {}", nobody.body);
        }
        // Nothing can be held of nothing: the ledger refuses it as it does every call.
        let poor = owner
            .post(path, &[("tenant", "Acme"), ("prompt", "hi")])
            .await;
        assert_eq!(poor.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            poor.body.contains("There is less than that"),
            "{}",
            poor.body
        );
        place.end().await;
    }
}
