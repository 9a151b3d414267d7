//! The product with toys of Anthropic's and Google's formats, both over OpenAI's, and a vendor behind it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::dialect::body::Body;
use shared::dialect::openai_chat::OPENAI_CHAT;
use shared::dialect::{
    ApiFamily, Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered,
    StreamMeter,
};
use shared::fault::Fault;
use shared::link::Operation;
use shared::listen::{Listening, serve_on_cores};
use shared::surface::{AnswerForm, BodyFormat, Counting, Surface, TenantPath, Verb};
use shared::units::Usage;

use crate::faults::fake::{Fake, GOOD, GOOD_STREAM, answer, model, provider, stream_of};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

/// OpenAI's format as another family writes what is around it.
#[derive(Debug)]
struct Like(ApiFamily);

impl Dialect for Like {
    fn name(&self) -> &'static str {
        "like"
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object"}"#
    }

    fn family(&self) -> ApiFamily {
        self.0
    }

    /// Anthropic's has to have a maximum.
    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let text = body.bytes();
        let has_maximum = String::from_utf8_lossy(&text).contains("max_tokens");
        if self.0 == ApiFamily::Anthropic && !has_maximum {
            return Err(BadBody::of("max_tokens", "`max_tokens` is missing."));
        }
        OPENAI_CHAT.read(head, body)
    }

    fn read_to_count(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        self.read(head, &body.having("max_tokens", "1")?)
    }

    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        OPENAI_CHAT.with_maximum(body, asked, tokens)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        OPENAI_CHAT.forwarded(body, to)
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        OPENAI_CHAT.meter(of)
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        OPENAI_CHAT.usage(of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        OPENAI_CHAT.judge(answer)
    }

    fn look(&self, seen: &[u8]) -> Look {
        OPENAI_CHAT.look(seen)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        json!({"of": format!("{:?}", self.0), "why": told.code, "wrong": told.message})
            .to_string()
            .into()
    }
}

static ANTHROPIC: Like = Like(ApiFamily::Anthropic);
static GEMINI: Like = Like(ApiFamily::Gemini);

static CHATS: Surface = Surface {
    path: "/chat/completions",
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Chat,
    dialect: &OPENAI_CHAT,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: Some(3_000),
    title: "Chats",
    about: "",
};

static MESSAGES: Surface = Surface {
    path: "/messages",
    at: TenantPath::Plain,
    counting: Some(Counting {
        at: "/messages/count_tokens",
        answer: "{\"input_tokens\":",
    }),
    dialect: &ANTHROPIC,
    title: "Messages",
    ..CHATS
};

static SAYINGS: Surface = Surface {
    path: "/say-content",
    at: TenantPath::Model {
        version: "v1beta",
        verbs: &[
            Verb {
                word: "sayContent",
                stream: false,
            },
            Verb {
                word: "streamSayContent",
                stream: true,
            },
        ],
    },
    counting: Some(Counting {
        at: "countTokens",
        answer: "{\"totalTokens\":",
    }),
    dialect: &GEMINI,
    title: "Sayings",
    ..CHATS
};

static SURFACES: [&Surface; 3] = [&CHATS, &MESSAGES, &SAYINGS];

/// The product with these surfaces, a vendor's model `m` at one credit a call, and a tenant.
pub(super) struct Scene {
    pub(super) product: Product,
    pub(super) fake: Fake,
    pub(super) customer: Customer,
    base: String,
}

pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }
}

impl Scene {
    pub(super) async fn start() -> Self {
        let [place, _] = places().await;
        let product = start(&place, Joined::InProcess).await;
        let (fake, address) = Fake::start(|seen| {
            if seen.says("in pieces") {
                stream_of(GOOD_STREAM)
            } else {
                answer("200 OK", "", GOOD)
            }
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
        model(&product, "m", &["vendor"]).await;
        model(&product, "org/m:free", &["vendor"]).await;
        let customer = product.customer("100").await;
        let base = served(&product).await;
        Self {
            product,
            fake,
            customer,
            base,
        }
    }

    pub(super) async fn send(
        &self,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Got {
        let url = format!("{}{path}", self.base);
        let mut request = self.product.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        Got {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.expect("text"),
        }
    }

    pub(super) async fn used(&self) -> Value {
        self.product.settled(&self.customer).await["used"].clone()
    }
}

/// On a port of its own.
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
    format!("http://{address}")
}
