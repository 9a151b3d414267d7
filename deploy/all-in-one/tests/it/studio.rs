//! A member's studio over a running product: the cost is told before, a conversation streams, an
//! image is made, and what is shown as charged is what the ledger took.

mod memory;

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shared::credits::Credits;

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

const PASSWORD: &str = "correct horse battery";

/// A browser: keeps cookies, and the token of the page it was last shown.
pub(crate) struct Browser<'a> {
    pub(crate) product: &'a Product,
    /// Follows no redirect: the cookies of one would be lost.
    pub(crate) http: Client,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) token: String,
}

impl Browser<'_> {
    async fn send(&mut self, request: reqwest::RequestBuilder) -> (StatusCode, String) {
        let pairs = self.cookies.iter().map(|(k, v)| format!("{k}={v}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let answer = request.header("cookie", cookies).send().await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        if let Some((_, rest)) = body.rsplit_once("name=\"csrf\" value=\"") {
            let token = rest.split('"').next().unwrap_or_default();
            token.clone_into(&mut self.token);
        }
        (status, body)
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        let request = self.http.get(self.product.url(path));
        let (status, body) = self.send(request).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(crate) async fn form(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let all = [("csrf", self.token.clone())];
        let all = all.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<_> = all.chain(fields.iter().copied()).collect();
        let body = serde_urlencoded::to_string(all).expect("a form");
        let request = self.http.post(self.product.url(path));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body)).await
    }

    /// What the pages' script sends.
    pub(crate) async fn script(&mut self, path: &str, body: &Value) -> (StatusCode, String) {
        let request = self.http.post(self.product.url(path)).json(body);
        let request = request.header("x-csrf-token", &self.token);
        self.send(request).await
    }
}

/// A member of the tenant in the studio.
pub(crate) async fn member<'a>(product: &'a Product, customer: &Customer) -> Browser<'a> {
    let path = format!("/tenants/{}/users", customer.id);
    let body = json!({"username": "mia", "password": PASSWORD, "role": "member"});
    let (status, made) = product.admin(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let http = Client::builder().redirect(Policy::none()).build();
    let mut browser = Browser {
        product,
        http: http.expect("a client"),
        cookies: BTreeMap::new(),
        token: String::new(),
    };
    browser.get("/portal/login").await;
    let names = [
        ("tenant", customer.id.as_str()),
        ("username", "mia"),
        ("password", PASSWORD),
    ];
    browser.form("/portal/login", &names).await;
    let page = browser.get("/portal/studio/chat").await;
    assert!(page.contains("data-chat="), "{page}");
    browser
}

fn credits(value: &Value) -> Credits {
    let text = value.as_str();
    let text = text.map_or_else(|| value.to_string(), str::to_owned);
    text.parse()
        .unwrap_or_else(|_| panic!("no credits: {text}"))
}

/// What a call was charged by its usage record, as the tenant reads it.
async fn recorded(product: &Product, customer: &Customer, call: &str) -> Credits {
    let path = "/api/v1/usage?limit=100";
    let (_, usage) = product
        .send(Method::GET, path, Some(&customer.key), None)
        .await;
    let all = usage["data"].as_array().expect("records");
    let record = all.iter().find(|record| record["id"] == call);
    let record = record.unwrap_or_else(|| panic!("{call} is not in {usage}"));
    assert!(record["user_id"].is_string() && record["key_id"].is_null());
    credits(&record["credits"])
}

/// The lowest and the highest cost told before a call is sent.
async fn told_before(mia: &mut Browser<'_>, wish: &Value) -> (Credits, Credits) {
    let (status, estimate) = mia.script("/portal/studio/estimate", wish).await;
    assert_eq!(status, StatusCode::OK, "{estimate}");
    let estimate: Value = serde_json::from_str(&estimate).expect("JSON");
    (
        credits(&estimate["credits_min"]),
        credits(&estimate["credits_max"]),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_chats_and_draws_and_what_is_shown_is_what_the_ledger_took() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model("words", "chat", json!({"output_per_million": 1_000_000}))
            .await;
        let customer = product.customer("5000").await;
        let mut mia = member(&product, &customer).await;
        let used = async || credits(&product.settled(&customer).await["used"]);
        assert_eq!(used().await, Credits::ZERO);

        // A conversation by the script: seven tokens for a credit each.
        let said = json!([{"role": "user", "content": "[tokens:7]"}]);
        let talk = json!({"model": "words", "messages": said});
        let (least, most) = told_before(&mut mia, &talk).await;
        let (status, events) = mia.script("/portal/studio/chat", &talk).await;
        assert_eq!(status, StatusCode::OK, "{events}");
        assert!(events.contains("chat.completion.chunk"), "{events}");
        let (chunks, told) = events.rsplit_once("event: charged\ndata: ").expect(&events);
        assert!(chunks.contains("data: [DONE]"), "{events}");
        let told: Value = serde_json::from_str(told.trim()).expect("JSON");
        let charged = credits(&told["credits"]);
        assert_eq!(charged, Credits::from_credits(7).expect("fits"));
        assert!(least <= charged && charged <= most, "{least} {most}");
        let call = told["call"].as_str().expect("a call").to_owned();
        assert_eq!(recorded(&product, &customer, &call).await, charged);
        assert_eq!(used().await, charged, "{}", place.name);

        // Two images by the script.
        let draw = json!({"model": "sandbox-image", "prompt": "a lighthouse", "n": 2});
        let (least, most) = told_before(&mut mia, &draw).await;
        let (status, drawn) = mia.script("/portal/studio/images", &draw).await;
        assert_eq!(status, StatusCode::OK, "{drawn}");
        let drawn: Value = serde_json::from_str(&drawn).expect("JSON");
        assert_eq!(drawn["data"].as_array().map(Vec::len), Some(2));
        let paid = credits(&drawn["credits"]);
        assert!(paid > Credits::ZERO && least <= paid && paid <= most);
        let call = drawn["call"].as_str().expect("a call").to_owned();
        assert_eq!(recorded(&product, &customer, &call).await, paid);
        let before = used().await;
        assert_eq!(before.micros(), charged.micros() + paid.micros());

        // The same without a script: the page tells the cost before and what was charged after.
        let page = mia.get("/portal/studio/chat?model=words").await;
        assert!(page.contains("data-studio=\"estimate\""), "{page}");
        let fields = [
            ("model", "words"),
            ("message", "[tokens:5]"),
            ("history", "[]"),
        ];
        let (status, page) = mia.form("/portal/studio/chat", &fields).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let list = mia.get("/portal/studio").await;
        let (_, id) = list.split_once("/portal/studio/chat?chat=").expect(&list);
        let id = id.split('"').next().unwrap_or_default();
        let page = mia.get(&format!("/portal/studio/chat?chat={id}")).await;
        assert!(page.contains("said-cost"), "what it cost stands below it");
        let now = used().await;
        let five = Credits::from_credits(5).expect("fits");
        assert_eq!(now.micros() - before.micros(), five.micros());
        let fields = [("model", "sandbox-image"), ("prompt", "a boat"), ("n", "1")];
        mia.get("/portal/studio/images").await;
        let (status, page) = mia.form("/portal/studio/images", &fields).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let page = mia.get("/portal/studio/images").await;
        // Those of the script are there, too.
        assert_eq!(page.matches("/file\" alt=").count(), 3, "{page}");
        assert!(used().await > now);

        // Her own history has all four; the tenant's books balance.
        let history = mia.get("/portal/history").await;
        assert_eq!(history.matches("href=\"/portal/usage/gen_").count(), 4);
        let differences = product.server().verify().await.expect("checked");
        assert_eq!(differences, Vec::<String>::new(), "{}", place.name);
        product.stop().await;
    }
}
