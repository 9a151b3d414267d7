//! OpenAI's dialect, spoken by OpenAI and by everybody who is compatible with it.
//! Facts: OpenAI API reference and error guide as of 2026-08.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::fault::{Fault, FaultKind, Retry};
use shared::json::{self, Change};
use shared::link::{Call, CallerError, KeyTest, Operation};

use super::{Answer, Patience, Provider, Refusal, Route, http as outbound};

/// Ten images of 4 MiB in base64.
const IMAGES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest text and the largest batch of embeddings.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An error text is short; what is longer is not read.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// What a tenant sees of a provider's message.
const MESSAGE_CHARS_MAX: usize = 500;
/// A key is tested while an operator waits.
const TEST_MAX: Duration = Duration::from_secs(15);
/// A longer wait than this is not believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

pub(super) struct OpenAi;

#[async_trait]
impl Provider for OpenAi {
    fn kind(&self) -> &'static str {
        "openai"
    }

    fn has_address(&self) -> bool {
        true
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        patience: Patience,
    ) -> Result<Answer, Refusal> {
        let body = translated(call, route.model)?;
        let request = request(
            Method::POST,
            route,
            call.operation.path(),
            call.stream,
            body,
        )?;
        let head = outbound::send(request, patience.first_byte).await?;
        if !head.status.is_success() {
            let status = head.status.as_u16();
            let bytes = outbound::whole(head.body, ERROR_BYTES_MAX, patience.silence)
                .await
                .unwrap_or_default();
            return Err(classify(status, &head.headers, &bytes, route));
        }
        if call.stream {
            return Ok(Answer::Stream(outbound::pieces(
                head.body,
                patience.silence,
            )));
        }
        let bytes_max = if call.operation == Operation::Image {
            IMAGES_BYTES_MAX
        } else {
            ANSWER_BYTES_MAX
        };
        Ok(Answer::Whole(
            outbound::whole(head.body, bytes_max, patience.silence).await?,
        ))
    }

    async fn test(&self, route: Route<'_>) -> KeyTest {
        let begun = Instant::now();
        let outcome = match request(Method::GET, route, "/models", false, Bytes::new()) {
            Ok(request) => outbound::send(request, TEST_MAX).await,
            Err(fault) => Err(fault),
        };
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(head) => {
                let status = head.status.as_u16();
                let ok = head.status.is_success();
                let detail = if ok {
                    "the key is accepted".to_owned()
                } else {
                    format!("the provider answered {status}")
                };
                KeyTest {
                    ok,
                    status,
                    latency_ms,
                    detail,
                }
            }
            Err(fault) => KeyTest {
                ok: false,
                status: 0,
                latency_ms,
                detail: fault.word().to_owned(),
            },
        }
    }
}

/// Built from nothing: no header of the tenant goes to a provider.
fn request(
    method: Method,
    route: Route<'_>,
    path: &str,
    stream: bool,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Fault> {
    let ours = |what: &str| Fault::new(FaultKind::Internal, what.to_owned());
    let mut secret = HeaderValue::try_from(format!("Bearer {}", route.key.expose()))
        .map_err(|_| ours("the key is not a header value"))?;
    secret.set_sensitive(true);
    let accept = if stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    Request::builder()
        .method(method)
        .uri(format!("{}{path}", route.base_url))
        .header(AUTHORIZATION, secret)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(accept))
        .header(USER_AGENT, HeaderValue::from_static("waule"))
        .body(Full::new(body))
        .map_err(|_| ours("the provider's address is not a URL"))
}

/// The tenant's bytes with the provider's name for the model, and with usage asked for in streams.
fn translated(call: &Call, model: &str) -> Result<Bytes, Fault> {
    let wrong = |e: json::JsonError| Fault::new(FaultKind::BadRequest, e.to_string());
    let [name, options] = json::fields(&call.body, ["model", "stream_options"]).map_err(wrong)?;
    let json =
        serde_json::to_string(model).map_err(|e| Fault::new(FaultKind::Internal, e.to_string()))?;
    let mut changes = vec![match name {
        Some(old) => Change::Replace { old, json },
        None => Change::Insert {
            name: "model",
            json,
        },
    }];
    if call.stream && call.operation == Operation::Chat && !call.show_usage {
        changes.push(asks_usage(options));
    }
    Ok(json::apply(&call.body, &changes))
}

fn asks_usage(options: Option<&RawValue>) -> Change<'_> {
    let asked = || "{\"include_usage\":true}".to_owned();
    let Some(old) = options else {
        return Change::Insert {
            name: "stream_options",
            json: asked(),
        };
    };
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(old.get()).unwrap_or_default();
    kept.insert("include_usage".to_owned(), true.into());
    Change::Replace {
        old,
        json: serde_json::to_string(&kept).unwrap_or_else(|_| asked()),
    }
}

#[derive(Deserialize, Default)]
struct ErrorEnvelope {
    #[serde(default)]
    error: ErrorObject,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorObject {
    message: Option<String>,
    r#type: Option<String>,
    param: Option<String>,
    code: Option<serde_json::Value>,
}

/// OpenAI's `retry-after-ms` and `retry-after` (seconds), the first one winning as in its SDKs.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| {
        headers
            .get(name)?
            .to_str()
            .ok()?
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|n| *n >= 0.0)
    };
    let wait = number("retry-after-ms")
        .map(|ms| ms / 1_000.0)
        .or_else(|| number(RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(wait)
        .ok()
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// What a refusal means, by status and code (OpenAI, "Error codes", with the codes of 2026).
fn classify(status: u16, headers: &HeaderMap, body: &[u8], route: Route<'_>) -> Refusal {
    let told = serde_json::from_slice::<ErrorEnvelope>(body)
        .unwrap_or_default()
        .error;
    let code = match &told.code {
        Some(serde_json::Value::String(code)) => code.as_str(),
        _ => "",
    };
    let kind_word = told.r#type.as_deref().unwrap_or_default();
    let kind = kind_of(status, kind_word, code);
    let mut fault = Fault::new(
        kind,
        format!("status {status}, type `{kind_word}`, code `{code}`"),
    )
    .with_status(status)
    .with_retry_after(retry_after(headers));
    if kind == FaultKind::QuotaExhausted || kind == FaultKind::InvalidKey {
        fault.retry = Retry::OtherKey;
    }
    let for_tenant = matches!(kind, FaultKind::BadRequest | FaultKind::ContentPolicy);
    let caller = for_tenant.then(|| CallerError {
        message: cleaned(told.message.as_deref().unwrap_or_default(), route),
        param: told.param.clone().filter(|param| param.len() <= 100),
        code: Some(code.to_owned()).filter(|code| !code.is_empty() && code.len() <= 100),
    });
    Refusal { fault, caller }
}

fn kind_of(status: u16, kind: &str, code: &str) -> FaultKind {
    const QUOTA: [&str; 7] = [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_not_active",
        "billing_hard_limit_reached",
    ];
    const POLICY: [&str; 3] = [
        "content_policy_violation",
        "moderation_blocked",
        "content_filter",
    ];
    match (status, code) {
        (_, code) if QUOTA.contains(&code) || kind == "insufficient_quota" => {
            FaultKind::QuotaExhausted
        }
        (_, "invalid_api_key" | "account_deactivated") | (401 | 403, _) => FaultKind::InvalidKey,
        (402, _) => FaultKind::QuotaExhausted,
        (400..=499, code) if POLICY.contains(&code) => FaultKind::ContentPolicy,
        (404, _) | (_, "model_not_found") => FaultKind::NotFound,
        (408 | 504, _) => FaultKind::Timeout,
        (429, _) => FaultKind::RateLimited,
        (400..=499, _) => FaultKind::BadRequest,
        (500..=599, _) => FaultKind::Overloaded,
        _ => FaultKind::InvalidAnswer,
    }
}

/// A provider's words for the tenant: bounded, on one line, without our key or the provider's address.
fn cleaned(message: &str, route: Route<'_>) -> String {
    let host = route
        .base_url
        .split("//")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let mut text: String = message
        .chars()
        .take(MESSAGE_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    for hidden in [route.key.expose().as_str(), route.base_url, host] {
        if !hidden.is_empty() {
            text = text.replace(hidden, "…");
        }
    }
    text
}
