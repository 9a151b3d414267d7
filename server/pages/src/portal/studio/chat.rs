//! Conversations in the studio, by forms and by the script. Each message is kept before its call is made, and
//! its answer however it ends; `memory` and `recording` do that beside what passes here.

use std::pin::Pin;

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::Speaker;
use admin_templates::page::{Lang, fault_told};
use admin_templates::portal::{Message, StudioChat};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, unfold};
use poem::http::{StatusCode, header};
use poem::web::Query;
use poem::{Body, Response, handler};
use serde_json::{Value, json};
use server_calls::{Answer, Receipt, SettledCall, TenantStream};
use server_rooms::studio::{ChatOpening, NotKept, StudioMemory};
use shared::credits::Credits;
use shared::id::{GenerationId, random_text};
use shared::link::Operation;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Member;
use super::super::notices;
use super::super::rows::{Asked, field};
use super::super::studio_request::settings::{self, SETTINGS, TypedSettings};
use super::super::studio_request::{ChatForm, ChatTurn, KeptTurn, Role, StudioRequest};
use super::recording::Recording;
use super::{Studio, charge_text, charged, memory, misused, refusal, refused, unreadable};

/// Letters that name a window.
const WINDOW_CHARS: usize = 16;

/// A conversation as its page shows it.
#[derive(Debug, Default)]
struct Shown {
    model: String,
    said: Vec<ChatTurn>,
    /// What the last answer cost.
    pub(super) charged: Option<Credits>,
    form: Form,
    settings: TypedSettings,
    /// The conversation that is kept, with what was said in it.
    kept: Option<server_rooms::studio::Chat>,
    /// Why the last turn is not kept.
    not_kept: String,
}

/// What was said where nothing of it is kept.
fn unkept(shown: &Shown) -> Vec<Message> {
    let last = shown.said.len().checked_sub(1);
    let message = |(place, said): (usize, &ChatTurn)| Message {
        speaker: match said.role {
            Role::User => Speaker::User,
            Role::Assistant => Speaker::Assistant,
        },
        text: said.content.clone(),
        images: said.images.clone(),
        credits: shown.charged.filter(|_| Some(place) == last),
        ..Message::said(Speaker::User, String::new())
    };
    shown.said.iter().enumerate().map(message).collect()
}

async fn show_chat(who: &Member, studio: &Studio, shown: Shown) -> Result<StudioChat, PageError> {
    let models = studio.picker(who).models(Operation::Chat);
    let kept = shown.kept.as_ref();
    let wished = match (shown.model.as_str(), kept) {
        ("", Some(chat)) => chat.head.model.as_str(),
        (wished, _) => wished,
    };
    let model = studio.model(who, Operation::Chat, (wished, &models)).await;
    let mut form = shown.form.clone();
    form.values.insert("model".to_owned(), model.clone());
    let so_far = |chat| memory::so_far(chat, studio.reader(&model));
    let mut next = kept.map_or_else(|| shown.said.clone(), so_far);
    next.push(ChatTurn::words(Role::User, ""));
    let asked = StudioRequest::Chat(ChatForm {
        model,
        messages: next,
        settings: shown.settings.clone(),
        kept: None,
    });
    let estimate = studio.most(who, &asked);
    let (messages, history) = match kept {
        Some(chat) => memory::told(who.lang(), chat),
        None => (unkept(&shown), json!(shown.said)),
    };
    let keeps = studio.memory.days(&who.tenant.id).await?.is_some();
    Ok(StudioChat {
        notices: notices::notes(who, &studio.catalogue).await?,
        models,
        form,
        messages,
        history: history.to_string(),
        available: studio.available(who).await?,
        budget: studio.budget(who).await?,
        person: who.user.id.to_string(),
        estimate,
        keeps,
        chat: kept.map_or_else(String::new, |chat| chat.head.id.clone()),
        title: kept.map_or_else(String::new, |chat| chat.head.title.clone()),
        seen: kept.map_or(0, |chat| u64::from(chat.turns)),
        window: random_text(WINDOW_CHARS),
        not_kept: shown.not_kept,
    })
}

/// `GET /portal/studio/chat`, with `chat` a conversation that is kept.
#[handler]
pub(in super::super) async fn chat_page(
    who: Member,
    studio: Studio,
    Query(asked): Query<Asked>,
) -> PageResult {
    let id = field(&asked, "chat");
    let kept = if id.is_empty() {
        None
    } else {
        Some(memory::chat(&who, &studio, id).await?)
    };
    // What was set for the last message is set for the next one.
    let settings = kept.as_ref().map(memory::settings).unwrap_or_default();
    let shown = Shown {
        model: field(&asked, "model").to_owned(),
        form: settings::shown(&settings),
        settings,
        kept,
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
        Some(Ok(chat)) => chat_by_script(&who, &studio, &chat).await,
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

/// What was said before, as the form has it or as it is kept, and where the message goes.
async fn before(
    who: &Member,
    posted: &FormData,
    studio: &Studio,
) -> Result<(Shown, KeptTurn), PageError> {
    let mut shown = Shown {
        model: posted.text("model").to_owned(),
        // What is set stays set from page to page.
        form: posted.again(&SETTINGS),
        settings: settings::typed(posted),
        ..Shown::default()
    };
    let window = posted.optional("window").map(str::to_owned);
    let mut turn = KeptTurn {
        nonce: window.map(|window| format!("{window}.form")),
        ..KeptTurn::default()
    };
    if let Some(id) = posted.optional("conversation") {
        let chat = memory::chat(who, studio, id).await?;
        turn.conversation = Some(id.to_owned());
        let seen = posted.text("seen").parse();
        turn.seen = seen.map_err(|_| PageError::FormExpired)?;
        shown.said = memory::so_far(&chat, studio.reader(&shown.model));
        shown.kept = Some(chat);
    } else {
        let history = posted.optional("history").unwrap_or("[]");
        // What can't be read was not written by our page.
        shown.said = serde_json::from_str(history).map_err(|_| PageError::FormExpired)?;
    }
    Ok((shown, turn))
}

async fn chat_by_form(who: &Member, posted: &FormData, studio: &Studio) -> PageResult {
    let (mut shown, turn) = before(who, posted, studio).await?;
    let message = posted.text("message");
    if message.is_empty() {
        shown.form = shown.form.wrong("message", FieldError::Required);
        return who.show_again(&show_chat(who, studio, shown).await?).await;
    }
    let mut messages = shown.said.clone();
    messages.push(ChatTurn::words(Role::User, message));
    let chat = ChatForm {
        model: shown.model.clone(),
        messages,
        settings: shown.settings.clone(),
        kept: Some(turn),
    };
    let body = match chat.body(&studio.catalogue, false) {
        Ok(body) => body,
        Err((name, error)) => {
            shown.form = again(posted).wrong(name, error);
            return who.show_again(&show_chat(who, studio, shown).await?).await;
        }
    };
    let opening = match memory::open(who, studio, &chat).await {
        Ok(opening) => opening,
        Err(why) => {
            let words = memory::refused_words(who.lang(), why).to_owned();
            shown.form = again(posted);
            shown.form.error = Some(FieldError::Words(words));
            return who.show_again(&show_chat(who, studio, shown).await?).await;
        }
    };
    studio.used(who, Operation::Chat, &chat.model);
    match studio.start(who, Operation::Chat, body).await {
        Ok((started, receipt)) => {
            let bytes = match started.body {
                Answer::Whole(bytes) => bytes,
                // A call that does not ask for a stream gets none.
                Answer::Stream(_) => return Err(PageError::Internal),
            };
            answered_form(
                who,
                studio,
                (shown, chat),
                (opening, started.generation, receipt),
                &bytes,
            )
            .await
        }
        Err(error) => {
            if let ChatOpening::Awaited(awaited) = opening {
                awaited.undo().await;
            }
            shown.form = again(posted);
            shown.form.error = Some(refusal(who, &error, &shown.model));
            who.show_again(&show_chat(who, studio, shown).await?).await
        }
    }
}

/// The page after an answer: the conversation's own where it is kept, so that loading it again sends nothing.
async fn answered_form(
    who: &Member,
    studio: &Studio,
    (mut shown, chat): (Shown, ChatForm),
    (opening, call, receipt): (ChatOpening, GenerationId, Receipt),
    bytes: &[u8],
) -> PageResult {
    match opening {
        ChatOpening::Awaited(mut awaited) => {
            awaited.called(&call);
            let page = format!("/portal/studio/chat?chat={}", awaited.chat());
            let mut recording = Recording::new(awaited);
            recording.whole(bytes);
            let settled = receipt.settled().await;
            if recording.end(settled.as_ref()).await {
                return who.go(&page);
            }
            shown.charged = settled.map(|call| call.charged);
            memory::not_kept_words(who.lang(), NotKept::Unwritten).clone_into(&mut shown.not_kept);
        }
        ChatOpening::Not(why) => {
            shown.charged = charged(receipt).await;
            memory::not_kept_words(who.lang(), why).clone_into(&mut shown.not_kept);
        }
        ChatOpening::Off => shown.charged = charged(receipt).await,
    }
    shown.kept = None;
    shown.said = chat.messages;
    shown
        .said
        .push(ChatTurn::words(Role::Assistant, answer_text(bytes)));
    who.show(&show_chat(who, studio, shown).await?).await
}

/// A stream that tells at its end what was charged and whether it is kept. Dropping it cancels the call, as
/// everywhere; what was said until then is kept.
struct Telling {
    stream: Option<Box<TenantStream>>,
    /// Said before the stream.
    first: Option<Bytes>,
    recording: Option<Recording>,
    receipt: Option<Receipt>,
    memory: StudioMemory,
    call: GenerationId,
    model: String,
    lang: Lang,
}

/// What is said at the end, one after the other.
type LastWords = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl Telling {
    fn charged(&self, settled: Option<&SettledCall>) -> Bytes {
        let credits = settled.map(|call| call.charged);
        let told = json!({"credits": charge_text(credits), "call": self.call});
        let fault = settled.and_then(|call| call.fault.as_ref());
        let failed = fault.map_or_else(String::new, |word| {
            let message = fault_told(self.lang, word, &self.model);
            format!("event: failed\ndata: {}\n\n", json!({"message": message}))
        });
        Bytes::from(format!("{failed}event: charged\ndata: {told}\n\n"))
    }

    /// Settles, tells and keeps, whoever still listens.
    fn last(mut self) -> LastWords {
        let (tell, told) = tokio::sync::mpsc::channel(2);
        let memory = self.memory.clone();
        let work = async move {
            let settled = match self.receipt.take() {
                Some(receipt) => receipt.settled().await,
                None => None,
            };
            // Nobody has to listen.
            let _ = tell.send(self.charged(settled.as_ref())).await;
            let Some(recording) = self.recording.take() else {
                return;
            };
            if !recording.end(settled.as_ref()).await {
                let words = memory::not_kept_words(self.lang, NotKept::Unwritten);
                let _ = tell.send(unkept_event(words)).await;
            }
        };
        memory.go_on(work);
        let told = unfold(told, async |mut told| {
            let bytes = told.recv().await?;
            Some((bytes, told))
        });
        Box::pin(told)
    }

    fn events(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        enum Step {
            Stream(Box<Telling>),
            Last(LastWords),
        }
        unfold(Step::Stream(Box::new(self)), async |step| {
            let mut last = match step {
                Step::Stream(mut telling) => {
                    if let Some(first) = telling.first.take() {
                        return Some((Ok(first), Step::Stream(telling)));
                    }
                    if let Some(stream) = &mut telling.stream {
                        if let Some(bytes) = stream.next().await {
                            if let Some(recording) = &mut telling.recording {
                                recording.pass(&bytes);
                            }
                            return Some((Ok(bytes), Step::Stream(telling)));
                        }
                        telling.stream = None;
                    }
                    telling.last()
                }
                Step::Last(last) => last,
            };
            let bytes = last.next().await?;
            Some((Ok(bytes), Step::Last(last)))
        })
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        // Cancels the call, so that its receipt is told.
        self.stream = None;
        if let (Some(recording), Some(receipt)) = (self.recording.take(), self.receipt.take()) {
            recording.awaited.leave(Box::pin(charged(receipt)));
        }
    }
}

/// Says where the turn is kept.
fn kept_event(opening: &ChatOpening, lang: Lang) -> Option<Bytes> {
    match opening {
        ChatOpening::Awaited(awaited) => {
            let (turn, answer) = (awaited.turn(), awaited.answer());
            let told = json!({"conversation": awaited.chat(), "turn": turn, "answer": answer});
            Some(Bytes::from(format!("event: kept\ndata: {told}\n\n")))
        }
        ChatOpening::Not(why) => Some(unkept_event(memory::not_kept_words(lang, *why))),
        ChatOpening::Off => None,
    }
}

/// Says that it is not.
fn unkept_event(words: &str) -> Bytes {
    let told = json!({"message": words});
    Bytes::from(format!("event: unkept\ndata: {told}\n\n"))
}

async fn chat_by_script(who: &Member, studio: &Studio, chat: &ChatForm) -> PageResult {
    let body = match chat.body(&studio.catalogue, true) {
        Ok(body) => body,
        Err(problem) => return Ok(misused(who, &problem).await),
    };
    let opening = match memory::open(who, studio, chat).await {
        Ok(opening) => opening,
        Err(why) => {
            let words = memory::refused_words(who.lang(), why).to_owned();
            let told = FieldError::Words(words);
            return Ok(super::wrong(who, StatusCode::CONFLICT, &told).await);
        }
    };
    studio.used(who, Operation::Chat, &chat.model);
    let started = studio.start(who, Operation::Chat, body).await;
    let (started, receipt) = match started {
        Ok(started) => started,
        Err(error) => {
            if let ChatOpening::Awaited(awaited) = opening {
                awaited.undo().await;
            }
            return Ok(refused(who, studio, (error, &chat.model)).await);
        }
    };
    let first = kept_event(&opening, who.lang());
    let recording = match opening {
        ChatOpening::Awaited(mut awaited) => {
            awaited.called(&started.generation);
            Some(Recording::new(awaited))
        }
        ChatOpening::Not(_) | ChatOpening::Off => None,
    };
    let mut telling = Telling {
        stream: None,
        first,
        recording,
        receipt: Some(receipt),
        memory: studio.memory.clone(),
        call: started.generation,
        model: chat.model.clone(),
        lang: who.lang(),
    };
    match started.body {
        Answer::Stream(stream) => telling.stream = Some(stream),
        Answer::Whole(bytes) => {
            if let Some(recording) = &mut telling.recording {
                recording.whole(&bytes);
            }
            let delta = json!({"content": answer_text(&bytes)});
            let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
            let before = telling.first.take().unwrap_or_default();
            let before = String::from_utf8_lossy(&before).into_owned();
            telling.first = Some(Bytes::from(format!("{before}data: {chunk}\n\n")));
        }
    }
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        // Tells nginx not to gather events (nginx, `proxy_buffering`).
        .header("x-accel-buffering", "no")
        .body(Body::from_bytes_stream(telling.events())))
}
