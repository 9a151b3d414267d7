//! Requests to a gateway's door and what it answers: heads, small bodies, refusals, outcomes. Chooses
//! no gateway and keeps no state.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use shared::id::BootId;
use shared::link::codec::VERSION;
use shared::link::trail::MadeBy;
use shared::link::{Alive, Call, Failure, LinkError, Outcome, wire};

use super::nodes::Node;
use super::transport::{Body, Lane};

/// How long small questions may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Ten images of 4 MiB in base64 and their envelope.
pub(super) const WHOLE_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Answers to operators and failures are small.
const SMALL_BYTES_MAX: usize = 1024 * 1024;

/// Why one attempt at a node brought no reply.
pub(super) enum Missed {
    /// Surely not started: another node may be asked.
    NotStarted(String),
    /// The same, and the node is there: it has no room.
    Full(String),
    /// Nothing came back; this life may have it.
    Cut { why: String, boot: Option<BootId> },
    /// The answer.
    Told(LinkError),
}

/// No node took a call, and none has it.
pub(super) struct Missing {
    pub(super) why: String,
    /// Whether one that is away now may take it later.
    pub(super) may_come: bool,
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Why the gateway that `made_by` names did not take a call.
pub(super) fn refusal(
    headers: &HeaderMap,
    status: StatusCode,
    bytes: &[u8],
    made_by: MadeBy,
) -> LinkError {
    if headers.contains_key(wire::FAILURE) {
        return match serde_json::from_slice::<Box<Failure>>(bytes) {
            Ok(mut failure) => {
                failure.made_by = Some(Box::new(made_by));
                LinkError::Failed(failure)
            }
            Err(error) => LinkError::Lost(format!("unreadable failure: {error}")),
        };
    }
    if status == StatusCode::GONE {
        return LinkError::Lost("the gateway was restarted or has forgotten it".to_owned());
    }
    not_taken(status)
}

/// An answer that is none of those that were expected. A secret that differs is the commonest mistake of
/// a first start, and is told as that.
pub(super) fn not_taken(status: StatusCode) -> LinkError {
    LinkError::Refused(if status == StatusCode::UNAUTHORIZED {
        "the gateway does not accept this server's INTERNAL_SECRET; both sides need the same one"
            .to_owned()
    } else {
        format!("the gateway answered {}", status.as_u16())
    })
}

pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, LinkError> {
    tokio::time::timeout(limit, work)
        .await
        .map_err(|_| LinkError::Lost("no answer in time".to_owned()))
}

/// A small body, whole.
pub(super) async fn collect(body: Body) -> Result<Bytes, LinkError> {
    let collected = Limited::new(body, SMALL_BYTES_MAX).collect().await;
    let collected = collected.map_err(|error| LinkError::Lost(error.to_string()))?;
    Ok(collected.to_bytes())
}

/// An outcome from its header or trailer, which the gateway that `made_by` names sent.
pub(super) fn outcome(value: &HeaderValue, made_by: MadeBy) -> Result<Box<Outcome>, LinkError> {
    let outcome = serde_json::from_slice::<Box<Outcome>>(value.as_bytes());
    let mut outcome = outcome.map_err(|e| LinkError::Lost(format!("unreadable outcome: {e}")))?;
    outcome.made_by = Some(Box::new(made_by));
    Ok(outcome)
}

/// What a gateway says of itself.
pub(super) async fn alive(response: Response<Body>) -> Result<Alive, LinkError> {
    let (status, bytes) = small(response).await?;
    match serde_json::from_slice(&bytes) {
        Ok(alive) if status.is_success() => Ok(alive),
        _ => Err(not_taken(status)),
    }
}

/// A small answer, whole.
pub(super) async fn small(
    response: Response<Body>,
) -> Result<(http::StatusCode, Bytes), LinkError> {
    let status = response.status();
    let bytes = within(ANSWER_MAX, collect(response.into_body())).await??;
    Ok((status, bytes))
}

/// A request to a node; a path that is no path is a bug of ours.
pub(super) fn request(
    method: Method,
    base: &str,
    prefix: &str,
    path: &str,
    body: Full<Bytes>,
) -> Result<Request<Full<Bytes>>, LinkError> {
    Request::builder()
        .method(method)
        .uri(format!("{base}{prefix}{path}"))
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|e| LinkError::NotSent(e.to_string()))
}

/// Says that the answer may come compressed.
pub(super) fn accept(node: &Node, headers: &mut HeaderMap) {
    if node.encoder.is_some() {
        headers.insert(wire::CODEC, HeaderValue::from(u16::from(VERSION)));
    }
}

/// Which connections a call goes over: pictures and vectors are large, text is not.
pub(super) fn lane(call: &Call) -> Lane {
    if call.surface.operation.writes_text() {
        Lane::Call
    } else {
        Lane::LargeCall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_differs_is_told_as_that() {
        let told = not_taken(StatusCode::UNAUTHORIZED).to_string();
        assert!(told.contains("INTERNAL_SECRET"), "{told}");
        let other = not_taken(StatusCode::BAD_GATEWAY).to_string();
        assert!(
            other.contains("502") && !other.contains("INTERNAL_SECRET"),
            "{other}"
        );
    }
}
