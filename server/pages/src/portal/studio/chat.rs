//! Conversations in the studio, by forms and by the script.

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::Speaker;
use admin_templates::page::{Lang, fault_told};
use admin_templates::portal::{Message, StudioChat};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, unfold};
use poem::http::header;
use poem::web::Query;
use poem::{Body, Response, handler};
use serde_json::{Value, json};
use server_calls::{Answer, Receipt, TenantStream};
use shared::credits::Credits;
use shared::id::GenerationId;
use shared::link::Operation;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Member;
use super::super::notices;
use super::super::rows::{Asked, field};
use super::super::studio_request::settings::{self, SETTINGS, TypedSettings};
use super::super::studio_request::{ChatForm, ChatTurn, Role, StudioRequest};
use super::{Studio, charge_text, charged, misused, refusal, refused, unreadable};

/// A conversation as its page shows it.
#[derive(Debug, Default)]
struct Shown {
    model: String,
    said: Vec<ChatTurn>,
    /// What the last answer cost.
    pub(super) charged: Option<Credits>,
    form: Form,
    settings: TypedSettings,
}

async fn show_chat(who: &Member, studio: &Studio, shown: Shown) -> Result<StudioChat, PageError> {
    let models = studio.picker(who).models(Operation::Chat);
    let known = models.iter().any(|model| model.id == shown.model);
    let first = models.first().map_or("", |model| model.id.as_str());
    let model = if known { shown.model.as_str() } else { first };
    let mut form = shown.form;
    form.values.insert("model".to_owned(), model.to_owned());
    let mut next = shown.said.clone();
    next.push(ChatTurn::words(Role::User, ""));
    let asked = StudioRequest::Chat(ChatForm {
        model: model.to_owned(),
        messages: next,
        settings: shown.settings,
    });
    let estimate = studio.most(who, &asked);
    let history = serde_json::to_string(&shown.said).map_err(|_| PageError::Internal)?;
    let last = shown.said.len().checked_sub(1);
    let message = |(place, said): (usize, ChatTurn)| Message {
        speaker: match said.role {
            Role::User => Speaker::User,
            Role::Assistant => Speaker::Assistant,
        },
        text: said.content,
        credits: shown.charged.filter(|_| Some(place) == last),
    };
    Ok(StudioChat {
        notices: notices::notes(who, &studio.catalogue).await?,
        models,
        form,
        messages: shown.said.into_iter().enumerate().map(message).collect(),
        history,
        available: studio.available(who).await?,
        budget: studio.budget(who).await?,
        person: who.user.id.to_string(),
        estimate,
    })
}

/// `GET /portal/studio/chat`
#[handler]
pub(in super::super) async fn chat_page(
    who: Member,
    studio: Studio,
    Query(asked): Query<Asked>,
) -> PageResult {
    let shown = Shown {
        model: field(&asked, "model").to_owned(),
        ..Shown::default()
    };
    who.show(&show_chat(&who, &studio, shown).await?).await
}

/// `POST /portal/studio/chat`: a form is answered with the page, the script with events.
#[handler]
pub(in super::super) async fn send_chat(
    who: Member,
    posted: FormData,
    studio: Studio,
) -> PageResult {
    match studio.asked::<ChatForm>() {
        None => chat_by_form(&who, &posted, &studio).await,
        Some(Ok(chat)) => Ok(chat_by_script(&who, &studio, &chat).await),
        Some(Err(_)) => Ok(unreadable(&who).await),
    }
}

/// The text of an answer that came whole.
fn answer_text(bytes: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let content = answer["choices"][0]["message"]["content"].as_str();
    content.unwrap_or_default().to_owned()
}

/// The message and the settings, filled in again.
fn again(posted: &FormData) -> Form {
    let names: Vec<&str> = SETTINGS.into_iter().chain(["message"]).collect();
    posted.again(&names)
}

async fn chat_by_form(who: &Member, posted: &FormData, studio: &Studio) -> PageResult {
    let message = posted.text("message");
    let history = posted.optional("history").unwrap_or("[]");
    // What can't be read was not written by our page.
    let mut said: Vec<ChatTurn> =
        serde_json::from_str(history).map_err(|_| PageError::FormExpired)?;
    let mut shown = Shown {
        model: posted.text("model").to_owned(),
        // What is set stays set from page to page.
        form: posted.again(&SETTINGS),
        settings: settings::typed(posted),
        ..Shown::default()
    };
    if message.is_empty() {
        shown.said = said;
        shown.form = shown.form.wrong("message", FieldError::Required);
        return who.show_again(&show_chat(who, studio, shown).await?).await;
    }
    said.push(ChatTurn::words(Role::User, message));
    let chat = ChatForm {
        model: shown.model.clone(),
        messages: said,
        settings: shown.settings.clone(),
    };
    let body = match chat.body(&studio.catalogue, false) {
        Ok(body) => body,
        Err((name, error)) => {
            shown.said = chat.messages;
            shown.said.pop();
            shown.form = again(posted).wrong(name, error);
            return who.show_again(&show_chat(who, studio, shown).await?).await;
        }
    };
    match studio.start(who, Operation::Chat, body).await {
        Ok((started, receipt)) => {
            let content = match started.body {
                Answer::Whole(bytes) => answer_text(&bytes),
                // A call that does not ask for a stream gets none.
                Answer::Stream(_) => return Err(PageError::Internal),
            };
            shown.charged = charged(receipt).await;
            shown.said = chat.messages;
            shown.said.push(ChatTurn::words(Role::Assistant, content));
            who.show(&show_chat(who, studio, shown).await?).await
        }
        Err(error) => {
            shown.said = chat.messages;
            shown.said.pop();
            shown.form = again(posted);
            shown.form.error = Some(refusal(who, &error, &shown.model));
            who.show_again(&show_chat(who, studio, shown).await?).await
        }
    }
}

/// A stream that tells at its end what was charged. Dropping it cancels the call, as everywhere.
struct Telling {
    stream: Option<Box<TenantStream>>,
    receipt: Receipt,
    call: GenerationId,
    model: String,
    lang: Lang,
}

impl Telling {
    async fn last(self) -> Bytes {
        let settled = self.receipt.settled().await;
        let credits = settled.as_ref().map(|call| call.charged);
        let told = json!({"credits": charge_text(credits), "call": self.call});
        let fault = settled.and_then(|call| call.fault);
        let failed = fault.map_or_else(String::new, |word| {
            let message = fault_told(self.lang, &word, &self.model);
            format!("event: failed\ndata: {}\n\n", json!({"message": message}))
        });
        Bytes::from(format!("{failed}event: charged\ndata: {told}\n\n"))
    }

    fn events(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        unfold(Some(self), async |telling| {
            let mut telling = telling?;
            if let Some(stream) = &mut telling.stream {
                if let Some(bytes) = stream.next().await {
                    return Some((Ok(bytes), Some(telling)));
                }
                telling.stream = None;
            }
            Some((Ok(telling.last().await), None))
        })
    }
}

async fn chat_by_script(who: &Member, studio: &Studio, chat: &ChatForm) -> Response {
    let body = match chat.body(&studio.catalogue, true) {
        Ok(body) => body,
        Err(problem) => return misused(who, &problem).await,
    };
    let started = studio.start(who, Operation::Chat, body).await;
    let (started, receipt) = match started {
        Ok(started) => started,
        Err(error) => return refused(who, studio, (error, &chat.model)).await,
    };
    let mut telling = Telling {
        stream: None,
        receipt,
        call: started.generation,
        model: chat.model.clone(),
        lang: who.lang(),
    };
    let body = match started.body {
        Answer::Stream(stream) => {
            telling.stream = Some(stream);
            Body::from_bytes_stream(telling.events())
        }
        Answer::Whole(bytes) => {
            let delta = json!({"content": answer_text(&bytes)});
            let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
            let told = telling.last().await;
            let told = String::from_utf8_lossy(&told);
            Body::from_string(format!("data: {chunk}\n\n{told}"))
        }
    };
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        // Tells nginx not to gather events (nginx, `proxy_buffering`).
        .header("x-accel-buffering", "no")
        .body(body)
}
