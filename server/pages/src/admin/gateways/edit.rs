//! Adding, changing, switching and deleting a gateway, and what is wrong with what was typed.

use admin_templates::admin::gateways::{GatewayChange, GatewayList, GatewaySecret};
use admin_templates::form::FieldError;
use admin_templates::labels::Measure;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::gateways::{GatewayError, GatewayPatch, Gateways, KeptGateway};
use shared::link::{GatewayPlace, LinkCounts};
use shared::secret::Secret;

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::page_context::PageContext;
use super::super::super::session::{Admin, Confirmed};
use super::super::form_errors::{FormErrors, again};
use super::super::length;
use super::{PATH, view};

/// As the API bounds them.
const URL_BYTES_MAX: usize = 500;

const NAME_BYTES_MAX: usize = 40;

type Editor = Admin<kind::EditGateways>;

type Founder = Confirmed<Admin<kind::AddGateways>>;

/// A row of the chart of repairs.
pub(super) type Repair = (Measure, fn(&LinkCounts) -> u64);

async fn show_wrong(
    who: &PageContext,
    gateways: &Gateways,
    fill: impl FnOnce(&mut GatewayList),
) -> PageResult {
    let mut view = view(gateways, who.now()).await?;
    fill(&mut view);
    who.show_again(&view).await
}

fn refused(error: GatewayError) -> Result<FieldProblem, PageError> {
    match error {
        GatewayError::NotFound => Err(PageError::NotFound),
        GatewayError::Taken => Ok(("url", FieldError::Taken)),
        GatewayError::Invalid(why) => Ok(("url", FieldError::Words(why))),
        GatewayError::Secret(why) => Ok(("secret", FieldError::Words(why.to_owned()))),
        GatewayError::Store(error) => Err(error.into()),
    }
}

pub(super) fn url(posted: &FormData) -> Result<String, FieldProblem> {
    let url = posted.text("url").trim_end_matches('/');
    let web = url.starts_with("https://") || url.starts_with("http://");
    if url.is_empty() {
        Err(("url", FieldError::Required))
    } else if url.len() > URL_BYTES_MAX {
        Err(("url", FieldError::TooLong(length(URL_BYTES_MAX))))
    } else if !web || !url.bytes().all(|b| b.is_ascii_graphic()) {
        Err(("url", FieldError::NotAnAddress))
    } else {
        Ok(url.to_owned())
    }
}

pub(super) fn name(posted: &FormData, field: &'static str) -> Result<String, FieldProblem> {
    let name = posted.text(field);
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.len() > NAME_BYTES_MAX {
        Err((field, FieldError::TooLong(length(NAME_BYTES_MAX))))
    } else if name.bytes().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err((field, FieldError::Letters))
    }
}

fn priority(posted: &FormData) -> Result<u8, FieldProblem> {
    let text = posted.optional("priority").unwrap_or("0");
    let number: u64 = text
        .parse()
        .map_err(|_| ("priority", FieldError::NotANumber))?;
    let range = ("priority", FieldError::OutOfRange(0, u8::MAX.into()));
    u8::try_from(number).map_err(|_| range)
}

/// Name, region and priority.
fn manner(posted: &FormData, errors: &mut FormErrors) -> Option<(String, String, u8)> {
    let name = errors.take(self::name(posted, "name"));
    let region = errors.take(self::name(posted, "region"));
    let priority = errors.take(priority(posted));
    Some((name?, region?, priority?))
}

/// The page that shows a secret.
fn once((kept, secret): (KeptGateway, Secret<String>)) -> GatewaySecret {
    GatewaySecret {
        name: kept.place.url,
        fingerprint: kept.fingerprint.unwrap_or_default(),
        secret,
    }
}

/// `POST /admin/gateways/{id}/secret`
#[handler]
pub(in super::super) async fn rotate_secret(
    who: Founder,
    Path(id): Path<String>,
    posted: FormData,
    gateways: Data<&Gateways>,
) -> PageResult {
    let id = parsed(&id)?;
    let secret = Some(posted.secret("secret")).filter(|secret| !secret.expose().is_empty());
    let actor = who.actor();
    let rotated = gateways.rotate_secret(&actor, &id, secret);
    match rotated.await {
        Ok(made) => who.show(&once(made)).await,
        Err(error) => {
            let (_, error) = refused(error)?;
            show_wrong(&who, &gateways, |view| view.add.error = Some(error)).await
        }
    }
}

/// `POST /admin/gateways`
#[handler]
pub(in super::super) async fn add(
    who: Founder,
    posted: FormData,
    gateways: Data<&Gateways>,
) -> PageResult {
    let mut errors = FormErrors::default();
    let (url, manner) = (errors.take(url(&posted)), manner(&posted, &mut errors));
    let wrong = match errors.unless(url.zip(manner)) {
        Ok((url, (name, region, priority))) => {
            let place = GatewayPlace {
                url,
                name,
                region,
                priority,
                secret: Some(posted.secret("secret")).filter(|secret| !secret.expose().is_empty()),
            };
            match gateways.add(&who.actor(), place).await {
                Ok(made) => return who.show(&once(made)).await,
                Err(error) => vec![refused(error)?],
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &["url", "name", "region", "priority"], wrong);
    show_wrong(&who, &gateways, |view| view.add = form).await
}

/// `POST /admin/gateways/{id}/edit`
#[handler]
pub(in super::super) async fn edit(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    gateways: Data<&Gateways>,
) -> PageResult {
    let gateway = parsed(&id)?;
    let mut errors = FormErrors::default();
    let manner = manner(&posted, &mut errors);
    let wrong = match errors.unless(manner) {
        Ok((name, region, priority)) => {
            let patch = GatewayPatch {
                name: Some(name),
                region: Some(region),
                priority: Some(priority),
                is_active: None,
            };
            match gateways.change(&who.actor(), &gateway, patch).await {
                Ok(_) => return who.done(PATH, &Notice::Saved),
                Err(error) => vec![refused(error)?],
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &["name", "region", "priority"], wrong);
    let change = GatewayChange { id, form };
    show_wrong(&who, &gateways, |view| view.changing = Some(change)).await
}

async fn switch(who: &Editor, gateways: &Gateways, id: &str, on: bool) -> PageResult {
    let id = parsed(id)?;
    let patch = GatewayPatch {
        is_active: Some(on),
        ..GatewayPatch::default()
    };
    match gateways.change(&who.actor(), &id, patch).await {
        Ok(_) if on => who.done(PATH, &Notice::Enabled),
        Ok(_) => who.done(PATH, &Notice::Disabled),
        Err(error) => {
            let (_, error) = refused(error)?;
            show_wrong(who, gateways, |view| view.add.error = Some(error)).await
        }
    }
}

/// `POST /admin/gateways/{id}/enable`
#[handler]
pub(in super::super) async fn enable(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    switch(&who, &gateways, &id, true).await
}

/// `POST /admin/gateways/{id}/disable`
#[handler]
pub(in super::super) async fn disable(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    switch(&who, &gateways, &id, false).await
}

/// `POST /admin/gateways/{id}/delete`
#[handler]
pub(in super::super) async fn delete(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    let id = parsed(&id)?;
    match gateways.remove(&who.actor(), &id).await {
        Ok(()) => who.done(PATH, &Notice::Deleted),
        Err(error) => {
            refused(error)?;
            who.go_saying(PATH, false, &Notice::Stale)
        }
    }
}
