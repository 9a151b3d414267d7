//! A price list uploaded, looked through and set through the pages.

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::super::{PASSWORD, Start, places};
use super::text;

const PATH: &str = "/admin/price-imports";
const LIST: &str = r#"{"sandbox-chat": {"input_cost_per_token": 1.5e-05, "output_cost_per_token": 4e-05},
    "<script>": {"input_cost_per_token": -1}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_uploaded_looked_through_and_set() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let body = json!({"id": "listed", "operation": "chat", "max_output_tokens": 100,
            "targets": [{"provider": "sandbox", "model": "sandbox-chat", "weight": 1, "priority": 0}],
            "price": {"input_per_million": 15, "output_per_million": 10}});
        let made = place
            .api(Method::POST, "/admin/api/models", &token, &body)
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        // A model has one price from a millisecond on.
        place.clock.advance(std::time::Duration::from_secs(1));
        let mut owner = place.owner().await;
        let models = owner.get("/admin/models").await;
        assert!(models.body.contains(PATH), "{}", models.body);
        let page = owner.get(PATH).await;
        assert!(page.body.contains("multipart/form-data"), "{}", page.body);

        let fields = [
            ("takes", "cost_and_price"),
            ("factor", "1"),
            ("currency_code", "usd"),
            ("currency_credits", "1"),
            ("currency_as_of", "2026-11-28"),
        ];
        for (field, wrong) in [
            ("factor", "x"),
            ("factor", "0"),
            ("currency_code", "dollar"),
            ("currency_credits", ""),
            ("takes", "all"),
        ] {
            let mut fields = fields;
            for one in fields.iter_mut().filter(|(name, _)| *name == field) {
                one.1 = wrong;
            }
            let again = owner.post_file(PATH, &fields, ("l.json", LIST)).await;
            assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            let error = format!("id=\"f-{field}-error\"");
            assert!(again.body.contains(&error), "{field}: {}", again.body);
        }
        let again = owner.post_file(PATH, &fields, ("l.json", "hello")).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&again.body).contains("be read"), "{}", again.body);
        let nul = owner
            .post_file(PATH, &fields, ("l.json", "{\"a\0\": 1}"))
            .await;
        assert_eq!(nul.status, StatusCode::BAD_REQUEST, "{}", nul.body);

        let review = owner.post_file(PATH, &fields, ("l.json", LIST)).await;
        let path = review.location().to_owned();
        assert!(path.starts_with("/admin/price-imports/prv_"), "{path}");
        let page = owner.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let seen = text(&page.body);
        // Output goes from 10 to 40.
        assert!(
            seen.contains("changes by more than 50% or in its billing steps"),
            "{seen}"
        );
        assert!(seen.contains("below 0"), "{seen}");
        assert!(!page.body.contains("<script>\""), "names are escaped");
        let effect = owner.get(&format!("{path}?effect=listed")).await;
        assert!(text(&effect.body).contains("Last 30 days with this price"));

        let unconfirmed = owner.post(&path, &[("take", "listed")]).await;
        assert_eq!(unconfirmed.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&unconfirmed.body).contains("tick that you have checked it"));
        let both = [("take", "listed"), ("confirm", "listed")];
        owner
            .post("/admin/models/listed/pin", &[("pinned", "on")])
            .await;
        let pinned = owner.post(&path, &both).await;
        assert_eq!(pinned.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&pinned.body).contains("pinned"));
        let model = owner.get("/admin/models/listed").await;
        assert!(
            text(&model.body).contains("Unpin the price"),
            "{}",
            model.body
        );
        owner
            .post("/admin/models/listed/pin", &[("pinned", "off")])
            .await;

        let done = owner.post(&path, &both).await;
        assert_eq!(done.location(), path, "{}", done.body);
        let page = owner.get(&path).await;
        assert!(text(&page.body).contains("The prices of this list were set"));
        assert!(!page.body.contains("name=\"take\""), "it is done");
        let model = place
            .api(Method::GET, "/admin/api/models/listed", &token, &json!({}))
            .await
            .json();
        assert_eq!(model["price"]["rates"][1]["credits"], 40, "{model}");
        let gone = owner.get("/admin/price-imports/prv_none").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    }
}

const NEW: &str = r#"{"maker/brand-new+1": {"litellm_provider": "maker", "mode": "chat", "max_input_tokens": 128000,
    "max_output_tokens": 8192, "supports_vision": true, "supports_function_calling": true, "supports_audio_input": false,
    "input_cost_per_token": 1.5e-06, "output_cost_per_token": 4e-06}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_fits_no_model_becomes_one_with_what_the_list_says() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        owner.get(PATH).await;
        let fields = [
            ("takes", "cost_and_price"),
            ("factor", "2"),
            ("currency_code", "USD"),
            ("currency_credits", "1"),
            ("currency_as_of", "2026-11-28"),
        ];
        let review = owner.post_file(PATH, &fields, ("l.json", NEW)).await;
        let page = owner.get(review.location()).await;
        let id = review.location().rsplit('/').next().expect("an id");
        let link = format!("/admin/models/new?review={id}&amp;listed=maker%2Fbrand-new%2B1");
        assert!(page.body.contains(&link), "{link}: {}", page.body);
        let form = owner.get(&link.replace("&amp;", "&")).await;
        assert_eq!(form.status, StatusCode::OK, "{}", form.body);
        for (name, value) in [
            ("id", "brand-new-1"),
            ("model", "brand-new+1"),
            ("max_output_tokens", "8192"),
            ("context_tokens", "128000"),
            ("credits-0", "3"),
            ("cost-0", "1.5"),
        ] {
            let field = form
                .body
                .split("<input")
                .find(|field| field.contains(&format!("name=\"{name}\"")));
            let field = field.unwrap_or_else(|| panic!("{name}: {}", form.body));
            assert!(
                field.contains(&format!("value=\"{value}\"")),
                "{name}: {field}"
            );
        }
        for (word, is_ticked) in [("vision", true), ("tools", true), ("audio_input", false)] {
            let field = form.body.split("<input").find(|field| {
                field.contains("name=\"capabilities\"")
                    && field.contains(&format!("value=\"{word}\""))
            });
            let field = field.unwrap_or_else(|| panic!("{word}: {}", form.body));
            assert_eq!(
                field
                    .split('>')
                    .next()
                    .is_some_and(|tag| tag.contains("checked")),
                is_ticked,
                "{field}"
            );
        }
        for gone in [
            format!("/admin/models/new?review={id}&listed=nobody"),
            "/admin/models/new?review=prv_none&listed=maker%2Fbrand-new%2B1".to_owned(),
        ] {
            assert_eq!(
                owner.get(&gone).await.status,
                StatusCode::NOT_FOUND,
                "{gone}"
            );
        }

        // What is wrong with a fact is told beside it, and what was right is kept.
        let new = [
            ("id", "brand-new-1"),
            ("operation", "chat"),
            ("provider", "sandbox"),
            ("model", "brand-new+1"),
            ("max_output_tokens", "8192"),
            ("enabled", "on"),
            ("context_tokens", "128000"),
            ("capabilities", "tools"),
            ("capabilities", "vision"),
            ("description", "Reads pictures."),
            ("owner", "Maker"),
            ("retires_at", "2030-12-31"),
            ("unit-0", "input_token"),
            ("per-0", "1000000"),
            ("credits-0", "3"),
            ("unit-1", "output_token"),
            ("per-1", "1000000"),
            ("credits-1", "8"),
        ];
        for (field, wrong) in [
            ("context_tokens", "many"),
            ("capabilities", "luck"),
            ("retires_at", "soon"),
        ] {
            let mut new = new;
            for one in new.iter_mut().filter(|(name, _)| *name == field) {
                one.1 = wrong;
            }
            let again = owner.post("/admin/models/new", &new).await;
            assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            let error = format!("id=\"f-{field}-error\"");
            assert!(again.body.contains(&error), "{field}: {}", again.body);
            assert!(again.body.contains("value=\"Maker\""), "{}", again.body);
        }
        let made = owner.post("/admin/models/new", &new).await;
        assert_eq!(
            made.location(),
            "/admin/models/brand-new-1",
            "{}",
            made.body
        );
        let model = place
            .api(
                Method::GET,
                "/admin/api/models/brand-new-1",
                &token,
                &json!({}),
            )
            .await
            .json();
        let facts = &model["facts"];
        assert_eq!(facts["context_tokens"], 128_000, "{model}");
        assert_eq!(facts["capabilities"], json!(["tools", "vision"]), "{model}");
        assert_eq!(facts["description"], "Reads pictures.", "{model}");
        assert!(facts["retirement"].is_object(), "{model}");
    }
}
