//! A person's own security: password, second factor, recovery codes, browsers that are signed in.

pub(super) mod factor;

use admin_templates::account::{Security, SessionRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use server_rooms::auth::factors::FactorError;
use server_rooms::browser_sessions::{BrowserError, BrowserSession, BrowserSessions, WebSession};
use server_rooms::sessions::{Session, SessionError};
use shared::clock::Moment;

use super::device::device;
use super::error::{PageError, PageResult, parsed};
use super::form::{FormData, field_error};
use super::page_context::answers::{add_cookie, see_other};
use super::session::SignedIn;

/// The forms of the page, of which at most one was sent.
#[derive(Debug, Default)]
struct Forms {
    password: Form,
    totp_off: Form,
    recovery: Form,
}

fn row(session: WebSession, browser: &BrowserSession) -> SessionRow {
    SessionRow {
        current: session.id == browser.session.id,
        id: session.id.into_string(),
        device: device(&session.agent),
        address: session.address,
        created_at: session.created_at,
        seen_at: session.seen_at,
    }
}

/// A login over the API among the browsers; nobody notes when it is used.
fn login_row(login: Session) -> SessionRow {
    let begun = Moment::from_unix_ms(login.created_at);
    SessionRow {
        current: false,
        id: login.id,
        device: "API".to_owned(),
        address: login.address.unwrap_or_default(),
        created_at: begun,
        seen_at: begun,
    }
}

async fn view(
    who: &SignedIn,
    browsers: &BrowserSessions,
    forms: Forms,
) -> Result<Security, PageError> {
    let own = browsers.security(&who.browser.person).await?;
    let sessions = browsers.sessions(&who.browser.person).await?;
    let logins = browsers.api_logins(&who.browser.person).await?;
    Ok(Security {
        second_factor: own.second_factor,
        recovery_left: own.recovery_left,
        password: forms.password,
        totp_off: forms.totp_off,
        recovery: forms.recovery,
        sessions: sessions
            .into_iter()
            .map(|session| row(session, &who.browser))
            .chain(logins.into_iter().map(login_row))
            .collect(),
    })
}

/// Answers with the page again, a wrong password beside its field.
async fn again(who: &SignedIn, browsers: &BrowserSessions, forms: Forms) -> PageResult {
    let view = view(who, browsers, forms).await?;
    who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view).await
}

fn wrong(field: &str) -> Form {
    Form::default().wrong(field, FieldError::Wrong)
}

/// The field that a refusal is about; anything else has a page of its own.
fn wrong_field(error: &BrowserError) -> Option<&'static str> {
    match error {
        BrowserError::Login(SessionError::Invalid) => Some("password"),
        BrowserError::Factor(FactorError::Wrong) => Some("code"),
        BrowserError::Login(_)
        | BrowserError::Factor(_)
        | BrowserError::Account(_)
        | BrowserError::SamePassword
        | BrowserError::OtherStep
        | BrowserError::Store(_) => None,
    }
}

/// `GET {root}/security`
#[handler]
pub(super) async fn security_page(who: SignedIn, browsers: Data<&BrowserSessions>) -> PageResult {
    let view = view(&who, &browsers, Forms::default()).await?;
    who.show(&view).await
}

/// `POST {root}/security/password`
#[handler]
pub(super) async fn change_password(
    who: SignedIn,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let forms = |field, error| Forms {
        password: Form::default().wrong(field, error),
        ..Forms::default()
    };
    let password = match posted.new_password() {
        Ok(password) => password,
        Err((field, error)) => return again(&who, &browsers, forms(field, error)).await,
    };
    let current = posted.secret("current");
    let changed = browsers
        .change_password(&who.browser, &current, password, who.client())
        .await;
    match changed {
        Ok(begun) => {
            let (context, cookie) = who.enter(begun).await;
            let mut response = context.done(&context.at("/security"), &Notice::Saved)?;
            add_cookie(&mut response, &cookie);
            Ok(response)
        }
        Err(BrowserError::Login(SessionError::Invalid)) => {
            again(&who, &browsers, forms("current", FieldError::Wrong)).await
        }
        Err(BrowserError::Account(error)) => {
            let (field, error) = field_error(error)?;
            again(&who, &browsers, forms(field, error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST {root}/security/sessions/{id}/end`
#[handler]
pub(super) async fn end_session(
    who: SignedIn,
    Path(id): Path<String>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let id = parsed(&id)?;
    let address = who.client().address;
    if !browsers.end(&who.browser, &id, address).await? {
        return Err(PageError::NotFound);
    }
    if id == who.browser.session.id {
        let mut response = see_other(&who.at("/login"));
        who.leave(&mut response);
        return Ok(response);
    }
    who.done(&who.at("/security"), &Notice::SessionEnded)
}

/// `POST {root}/security/sessions/end-others`
#[handler]
pub(super) async fn end_others(who: SignedIn, browsers: Data<&BrowserSessions>) -> PageResult {
    browsers
        .end_others(&who.browser, who.client().address)
        .await?;
    who.done(&who.at("/security"), &Notice::SessionEnded)
}
