//! What pages answer with: themselves, an error, or another address with a word to say there.

use admin_templates::account::{ErrorInside, ErrorPage};
use admin_templates::labels::{Label, PersonRole};
use admin_templates::page::{Notice, OpenedBy, Person as Shown};
use admin_templates::views::View;
use http::header::{LOCATION, SET_COOKIE};
use poem::Response;
use poem::error::ResponseError;
use poem::http::StatusCode;
use serde_json::json;
use server_edge::compressed::Compressible;
use server_rooms::auth::Role;
use server_rooms::auth::roles::AdminRole;
use server_rooms::browser_sessions::{BrowserSession, NewSession, Person};

use super::super::cookie::Jar;
use super::super::error::{PageError, PageResult};
use super::{NOTICES, PageContext};

impl PageContext {
    /// Answers with a page.
    pub async fn show<V: View>(&self, view: &V) -> PageResult {
        self.show_as(StatusCode::OK, view).await
    }

    /// Answers with a page in which nothing stands that the request chose, not even its query: such a page
    /// may be sent compressed, since nobody can make its length tell what else is in it.
    pub(in super::super) async fn show_unreflected<V: View>(&self, view: &V) -> PageResult {
        let here = self.path.split('?').next().unwrap_or_default().to_owned();
        let plain = Self {
            path: here,
            ..self.clone()
        };
        let mut response = plain.show(view).await?;
        response.extensions_mut().insert(Compressible);
        Ok(response)
    }

    /// Answers with a form that could not be taken, its errors beside its fields.
    pub async fn show_again<V: View>(&self, view: &V) -> PageResult {
        self.show_as(StatusCode::UNPROCESSABLE_ENTITY, view).await
    }

    /// Answers with a page and another status.
    pub async fn show_as<V: View>(&self, status: StatusCode, view: &V) -> PageResult {
        let html = view.render(&self.page().await).map_err(|error| {
            tracing::error!(%error, "a page could not be written: {error}");
            PageError::Internal
        })?;
        Ok(Response::builder()
            .status(status)
            .content_type("text/html; charset=utf-8")
            .body(html))
    }

    /// The page of an error.
    pub(in super::super) async fn show_error(&self, error: &PageError) -> Response {
        if self.by_script {
            return self.tell_script(error);
        }
        if let PageError::GoTo(path) = error {
            return see_other(path);
        }
        let view = ErrorPage {
            status: error.status().as_u16(),
            kind: error.kind(),
            request_id: self.request_id.clone(),
            retry_after_s: error.retry_after(),
        };
        let is_in = self.browser().is_some_and(BrowserSession::is_in);
        let shown = if is_in {
            let inside = ErrorInside { error: view };
            self.show_as(error.status(), &inside).await
        } else {
            self.show_as(error.status(), &view).await
        };
        let mut response = shown.unwrap_or_else(|_| {
            Response::builder()
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .finish()
        });
        if let Some(seconds) = error.retry_after() {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }

    /// The error as our script reads it. It follows no redirect to a login: 401 says that the
    /// person is to go somewhere first, and `location` where.
    fn tell_script(&self, error: &PageError) -> Response {
        let elsewhere = if let PageError::GoTo(path) = error {
            http::HeaderValue::try_from(path).ok()
        } else {
            None
        };
        let status = if elsewhere.is_some() {
            StatusCode::UNAUTHORIZED
        } else {
            error.status()
        };
        let message = error.kind().text(self.lang);
        let body = json!({"error": {"message": message, "request": self.request_id}});
        let mut response = Response::builder()
            .status(status)
            .content_type("application/json")
            .body(body.to_string());
        if let Some(path) = elsewhere {
            response.headers_mut().insert(LOCATION, path);
        }
        response
    }

    /// Goes to another page after a form (POST, redirect, GET).
    pub fn go(&self, path: &str) -> PageResult {
        Ok(see_other(path))
    }

    /// Goes to another page, which then says what was done.
    pub fn go_saying(&self, path: &str, good: bool, notice: &Notice) -> PageResult {
        let mut response = see_other(path);
        let known = NOTICES.iter().find(|(_, known)| known == notice);
        if let Some((code, _)) = known {
            let good = if good { "good" } else { "bad" };
            let secure = self.services.secure();
            let cookie = Jar::Flash.set(&format!("{good}.{code}"), None, secure);
            add_cookie(&mut response, &cookie);
        }
        Ok(response)
    }

    /// Goes on after a form was taken: [`PageContext::go_saying`] with good news.
    pub fn done(&self, path: &str, notice: &Notice) -> PageResult {
        self.go_saying(path, true, notice)
    }

    /// Hands the browser the cookie of a session that just began, and the context of its person.
    pub(in super::super) async fn enter(&self, begun: NewSession) -> (Self, String) {
        let NewSession {
            cookie, browser, ..
        } = begun;
        let life = browser.session.expires_at.since(self.now());
        let jar = Jar::Session(self.area);
        let cookie = jar.set(cookie.expose(), Some(life), self.services.secure());
        (self.clone().of(browser).await, cookie)
    }

    /// Takes the session's cookie away.
    pub(in super::super) fn leave(&self, response: &mut Response) {
        let cookie = Jar::Session(self.area).clear(self.services.secure());
        add_cookie(response, &cookie);
    }
}

/// 303 to a path of ours.
pub(in super::super) fn see_other(path: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(LOCATION, path)
        .finish()
}

/// Adds a `Set-Cookie`.
pub(in super::super) fn add_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = http::HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Who looks at a portal as its person, for the line that says so.
pub(super) fn opened_by(browser: &BrowserSession) -> Option<OpenedBy> {
    let opener = browser.opener.as_ref()?;
    Some(OpenedBy {
        superadmin: opener.admin.username.clone(),
        until: opener.until(),
    })
}

pub(super) fn shown(person: &Person) -> Shown {
    match person {
        Person::Superadmin(admin) => Shown {
            name: admin.username.clone(),
            role: match admin.role {
                AdminRole::Owner => PersonRole::Owner,
                AdminRole::Operator => PersonRole::Operator,
                AdminRole::Finance => PersonRole::Finance,
                AdminRole::ReadOnly => PersonRole::ReadOnly,
            },
            tenant: None,
        },
        Person::User(user, tenant) => Shown {
            name: user.username.clone(),
            role: match user.role {
                Role::Owner => PersonRole::TenantOwner,
                Role::Admin => PersonRole::TenantAdmin,
                Role::Member => PersonRole::Member,
            },
            tenant: Some(tenant.name.clone()),
        },
    }
}
