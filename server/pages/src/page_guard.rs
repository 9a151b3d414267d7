//! The door all pages stand behind: finds the session, refuses forms that are not this person's,
//! turns failures into pages, and puts the security headers on every answer. Knows no page.

use std::time::Duration;

use admin_templates::assets::CONTENT_SECURITY_POLICY;
use admin_templates::page::Area;
use poem::http::{HeaderMap, HeaderValue, Method, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use server_edge::doors::body::{self, BodyError, Bounds};
use server_edge::doors::text;

use super::admin::{FILE_FORMS, price_import};
use super::cookie::Jar;
use super::error::PageError;
use super::form::FormData;
use super::opened;
use super::page_context::answers::add_cookie;
use super::page_context::{CSRF_HEADER, PageContext};
use super::page_services::PageServices;

/// No form of ours is larger.
const FORM_BYTES_MAX: usize = 256 * 1024;
/// Nor one of somebody who is not in.
const LOGIN_BYTES_MAX: usize = 16 * 1024;
/// A conversation with pictures, which a script of ours makes small (the studio's own bounds: 16 of at most
/// 600 KB, and 32,000 letters of instructions beside what was said).
const STUDIO_BYTES_MAX: usize = 12 * 1024 * 1024;
/// Where such conversations go.
const STUDIO_FORMS: &str = "/portal/studio/";
/// A form is sent at once.
const FORM_READ_MAX: Duration = Duration::from_secs(30);
/// A file of megabytes takes its time over a slow line.
const FILE_READ_MAX: Duration = Duration::from_secs(120);
/// The token's field in a form.
const CSRF_FIELD: &str = "csrf";

/// On every answer.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    // For browsers without `frame-ancestors`.
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    // Pages hold what only their reader may see.
    ("cache-control", "no-store"),
];
/// A year (RFC 6797); sent over https alone.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// The pages behind their door.
#[derive(Debug)]
pub(super) struct PageGuard<E> {
    inner: E,
    services: PageServices,
}

impl<E> PageGuard<E> {
    /// Before `inner`.
    pub(super) fn new(inner: E, services: PageServices) -> Self {
        Self { inner, services }
    }

    /// The context with its session, if the browser has one.
    async fn in_session(
        &self,
        context: &PageContext,
        request: &Request,
    ) -> Result<PageContext, PageError> {
        if context.area() == Area::Portal
            && let Some(cookie) = Jar::Opened.read(request.headers(), self.services.secure())
            && let Some(browser) = self.services.browsers().opened_portal(cookie).await?
        {
            return Ok(context.clone().of(browser).await);
        }
        let jar = Jar::Session(context.area());
        let Some(cookie) = jar.read(request.headers(), self.services.secure()) else {
            return Ok(context.clone());
        };
        let browser = self.services.browsers().find(cookie).await?;
        let browser = browser
            .filter(|browser| browser.session.kind == super::session::kind_of(context.area()));
        Ok(match browser {
            Some(browser) => context.clone().of(browser).await,
            None => context.clone(),
        })
    }

    /// Reads a form and refuses one that is not this person's.
    async fn admitted(
        &self,
        context: &PageContext,
        request: &mut Request,
    ) -> Result<(), PageError> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(());
        }
        if !self.services.is_own(request) {
            return Err(PageError::FormExpired);
        }
        let is_in = context.browser().is_some();
        let files = Some(content_type(request.headers())).filter(|kind| {
            // Nobody who is not in sends a file.
            is_in
                && FILE_FORMS.contains(&request.uri().path())
                && is_of(kind, "multipart/form-data")
        });
        let files = files.map(str::to_owned);
        let sent = if files.is_some() {
            Sent::File
        } else if request.uri().path().starts_with(STUDIO_FORMS)
            && is_of(content_type(request.headers()), "application/json")
        {
            Sent::Conversation
        } else {
            Sent::Form
        };
        let body = body::read(request, bounds(is_in, sent)).await?;
        let posted = if let Some(kind) = &files {
            FormData::parse_multipart(kind, body.clone()).ok_or(PageError::OddText)?
        } else if is_form(request.headers()) {
            if !text::form_is_plain(&body) {
                return Err(PageError::OddText);
            }
            FormData::parse(&body).ok_or(PageError::FormExpired)?
        } else {
            FormData::default()
        };
        let header = request.headers().get(CSRF_HEADER);
        let shown = header.and_then(|value| value.to_str().ok());
        if !self.fits(context, shown.unwrap_or(posted.text(CSRF_FIELD))) {
            return Err(PageError::FormExpired);
        }
        request.set_body(body);
        request.extensions_mut().insert(posted);
        Ok(())
    }

    fn fits(&self, context: &PageContext, token: &str) -> bool {
        if let Some(browser) = context.browser() {
            return browser.session.csrf.matches(token);
        }
        let nonce = context.nonce();
        !nonce.fresh && self.services.form_key().fits(&nonce.value, token)
    }

    /// The page, or the page of its error.
    async fn answer(&self, context: &PageContext, request: &mut Request) -> Response
    where
        E: Endpoint,
    {
        // Before anything is read: whoever looks as somebody else gets to what is listed and no further.
        let looks = context.browser().is_some_and(|one| one.opener.is_some());
        if looks && !opened::may_ask(request.method(), request.uri().path()) {
            return context.show_error(&PageError::LookingOnly).await;
        }
        if let Err(error) = self.admitted(context, request).await {
            return context.show_error(&error).await;
        }
        request.extensions_mut().insert(context.clone());
        match self.inner.call(std::mem::take(request)).await {
            Ok(answer) => answer.into_response(),
            Err(error) => context.show_error(&PageError::from_poem(&error)).await,
        }
    }

    /// Cookies and headers of an answer.
    fn finish(&self, context: &PageContext, response: &mut Response) {
        let secure = self.services.secure();
        let is_page = !response.status().is_redirection();
        if context.browser().is_none() && context.nonce().fresh && is_page {
            let cookie = Jar::Nonce.set(&context.nonce().value, None, secure);
            add_cookie(response, &cookie);
        }
        if context.has_flash() && is_page {
            add_cookie(response, &Jar::Flash.clear(secure));
        }
        let headers = response.headers_mut();
        let is_private = headers
            .get(header::CACHE_CONTROL)
            .is_some_and(|value| value.as_bytes().starts_with(b"private"));
        for (name, value) in HEADERS {
            // A file of its reader's alone may say that their browser keeps it.
            if !(is_private && *name == header::CACHE_CONTROL) {
                headers.insert(*name, HeaderValue::from_static(value));
            }
        }
        if secure {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
    }
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::TooLarge,
            BodyError::Slow | BodyError::Unreadable => Self::FormExpired,
            BodyError::Busy => Self::Unavailable,
        }
    }
}

/// What a browser sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Form,
    File,
    Conversation,
}

/// How large and how long a form may be.
fn bounds(is_in: bool, sent: Sent) -> Bounds {
    let (bytes, time) = match (is_in, sent) {
        (false, _) => (LOGIN_BYTES_MAX, FORM_READ_MAX),
        (true, Sent::Form) => (FORM_BYTES_MAX, FORM_READ_MAX),
        (true, Sent::File) => (price_import::BYTES_MAX, FILE_READ_MAX),
        (true, Sent::Conversation) => (STUDIO_BYTES_MAX, FILE_READ_MAX),
    };
    Bounds { bytes, time }
}

fn content_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn is_of(content_type: &str, wanted: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(wanted)
}

fn is_form(headers: &HeaderMap) -> bool {
    is_of(content_type(headers), "application/x-www-form-urlencoded")
}

impl<E: Endpoint> Endpoint for PageGuard<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let bare = PageContext::new(&self.services, &request);
        let in_session = if text::uri_is_plain(request.uri()) {
            self.in_session(&bare, &request).await
        } else {
            Err(PageError::OddText)
        };
        let (context, mut response) = match in_session {
            Ok(context) => {
                let answer = self.answer(&context, &mut request).await;
                (context, answer)
            }
            Err(error) => (bare.clone(), bare.show_error(&error).await),
        };
        self.finish(&context, &mut response);
        Ok(response)
    }
}
