//! Images in the studio, by forms and by the script.

use std::collections::HashMap;

use admin_templates::form::{FieldError, Form};
use admin_templates::portal::{Picture, StudioImage};
use bytes::Bytes;
use poem::handler;
use poem::http::StatusCode;
use poem::web::Query;
use serde_json::{Value, json};
use server_calls::{Answer, CallError};
use shared::credits::Credits;
use shared::id::GenerationId;
use shared::link::Operation;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Member;
use super::super::rows::{Asked, field};
use super::super::studio_request::{ImageForm, StudioRequest};
use super::{Studio, charge_text, charged, json_answer, refusal, refused, unreadable};

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
        notices: super::super::notices::notes(who, &studio.catalogue).await?,
        estimate: studio.most(who, &asked),
        models,
        sizes,
        qualities,
        form,
        pictures,
        available: studio.available(who).await?,
        budget: studio.budget(who).await?,
    })
}

/// `GET /portal/studio/images`
#[handler]
pub(in super::super) async fn image_page(
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
    pub(super) data: Vec<Value>,
    pub(super) charged: Option<Credits>,
    pub(super) call: GenerationId,
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
pub(in super::super) async fn send_image(
    who: Member,
    posted: FormData,
    studio: Studio,
) -> PageResult {
    match studio.asked::<ImageForm>() {
        None => images_by_form(&who, &posted, &studio).await,
        Some(Ok(wanted)) => Ok(match make(&who, &studio, &wanted).await {
            Ok(made) => {
                let credits = charge_text(made.charged);
                let body = json!({"data": made.data, "credits": credits, "call": made.call});
                json_answer(StatusCode::OK, &body)
            }
            Err(error) => refused(&who, &studio, (error, &wanted.model)).await,
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
            form.error = Some(refusal(who, &error, &wanted.model));
            let view = show_images(who, studio, form, Vec::new()).await?;
            who.show_again(&view).await
        }
    }
}
