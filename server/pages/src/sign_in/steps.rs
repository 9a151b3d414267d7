//! The steps after a password: a second factor, setting one up, and saying again who one is.

use admin_templates::account::{ConfirmPassword, FirstStart, SecondFactor};
use admin_templates::form::{FieldError, Form};
use poem::handler;
use poem::http::StatusCode;
use poem::web::{Data, Query};
use server_rooms::browser_sessions::{BrowserError, BrowserSessions, OwnPassword, Stage};
use server_rooms::sessions::SessionError;

use super::super::error::{PageError, PageResult};
use super::super::form::{FormData, field_error};
use super::super::page_context::PageContext;
use super::super::session::SignedIn;
use super::{SignInQuery, entered, is_wrong, next_of};

/// `GET {root}/login/second`
#[handler]
pub(in super::super) async fn second_page(
    context: PageContext,
    query: Query<SignInQuery>,
) -> PageResult {
    let browser = context.browser();
    if browser.is_none_or(|browser| browser.session.stage != Stage::SecondFactor) {
        return context.go(&context.at("/login"));
    }
    context
        .show(&SecondFactor {
            form: Form::default(),
            recovery: query.recovery == "1",
            next: next_of(&context, &query.next).to_owned(),
        })
        .await
}

/// `POST {root}/login/second`
#[handler]
pub(in super::super) async fn second(
    context: PageContext,
    posted: FormData,
    query: Query<SignInQuery>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let Some(browser) = context.browser() else {
        return context.go(&context.at("/login"));
    };
    let next = next_of(&context, posted.text("next"));
    let code = posted.text("code");
    match browsers
        .second_factor(browser, code, context.client())
        .await
    {
        Ok(begun) => Ok(entered(&context, begun, next).await),
        Err(BrowserError::OtherStep) => context.go(&context.at("/login")),
        Err(error) if is_wrong(&error) => {
            let view = SecondFactor {
                form: Form::default().wrong("code", FieldError::Wrong),
                recovery: query.recovery == "1",
                next: next.to_owned(),
            };
            context.show_as(StatusCode::UNAUTHORIZED, &view).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether this browser may choose a first password of its own.
async fn may_choose(context: &PageContext, browsers: &BrowserSessions) -> Result<bool, PageError> {
    let browser = context.browser();
    let asked = browser.is_some_and(|browser| browser.session.stage == Stage::NewPassword);
    Ok(asked || (browser.is_none() && browsers.is_first_start().await?))
}

/// `GET /admin/setup`
#[handler]
pub(in super::super) async fn setup_page(
    context: PageContext,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    if !may_choose(&context, &browsers).await? {
        return context.go(&context.at("/login"));
    }
    let username = context
        .browser()
        .map_or("admin", |browser| browser.person.username());
    let form = Form::of([("username", username)]);
    let first = browsers.is_first_start().await?;
    context.show(&FirstStart { first, form }).await
}

/// `POST /admin/setup`
#[handler]
pub(in super::super) async fn setup(
    context: PageContext,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    if !may_choose(&context, &browsers).await? {
        return context.go(&context.at("/login"));
    }
    let first = browsers.is_first_start().await?;
    let wrong = |field, error| FirstStart {
        first,
        form: posted.again(&["username"]).wrong(field, error),
    };
    let password = match posted.new_password() {
        Ok(password) => password,
        Err((field, error)) => return context.show_again(&wrong(field, error)).await,
    };
    let given = posted.secret("one_time");
    let own = OwnPassword {
        given: &given,
        username: posted.text("username"),
        password: &password,
    };
    match browsers
        .choose_password(context.browser(), own, context.client())
        .await
    {
        Ok(begun) => Ok(entered(&context, begun, context.root()).await),
        Err(BrowserError::OtherStep) => context.go(&context.at("/login")),
        Err(BrowserError::SamePassword) => {
            let view = wrong("password", FieldError::Reused);
            context.show_again(&view).await
        }
        Err(BrowserError::Account(error)) => {
            let (field, error) = field_error(error)?;
            context.show_again(&wrong(field, error)).await
        }
        Err(error) if is_wrong(&error) => {
            let view = wrong("one_time", FieldError::Wrong);
            context.show_as(StatusCode::UNAUTHORIZED, &view).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET {root}/confirm`
#[handler]
pub(in super::super) async fn confirm_page(
    who: SignedIn,
    query: Query<SignInQuery>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let security = browsers.security(&who.browser.person).await?;
    who.show(&ConfirmPassword {
        form: Form::default(),
        second_factor: security.second_factor,
        next: next_of(&who, &query.next).to_owned(),
    })
    .await
}

/// `POST {root}/confirm`
#[handler]
pub(in super::super) async fn confirm(
    who: SignedIn,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let next = next_of(&who, posted.text("next"));
    let password = posted.secret("password");
    let code = posted.optional("code");
    let confirmed = browsers
        .confirm(&who.browser, &password, code, who.client())
        .await;
    match confirmed {
        Ok(()) => who.go(next),
        Err(error) if is_wrong(&error) => {
            let by_password = matches!(error, BrowserError::Login(SessionError::Invalid));
            let field = if by_password { "password" } else { "code" };
            let security = browsers.security(&who.browser.person).await?;
            let view = ConfirmPassword {
                form: Form::default().wrong(field, FieldError::Wrong),
                second_factor: security.second_factor,
                next: next.to_owned(),
            };
            who.show_as(StatusCode::UNAUTHORIZED, &view).await
        }
        Err(error) => Err(error.into()),
    }
}
