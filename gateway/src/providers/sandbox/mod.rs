//! The provider that needs no account: deterministic answers, painted pictures, and delays and failures on
//! request. Makes the first run, the tests and `wk_test_` keys work as the real thing does.
//!
//! A token is four bytes of text, rounded up. The request's text may hold marks: `[delay:250]`
//! milliseconds before the first byte, `[pace:20]` between chunks, `[tokens:50]` to answer,
//! `[fail:429]` an error of that status, `[cut:10]` breaks the stream after that many chunks. Requests with
//! marks, `stop`, `logprobs` or several choices get one sentence over and over, whose tokens are known;
//! others an answer for people.
//! Of tools it calls those that the last message names, else the first, and answers in words when
//! a tool's result came back; formats get a value that fits their schema.

mod answer;
mod canvas;
mod chat;
mod complete;
mod draw;
mod embed;
mod marks;
mod moderate;
mod paint;
mod png;
mod rank;
mod samples;
mod saying;
mod scene;
mod schema;
mod script;
mod things;

use std::borrow::Cow;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::dialect::openai_chat::OPENAI_CHAT;
use shared::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
use shared::dialect::rerank::JINA_RERANK;
use shared::dialect::{Dialect, Forward, Quirks};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::link::{Call, CallerError, KeyTest, KeyVerdict, Operation};

use super::files::Fetched;
use super::spoken::says_all;
use super::{Answer, Patience, Provider, Refusal, Route, Spoken};

const BYTES_PER_TOKEN: usize = 4;
/// The same moment in every answer, so that answers are the same: 2026-01-01.
const CREATED: i64 = 1_767_225_600;

pub(super) struct Sandbox;

fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// The text of a message's content, whether a text or parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

fn refusal(message: impl Into<String>, param: Option<&str>) -> Refusal {
    let message = message.into();
    Refusal {
        fault: Fault::new(FaultKind::BadRequest, message.clone()).with_status(400),
        caller: Some(CallerError {
            message,
            param: param.map(str::to_owned),
            code: None,
        }),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|e| {
        refusal(
            format!("The request does not have the expected form: {e}"),
            None,
        )
    })
}

/// The same id for the same request.
fn id_of(kind: &str, body: &[u8]) -> String {
    let digest = hex::encode(&Sha256::digest(body)[..12]);
    format!("{kind}-sandbox-{digest}")
}

/// Chats with whoever asks in whatever dialect: translated as for any other provider.
async fn chat_in_any(call: &Call, model: &str) -> Result<Answer, Refusal> {
    if call.surface.dialect.name() == OPENAI_CHAT.name() {
        return chat::chat(call, model).await;
    }
    let to = Forward {
        model,
        asks_usage: call.stream,
        quirks: Quirks::default(),
        // Nobody is told of anybody here.
        end_user: None,
    };
    let spoken = Spoken::of((call, &Fetched::default()), &OPENAI_CHAT, to)?;
    says_all(call, &spoken.dropped)?;
    let said = Call {
        body: spoken.body.clone(),
        show_usage: true,
        ..call.clone()
    };
    Ok(chat::chat(&said, model).await?.in_dialect(spoken))
}

/// The same of embeddings.
async fn embeddings_in_any(call: &Call, model: &str) -> Result<Answer, Refusal> {
    if call.surface.dialect.name() == OPENAI_EMBEDDINGS.name() {
        return embed::embed(call, model).await;
    }
    let to = Forward {
        model,
        asks_usage: false,
        quirks: Quirks::default(),
        end_user: None,
    };
    let spoken = Spoken::of((call, &Fetched::default()), &OPENAI_EMBEDDINGS, to)?;
    let said = Call {
        body: spoken.body.clone(),
        ..call.clone()
    };
    Ok(embed::embed(&said, model).await?.in_dialect(spoken))
}

/// The same of rankings, which nobody asks for in the form that it speaks itself.
async fn rankings_in_any(call: &Call, model: &str) -> Result<Answer, Refusal> {
    let to = Forward {
        model,
        asks_usage: false,
        quirks: Quirks::default(),
        end_user: None,
    };
    let spoken = Spoken::of((call, &Fetched::default()), &JINA_RERANK, to)?;
    says_all(call, &spoken.dropped)?;
    let answer = rank::rank(&spoken.body, model).await?;
    Ok(answer.in_dialect(spoken))
}

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("sandbox"),
    label: Cow::Borrowed("Sandbox"),
    address: AddressRule::Absent,
    secret: SecretRule {
        is_needed: false,
        chars_max: 512,
        is_json: false,
    },
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, "openai_chat"),
        Speaks::new(Operation::Embedding, "openai_embeddings"),
        Speaks::new(Operation::Image, "openai_images"),
        Speaks::new(Operation::Completion, "openai_completions"),
        Speaks::new(Operation::Moderation, "openai_moderations"),
        Speaks::new(Operation::Rerank, "jina_rerank"),
    ]),
    media: false,
};

#[async_trait]
impl Provider for Sandbox {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn fails_on_request(&self) -> bool {
        true
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        _patience: Patience,
    ) -> Result<Answer, Refusal> {
        match call.surface.operation {
            Operation::Chat => chat_in_any(call, route.model).await,
            Operation::Embedding => embeddings_in_any(call, route.model).await,
            Operation::Image => draw::draw(call).await,
            Operation::Completion => complete::complete(call, route.model).await,
            Operation::Moderation => moderate::moderate(call, route.model).await,
            Operation::Rerank => rankings_in_any(call, route.model).await,
        }
    }

    async fn test(&self, _route: Route<'_>) -> KeyTest {
        KeyTest {
            ok: true,
            verdict: KeyVerdict::Accepted,
            status: 200,
            latency_ms: 0,
            detail: "the sandbox accepts every key".to_owned(),
            usage: None,
        }
    }
}
