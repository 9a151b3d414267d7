//! Models and prices through their pages.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::{Browser, PASSWORD, Place, Start, places, superadmin};
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
            ("unit-0", "input_token"),
            ("credits-0", "-1"),
            ("unit-1", "output_token"),
            ("when-1", "odd"),
        ];
        let again = owner.post("/admin/models/new", &odd).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["id", "model", "credits-0", "when-1"] {
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
            ("unit-0", "input_token"),
            ("per-0", "1000000"),
            ("credits-0", "2"),
            ("cost-0", "1"),
            ("unit-1", "output_token"),
            ("per-1", "1000000"),
            ("credits-1", "8"),
            ("cost-1", "0"),
            ("unit-2", "image"),
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
async fn targets_are_tried_in_the_order_that_is_chosen_and_have_a_cost() {
    const MODEL: &str = "/admin/models/sandbox-chat";
    const ROUTE: &str = "/admin/api/models/sandbox-chat/route";
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let route = async || {
            place
                .api(Method::GET, ROUTE, &token, &json!({}))
                .await
                .json()
        };
        let said = json!({"ignore": ["far"], "zdr": true});
        let put = place.api(Method::PUT, ROUTE, &token, &said).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.body);
        let mut owner = place.owner().await;
        owner.get(MODEL).await;
        for sort in ["price", "latency", "throughput", ""] {
            let kept = owner
                .post(&format!("{MODEL}/order"), &[("sort", sort)])
                .await;
            assert_eq!(kept.location(), MODEL, "{}", kept.body);
            let known = route().await;
            assert_eq!(known["sort"].as_str().unwrap_or_default(), sort, "{known}");
            assert_eq!(known["ignore"], said["ignore"], "the rest stays: {known}");
            assert_eq!(known["zdr"], true, "the rest stays: {known}");
            let page = owner.get(MODEL).await.body;
            let chosen = format!("value=\"{sort}\" selected");
            assert!(page.contains(&chosen), "{sort}: {page}");
        }
        let odd = owner
            .post(&format!("{MODEL}/order"), &[("sort", "luck")])
            .await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(odd.body.contains("id=\"f-sort-error\""), "{}", odd.body);
        assert!(route().await["sort"].is_null());
        let log = owner.get("/admin/audit?action=model.route").await.body;
        assert!(log.contains("sandbox-chat"), "{log}");

        let cost = async || {
            let path = "/admin/api/models/sandbox-chat";
            let model = place.api(Method::GET, path, &token, &json!({})).await;
            model.json()["targets"][0]["cost"].clone()
        };
        let page = owner.get(MODEL).await.body;
        let (_, rest) = page
            .split_once(&format!("{MODEL}/targets/"))
            .expect("a target");
        let id = rest.split(['"', '/']).next().expect("an id");
        let target = format!("{MODEL}/targets/{id}");
        for (typed, known) in [("28", json!(28)), ("", Value::Null)] {
            let way = [("priority", "0"), ("weight", "1"), ("cost", typed)];
            let kept = owner.post(&target, &way).await;
            assert_eq!(kept.location(), MODEL, "{}", kept.body);
            assert_eq!(cost().await, known, "{typed}");
        }
        let odd = owner.post(&target, &[("cost", "1000001")]).await;
        assert!(odd.body.contains("f-change-cost-error"), "{}", odd.body);
        place.end().await;
    }
}

/// What a price would do, before it is saved; rows come and go.
async fn tried(finance: &mut Browser, prices: &str, price: &[(&'static str, &'static str)]) {
    let draft = format!("{prices}/draft");
    let with = |wish| [price, &[("do", wish)]].concat();
    let page = finance.post(&draft, &with("preview")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let seen = text(&page.body);
    for part in ["image 1024x1024, standard", "0.04", "0.01"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert!(!seen.contains("Last 30 days with this price"));
    let page = finance.post(&draft, &with("reprice")).await;
    let seen = text(&page.body);
    assert!(seen.contains("Last 30 days with this price"), "{seen}");
    let page = finance.post(&draft, &with("add")).await;
    assert!(page.body.contains("name=\"unit-5\""), "{}", page.body);
    let page = finance.post(&draft, &with("remove-0")).await;
    assert!(!page.body.contains("value=\"0.175\""), "{}", page.body);
    assert!(page.body.contains("name=\"unit-3\"") && !page.body.contains("name=\"unit-4\""));
    let wrong = finance.post(
        &draft,
        &[("unit-0", "image"), ("when-0", "odd"), ("do", "preview")],
    );
    let wrong = wrong.await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("f-when-0-error") && wrong.body.contains("value=\"odd\""));
    let odd = finance.post(&draft, &with("dance")).await;
    assert_eq!(odd.status, StatusCode::NOT_FOUND);
}

/// A price goes out as CSV and as JSON, and comes back into the table from either.
async fn files(finance: &mut Browser, prices: &str) {
    let draft = format!("{prices}/draft");
    let csv = finance.get(&format!("{prices}.csv")).await.body;
    assert!(
        csv.contains("image,1,0.175,0.14,size=1024x1024; quality=high,1"),
        "{csv}"
    );
    let json = finance.get(&format!("{prices}.json")).await.body;
    assert!(json.contains("\"rates\""), "{json}");
    for file in [csv, json] {
        finance.get(PATH).await;
        let page = finance
            .post(&draft, &[("import", file.as_str()), ("do", "import")])
            .await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("value=\"0.175\"") && page.body.contains("name=\"unit-2\""));
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
        let priced = [&new[..], &[("unit-0", "image"), ("credits-0", "1")]].concat();
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
        let told = "The model meta/llama has no price";
        assert!(text(&page.body).contains(told), "{}", page.body);

        finance.get(PATH).await;
        let prices = format!("{PATH}/prices");
        let empty = finance.post(&prices, &[("unit-0", "image")]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(empty.body.contains("0 makes it free"), "{}", empty.body);
        let gift = [("unit-0", "image"), ("cost-0", "1")];
        let gift = finance.post(&prices, &gift).await;
        assert!(
            gift.body.contains("f-credits-0-error"),
            "a cost is no price"
        );
        let price = [
            ("unit-0", "image"),
            ("when-0", "size=1024x1024; quality=high"),
            ("credits-0", "0.175"),
            ("cost-0", "0.14"),
            ("unit-1", "image"),
            ("when-1", "quality=low"),
            ("credits-1", "0.01"),
            ("unit-2", "image"),
            ("credits-2", "0.04"),
            ("cost-2", "0.03"),
            ("unit-3", "input_token"),
            ("credits-3", "0"),
            ("cost-3", "0"),
            ("unit-4", "output_token"),
            ("credits-4", "0"),
            ("cost-4", "0"),
        ];
        tried(&mut finance, &prices, &price).await;
        let none = shown(&place, &token).await;
        assert!(none["price"].is_null(), "a draft saves nothing: {none}");
        let set = finance.post(&prices, &price).await;
        assert_eq!(set.location(), PATH, "{}", set.body);
        let later = [
            ("unit-0", "image"),
            ("credits-0", "0.05"),
            ("unit-1", "input_token"),
            ("credits-1", "0"),
            ("unit-2", "output_token"),
            ("credits-2", "0"),
            ("valid_from", "2030-01-01"),
        ];
        let set = finance.post(&prices, &later).await;
        assert_eq!(set.location(), PATH, "{}", set.body);
        let twice = finance.post(&prices, &later).await;
        assert!(twice.body.contains("f-valid_from-error"), "{}", twice.body);
        let model = shown(&place, &token).await;
        let rates = model["price"]["rates"].as_array().expect("a list");
        assert_eq!(rates.len(), 5, "{model}");
        let costs: Vec<&Value> = rates.iter().take(3).map(|rate| &rate["cost"]).collect();
        assert_eq!(
            costs,
            [&json!(0.14), &Value::Null, &json!(0.03)],
            "what was left out is not known"
        );
        files(&mut finance, &prices).await;

        let page = finance.get(&format!("{PATH}{query}")).await;
        let seen = text(&page.body);
        for part in ["quality=high", "0.175", "0.05", "finance", "0.04"] {
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
        assert!(poor.body.contains("Not enough credits"), "{}", poor.body);
        place.end().await;
    }
}
