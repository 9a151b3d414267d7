//! Signing in and out: name and password, second factor, first start, and proving again who one is.

pub(super) mod steps;

use admin_templates::account::SignIn;
use admin_templates::form::{FieldError, Form};
use admin_templates::page::{Area, Notice};
use poem::http::StatusCode;
use poem::web::{Data, Query};
use poem::{Response, handler};
use serde::Deserialize;
use server_rooms::auth::factors::FactorError;
use server_rooms::browser_sessions::{BrowserError, BrowserSessions, FirstStep, NewSession, Stage};
use server_rooms::sessions::SessionError;

use super::error::{PageError, PageResult};
use super::form::FormData;
use super::page_context::answers::{add_cookie, see_other};
use super::page_context::{PageContext, local_path};
use super::session::{step_path, with_next};

/// Longer fields are not read.
const FIELD_BYTES_MAX: usize = 512;

/// What the pages of this file take from a query.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignInQuery {
    next: String,
    recovery: String,
    /// Who is to sign in, where a link says so: what the first start prints for the demo tenant, or an
    /// owner's note to a new member. The password is never part of it.
    tenant: String,
    username: String,
}

impl SignInQuery {
    /// The names that a link fills in; what is longer than a field is left out.
    fn names(&self) -> Form {
        let names = [("tenant", &self.tenant), ("username", &self.username)];
        let fit = |value: &str| !value.is_empty() && value.len() <= FIELD_BYTES_MAX;
        Form::of(
            names
                .into_iter()
                .map(|(name, value)| (name, value.as_str()))
                .filter(|(_, value)| fit(value)),
        )
    }
}

fn next_of<'a>(context: &PageContext, wanted: &'a str) -> &'a str {
    local_path(wanted, context.area(), context.root())
}

/// Hands the cookie over and goes to the next step, or where the person wanted to go.
async fn entered(context: &PageContext, begun: NewSession, next: &str) -> Response {
    let stage = begun.browser.session.stage;
    let device = begun.device.as_ref();
    let device = device.map(|device| context.device_cookie(device));
    let (context, cookie) = context.enter(begun).await;
    let to = match stage {
        Stage::Open => next.to_owned(),
        Stage::SecondFactor => with_next(&step_path(&context, stage), next),
        Stage::NewPassword | Stage::FactorSetup => step_path(&context, stage),
    };
    let mut response = see_other(&to);
    add_cookie(&mut response, &cookie);
    if let Some(device) = device {
        add_cookie(&mut response, &device);
    }
    response
}

/// Whether a refusal is about what was typed; anything else has a page of its own.
fn is_wrong(error: &BrowserError) -> bool {
    matches!(
        error,
        BrowserError::Login(SessionError::Invalid | SessionError::CodeMissing)
            | BrowserError::Factor(FactorError::Wrong)
    )
}

/// `GET {root}/login`
#[handler]
pub(super) async fn login_page(
    context: PageContext,
    query: Query<SignInQuery>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let next = next_of(&context, &query.next);
    if context
        .browser()
        .is_some_and(|browser| browser.session.stage == Stage::Open)
    {
        return context.go(next);
    }
    if context.area() == Area::Admin && browsers.is_first_start().await? {
        return context.go(&context.at("/setup"));
    }
    context
        .show(&SignIn {
            form: query.names(),
            next: next.to_owned(),
        })
        .await
}

/// `POST {root}/login`
#[handler]
pub(super) async fn log_in(
    context: PageContext,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let (tenant, password) = (posted.secret("tenant"), posted.secret("password"));
    let (username, next) = (
        posted.text("username"),
        next_of(&context, posted.text("next")),
    );
    let bytes = [
        tenant.expose().len(),
        password.expose().len(),
        username.len(),
    ];
    let step = FirstStep {
        tenant: (context.area() == Area::Portal).then_some(&tenant),
        username,
        password: &password,
    };
    let begun = if bytes.iter().any(|bytes| *bytes > FIELD_BYTES_MAX) {
        Err(SessionError::Invalid.into())
    } else {
        let before = context.browser().map(|browser| &browser.session);
        browsers.log_in(step, context.client(), before).await
    };
    let (status, wrong, wait) = match begun {
        Ok(begun) => return Ok(entered(&context, begun, next).await),
        Err(error) if is_wrong(&error) => (StatusCode::UNAUTHORIZED, FieldError::SignIn, None),
        Err(error) => {
            let error = PageError::from(error);
            let Some(seconds) = error.retry_after() else {
                return Err(error);
            };
            let wait = FieldError::Wait(seconds);
            (StatusCode::TOO_MANY_REQUESTS, wait, Some(seconds))
        }
    };
    // A key is a secret too: what was typed as the tenant is not filled in again.
    let form = Form {
        error: Some(wrong),
        ..posted.again(&["username"])
    };
    let view = SignIn {
        form,
        next: next.to_owned(),
    };
    let mut response = context.show_as(status, &view).await?;
    if let Some(seconds) = wait {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    Ok(response)
}

/// `POST {root}/logout`; at whatever step.
#[handler]
pub(super) async fn log_out(context: PageContext, browsers: Data<&BrowserSessions>) -> PageResult {
    if let Some(browser) = context.browser() {
        browsers.log_out(browser, context.client().address).await?;
    }
    let mut response = context.done(&context.at("/login"), &Notice::SignedOut)?;
    context.leave(&mut response);
    Ok(response)
}
