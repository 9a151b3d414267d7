//! Images in the studio, by forms and by the script. Where they are kept, a call that has begun goes on to its
//! end whoever leaves, so that what is paid for is found again.

use std::collections::HashMap;

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use admin_templates::portal::{Picture, StudioImage};
use bytes::Bytes;
use poem::handler;
use poem::http::StatusCode;
use poem::web::Query;
use serde_json::{Value, json};
use server_calls::{Answer, CallError};
use server_rooms::studio::{NewPicture, NotKept, StudioPrompt};
use shared::credits::Credits;
use shared::id::GenerationId;
use shared::link::Operation;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Member;
use super::super::rows::{Asked, field};
use super::super::studio_request::{ImageForm, StudioRequest};
use super::{Studio, charge_text, charged, json_answer, memory, refusal, refused, unreadable};

/// Where the page is.
const PATH: &str = "/portal/studio/images";
/// Kept pictures of one page.
const PICTURES: usize = 24;

/// What the page shows beside its form.
#[derive(Debug, Default)]
struct ShownImages {
    /// Just made, where they are not kept.
    made: Vec<Picture>,
    /// Behind which kept one the page begins.
    after: Option<String>,
    /// Why what was made is not kept.
    not_kept: String,
}

async fn show_images(
    who: &Member,
    studio: &Studio,
    mut form: Form,
    shown: ShownImages,
) -> Result<StudioImage, PageError> {
    let picker = studio.picker(who);
    let models = picker.models(Operation::Image);
    let (sizes, qualities) = picker.sizes_and_qualities();
    let first = |words: &[String]| words.first().cloned().unwrap_or_default();
    let wished = form.values.get("model").cloned().unwrap_or_default();
    let wished = (wished.as_str(), models.as_slice());
    let model = studio.model(who, Operation::Image, wished).await;
    let usual = HashMap::from([
        ("model", model),
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
    let whose = memory::person(who);
    let keeps = studio.memory.days(&who.tenant.id).await?.is_some();
    let after = shown.after.as_deref();
    let kept = studio.memory.pictures(&whose, after, PICTURES).await?;
    let mut pictures = shown.made;
    pictures.extend(kept.rows.into_iter().map(memory::picture));
    Ok(StudioImage {
        keeps,
        older: kept.next,
        not_kept: shown.not_kept,
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
    let again = field(&asked, "again");
    let form = if again.is_empty() {
        Form::of([("model", field(&asked, "model"))])
    } else {
        let found = studio.memory.picture(&memory::person(&who), again).await?;
        let found = found.ok_or(PageError::NotFound)?;
        Form::of([
            ("model", found.model.as_str()),
            ("prompt", found.prompt.prompt.as_str()),
            ("size", found.prompt.size.as_str()),
            ("quality", found.prompt.quality.as_str()),
        ])
    };
    let after = Some(field(&asked, "after")).filter(|after| !after.is_empty());
    let shown = ShownImages {
        after: after.map(str::to_owned),
        ..ShownImages::default()
    };
    let view = show_images(&who, &studio, form, shown).await?;
    who.show(&view).await
}

/// Images of an answer, and what they cost together.
struct Made {
    pub(super) data: Vec<Value>,
    pub(super) charged: Option<Credits>,
    pub(super) call: GenerationId,
    /// The ids under which they are kept, in the order of the images.
    kept: Vec<Option<String>>,
    /// Why one of them is not.
    not_kept: Option<NotKept>,
}

impl Made {
    /// What one of them cost.
    fn each(&self) -> Option<Credits> {
        let images = i64::try_from(self.data.len()).ok()?;
        let all = self.charged?;
        Some(all.scaled_up(1, images).unwrap_or(all))
    }
}

/// Makes images and keeps them, to the end whoever leaves; without keeping, whoever leaves cancels.
async fn make_and_keep(
    who: &Member,
    studio: &Studio,
    wanted: &ImageForm,
) -> Result<Made, CallError> {
    studio.used(who, Operation::Image, &wanted.model);
    let days = studio.memory.days(&who.tenant.id).await;
    if !matches!(days, Ok(Some(_))) {
        return make(who, studio, wanted).await;
    }
    let (who, studio, wanted) = (who.clone(), studio.clone(), wanted.clone());
    let memory = studio.memory.clone();
    let work = async move {
        let mut made = make(&who, &studio, &wanted).await?;
        keep(&who, &studio, &wanted, &mut made).await;
        Ok::<_, CallError>(made)
    };
    memory
        .finish(work)
        .await
        .unwrap_or(Err(CallError::Stopping))
}

async fn keep(who: &Member, studio: &Studio, wanted: &ImageForm, made: &mut Made) {
    let each = made.each();
    for image in &made.data {
        let new = NewPicture {
            model: wanted.model.clone(),
            call: made.call.clone(),
            prompt: StudioPrompt {
                prompt: wanted.prompt.clone(),
                size: wanted.size.clone().unwrap_or_default(),
                quality: wanted.quality.clone().unwrap_or_default(),
            },
            base64: image["b64_json"].as_str().map(str::to_owned),
            charged: each,
        };
        let kept = studio.memory.keep_picture(&memory::person(who), new).await;
        if let Err(why) = kept {
            made.not_kept = Some(why);
        }
        made.kept.push(kept.ok().flatten());
    }
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
        kept: Vec::new(),
        not_kept: None,
    })
}

/// `POST /portal/studio/images/{id}/delete`
#[handler]
pub(in super::super) async fn delete_image(
    who: Member,
    poem::web::Path(id): poem::web::Path<String>,
    studio: Studio,
) -> PageResult {
    let whose = memory::person(&who);
    if studio.memory.forget_picture(&whose, &id).await? {
        who.done(PATH, &Notice::Deleted)
    } else {
        Err(PageError::NotFound)
    }
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
        Some(Ok(wanted)) => Ok(match make_and_keep(&who, &studio, &wanted).await {
            Ok(made) => {
                let credits = charge_text(made.charged);
                let mut body = json!({"data": made.data, "credits": credits, "call": made.call});
                body["kept"] = json!(made.kept);
                if let Some(why) = made.not_kept {
                    body["unkept"] = json!(memory::not_kept_words(who.lang(), why));
                }
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
        let form = form.wrong(name, error);
        let view = show_images(who, studio, form, ShownImages::default()).await?;
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
    match make_and_keep(who, studio, &wanted).await {
        Ok(made) => show_made(who, studio, (form, &wanted), &made).await,
        Err(error) => {
            let mut form = form;
            form.error = Some(refusal(who, &error, &wanted.model));
            let view = show_images(who, studio, form, ShownImages::default()).await?;
            who.show_again(&view).await
        }
    }
}

/// The page after images were made: where all of them are kept another one, so that loading it again makes none.
async fn show_made(
    who: &Member,
    studio: &Studio,
    (form, wanted): (Form, &ImageForm),
    made: &Made,
) -> PageResult {
    let is_kept = |place: usize| made.kept.get(place).is_some_and(Option::is_some);
    let last = made.kept.last().and_then(Option::as_ref);
    if let Some(last) = last.filter(|_| (0..made.data.len()).all(is_kept)) {
        return who.go(&format!("{PATH}?again={last}"));
    }
    let each = made.each().unwrap_or_default();
    let picture = |image: &Value| Picture {
        source: source(image),
        is_file: false,
        prompt: wanted.prompt.clone(),
        model: wanted.model.clone(),
        size: wanted.size.clone().unwrap_or_default(),
        credits: each,
        at: who.now(),
        call: made.call.to_string(),
        id: String::new(),
    };
    let images = made.data.iter().enumerate();
    let unkept = images.filter(|(place, _)| !is_kept(*place));
    let why = made
        .not_kept
        .map(|why| memory::not_kept_words(who.lang(), why));
    let shown = ShownImages {
        made: unkept.map(|(_, image)| picture(image)).collect(),
        after: None,
        not_kept: why.unwrap_or_default().to_owned(),
    };
    who.show(&show_images(who, studio, form, shown).await?)
        .await
}
