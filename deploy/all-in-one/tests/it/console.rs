//! The console over a running product: a model is tried at a tenant's expense, and the story of that
//! call, the tenant's books and the audit log tell the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::gateways::vendor::{GOOD, answer, at_once, with_vendor};
use crate::support::joined::{Joined, start};
use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, places};

/// A superadmin's browser: keeps cookies, and the token of the page it was last shown.
pub(crate) struct Console<'a> {
    product: &'a Product,
    http: Client,
    cookies: BTreeMap<String, String>,
    token: String,
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all");
        }
    }
    out
}

/// What a reader sees between the tags.
fn text(body: &str) -> String {
    let parts = body.split('<').map(|part| part.split_once('>'));
    parts.flatten().map(|(_, text)| text).collect()
}

impl<'a> Console<'a> {
    pub(crate) async fn open(product: &'a Product) -> Self {
        let http = Client::builder().redirect(Policy::none()).build();
        let mut console = Self {
            product,
            http: http.expect("a client"),
            cookies: BTreeMap::new(),
            token: String::new(),
        };
        console.get("/admin/login").await;
        let names = [("username", "admin"), ("password", ADMIN_PASSWORD)];
        let (status, body) = console.post("/admin/login", &names).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        console
    }

    /// What the browser sends with every request.
    pub(crate) fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (StatusCode, String) {
        let answer = request.header("cookie", self.cookie()).send().await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        if let Some((_, rest)) = body.rsplit_once("name=\"csrf\" value=\"") {
            rest.split('"')
                .next()
                .unwrap_or_default()
                .clone_into(&mut self.token);
        }
        (status, body)
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        let request = self.http.get(self.product.url(path));
        let (status, body) = self.send(request).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let mut form = format!("csrf={}", encoded(&self.token));
        for (name, value) in fields {
            write!(form, "&{}={}", encoded(name), encoded(value)).expect("a string takes all");
        }
        let request = self.http.post(self.product.url(path));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form)).await
    }

    /// Sends a form with a file as browsers do.
    pub(crate) async fn post_file(&mut self, path: &str, file: &str) -> (StatusCode, String) {
        let form = format!(
            "--part\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--part\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"providers.json\"\r\n\
             Content-Type: application/json\r\n\r\n{file}\r\n--part--\r\n",
            self.token
        );
        let request = self.http.post(self.product.url(path));
        let request = request.header("content-type", "multipart/form-data; boundary=part");
        self.send(request.body(form)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_tried_at_a_tenants_expense() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("5").await;
        let price = json!({"per_request": "0.25", "cost": {"per_request": "0.1"}});
        product.model("sandbox-chat", "chat", price.clone()).await;
        let (status, made) = product
            .admin(
                Method::PATCH,
                "/models/sandbox-chat",
                Some(json!({"price": price, "enabled": true})),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let mut console = Console::open(&product).await;
        console.get("/admin/models/sandbox-chat").await;
        let wish = [("tenant", customer.id.as_str()), ("prompt", "Say hello")];
        let (status, body) = console.post("/admin/models/sandbox-chat/try", &wish).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let shown = text(&body);
        for part in ["succeeded", "sandbox/sandbox-chat", "Charged 0.25", "0.1"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let balance = product.settled(&customer).await;
        assert_eq!(balance["available"].to_string(), "4.75", "{balance}");

        let (_, rest) = body.split_once("href=\"/admin/usage/gen_").expect("a link");
        let id = rest.split('"').next().expect("an id");
        let story = console.get(&format!("/admin/usage/gen_{id}")).await;
        assert!(story.contains("req_"), "the request it came with: {story}");
        assert!(text(&story).contains("0.25"), "{story}");
        let log = console.get("/admin/audit?action=model.try").await;
        let (_, rest) = log.split_once("/admin/audit/aud_").expect("an entry");
        let entry = rest.split('"').next().expect("an id");
        let entry = console.get(&format!("/admin/audit/aud_{entry}")).await;
        assert!(entry.contains(&format!("gen_{id}")), "{entry}");
        assert!(entry.contains(&customer.id), "{entry}");

        let ranks = "/admin/models/sandbox-rerank";
        let page = console.get(ranks).await;
        assert!(page.contains("each further line a document"), "{page}");
        let prompt = "What moves the tides?\nBread is made of flour.\nThe moon moves the tides.";
        let wish = [("tenant", customer.id.as_str()), ("prompt", prompt)];
        let (status, body) = console.post(&format!("{ranks}/try"), &wish).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let shown = text(&body);
        let moon = shown.find("0.7500 The moon moves the tides.");
        let bread = shown.find("0.0000 Bread is made of flour.");
        assert!(moon.is_some() && moon < bread, "{shown}");

        // The gateway inside is shown, and takes none beside it.
        let gateways = console.get("/admin/gateways").await;
        assert!(gateways.contains("built-in"), "{gateways}");
        assert!(!gateways.contains("id=\"add\""), "{gateways}");
        let health = text(&console.get("/admin/health").await);
        assert!(health.contains("1 / 1 responding"), "{health}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_tells_of_the_try_that_failed_and_of_the_one_that_answered() {
    const KEYS: [&str; 2] = ["vendor-key-01230bad", "vendor-key-0123fine"];
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (vendor, customer) = with_vendor(&product, &KEYS).await;
        let busy = answer("429 Too Many Requests", "retry-after: 30\r\n", "{}");
        vendor.script(KEYS[0], at_once(busy));
        vendor.script(KEYS[1], at_once(answer("200 OK", "", GOOD)));
        while vendor.calls(KEYS[0]) == 0 {
            let (status, body) = product.chat(&customer, "ours", "hi").await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
        // The call before this look is the one that was sent on.
        product.settled(&customer).await;
        let mut console = Console::open(&product).await;
        let log = console.get("/admin/usage").await;
        let (_, newest) = log.split_once("/admin/usage/gen_").expect("a call");
        let id = newest.split('"').next().expect("an id");
        let story = text(&console.get(&format!("/admin/usage/gen_{id}")).await);
        let failed = story.find("0bad").expect("the first try");
        let answered = story.find("fine").expect("the second try");
        assert!(failed < answered, "{story}");
        assert!(story[failed..answered].contains("rate_limited"), "{story}");
        assert!(story[failed..answered].contains("HTTP 429"), "{story}");
        let why = "Another key of this provider";
        assert!(story[failed..answered].contains(why), "{story}");
        product.stop().await;
    }
}

/// The provider as the API shows it.
async fn provider(product: &Product, name: &str) -> Value {
    let (status, shown) = product.admin(Method::GET, "/providers", None).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    let rows = shown["data"].as_array().expect("rows").iter();
    let mut rows = rows.filter(|row| row["name"] == name);
    rows.next().expect("the provider").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_any_address_is_set_by_the_console_alone() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let mut console = Console::open(&product).await;
        let page = console.get("/admin/providers/new?q=deepseek").await;
        assert!(page.contains("/admin/providers/new?vendor=deepseek\""));
        assert!(!page.contains("/admin/providers/new?vendor=custom\""));
        assert!(page.contains("href=\"https://platform.deepseek.com/api_keys\""));
        let page = console.get("/admin/providers/new?vendor=custom").await;
        assert!(page.contains("name=\"kind\" value=\"custom\""), "{page}");
        assert!(page.contains("value=\"anthropic_messages\""), "{page}");
        let mut form = vec![
            ("vendor", "custom"),
            ("kind", "custom"),
            ("name", "lighthouse"),
            ("base_url", "https://models.example.com/v1"),
            ("settings", "on"),
            ("dialects", "klingon"),
            ("key_header", "API-Key"),
            ("key_prefix", "Token"),
            ("headers", "x-title: Waule\r\nx-team: north"),
            ("leave_out", "seed, logit_bias"),
            ("rename", "user -> end_user"),
            ("no_usage_option", "on"),
            ("maximum", "max_tokens"),
        ];
        let (status, page) = console.post("/admin/providers/new", &form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert!(page.contains("id=\"f-dialects-error\""), "{page}");
        assert!(page.contains("x-team: north"), "{page}");
        form.retain(|(name, _)| *name != "dialects");
        form.extend([
            ("dialects", "anthropic_messages"),
            ("dialects", "openai_chat"),
        ]);
        let (status, page) = console.post("/admin/providers/new", &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let mut options = json!({
            "dialects": ["anthropic_messages", "openai_chat"],
            "key_header": {"name": "api-key", "prefix": "Token "},
            "headers": [{"name": "x-title", "value": "Waule"}, {"name": "x-team", "value": "north"}],
            "leave_out": ["seed", "logit_bias"],
            "rename": [{"name": "user", "value": "end_user"}],
            "no_usage_option": true,
            "maximum": "max_tokens",
        });
        assert_eq!(provider(&product, "lighthouse").await["options"], options);

        let path = "/admin/providers/lighthouse";
        let page = console.get(path).await;
        let shown = text(&page);
        for part in ["Messages · Chat", "api-key: Token …", "user → end_user"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let list = text(&console.get("/admin/providers").await);
        assert!(list.contains("Messages · Chat"), "{list}");
        // A form of before the settings changes none of them.
        let edit = format!("{path}/edit");
        let address = ("base_url", "https://models.example.com/v2");
        let (status, page) = console.post(&edit, &[address, ("enabled", "on")]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let now = provider(&product, "lighthouse").await;
        assert_eq!(now["base_url"], "https://models.example.com/v2");
        assert_eq!(now["options"], options);
        let fewer = [
            address,
            ("enabled", "on"),
            ("settings", "on"),
            ("dialects", "gemini"),
            ("leave_out", "model"),
        ];
        let (status, page) = console.post(&edit, &fewer).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert!(page.contains("id=\"f-leave_out-error\""), "{page}");
        let (status, page) = console.post(&edit, &fewer[..4]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        options = json!({"dialects": ["gemini"]});
        let now = provider(&product, "lighthouse").await;
        assert_eq!(now["options"]["dialects"], options["dialects"], "{now}");
        assert_ne!(now["options"]["no_usage_option"], true, "{now}");
        product.stop().await;
    }
}
