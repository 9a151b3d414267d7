//! The studio: conversations and images, as pages with plain forms, and as the JSON and events that
//! the pages' script asks for. Calls go the same way as those of the API, with the person's own
//! principal: holds, budgets and limits are theirs.

use std::collections::HashMap;

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::Speaker;
use admin_templates::portal::{Message, Picture, StudioChat, StudioImage};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, unfold};
use poem::http::{StatusCode, header};
use poem::web::Query;
use poem::{Body, FromRequest, Request, RequestBody, Response, handler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server_calls::{Answer, CallError, Calls, Receipt, Started, TenantStream};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::Ledger;
use shared::credits::Credits;
use shared::dialect::{Head, body};
use shared::id::{GenerationId, RequestId};
use shared::link::Operation;
use shared::surface::Surface;

use super::super::error::{PageError, PageResult};
use super::super::form::FormData;
use super::super::session::Member;
use super::rows::{Asked, field};
use super::studio_request::{
    ChatForm, ChatTurn, ImageForm, ModelPicker, Role, StudioRequest, refusal,
};
use super::{principal, unread};
use crate::page_services::CallStatus;

/// Shown where a charge is not known in time; the list of calls has it later.
const NOT_YET: &str = "…";

/// The rooms of the studio, and the request they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Studio {
    calls: Calls,
    catalogue: Catalogue,
    ledger: Ledger,
    call_status: CallStatus,
    request: RequestId,
    /// The script's body; a form has none.
    json: Option<Bytes>,
}

impl<'a> FromRequest<'a> for Studio {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let kind = request.content_type().unwrap_or_default();
        let json = if kind.starts_with("application/json") {
            // The guard bounded and read it.
            let bytes = body.take()?.into_bytes().await;
            Some(bytes.map_err(|_| PageError::FormExpired)?)
        } else {
            None
        };
        let (missing, id) = (PageError::Internal, request.data::<RequestId>());
        Ok(Self {
            calls: request.data::<Calls>().ok_or(missing.clone())?.clone(),
            catalogue: request.data::<Catalogue>().ok_or(missing.clone())?.clone(),
            ledger: request.data::<Ledger>().ok_or(missing.clone())?.clone(),
            call_status: *request.data::<CallStatus>().ok_or(missing)?,
            request: id.cloned().unwrap_or_else(RequestId::random),
            json,
        })
    }
}

impl Studio {
    /// What the script asks for.
    fn asked<T: DeserializeOwned>(&self) -> Option<Result<T, serde_json::Error>> {
        self.json.as_ref().map(|json| serde_json::from_slice(json))
    }

    async fn start(
        &self,
        who: &Member,
        operation: Operation,
        body: Bytes,
    ) -> Result<(Started, Receipt), CallError> {
        let call = server_calls::Request {
            principal: principal(who),
            request: self.request.clone(),
            surface: Surface::of(operation),
            head: Head::default(),
            body: body::Body::Json(body),
            max_cost: None,
        };
        self.calls.start(call).await
    }

    async fn available(&self, who: &Member) -> Result<Credits, PageError> {
        let balance = self.ledger.balance(&who.tenant.id).await;
        Ok(balance.map_err(unread)?.available)
    }

    fn picker(&self, who: &Member) -> ModelPicker<'_> {
        ModelPicker {
            catalogue: &self.catalogue,
            multiplier_ppm: who.tenant.price_multiplier_ppm,
            now: who.now(),
            lang: who.lang(),
        }
    }

    fn most(&self, who: &Member, asked: &StudioRequest) -> Option<Credits> {
        let ppm = who.tenant.price_multiplier_ppm;
        let estimate = asked.estimate(&self.catalogue, ppm, who.now()).ok()?;
        Some(estimate.1)
    }
}

/// What a call was charged, once it is settled.
async fn charged(receipt: Receipt) -> Option<Credits> {
    receipt.settled().await.map(|call| call.charged)
}

fn charge_text(charged: Option<Credits>) -> String {
    charged.map_or_else(|| NOT_YET.to_owned(), |credits| credits.to_string())
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(body.to_string())
}

/// What is wrong, as the script reads it, in the reader's language.
async fn wrong(who: &Member, status: StatusCode, error: &FieldError) -> Response {
    let message = error.text(&who.page().await);
    json_answer(status, &json!({"error": {"message": message}}))
}

/// A call that was refused, with the API's status.
async fn refused(who: &Member, studio: &Studio, error: CallError) -> Response {
    let told = refusal(&error);
    let status = (studio.call_status.0)(error);
    wrong(who, status, &told).await
}

/// What only a script that is not ours sends.
async fn unreadable(who: &Member) -> Response {
    let words = FieldError::Words("JSON?".to_owned());
    wrong(who, StatusCode::BAD_REQUEST, &words).await
}

/// `POST /portal/studio/estimate`
#[handler]
pub(super) async fn reckon(who: Member, studio: Studio) -> PageResult {
    let Some(Ok(asked)) = studio.asked::<StudioRequest>() else {
        return Ok(unreadable(&who).await);
    };
    let ppm = who.tenant.price_multiplier_ppm;
    Ok(match asked.estimate(&studio.catalogue, ppm, who.now()) {
        Ok((least, most)) => json_answer(
            StatusCode::OK,
            &json!({"credits_min": least.to_string(), "credits_max": most.to_string()}),
        ),
        Err(error) => wrong(&who, StatusCode::UNPROCESSABLE_ENTITY, &error).await,
    })
}

/// A conversation as its page shows it.
#[derive(Debug, Default)]
struct Shown {
    model: String,
    said: Vec<ChatTurn>,
    /// What the last answer cost.
    charged: Option<Credits>,
    form: Form,
}

async fn show_chat(who: &Member, studio: &Studio, shown: Shown) -> Result<StudioChat, PageError> {
    let models = studio.picker(who).models(Operation::Chat);
    let known = models.iter().any(|model| model.id == shown.model);
    let first = models.first().map_or("", |model| model.id.as_str());
    let model = if known { shown.model.as_str() } else { first };
    let mut form = shown.form;
    form.values.insert("model".to_owned(), model.to_owned());
    let mut next = shown.said.clone();
    next.push(ChatTurn {
        role: Role::User,
        content: String::new(),
    });
    let asked = StudioRequest::Chat(ChatForm {
        model: model.to_owned(),
        messages: next,
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
        models,
        form,
        messages: shown.said.into_iter().enumerate().map(message).collect(),
        history,
        available: studio.available(who).await?,
        estimate,
    })
}

/// `GET /portal/studio/chat`
#[handler]
pub(super) async fn chat_page(
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
pub(super) async fn send_chat(who: Member, posted: FormData, studio: Studio) -> PageResult {
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

async fn chat_by_form(who: &Member, posted: &FormData, studio: &Studio) -> PageResult {
    let message = posted.text("message");
    let history = posted.optional("history").unwrap_or("[]");
    // What can't be read was not written by our page.
    let mut said: Vec<ChatTurn> =
        serde_json::from_str(history).map_err(|_| PageError::FormExpired)?;
    let mut shown = Shown {
        model: posted.text("model").to_owned(),
        ..Shown::default()
    };
    if message.is_empty() {
        shown.said = said;
        shown.form = Form::default().wrong("message", FieldError::Required);
        return who.show_again(&show_chat(who, studio, shown).await?).await;
    }
    said.push(ChatTurn {
        role: Role::User,
        content: message.to_owned(),
    });
    let chat = ChatForm {
        model: shown.model.clone(),
        messages: said,
    };
    match studio.start(who, Operation::Chat, chat.body(false)).await {
        Ok((started, receipt)) => {
            let content = match started.body {
                Answer::Whole(bytes) => answer_text(&bytes),
                // A call that does not ask for a stream gets none.
                Answer::Stream(_) => return Err(PageError::Internal),
            };
            shown.charged = charged(receipt).await;
            shown.said = chat.messages;
            shown.said.push(ChatTurn {
                role: Role::Assistant,
                content,
            });
            who.show(&show_chat(who, studio, shown).await?).await
        }
        Err(error) => {
            shown.said = chat.messages;
            shown.said.pop();
            shown.form = posted.again(&["message"]);
            shown.form.error = Some(refusal(&error));
            who.show_again(&show_chat(who, studio, shown).await?).await
        }
    }
}

/// A stream that tells at its end what was charged. Dropping it cancels the call, as everywhere.
struct Telling {
    stream: Option<Box<TenantStream>>,
    receipt: Receipt,
    call: GenerationId,
}

impl Telling {
    async fn last(self) -> Bytes {
        let credits = charged(self.receipt).await;
        let told = json!({"credits": charge_text(credits), "call": self.call});
        Bytes::from(format!("event: charged\ndata: {told}\n\n"))
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
    let started = studio.start(who, Operation::Chat, chat.body(true)).await;
    let (started, receipt) = match started {
        Ok(started) => started,
        Err(error) => return refused(who, studio, error).await,
    };
    let mut telling = Telling {
        stream: None,
        receipt,
        call: started.generation,
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

async fn show_images(
    who: &Member,
    studio: &Studio,
    mut form: Form,
    pictures: Vec<Picture>,
) -> Result<StudioImage, PageError> {
    let picker = studio.picker(who);
    let models = picker.models(Operation::Image);
    let (sizes, qualities) = picker.sizes_and_qualities();
    let first = |words: &[String]| words.first().cloned().unwrap_or_default();
    let names: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
    let usual = HashMap::from([
        ("model", first(&names)),
        ("size", first(&sizes)),
        ("quality", first(&qualities)),
        ("n", "1".to_owned()),
    ]);
    for (name, value) in usual {
        let now = form.values.entry(name.to_owned()).or_default();
        if now.is_empty() {
            *now = value;
        }
    }
    let value = |name: &str| form.values.get(name).cloned().unwrap_or_default();
    // A word stands for the prompt: what it is does not matter for the price of an image.
    let asked = StudioRequest::Image(ImageForm {
        model: value("model"),
        prompt: "x".to_owned(),
        n: value("n").parse().ok(),
        size: Some(value("size")),
        quality: Some(value("quality")),
    });
    Ok(StudioImage {
        estimate: studio.most(who, &asked),
        models,
        sizes,
        qualities,
        form,
        pictures,
        available: studio.available(who).await?,
    })
}

/// `GET /portal/studio/images`
#[handler]
pub(super) async fn image_page(
    who: Member,
    studio: Studio,
    Query(asked): Query<Asked>,
) -> PageResult {
    let form = Form::of([("model", field(&asked, "model"))]);
    let view = show_images(&who, &studio, form, Vec::new()).await?;
    who.show(&view).await
}

/// Images of an answer, and what they cost together.
struct Made {
    data: Vec<Value>,
    charged: Option<Credits>,
    call: GenerationId,
}

async fn make(who: &Member, studio: &Studio, wanted: &ImageForm) -> Result<Made, CallError> {
    let body = wanted.body(&studio.catalogue);
    let (started, receipt) = studio.start(who, Operation::Image, body).await?;
    let bytes = match started.body {
        Answer::Whole(bytes) => bytes,
        Answer::Stream(_) => Bytes::new(),
    };
    let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let data = match answer["data"].take() {
        Value::Array(data) => data,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    };
    Ok(Made {
        data,
        charged: charged(receipt).await,
        call: started.generation,
    })
}

/// `POST /portal/studio/images`: a form is answered with the page, the script with JSON.
#[handler]
pub(super) async fn send_image(who: Member, posted: FormData, studio: Studio) -> PageResult {
    match studio.asked::<ImageForm>() {
        None => images_by_form(&who, &posted, &studio).await,
        Some(Ok(wanted)) => Ok(match make(&who, &studio, &wanted).await {
            Ok(made) => {
                let credits = charge_text(made.charged);
                let body = json!({"data": made.data, "credits": credits, "call": made.call});
                json_answer(StatusCode::OK, &body)
            }
            Err(error) => refused(&who, &studio, error).await,
        }),
        Some(Err(_)) => Ok(unreadable(&who).await),
    }
}

/// The image in the page itself.
fn source(image: &Value) -> String {
    let bytes = image["b64_json"].as_str();
    let bytes = bytes.map(|bytes| format!("data:image/png;base64,{bytes}"));
    bytes.unwrap_or_default()
}

async fn images_by_form(who: &Member, posted: &FormData, studio: &Studio) -> PageResult {
    let form = posted.again(&["model", "prompt", "size", "quality", "n"]);
    let wrong = if posted.text("prompt").is_empty() {
        Some(("prompt", FieldError::Required))
    } else if posted.text("n").parse::<u64>().is_err() {
        Some(("n", FieldError::NotANumber))
    } else {
        None
    };
    if let Some((name, error)) = wrong {
        let view = show_images(who, studio, form.wrong(name, error), Vec::new()).await?;
        return who.show_again(&view).await;
    }
    let given = |name: &str| posted.optional(name).map(str::to_owned);
    let wanted = ImageForm {
        model: posted.text("model").to_owned(),
        prompt: posted.text("prompt").to_owned(),
        n: posted.text("n").parse().ok(),
        size: given("size"),
        quality: given("quality"),
    };
    match make(who, studio, &wanted).await {
        Ok(made) => {
            let (all, images) = (made.charged.unwrap_or_default(), made.data.len());
            let each = i64::try_from(images).ok();
            let each = each.and_then(|images| all.scaled_up(1, images));
            let picture = |image: &Value| Picture {
                source: source(image),
                prompt: wanted.prompt.clone(),
                model: wanted.model.clone(),
                size: wanted.size.clone().unwrap_or_default(),
                credits: each.unwrap_or(all),
                at: who.now(),
            };
            let pictures = made.data.iter().map(picture).collect();
            let view = show_images(who, studio, form, pictures).await?;
            who.show(&view).await
        }
        Err(error) => {
            let mut form = form;
            form.error = Some(refusal(&error));
            let view = show_images(who, studio, form, Vec::new()).await?;
            who.show_again(&view).await
        }
    }
}
