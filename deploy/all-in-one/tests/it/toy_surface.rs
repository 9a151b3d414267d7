//! A surface of its own, made by the steps of `docs/adding-a-surface.md`: a wire format that is none of
//! OpenAI's, with its own errors, over a provider that speaks it too. The page quotes this file.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::dialect::body::Body;
use shared::dialect::{Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Metered, Output};
use shared::fault::{Fault, FaultKind};
use shared::json::{self, Edit};
use shared::link::Operation;
use shared::listen::{Listening, serve_on_cores};
use shared::surface::{AnswerForm, BodyFormat, Counting, Surface, TenantPath};
use shared::units::{Unit, Usage};

use crate::faults::fake::{Fake, answer, provider};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

/// Texts in, the same in capitals out, counted by their letters.
#[derive(Debug)]
struct Shout;

impl Dialect for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object", "required": ["model", "say"]}"#
    }

    fn read(&self, _: &Head, body: &Body) -> Result<Asked, BadBody> {
        let json = body.json().ok_or_else(|| BadBody::whole("Send JSON."))?;
        let [model, say] =
            json::fields(json, ["model", "say"]).map_err(|e| BadBody::whole(e.to_string()))?;
        let text = |raw: &str| serde_json::from_str::<String>(raw).ok();
        let say = say.and_then(|raw| text(raw.get()));
        let say = say.ok_or_else(|| BadBody::of("say", "`say` must be a text."))?;
        let model = model.and_then(|raw| text(raw.get()));
        let letters = u64::try_from(say.len()).unwrap_or(u64::MAX);
        let mut asked = Asked::of(model.ok_or_else(BadBody::no_model)?, Output::None);
        asked.input_estimate = letters.max(1);
        asked.bounds = Usage::of([(Unit::InputToken, letters)]);
        Ok(asked)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        let [model] = json::fields(body, ["model"]).map_err(|e| BadBody::whole(e.to_string()))?;
        let name = Value::from(to.model).to_string();
        let edit = match model {
            Some(old) => Edit::replace(json::span(body, old), name),
            None => Edit::insert(body, "model", &name),
        };
        Ok(json::apply(body, vec![edit]))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        let told: Value = serde_json::from_slice(answer)
            .map_err(|_| Fault::new(FaultKind::InvalidAnswer, "not the JSON that was expected"))?;
        let most = of.bounds.map_or(u64::MAX, |bounds| bounds.input_max);
        let letters = told["letters"].as_u64().unwrap_or(0);
        Ok(Usage::of([(Unit::InputToken, letters.min(most))]))
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        match serde_json::from_slice::<Value>(answer) {
            Ok(told) if told["shout"].is_string() => Judged::Answer,
            Ok(_) | Err(_) => Judged::Nonsense("nothing is shouted".to_owned()),
        }
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        json!({"wrong": told.message, "why": told.code, "where": told.param})
            .to_string()
            .into()
    }
}

static SHOUTS: Surface = Surface {
    path: "/shouts",
    at: TenantPath::Plain,
    counting: Some(Counting {
        at: "/shouts/letters",
        answer: "{\"letters\":",
    }),
    operation: Operation::Moderation,
    dialect: &Shout,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: Some(1_000),
    title: "Shouts",
    about: "Says it in capitals.",
};

static SURFACES: [&Surface; 1] = [&SHOUTS];

/// The product with that surface and no other, on a port of its own.
async fn served(product: &Product) -> String {
    let place = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = shared::listen::bind(place, "PORT").expect("a port");
    let address = listener.local_addr().expect("an address");
    let face = product.server().face_with(&SURFACES);
    let listening = Listening {
        listener,
        stop: product.supervisor.stopping(),
        grace: Duration::from_secs(1),
        tick: None,
        tls: None,
    };
    let supervisor = product.supervisor.clone();
    product.supervisor.spawn("toy door", async move {
        serve_on_cores(listening, face, &supervisor)
            .await
            .expect("served");
    });
    format!("http://{address}/api/v1{}", SHOUTS.path)
}

struct Got {
    status: StatusCode,
    told: Value,
}

async fn send(product: &Product, url: &str, key: &str, body: &Value) -> Got {
    let request = product.http.request(Method::POST, url).bearer_auth(key);
    let answer = request.json(body).send().await.expect("an answer");
    Got {
        status: answer.status(),
        told: answer.json().await.expect("JSON"),
    }
}

async fn model(product: &Product) {
    let body = json!({"id": "loud", "operation": "moderation",
        "targets": [{"provider": "megaphone", "model": "theirs"}],
        "price": {"input_per_million": 1_000_000}});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

/// A call goes out and comes back in the surface's own format, and costs what it counts.
async fn a_shout_is_heard_and_charged(product: &Product, url: &str, customer: &Customer) {
    let body = json!({"say": "hello", "model": "loud", "more": [1]});
    let got = send(product, url, &customer.key, &body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.told);
    assert_eq!(got.told, json!({"shout": "HELLO", "letters": 5}));
    assert_eq!(product.settled(customer).await["used"], 5);
}

/// Letters are counted for nothing.
async fn a_shout_is_counted(product: &Product, url: &str, customer: &Customer) {
    let body = json!({"say": "hello", "model": "loud"});
    let got = send(product, &format!("{url}/letters"), &customer.key, &body).await;
    assert_eq!(
        (got.status, got.told),
        (StatusCode::OK, json!({"letters": 5}))
    );
    assert_eq!(product.settled(customer).await["used"], 5, "as before");
}

/// Every refusal has the format's shape, whoever refuses.
async fn refusals_have_its_shape(product: &Product, url: &str, customer: &Customer) {
    let good = json!({"say": "hello", "model": "loud"});
    let long = json!({"say": "x".repeat(2_000), "model": "loud"});
    let (key, odd) = (customer.key.as_str(), format!("{url}?x=%00"));
    let stranger = format!("wk_live_{}", "a".repeat(32));
    for (url, key, body, status, why) in [
        (url, stranger.as_str(), &good, 401, "invalid_api_key"),
        (
            url,
            key,
            &json!({"say": 7, "model": "loud"}),
            400,
            "invalid_value",
        ),
        (
            url,
            key,
            &json!({"say": "x", "model": "no"}),
            404,
            "model_not_found",
        ),
        (url, key, &long, 413, "request_too_large"),
        (odd.as_str(), key, &good, 400, "invalid_text"),
    ] {
        let got = send(product, url, key, body).await;
        assert_eq!(got.status.as_u16(), status, "{}", got.told);
        assert_eq!(got.told["why"], why, "{}", got.told);
        assert!(got.told["wrong"].is_string() && got.told["error"].is_null());
    }
    let limits = json!({"limits": {"requests_per_minute": 1}});
    let path = format!("/tenants/{}", customer.id);
    let (status, _) = product.admin(Method::PATCH, &path, Some(limits)).await;
    assert_eq!(status, StatusCode::OK);
    let mut last = send(product, url, key, &good).await;
    for _ in 0..3 {
        last = send(product, url, key, &good).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS, "{}", last.told);
    assert_eq!(last.told["why"], "rate_limit_exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surface_of_another_format_is_a_row_and_a_dialect() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let (fake, address) = Fake::start(|seen| {
            let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
            let say = body["say"].as_str().unwrap_or_default().to_uppercase();
            answer(
                "200 OK",
                "",
                &json!({"shout": say, "letters": say.len()}).to_string(),
            )
        })
        .await;
        provider(&product, "megaphone", &format!("http://{address}/v1"), 1).await;
        model(&product).await;
        let customer = product.customer("1000").await;
        let url = served(&product).await;
        a_shout_is_heard_and_charged(&product, &url, &customer).await;
        a_shout_is_counted(&product, &url, &customer).await;
        assert_eq!(fake.calls().len(), 1);
        let sent = &fake.calls()[0];
        assert!(sent.head.starts_with("post /v1/shouts "), "{}", sent.head);
        assert_eq!(
            sent.body,
            json!({"say": "hello", "model": "loud", "more": [1]})
                .to_string()
                .replace("loud", "theirs"),
            "every other byte passes"
        );
        refusals_have_its_shape(&product, &url, &customer).await;
        product.stop().await;
    }
}
