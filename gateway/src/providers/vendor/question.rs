//! Questions that operators ask of a vendor while they wait: is a key accepted, does a model answer. They
//! cost nothing or next to nothing.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use shared::dialect::neutral::{
    ChatRequest, EmbeddedText, EmbeddingsRequest, Part, Ranked, RerankRequest, Role, Turn, WriteTo,
};
use shared::dialect::{Dialect, Maximum, Metered, Quirks, Told, told};
use shared::fault::{Fault, FaultKind, Scope};
use shared::link::{KeyTest, KeyVerdict, Operation};
use shared::surface::Surface;

use super::classify::classify;
use super::doors::{self, Asked, Door, Fitted, Worded};
use super::request::request;
use super::{ERROR_BYTES_MAX, error_type};
use crate::providers::words::{Secrets, cleaned};
use crate::providers::{Route, http as outbound};

/// A key is tested while an operator waits.
const TEST_MAX: Duration = Duration::from_secs(15);

/// Whether the key is accepted: the list of models is asked for.
pub(super) async fn test(door: &impl Door, route: Route<'_>) -> KeyTest {
    let path = door.models(route);
    let asked = Asked {
        method: Method::GET,
        path: path.clone(),
        stream: false,
        body: Bytes::new(),
        // Some want to be told its version with every request.
        dialect: doors::dialect(door, Surface::of(Operation::Chat), route),
        content_type: "application/json",
        headers: &[],
    };
    let (mut test, _) = tested(door, route, &asked).await;
    if matches!(test.status, 404 | 405 | 501) {
        test.detail = format!(
            "can't be told here: the provider has no GET {path} ({}); try a small call",
            test.status
        );
    }
    test
}

/// Whether the route's model answers: one token of an answer to the shortest question, one vector, one place.
pub(super) async fn try_model(door: &impl Door, route: Route<'_>) -> KeyTest {
    let quirks = route.quirks();
    let (test, told) = small_call(door, route, quirks).await;
    // Reasoning models know the other field only.
    let wants_other = test.status == 400 && told.message.contains("max_completion_tokens");
    if wants_other && quirks.maximum != Maximum::MaxCompletionTokens {
        let maximum = Maximum::MaxCompletionTokens;
        return small_call(door, route, Quirks { maximum, ..quirks })
            .await
            .0;
    }
    test
}

/// The smallest request that a model can answer, and where it is asked.
struct SmallCall {
    surface: &'static Surface,
    dialect: &'static dyn Dialect,
    body: Bytes,
}

/// By what the model's name says that it does, else by what the vendor does.
fn smallest(door: &impl Door, route: Route<'_>, quirks: Quirks) -> Option<SmallCall> {
    let name = route.model.to_ascii_lowercase();
    let named = match name.as_str() {
        name if name.contains("rerank") => Operation::Rerank,
        name if name.contains("embed") => Operation::Embedding,
        _ => Operation::Chat,
    };
    let all = [
        named,
        Operation::Chat,
        Operation::Embedding,
        Operation::Rerank,
    ];
    let mut all = all.into_iter();
    all.find_map(|operation| smallest_of(operation, door, route, quirks))
}

fn smallest_of(
    operation: Operation,
    door: &impl Door,
    route: Route<'_>,
    quirks: Quirks,
) -> Option<SmallCall> {
    let surface = Surface::of(operation);
    let dialect = doors::dialect(door, surface, route)?;
    let to = WriteTo {
        model: route.model,
        quirks,
        output_max: Some(1),
    };
    let written = match operation {
        Operation::Embedding => {
            let text = EmbeddedText {
                text: "hi".to_owned(),
                ..EmbeddedText::default()
            };
            let request = EmbeddingsRequest {
                texts: vec![text],
                ..EmbeddingsRequest::default()
            };
            dialect.embeddings()?.write_request(&request, to)
        }
        Operation::Rerank => {
            let text = || Ranked::Text("hi".to_owned());
            let request = RerankRequest {
                query: text(),
                documents: vec![text()],
                top: None,
                others: Vec::new(),
            };
            dialect.rankings()?.write_request(&request, to)
        }
        Operation::Chat | Operation::Image | Operation::Completion | Operation::Moderation => {
            let question = ChatRequest {
                turns: vec![Turn {
                    role: Role::User,
                    parts: vec![Part::text("hi")],
                }],
                output_max: Some(1),
                ..ChatRequest::default()
            };
            dialect.translator()?.write_request(&question, to)
        }
    };
    let body = written.ok()?.body;
    Some(SmallCall {
        surface,
        dialect,
        body,
    })
}

async fn small_call(door: &impl Door, route: Route<'_>, quirks: Quirks) -> (KeyTest, Told) {
    let Some(small) = smallest(door, route, quirks) else {
        let detail = "can't be told here: this kind of provider has no small call".to_owned();
        return (unknown(detail), Told::default());
    };
    let (surface, dialect) = (small.surface, small.dialect);
    let worded = Worded {
        dialect,
        model: route.model,
        headers: &[],
        body: &small.body,
    };
    let Ok(Fitted { body, .. }) = door.fitted(worded) else {
        let detail = "can't be told here: this model takes no small call".to_owned();
        return (unknown(detail), Told::default());
    };
    let asked = Asked {
        method: Method::POST,
        path: door.path(surface, dialect, route, false),
        stream: false,
        body,
        dialect: Some(dialect),
        content_type: "application/json",
        headers: &[],
    };
    tested(door, route, &asked).await
}

fn unknown(detail: String) -> KeyTest {
    KeyTest {
        ok: false,
        verdict: KeyVerdict::Unknown,
        status: 0,
        latency_ms: 0,
        detail,
        usage: None,
    }
}

/// Sends what an operator waits for; answers also what was told.
async fn tested(door: &impl Door, route: Route<'_>, asked: &Asked<'_>) -> (KeyTest, Told) {
    let begun = Instant::now();
    let secrets = Secrets::of(route);
    let outcome = sent(door, route, asked, secrets).await;
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let test = |verdict, status, detail| KeyTest {
        ok: verdict == KeyVerdict::Accepted,
        verdict,
        status,
        latency_ms,
        detail,
        usage: None,
    };
    let head = match outcome {
        Ok(head) => head,
        Err((verdict, detail)) => return (test(verdict, 0, detail), Told::default()),
    };
    let status = head.status.as_u16();
    let code = error_type(&head.headers);
    let body = outbound::beginning(head.body, ERROR_BYTES_MAX, TEST_MAX).await;
    // A long list is cut off, and is none of the forms of an error.
    let told = if head.status.is_success() {
        told::error_in(&body)
    } else {
        let mut told = told::refusal(&body);
        told.code = told.code.or(code);
        Some(told)
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
            let words = cleaned(&told.message, secrets);
            let detail = if words.is_empty() {
                format!("the provider answered {status}")
            } else {
                format!("the provider answered {status}: {words}")
            };
            (verdict, detail, told)
        }
    };
    // A question that is free consumes nothing.
    let is_accepted = verdict == KeyVerdict::Accepted;
    let counted = asked
        .dialect
        .filter(|_| is_accepted && asked.method == Method::POST);
    let metered = Metered {
        input_bytes: u64::try_from(asked.body.len()).unwrap_or(u64::MAX),
        ..Metered::default()
    };
    let usage = counted.and_then(|dialect| dialect.usage(metered, &body).ok());
    let test = KeyTest {
        usage,
        ..test(verdict, status, detail)
    };
    (test, told)
}

/// Sends it; `Err` with what is told where no answer came.
pub(super) async fn sent(
    door: &impl Door,
    route: Route<'_>,
    asked: &Asked<'_>,
    secrets: Secrets<'_>,
) -> Result<outbound::Head, (KeyVerdict, String)> {
    // A door says itself what is wrong with a key that it can't make use of.
    let unopened = |fault: Fault| (verdict(&fault), cleaned(&fault.detail, secrets));
    let request = request(door, asked, route).await.map_err(unopened)?;
    let head = outbound::send(request, TEST_MAX).await;
    let head = head.map_err(|fault| (KeyVerdict::Unknown, fault.word().to_owned()))?;
    if head.status == StatusCode::UNAUTHORIZED {
        door.refused(route);
    }
    Ok(head)
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
