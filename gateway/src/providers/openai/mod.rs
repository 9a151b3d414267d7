//! OpenAI's dialect, spoken by OpenAI and by everybody who is compatible with it.
//! Facts: OpenAI API reference and error guide as of 2026-08.

mod answer;
mod classify;
mod request;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use shared::dialect::told;
use shared::dialect::{Maximum, Quirks, Told};
use shared::fault::{Fault, FaultKind, Scope};
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::link::{Call, CallerError, KeyTest, KeyVerdict, Operation};
use shared::surface::{AnswerForm, Surface};

use self::answer::{Expected, NoAnswer};
use self::classify::classify;
use self::request::{Asked, request};
use super::wait::wait;
use super::words::{Secrets, cleaned};
use super::{Answer, ContentType, Patience, Provider, Refusal, Route, http as outbound};

/// Ten images of 4 MiB in base64; the longest text and the largest batch of embeddings.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An error text is short; what is longer is not read.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// A key is tested while an operator waits.
const TEST_MAX: Duration = Duration::from_secs(15);
/// Ways to send one request: as it is, without one field, with another one moved.
const WAYS_MAX: u32 = 3;

pub(super) struct OpenAi;

/// A refusal with what it was made of.
struct Refused {
    fault: Fault,
    told: Told,
}

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("openai"),
    label: Cow::Borrowed("OpenAI and what speaks like it"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, "openai_chat"),
        Speaks::new(Operation::Embedding, "openai_embeddings"),
        Speaks::new(Operation::Image, "openai_images"),
        Speaks::new(Operation::Completion, "openai_completions"),
        Speaks::new(Operation::Moderation, "openai_moderations"),
    ]),
    media: false,
};

#[async_trait]
impl Provider for OpenAi {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        patience: Patience,
    ) -> Result<Answer, Refusal> {
        let mut quirks = route.learned.quirks(route.base_url, route.model);
        let mut ways = 1;
        loop {
            let refused = match attempt(call, route, quirks, patience).await {
                Ok(answer) => {
                    if ways > 1 {
                        route.learned.learn(route.model, quirks);
                    }
                    return Ok(answer);
                }
                Err(refused) => refused,
            };
            match request::otherwise(call, &refused.fault, &refused.told, quirks) {
                Some(other) if ways < WAYS_MAX => {
                    quirks = other;
                    ways += 1;
                }
                _ => return Err(refusal(refused, call, route)),
            }
        }
    }

    async fn test(&self, route: Route<'_>) -> KeyTest {
        let asked = Asked {
            method: Method::GET,
            path: "/models",
            stream: false,
            body: Bytes::new(),
        };
        let (mut test, _) = tested(route, asked).await;
        if matches!(test.status, 404 | 405 | 501) {
            test.detail = format!(
                "can't be told here: the provider has no GET /models ({}); try a small call",
                test.status
            );
        }
        test
    }

    async fn try_model(&self, route: Route<'_>) -> KeyTest {
        let quirks = route.learned.quirks(route.base_url, route.model);
        let field = match quirks.maximum {
            Maximum::MaxCompletionTokens => "max_completion_tokens",
            Maximum::AsAsked | Maximum::MaxTokens => "max_tokens",
        };
        let (test, told) = tested(route, small_call(route.model, field)).await;
        // Reasoning models know the other field only.
        let wants_other = test.status == 400 && told.message.contains("max_completion_tokens");
        if wants_other && field == "max_tokens" {
            let asked = small_call(route.model, "max_completion_tokens");
            return tested(route, asked).await.0;
        }
        test
    }

    fn ignored_maximum(&self, route: Route<'_>) {
        route.learned.ignored(route.base_url, route.model);
    }
}

/// One token of an answer to the shortest question.
fn small_call(model: &str, field: &str) -> Asked<'static> {
    let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": "hi"}], field: 1});
    Asked {
        method: Method::POST,
        path: Surface::of(Operation::Chat).path,
        stream: false,
        body: Bytes::from(body.to_string()),
    }
}

async fn attempt(
    call: &Call,
    route: Route<'_>,
    quirks: Quirks,
    patience: Patience,
) -> Result<Answer, Refused> {
    let asked = Asked {
        method: Method::POST,
        path: call.surface.path,
        stream: call.stream,
        body: request::translated(call, route.model, quirks)?,
    };
    let head = outbound::send(request(route, asked)?, patience.first_byte).await?;
    let status = head.status.as_u16();
    if !head.status.is_success() {
        let body = outbound::beginning(head.body, ERROR_BYTES_MAX, patience.silence).await;
        return Err(refused(status, &head.headers, told::refusal(&body)));
    }
    let expected = Expected {
        dialect: call.surface.dialect,
        bytes_max: ANSWER_BYTES_MAX,
        silence: patience.silence,
    };
    let answer = if call.stream {
        answer::streamed(head.body, expected).await
    } else {
        // What providers say of JSON is not believed; of sounds and pictures only they know.
        let is_binary = call.surface.answer == AnswerForm::Binary;
        let told = head.headers.get(CONTENT_TYPE).filter(|_| is_binary);
        let told = told.and_then(|value| value.to_str().ok());
        let content_type = told.map(|value| ContentType::Owned(value.to_owned()));
        answer::whole(head.body, content_type, expected).await
    };
    answer.map_err(|no_answer| match no_answer {
        NoAnswer::Told(told) => refused(status, &head.headers, *told),
        NoAnswer::Fault(fault) => fault.with_status(status).into(),
    })
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            told: Told::default(),
        }
    }
}

fn refused(status: u16, headers: &HeaderMap, told: Told) -> Refused {
    let fault = classify(status, &told).with_retry_after(wait(headers, &told));
    Refused { fault, told }
}

/// What the rest of the gateway gets to know of it.
fn refusal(refused: Refused, call: &Call, route: Route<'_>) -> Refusal {
    let Refused { fault, told } = refused;
    let for_tenant = matches!(fault.kind, FaultKind::BadRequest | FaultKind::ContentPolicy);
    let secrets = Secrets {
        key: route.key.expose(),
        base_url: route.base_url,
        body: &call.body,
    };
    let clean = |text: &str| cleaned(text, secrets);
    let caller = for_tenant.then(|| CallerError {
        message: clean(&told.message),
        param: told.param.as_deref().map(clean),
        code: told.code.as_deref().map(clean),
    });
    Refusal { fault, caller }
}

/// Sends what an operator waits for; answers also what was told.
async fn tested(route: Route<'_>, asked: Asked<'_>) -> (KeyTest, Told) {
    let begun = Instant::now();
    let outcome = match request(route, asked) {
        Ok(request) => outbound::send(request, TEST_MAX).await,
        Err(fault) => Err(fault),
    };
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let test = |verdict, status, detail| KeyTest {
        ok: verdict == KeyVerdict::Accepted,
        verdict,
        status,
        latency_ms,
        detail,
    };
    let head = match outcome {
        Ok(head) => head,
        Err(fault) => {
            let detail = fault.word().to_owned();
            return (test(KeyVerdict::Unknown, 0, detail), Told::default());
        }
    };
    let status = head.status.as_u16();
    let body = outbound::beginning(head.body, ERROR_BYTES_MAX, TEST_MAX).await;
    // A long list is cut off, and is none of the forms of an error.
    let told = if head.status.is_success() {
        told::error_in(&body)
    } else {
        Some(told::refusal(&body))
    };
    let is_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    let (verdict, detail, told) = match told {
        None if is_json => (
            KeyVerdict::Accepted,
            "the key is accepted".to_owned(),
            Told::default(),
        ),
        None => (
            KeyVerdict::Unknown,
            format!("the provider answered {status} and no JSON"),
            Told::default(),
        ),
        Some(told) => {
            let fault = classify(status, &told);
            let verdict = verdict(&fault);
            let secrets = Secrets {
                key: route.key.expose(),
                base_url: "",
                body: b"",
            };
            let words = cleaned(&told.message, secrets);
            let detail = if words.is_empty() {
                format!("the provider answered {status}")
            } else {
                format!("the provider answered {status}: {words}")
            };
            (verdict, detail, told)
        }
    };
    (test(verdict, status, detail), told)
}

/// What a refusal of a free question says of the key.
fn verdict(fault: &Fault) -> KeyVerdict {
    let is_refused = fault.kind == FaultKind::InvalidKey
        && (fault.scope == Scope::Key || fault.upstream_status == Some(401));
    if is_refused && fault.scope != Scope::Account {
        KeyVerdict::Refused
    } else {
        KeyVerdict::Unknown
    }
}
