//! What every page has besides its content: who looks, language, theme, form token, flash. One
//! function makes the `Page`, one answers with a view, one goes elsewhere. Checks nothing; the guard
//! does.

pub(super) mod answers;

use std::sync::Arc;

use admin_templates::page::{Area, Flash, Lang, Notice, Page, Theme};
use http::header::{ACCEPT_LANGUAGE, HOST, USER_AGENT};
use poem::http::HeaderMap;
use poem::http::uri::Authority;
use poem::{FromRequest, Request, RequestBody};
use server_edge::doors::address::peer;
use server_rooms::browser_sessions::{BrowserSession, Client, Person};
use server_rooms::reports::span::{Span, Window};
use server_rooms::settings::Announcement;
use shared::clock::Moment;
use shared::id::{RequestId, random_text};
use shared::secret::Secret;
use shared::zone::Zone;

use self::answers::{opened_by, shown};
use super::cookie::Jar;
use super::error::PageError;
use super::page_services::PageServices;

/// The token's header, for requests of our script.
pub(super) const CSRF_HEADER: &str = "x-csrf-token";
/// Characters of `[a-z0-9]` that a browser keeps for forms before a login: 165 bits.
const NONCE_CHARS: usize = 32;

/// What a flash may say through a cookie: words of ours only.
const NOTICES: &[(&str, Notice)] = &[
    ("saved", Notice::Saved),
    ("created", Notice::Created),
    ("deleted", Notice::Deleted),
    ("booked", Notice::Booked),
    ("disabled", Notice::Disabled),
    ("enabled", Notice::Enabled),
    ("test-passed", Notice::TestPassed),
    ("session-ended", Notice::SessionEnded),
    ("signed-out", Notice::SignedOut),
    ("form-expired", Notice::FormExpired),
    ("last-owner", Notice::LastOwner),
    ("test-failed", Notice::TestFailed),
    ("not-allowed", Notice::NotAllowed),
    ("unavailable", Notice::Unavailable),
    ("stale", Notice::Stale),
];

/// What the browser keeps for forms before a login.
#[derive(Debug, Clone)]
pub(super) struct Nonce {
    pub(super) value: String,
    /// Whether the browser has yet to be told.
    pub(super) fresh: bool,
}

/// The context of one request's page; cheap to clone.
#[derive(Debug, Clone)]
pub struct PageContext {
    services: PageServices,
    area: Area,
    lang: Lang,
    theme: Theme,
    browser: Option<Arc<BrowserSession>>,
    nonce: Nonce,
    client: Client,
    path: String,
    zone: Zone,
    flash: Option<Flash>,
    request_id: String,
    /// Whether our script asks, which reads JSON, and not the browser for a page.
    by_script: bool,
}

/// Now, and the time zone that a page tells all of its times and days in.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// Now.
    pub now: Moment,
    /// Where days begin.
    pub zone: &'a Zone,
}

impl Here<'_> {
    /// A span that ends now.
    pub fn window(self, span: Span) -> Window {
        span.window(self.now, self.zone)
    }
}

/// The area of a path.
fn area_of(path: &str) -> Area {
    let portal = Area::Portal.root();
    let below = path.strip_prefix(portal);
    if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        Area::Portal
    } else {
        Area::Admin
    }
}

fn flash(code: &str) -> Option<Flash> {
    let (good, code) = code.split_once('.')?;
    let (_, notice) = NOTICES.iter().find(|(known, _)| *known == code)?;
    Some(Flash {
        good: good == "good",
        notice: notice.clone(),
    })
}

/// A path of ours to go to after a form, or `otherwise`. What a browser could read as another host,
/// or what is no page, is not taken.
pub fn local_path<'a>(wanted: &'a str, area: Area, otherwise: &'a str) -> &'a str {
    let below = wanted.strip_prefix(area.root());
    let inside =
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'));
    // `/admin/..//evil.example` is another host's once a browser has tidied it up.
    let plain = wanted
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#');
    let path = wanted.split('?').next().unwrap_or_default();
    let tidy = path
        .split('/')
        .skip(1)
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains("%2"));
    if inside && plain && (tidy || path == area.root()) && !path.starts_with("/admin/api") {
        wanted
    } else {
        otherwise
    }
}

impl PageContext {
    /// As far as the request tells without a session.
    pub(super) fn new(services: &PageServices, request: &Request) -> Self {
        let (headers, secure) = (request.headers(), services.secure());
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let path = request.uri().path();
        let (lang, theme) = preferences(headers, secure);
        let kept = Jar::Nonce.read(headers, secure);
        let kept = kept.filter(|value| {
            value.len() == NONCE_CHARS && value.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        let id = request.extensions().get::<RequestId>();
        Self {
            services: services.clone(),
            area: area_of(path),
            lang,
            theme,
            browser: None,
            nonce: Nonce {
                value: kept.map_or_else(|| random_text(NONCE_CHARS), str::to_owned),
                fresh: kept.is_none(),
            },
            client: Client {
                address: peer(request),
                agent: header(USER_AGENT).unwrap_or_default().to_owned(),
                device: Jar::Device(area_of(path))
                    .read(headers, secure)
                    .map(str::to_owned),
            },
            path: request
                .uri()
                .path_and_query()
                .map_or(path, |both| both.as_str())
                .to_owned(),
            zone: Zone::utc(),
            flash: Jar::Flash.read(headers, secure).and_then(flash),
            request_id: id.map_or_else(String::new, ToString::to_string),
            by_script: headers.contains_key(CSRF_HEADER),
        }
    }

    /// With the person whose session the browser has, in the time zone of their tenant; of the platform for
    /// those who run it.
    pub(super) async fn of(self, browser: BrowserSession) -> Self {
        let own = match &browser.person {
            Person::Superadmin(_) => None,
            Person::User(_, tenant) => tenant.zone.as_ref(),
        };
        Self {
            zone: self.services.zones().of(own).await,
            browser: Some(Arc::new(browser)),
            ..self
        }
    }

    /// Where everything of the pages hangs together.
    pub(super) fn services(&self) -> &PageServices {
        &self.services
    }

    pub(super) fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    pub(super) fn has_flash(&self) -> bool {
        self.flash.is_some()
    }

    /// Console or portal.
    pub fn area(&self) -> Area {
        self.area
    }

    /// The language to write.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// How the area's paths begin.
    pub fn root(&self) -> &'static str {
        self.area.root()
    }

    /// A path below the area's root.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root())
    }

    /// Path and query of this page.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What clients of the API write as base URL: the address this page was asked at.
    pub(super) fn base_url(&self, request: &Request) -> String {
        let host = request.headers().get(HOST);
        let host = host.and_then(|value| value.to_str().ok());
        let authority = request.uri().authority().map(Authority::as_str);
        let scheme = if self.services.secure() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", host.or(authority).unwrap_or("localhost"))
    }

    /// The same for what people paste: `PUBLIC_URL` where it is set, and only what can stand in an address.
    pub(super) fn client_base(&self, request: &Request) -> String {
        if let Some(origin) = self.services.public_url() {
            return origin.to_owned();
        }
        let base = self.base_url(request);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:/-_[]".contains(c);
        if base.chars().all(is_plain) {
            base
        } else {
            "http://localhost".to_owned()
        }
    }

    /// Where the request comes from.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The session, at whatever step.
    pub fn browser(&self) -> Option<&BrowserSession> {
        self.browser.as_deref()
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.services.clock().now()
    }

    /// Now, and in which time zone.
    pub fn here(&self) -> Here<'_> {
        Here {
            now: self.now(),
            zone: &self.zone,
        }
    }

    /// The token that this page's forms carry.
    pub(super) fn csrf(&self) -> String {
        match &self.browser {
            Some(browser) => browser.session.csrf.expose().clone(),
            None => self.services.form_key().token(&self.nonce.value),
        }
    }

    /// The page as templates take it.
    pub async fn page(&self) -> Page {
        // A page without the line is better than none; the database's failure shows elsewhere.
        let announcement = self.services.settings().get::<Announcement>().await;
        let announcement = announcement.map(|line| line.text).unwrap_or_default();
        let signed_in = self.browser().filter(|browser| browser.is_in());
        Page {
            lang: self.lang,
            theme: self.theme,
            area: self.area,
            csrf: self.csrf(),
            path: self.path.clone(),
            person: signed_in.map(|browser| shown(&browser.person)),
            flash: self.flash.clone().into_iter().collect(),
            announcement: Some(announcement).filter(|line| !line.is_empty()),
            now: self.now(),
            zone: self.zone.clone(),
            opened: signed_in.and_then(opened_by),
        }
    }

    /// The cookie by which a browser is known again, unless it has one of this account.
    pub(super) fn device_cookie(&self, device: &Secret<String>) -> String {
        Jar::Device(self.area).set(device.expose(), None, self.services.secure())
    }
}

fn preferences(headers: &HeaderMap, secure: bool) -> (Lang, Theme) {
    let chosen = Jar::Language
        .read(headers, secure)
        .and_then(Lang::from_code);
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map(Lang::accepted);
    let theme = Jar::Theme.read(headers, secure).unwrap_or_default();
    (
        chosen.or(accepted).unwrap_or_default(),
        Theme::from_code(theme),
    )
}

impl<'a> FromRequest<'a> for PageContext {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        // The guard put it there; behind another door there are no pages.
        let context = request.data::<Self>().cloned();
        Ok(context.ok_or(PageError::Internal)?)
    }
}

#[cfg(test)]
mod tests;
