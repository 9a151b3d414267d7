//! A connector for a vendor that speaks a format of its own, made by the steps of
//! `docs/adding-a-provider.md`, which quotes this file. Stands in the tests alone.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::link::{Call, CallerError, KeyTest, KeyVerdict, Operation};

use super::{Answer, Patience, Provider, Refusal, Route, http as outbound};

/// The vendor's longest answer is some kilobytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

pub(super) struct Toy;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("toy"),
    label: Cow::Borrowed("Toy"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[Speaks::new(Operation::Chat, "toy")]),
    media: false,
};

#[async_trait]
impl Provider for Toy {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        patience: Patience,
    ) -> Result<Answer, Refusal> {
        let request = question(call, route)?;
        let head = outbound::send(request, patience.first_byte).await?;
        let (status, body) = (head.status, head.body);
        let bytes = outbound::whole(Vec::new(), body, ANSWER_BYTES_MAX, patience.silence).await?;
        if status != StatusCode::OK {
            return Err(refused(status, &bytes));
        }
        let answer = translated(&bytes, route.model)?;
        if !call.stream {
            return Ok(Answer::json(answer));
        }
        let events = call.surface.dialect.as_stream(&answer);
        let events = events.ok_or_else(|| invalid("the answer can't be streamed"))?;
        Ok(Answer::events(Box::pin(futures_util::stream::iter([Ok(
            events,
        )]))))
    }

    async fn test(&self, _: Route<'_>) -> KeyTest {
        KeyTest {
            ok: false,
            verdict: KeyVerdict::Unknown,
            status: 0,
            latency_ms: 0,
            detail: "this vendor has no free question".to_owned(),
            usage: None,
        }
    }
}

fn invalid(what: &str) -> Fault {
    Fault::new(FaultKind::InvalidAnswer, what)
}

/// The tenant's request in the vendor's words. What the vendor can't do is refused by name.
fn question(call: &Call, route: Route<'_>) -> Result<Request<Full<Bytes>>, Refusal> {
    if call.surface.operation != Operation::Chat {
        return Err(Fault::new(FaultKind::NotFound, "this vendor chats, and nothing else").into());
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?;
    let asked = json!({"engine": route.model, "q": body["messages"], "limit": body["max_tokens"]});
    let request = Request::post(format!("{}/ask", route.base_url))
        .header("x-toy-key", route.key.expose())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(asked.to_string())));
    request.map_err(|_| Fault::new(FaultKind::Internal, "the address is not a URL").into())
}

/// The vendor's answer in the words of the surface's dialect.
fn translated(bytes: &[u8], model: &str) -> Result<Bytes, Fault> {
    let told: Value = serde_json::from_slice(bytes).map_err(|_| invalid("no JSON"))?;
    let text = told["a"].as_str().ok_or_else(|| invalid("no answer"))?;
    let (input, output) = (&told["counted"][0], &told["counted"][1]);
    let answer = json!({
        "id": "toy", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output},
    });
    Ok(Bytes::from(answer.to_string()))
}

/// What the vendor's refusals mean: whose they are decides what is tried next, and what rests.
fn refused(status: StatusCode, bytes: &[u8]) -> Refusal {
    let words = String::from_utf8_lossy(bytes).into_owned();
    let kind = match status.as_u16() {
        400 => FaultKind::BadRequest,
        401 => FaultKind::InvalidKey,
        429 => FaultKind::RateLimited,
        _ => FaultKind::Overloaded,
    };
    let fault = Fault::new(kind, words.clone()).with_status(status.as_u16());
    let caller = (kind == FaultKind::BadRequest).then_some(CallerError {
        message: words,
        param: None,
        code: None,
    });
    Refusal { fault, caller }
}

#[cfg(test)]
mod tests;
